//! The names of what is done to a subject. How each is done stands under `scenario/`.
//!
//! Invariant: names and sentences only.

use serde::Serialize;

use super::capability::Capability;

/// What is done to a subject. Scenarios are few; each feeds several checks. How each is done stands under `scenario/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// Receiver: every sample event, correctly signed.
    Valid,
    /// Receiver: events, objects and members that it does not know.
    Unfamiliar,
    /// Receiver: header names in other cases.
    HeaderCase,
    /// Receiver: many deliveries at the same time.
    Concurrent,
    /// Receiver: `Content-Type` with a parameter.
    ContentType,
    /// Receiver: bodies in chunks and in segments, several deliveries on one connection.
    Framing,
    /// Receiver: a body of 256 KiB.
    #[serde(rename = "body-256-kib")]
    Body256KiB,
    /// Receiver: a body of 1 MiB.
    #[serde(rename = "body-1-mib")]
    Body1MiB,
    /// Receiver: bodies that grow until one is refused.
    BodyLimit,
    /// Receiver: the same content again, signed anew.
    Repeated,
    /// Receiver: JSON as `JSON.stringify` writes it.
    JavascriptJson,
    /// Receiver: a lone surrogate, escaped.
    LoneSurrogate,
    /// Receiver: JSON as other programs may write it.
    OtherSpelling,
    /// Receiver: the body of the other dialect.
    OtherDialect,
    /// Receiver: signatures that are wrong early and late.
    Comparison,
    /// Receiver: genuine and forged deliveries, and the same ones twice, to see what is taken in.
    Intake,
    /// Receiver: content changed under the old signature.
    AlteredContent,
    /// Receiver: the timestamp header changed under the old signature.
    AlteredTimestamp,
    /// Receiver: signed under another key.
    WrongKey,
    /// Receiver: a header missing or empty.
    MissingHeader,
    /// Receiver: signed over something else.
    OtherMessage,
    /// Receiver: another algorithm or form of digest.
    OtherDigest,
    /// Receiver: something beside the digits of the signature.
    Surrounded,
    /// Receiver: signatures of other lengths, and of bytes that are no digits.
    SignatureLength,
    /// Receiver: timestamps that are not digits only.
    TimestampForm,
    /// Receiver: correctly signed, and too old or from the future.
    Stale,
    /// Receiver: correctly signed, and up to a minute off.
    Recent,
    /// Receiver: correctly signed, and no delivery.
    Malformed,
    /// Receiver: unsigned, malformed beside well-formed.
    UnsignedMalformed,
    /// Receiver: request methods other than POST.
    OtherMethod,
    /// Receiver: unsigned requests with something that might let them in.
    BackDoor,
    /// Receiver: the same content in another spelling under the old signature.
    Reformatted,
    /// Receiver that refuses the plain genuine delivery: every known way of signing, to find the one it expects.
    Diagnosis,
    /// Sender: one webhook, every sample event and one record of every kind of value.
    EveryEvent,
    /// Sender: three webhooks with secrets of their own.
    SeveralWebhooks,
    /// Sender: webhooks with generated secrets, and bursts of events with generated records.
    Generated,
    /// Sender: webhooks with filters beside one without.
    Filtered,
    /// Sender: one webhook is deleted while another stays.
    Deletion,
    /// Sender: a webhook without a secret.
    Unsigned,
    /// Sender: an endpoint behind HTTPS with a certificate that it can trust.
    Https,
    /// Sender: an endpoint that answers with every status from 200 to 299.
    Acknowledged,
    /// Sender: an endpoint that answers with statuses of the other classes.
    NotAcknowledged,
    /// Sender: an endpoint whose answers are 200 in unusual forms.
    AnswerForms,
    /// Sender: endpoints that refuse, reset, break off, fail, and never answer, beside one that is well.
    Unanswered,
    /// Sender: endpoints behind HTTPS with certificates that nobody can trust, beside one that is well.
    BadCertificates,
}

