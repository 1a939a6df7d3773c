//! What the endpoints of a sender's webhooks do, by name. How each is done stands under `endpoint/scripted/`.
//!
//! Invariant: names and sentences only.

use crate::wire::handshake::Certificate;

/// How the targets of redirects begin. No webhook's path does.
pub const MOVED: &str = "/moved/";

/// What a webhook's endpoint does with every delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Conduct {
    /// It answers each as its event says.
    Answers,
    /// It answers 200 to the head of a request, before the body has been read.
    AnswersEarly,
    /// It answers 200, a little less than a second late.
    AnswersLate,
    /// It answers 200, byte by byte.
    Drips,
    /// It answers 500, however often the first event comes.
    Fails,
    /// It answers 500 twice, and then 200.
    FailsTwice,
    /// Nothing listens there.
    Refuses,
    /// It closes each connection as soon as it is there.
    ClosesAtOnce,
    /// It closes the connection in place of an answer.
    Closes,
    /// It resets the connection in the middle of the request.
    Resets,
    /// It closes the connection inside the status line of a 200.
    CutsStatusLine,
    /// It closes the connection inside the headers of a 200.
    CutsHeaders,
    /// It never answers, and keeps the connection open.
    Hangs,
    /// It is an HTTPS endpoint with that certificate, and answers each as its event says.
    Secured(Certificate),
}

/// What an answer is apart from its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnswerForm {
    /// Nothing in particular.
    Plain,
    /// One with a body that is worth a look: which.
    Body(&'static str),
    /// One that others go before: which.
    Interim(&'static str),
    /// A redirect to another host.
    ToAnotherHost,
    /// A redirect to another path of the same endpoint.
    ToItself,
}

impl Conduct {
    /// Whether no answer comes from there.
    pub fn is_silent(self) -> bool {
        matches!(
            self,
            Self::Refuses
                | Self::ClosesAtOnce
                | Self::Closes
                | Self::Resets
                | Self::CutsStatusLine
                | Self::CutsHeaders
                | Self::Hangs
        )
    }

    /// Whether requests can be seen there. A careful sender sends none to a certificate that it rejects.
    pub fn sees_requests(self) -> bool {
        match self {
            Self::Secured(certificate) => certificate == Certificate::Good,
            other => !matches!(other, Self::Refuses | Self::ClosesAtOnce),
        }
    }

    /// What became of a delivery there, as the end of "a delivery that ...".
    pub fn what_became(self) -> &'static str {
        match self {
            Self::Answers => "was answered",
            Self::AnswersEarly => "was answered before its body had been read",
            Self::AnswersLate => "was answered late",
            Self::Drips => "was answered byte by byte",
            Self::Fails | Self::FailsTwice => "was answered 500",
            Self::Refuses => "was refused a connection",
            Self::ClosesAtOnce => "found the connection closed at once",
            Self::Closes => "had the connection closed in place of an answer",
            Self::Resets => "had the connection reset",
            Self::CutsStatusLine => "was answered with a status line cut short",
            Self::CutsHeaders => "was answered with headers cut short",
            Self::Hangs => "was never answered",
            Self::Secured(Certificate::Good) => "was answered over HTTPS",
            Self::Secured(Certificate::Expired) => "met a certificate that has expired",
            Self::Secured(Certificate::SelfSigned) => "met a certificate that is self-signed",
            Self::Secured(Certificate::OtherHost) => "met a certificate that is for another host",
        }
    }

    /// The word for it in a cause's detail.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answers => "answered",
            Self::AnswersEarly => "answered early",
            Self::AnswersLate => "answered late",
            Self::Drips => "answered slowly",
            Self::Fails | Self::FailsTwice => "answered 500",
            Self::Refuses => "refused",
            Self::ClosesAtOnce => "closed at once",
            Self::Closes => "closed",
            Self::Resets => "reset",
            Self::CutsStatusLine => "cut inside the status line",
            Self::CutsHeaders => "cut inside the headers",
            Self::Hangs => "timed out",
            Self::Secured(Certificate::Good) => "answered over HTTPS",
            Self::Secured(Certificate::Expired) => "certificate expired",
            Self::Secured(Certificate::SelfSigned) => "certificate self-signed",
            Self::Secured(Certificate::OtherHost) => "certificate of another host",
        }
    }
}
