//! What the endpoints of a sender's webhooks do, by name. `endpoint/scripted/` has how each is done.

use serde::{Deserialize, Serialize};

use crate::constant::{self, Constant};
use crate::wire::handshake::Certificate;

/// How the targets of redirects begin. No webhook's path does.
pub const MOVED: &str = "/moved/";

/// What a webhook's endpoint does with every delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conduct {
    /// It answers with the status that the emission asks for.
    Answers,
    /// It answers 200 to the head of a request, before reading the body.
    AnswersEarly,
    /// It answers 200, a little less than a second late.
    AnswersLate,
    /// It answers 200, byte by byte.
    Drips,
    /// It answers 200 with a body that never ends.
    AnswersWithoutEnd,
    /// It answers 200, and closes each connection that is idle for a moment.
    ClosesIdle,
    /// The same with a reset.
    ResetsIdle,
    /// It answers 500 every time.
    Fails,
    /// It answers 500 twice, and then 200.
    FailsTwice,
    /// It refuses connections: nothing listens there.
    Refuses,
    /// It closes each connection as soon as it is open.
    ClosesAtOnce,
    /// It closes the connection instead of answering.
    Closes,
    /// It resets the connection during the request.
    Resets,
    /// It closes the connection inside the status line of a 200.
    CutsStatusLine,
    /// It closes the connection inside the headers of a 200.
    CutsHeaders,
    /// It never answers, and keeps the connection open.
    Hangs,
    /// It is an HTTPS endpoint with this certificate, and answers with the status that the emission asks for.
    Secured(Certificate),
}

/// What is special about an answer, apart from its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerForm {
    /// Nothing.
    Plain,
    /// Its body, which is described here.
    Body(#[serde(deserialize_with = "constant::read")] Constant),
    /// The interim answers before it, which are described here.
    Interim(#[serde(deserialize_with = "constant::read")] Constant),
    /// Its body never ends.
    Endless,
    /// A redirect to another host.
    ToAnotherHost,
    /// A redirect to another path of the same endpoint.
    ToItself,
}

impl Conduct {
    /// Whether the endpoint gives no complete answer.
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

    /// Whether the endpoint sees requests. A careful sender sends none to a certificate that it rejects.
    pub fn sees_requests(self) -> bool {
        match self {
            Self::Secured(certificate) => certificate == Certificate::Good,
            other => !matches!(other, Self::Refuses | Self::ClosesAtOnce),
        }
    }
}