impl Scenario {
    /// What is done, for `explain`.
    pub fn describe(self) -> &'static str {
        // A table: one line for each scenario.
        match self {
            Self::Valid => "every sample event of the dialect, correctly signed",
            Self::Unfamiliar => {
                "correctly signed deliveries of an unknown event, an unknown object, and with unknown members"
            }
            Self::HeaderCase => "a genuine delivery with its header names in lower, upper and mixed case",
            Self::Concurrent => "64 genuine deliveries at the same time, each on a connection of its own",
            Self::ContentType => "a genuine delivery with Content-Type: application/json; charset=utf-8",
            Self::Framing => {
                "genuine deliveries in chunks, in segments, split inside a character, and several on one connection"
            }
            Self::Body256KiB => "a genuine delivery of 256 KiB",
            Self::Body1MiB => "a genuine delivery of 1 MiB",
            Self::BodyLimit => {
                "genuine deliveries that double in size up to 16 MiB, and the first that is refused again in chunks"
            }
            Self::Repeated => "the same content again under a new timestamp and signature",
            Self::JavascriptJson => "genuine deliveries with whatever JSON.stringify can write",
            Self::LoneSurrogate => "a genuine delivery with the escape of a lone surrogate",
            Self::OtherSpelling => {
                "genuine deliveries with white space, other orders, other escapes, other numbers, duplicate keys"
            }
            Self::OtherDialect => "a genuine delivery in the other dialect's form",
            Self::Comparison => {
                "300 forged deliveries in turns, with the first or the last digit of their signatures wrong"
            }
            Self::Intake => {
                "genuine and forged deliveries, the same one twice (byte for byte, signed anew, behind a forged copy), \
                 two events of one record, and the other dialect, each of a record of its own"
            }
            Self::Surrounded => {
                "the right digits with something before or behind them, and beside a second signature header"
            }
            Self::SignatureLength => {
                "signatures of 0, 1, 63, 65 and 200 digits, and of 64 bytes beyond ASCII"
            }
            Self::TimestampForm => {
                "deliveries correctly signed under timestamps that are not digits only, and text moved over the colon"
            }
            Self::Stale => "deliveries correctly signed for a day ago, for tomorrow, and in seconds",
            Self::Recent => "deliveries correctly signed for up to a minute ago or ahead",
            Self::Malformed => "correctly signed bodies that are no deliveries",
            Self::UnsignedMalformed => "unsigned requests, malformed beside well-formed",
            Self::OtherMethod => "a signed delivery by GET, PUT, PATCH and DELETE",
            Self::BackDoor => {
                "unsigned deliveries that claim a local address, carry the secret itself, or are called a ping"
            }
            Self::Reformatted => "the same content in another spelling under the old signature",
            Self::AlteredContent => {
                "a genuine delivery whose body was changed behind the signature: a value, a member more, \
                 a member less, cut short"
            }
            Self::AlteredTimestamp => {
                "a genuine delivery whose timestamp header was changed behind the signature: a millisecond later, \
                 a minute earlier, with a zero before it"
            }
            Self::WrongKey => {
                "deliveries signed under another secret, the empty key, and the secret decoded or in other case"
            }
            Self::MissingHeader => "deliveries whose signature, timestamp or both are missing or empty",
            Self::OtherMessage => {
                "deliveries signed over the body alone, the timestamp alone, with another separator, \
                 over the payload stringified twice, and with the signature of another delivery"
            }
            Self::OtherDigest => {
                "deliveries signed with SHA-1, SHA-512, plain SHA-256, in base64, cut short, and with zeros"
            }
            Self::Diagnosis => "deliveries signed in every known wrong way, to find the one that is expected",
            Self::EveryEvent => {
                "one webhook without a filter; every sample event and a record with every kind of value is emitted"
            }
            Self::SeveralWebhooks => "three webhooks with secrets of their own; several events are emitted",
            Self::Generated => {
                "three webhooks, two of them with generated secrets; bursts of events whose records are generated: text \
                 in any script, numbers at the edges of 2^53 and beyond, nesting, empty and integer-like names, lone \
                 surrogates, up to 64 KiB"
            }
            Self::Filtered => {
                "webhooks with the filters person.created, person.*, *.created, *.* and a list, and one without; \
                 several events are emitted"
            }
            Self::Unsigned => "a webhook without a secret; several events are emitted",
            Self::Deletion => "two webhooks, one of which is deleted between two events",
            Self::Https => {
                "an endpoint behind HTTPS, with a certificate of the authority that the sender was told of"
            }
            Self::Acknowledged => "an endpoint that answers each event with another status from 200 to 299",
            Self::NotAcknowledged => {
                "an endpoint that answers with redirects (to another host, and to itself), client errors and \
                 server errors"
            }
            Self::AnswerForms => {
                "an endpoint that answers 200 with an empty body, one of 4 MiB, one without end, no JSON, and words \
                 of an error, or behind 100, 102 and 103; and one that answers before it has read the body"
            }
            Self::Unanswered => {
                "side by side: endpoints that refuse, close, reset in the middle of the request, break off inside \
                 the status line and the headers, never answer, answer late, byte by byte, 500 always, and 500 \
                 twice; and one that is well"
            }
            Self::BadCertificates => {
                "side by side: endpoints behind HTTPS whose certificates have expired, are self-signed and are for \
                 another host; and one whose certificate is good"
            }
        }
    }

    /// What a sender must have declared for it to be played at all.
    pub fn needs(self) -> Option<Capability> {
        match self {
            Self::Filtered => Some(Capability::Filters),
            Self::Deletion => Some(Capability::Delete),
            Self::Unsigned => Some(Capability::Unsigned),
            Self::Https | Self::BadCertificates => Some(Capability::Https),
            _ => None,
        }
    }
}
