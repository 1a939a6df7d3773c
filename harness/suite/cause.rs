//! Why a check failed: the stable codes, and for each the sentence and the one-line fix. A cause names what reproduces the
//! finding; where nothing does, there is none.
//!
//! Long because: the codes are one table.

pub mod receiver;
pub mod sender;

use std::fmt;

use crate::webhook::recipe::{Digest, KeyForm, Message, Recipe};
use crate::wire::exchange::ExchangeId;

/// Declares the codes in one table: name, code, sentence, fix.
macro_rules! codes {
    ($($name:ident = $code:literal: $text:literal, $fix:literal;)*) => {
        /// A stable name of a cause (the interface's list of codes).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $text] $name,)*
        }

        impl Code {
            /// Every code that the suite can find.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as reports have it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What the implementation does.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The usual fix, in one line.
            pub fn fix(self) -> &'static str {
                match self { $(Self::$name => $fix,)* }
            }
        }
    };
}

codes! {
    MessageBodyAlone = "message.body-alone":
        "the signature covers the body alone, without timestamp and colon",
        "sign the timestamp header's value, a colon, and the raw body: hmac(secret, timestamp + \":\" + body)";
    MessageSeparator = "message.separator":
        "something other than a colon stands between timestamp and body in the signed text",
        "join timestamp and body with a single colon";
    MessageDoubleStringified = "message.double-stringified":
        "the payload is stringified twice before it is signed, as the documentation's sample does by mistake",
        "sign the JSON text that is sent, as it is: `${timestamp}:${payload}`, without a second JSON.stringify";
    MessageTimestampUnit = "message.timestamp-unit":
        "the timestamp is taken in seconds where it is milliseconds",
        "use the timestamp header's text as it stands, in milliseconds";
    MessageTimestampDiffers = "message.timestamp-differs":
        "the signature covers another timestamp, or another spelling of it, than the header has",
        "read the clock once, and use the header's text as it stands in the signed text";
    MessagePart = "message.part":
        "the signature covers a part of the text that it should cover",
        "sign the timestamp header's value, a colon, and the whole raw body";
    MessagePrefixOrNewline = "message.prefix-or-newline":
        "the signed text has bytes that the body on the wire does not have",
        "sign exactly the bytes that are sent, without a line feed behind them";
    KeyPrefix = "key.prefix":
        "the key is the secret with something more, something less, or only its beginning",
        "use all of the secret's characters as the key, and nothing else";
    KeyHexDecoded = "key.hex-decoded":
        "the secret is decoded from hexadecimal before it keys the signature",
        "use the secret's characters as the key, as UTF-8 text";
    KeyBase64Decoded = "key.base64-decoded":
        "the secret is decoded from base64 before it keys the signature",
        "use the secret's characters as the key, as UTF-8 text";
    KeyTrimmed = "key.trimmed":
        "white space at the ends of the secret, or the case of its letters, is changed before it keys the signature",
        "use the secret as it was given, without trim() or a change of case";
    KeyEmpty = "key.empty":
        "the signature is made under an empty key, as when the secret was never read",
        "read the secret from the configuration, and refuse to start without one";
    KeyOtherWebhook = "key.other-webhook":
        "the signature is made under the secret of another webhook",
        "use the secret of the very webhook: look it up, or read it from the configuration and refuse to start without";
    DigestEncoding = "digest.encoding":
        "the digest is not written as lowercase hexadecimal digits",
        "write the digest as 64 lowercase hexadecimal digits";
    DigestPrefix = "digest.prefix":
        "the digits have `sha256=` before them",
        "use the 64 digits alone as the header's value";
    DigestTruncated = "digest.truncated":
        "the digest is cut short",
        "use all 64 digits, and compare all of them";
    DigestAlgorithm = "digest.algorithm":
        "the algorithm is not HMAC-SHA256",
        "use HMAC with SHA-256";
    HeaderMissing = "header.missing":
        "a header that must be there is not",
        "send X-Twenty-Webhook-Signature and X-Twenty-Webhook-Timestamp with every delivery";
    HeaderDuplicate = "header.duplicate":
        "a header that must stand once stands several times",
        "set the header, do not append it; a receiver refuses a request in which it stands twice";
    HeaderTimestampFormat = "header.timestamp-format":
        "the timestamp header is not the present time in decimal milliseconds",
        "send the time of sending as decimal milliseconds since the epoch";
    HeaderName = "header.name":
        "a header has another name, or its name is matched letter by letter",
        "send the headers under their documented names, and match names without regard to case";
    AcceptsEverything = "accepts.everything":
        "every request is acknowledged, whatever its signature",
        "verify the signature before anything else, and answer 401 where it does not match";
    AcceptsUnsigned = "accepts.unsigned":
        "requests without a signature or a timestamp are acknowledged",
        "answer 401 where either header is missing or empty, also where no secret is configured";
    AcceptsAlternative = "accepts.alternative":
        "a second way of signing is accepted beside the right one",
        "accept one way of signing only: HMAC-SHA256 over timestamp, colon and raw body";
    AcceptsReplayed = "accepts.replayed":
        "a signature that was made for one delivery is accepted for another",
        "compute the signature anew for each request, from its own timestamp and body";
    AcceptsStale = "accepts.stale":
        "an old delivery is acknowledged as if it were new",
        "answer 401 where the timestamp is more than five minutes from the present, after verifying the signature";
    AcceptsFuture = "accepts.future":
        "a delivery from the future is acknowledged",
        "hold the timestamp's distance from the present against the window, in both directions";
    AcceptsMalformed = "accepts.malformed":
        "a signed request that is no delivery is acknowledged",
        "answer 400 where the verified body is not a JSON object that names an event";
    AcceptsTimestampFormat = "accepts.timestamp-format":
        "a timestamp that is not digits only is accepted",
        "match the timestamp against ^[0-9]+$ before anything else; NaN compares false with every bound";
    AcceptsBackDoor = "accepts.back-door":
        "an unsigned request is let in by another way",
        "let the signature alone decide: no trusted addresses, no secret in a header, no unsigned pings";
    LeaksSecret = "leaks.secret":
        "the answer to a forged delivery contains the secret",
        "answer a wrong signature with a fixed text, and log nothing that is secret";
    LeaksSignature = "leaks.signature":
        "the answer to a forged delivery contains the signature that would have been accepted",
        "answer a wrong signature with a fixed text; write what was expected to no answer and no public log";
    MessageReserialised = "message.reserialised":
        "the signature covers a re-serialised parse of the body, not the bytes on the wire",
        "hash the raw request body, before any JSON parser; a sender signs the very bytes that it sends";
    MessageSecretMember = "message.secret-member":
        "a member named `secret` is taken out of the body before it is hashed",
        "hash the raw request body as it stands, with every member in it";
    DigestTrailing = "digest.trailing":
        "characters beside the 64 digits are ignored",
        "match the signature against ^[0-9a-f]{64}$ before decoding it";
    CrashSignatureLength = "crash.signature-length":
        "a signature of another length breaks the comparison",
        "compare lengths before a constant-time comparison that throws on unequal ones";
    CrashHeaderBytes = "crash.header-bytes":
        "a header with bytes beyond ASCII breaks the receiver",
        "treat a header that is not ASCII as a signature that does not match";
    CrashMalformedJson = "crash.malformed-json":
        "a body that cannot be parsed breaks the receiver",
        "catch the parser's error, and answer 400";
    AnswerStatus = "answer.status":
        "the status is not the one that fits",
        "answer 401 to a wrong signature, 400 to a body that is no delivery, 413 to one that is too large, 405 to \
         another method";
    RefusesDialect = "refuses.dialect":
        "the body of the other dialect is refused",
        "read the event's name from `event` or `eventName`";
    RefusesLarge = "refuses.large":
        "a large body is refused",
        "raise the body limit of the framework or proxy to 1 MiB or more";
    RefusesChunked = "refuses.chunked":
        "a body without a length, or in several segments, is refused",
        "read the body to its end, whatever its framing, before hashing it";
    RefusesSplitCharacter = "refuses.split-character":
        "a body that is split inside a character is refused",
        "collect the body as bytes; decode it, if at all, when it is whole";
    RefusesSpelling = "refuses.spelling":
        "a body in another spelling of JSON is refused",
        "hash the raw request body, before any JSON parser, and parse leniently behind it";
    RefusesEverything = "refuses.everything":
        "every delivery is refused, whatever way of signing was tried",
        "check that the receiver's secret, path and method are those of the webhook";
    RefusesUnknownEvent = "refuses.unknown-event":
        "events, objects or members that are not on a list are refused",
        "acknowledge what you do not use: Twenty sends every kind of event to every webhook";
    RefusesHeaderCase = "refuses.header-case":
        "header names in another case are not found",
        "match header names without regard to case (RFC 9110, section 5.1)";
    RefusesConcurrent = "refuses.concurrent":
        "deliveries at the same time are not all acknowledged",
        "acknowledge first and work behind it, or queue instead of refusing";
    AnswerLate = "answer.late":
        "the answer comes late",
        "acknowledge first and do the work behind it";
    AnswerNone = "answer.none":
        "the request is not answered: the connection ends, or the process does",
        "answer a request that cannot be taken with a 4xx status";
    DedupeNone = "dedupe.none":
        "the same delivery is taken in each time that it comes",
        "remember a hash of the body once it was taken in, and acknowledge what is known without doing it again";
    DedupeTooCoarse = "dedupe.too-coarse":
        "different events are taken for the same one",
        "tell deliveries apart by their whole body, not by the record's id or anything that events share";
    DedupeNonce = "dedupe.nonce":
        "the same delivery is taken for another one when it is signed anew",
        "tell deliveries apart by their body: a retry has a new timestamp, signature and nonce";
    DedupeBeforeSuccess = "dedupe.before-success":
        "a delivery is remembered before it was verified and taken in, so that the valid one behind a forgery is lost",
        "remember a delivery only after it was verified and taken in";
    MisreadsDialect = "misreads.dialect":
        "the body of the other dialect is acknowledged, and its event is not found in it",
        "read the event's name from `event` or `eventName`, and the record from `data` or `record`";
    SendOncePerWebhook = "send.once-per-webhook":
        "an event does not reach each webhook exactly once",
        "deliver each event once to each webhook that is registered for it";
    SendAfterDelete = "send.after-delete":
        "a deleted webhook goes on receiving events",
        "look the registered webhooks up for each event, not once at the start";
    SendFilter = "send.filter":
        "a webhook's filter is not kept",
        "match each event's name against the webhook's operations: exact names, object.*, *.action and *.*";
    SendAckStatus = "send.ack-status":
        "a status, or the lack of one, is misread as an acknowledgement or as a failure",
        "take every final status from 200 to 299 as an acknowledgement, whatever comes with it, and nothing else";
    SendBlocked = "send.blocked":
        "a delivery is held up by another one that hangs or fails",
        "give each delivery a task and a bounded wait of its own, and go on behind one that failed";
    SendUnboundedRetry = "send.unbounded-retry":
        "a delivery is sent again without end, or without a pause",
        "end after a few attempts, with a pause before each that grows";
    SendRedirect = "send.redirect":
        "a redirect is followed or taken as an acknowledgement",
        "do not follow redirects; a 3xx is a delivery that failed";
    SendBatch = "send.batch":
        "one request carries several events",
        "send one request for each event";
    SendSecretLeak = "send.secret-leak":
        "the secret is sent along with the request",
        "send the signature only; the secret stays with sender and receiver";
    SendMethod = "send.method":
        "the request method is not POST",
        "send deliveries with POST";
    SendUrl = "send.url":
        "the request does not go to the registered URL as it was registered",
        "keep host, port, path and query of the registered URL unchanged";
    SendBodyForm = "send.body-form":
        "the body is not one JSON text in UTF-8 without a byte-order mark, declared as application/json",
        "send the JSON text alone, in UTF-8, with Content-Type: application/json";
    SendFraming = "send.framing":
        "what is sent is no whole HTTP request",
        "send requests with an HTTP library, or by RFC 9112: a request line, headers, an empty line, and a body of the \
         length that was declared";
    SendNonce = "send.nonce":
        "the nonce is missing, malformed or used twice",
        "send 16 random bytes as 32 lowercase hexadecimal digits, new for each request";
    SendLate = "send.late":
        "a delivery starts later than the deadline allows",
        "start the delivery when the event occurs, not in a later sweep";
    SendLost = "send.lost":
        "an event that should have been delivered never arrived",
        "deliver every kind of event to every webhook that has no filter";
    SendCrash = "send.crash":
        "the sender ended in the middle of the run",
        "handle failed deliveries without ending the process";
    PayloadMember = "payload.member":
        "a member of the payload is missing, has another name, or should not be there",
        "send the members of the documented payload under their documented names";
    PayloadType = "payload.type":
        "a member of the payload has another JSON type",
        "send each member with the JSON type that the record has it in";
    PayloadValue = "payload.value":
        "a value of the record came out changed",
        "serialise the record as UTF-8 JSON without converting its values";
    PayloadTime = "payload.time":
        "the payload's time is not the time of the event in UTC",
        "write the time of the event as an RFC 3339 date-time in UTC, such as 2025-02-10T15:30:50Z";
    PayloadDialect = "payload.dialect":
        "the payload has the form of the other dialect",
        "choose the dialect that you mean with --dialect documented or --dialect shipped";
}

/// A cause that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub code: Code,
    /// Which of its kind: the separator, the encoding, the statuses.
    pub detail: Option<String>,
    /// What is taken besides, where that is the cause.
    pub inner: Option<Code>,
    /// Other causes that explain what was seen as well.
    pub or: Vec<String>,
    /// The exchanges that show it, where they are others than those of the failure.
    pub shown_by: Vec<ExchangeId>,
}

impl Cause {
    /// A cause without a detail.
    pub fn new(code: Code) -> Self {
        Self { code, detail: None, inner: None, or: Vec::new(), shown_by: Vec::new() }
    }

    /// A cause with a detail.
    pub fn detailed(code: Code, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::new(code) }
    }

    /// The fix, in one line: of what is taken besides, where that can be mended by itself.
    pub fn fix(&self) -> &'static str {
        use Code::{DigestTrailing, DigestTruncated, MessagePart, MessageReserialised, MessageSecretMember};
        let by_itself =
            [DigestTrailing, DigestTruncated, MessagePart, MessageReserialised, MessageSecretMember];
        self.inner.filter(|inner| by_itself.contains(inner)).unwrap_or(self.code).fix()
    }

    #[must_use]
    pub fn shown_by(mut self, exchanges: impl IntoIterator<Item = ExchangeId>) -> Self {
        self.shown_by.extend(exchanges);
        self
    }

    /// With another cause that explains what was seen as well, unless it is the same.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        let name = other.to_string();
        if name != self.to_string() && !self.or.contains(&name) {
            self.or.push(name);
        }
        self.shown_by.extend(other.shown_by);
        self
    }

    /// The cause that a wrong way of signing is; `None` for the contract's own.
    ///
    /// What is signed comes before the key, and the key before the digest. Where more than one is wrong, the detail says
    /// all of it.
    pub fn of_recipe(recipe: &Recipe) -> Option<Self> {
        let (code, detail) =
            of_message(recipe.message).or_else(|| of_key(recipe.key)).or_else(|| of_digest(recipe.digest))?;
        let detail = if recipe.distance() > 1 { Some(recipe.describe()) } else { detail.map(str::to_owned) };
        Some(Self { detail, ..Self::new(code) })
    }
}

fn of_message(message: Message) -> Option<(Code, Option<&'static str>)> {
    Some(match message {
        Message::Contract => return None,
        Message::BodyAlone => (Code::MessageBodyAlone, None),
        Message::TimestampAlone => (Code::MessagePart, Some("timestamp alone")),
        Message::Separator(separator) => (
            Code::MessageSeparator,
            Some(match separator {
                "" => "none",
                "\n" => "line feed",
                other => other,
            }),
        ),
        Message::DoubleStringified { ascii } => {
            (Code::MessageDoubleStringified, ascii.then_some("in ASCII, as Python's json.dumps writes it"))
        }
        Message::Seconds => (Code::MessageTimestampUnit, Some("seconds")),
        Message::Part => (Code::MessagePart, Some("record alone")),
        Message::TrailingNewline => (Code::MessagePrefixOrNewline, Some("line feed behind the body")),
        Message::Reserialised(serialiser) => (Code::MessageReserialised, Some(serialiser.name())),
        Message::SecretMember => (Code::MessageSecretMember, None),
    })
}

fn of_key(key: KeyForm) -> Option<(Code, Option<&'static str>)> {
    Some(match key {
        KeyForm::Utf8 => return None,
        KeyForm::HexDecoded => (Code::KeyHexDecoded, None),
        KeyForm::Base64Decoded => (Code::KeyBase64Decoded, None),
        KeyForm::Trimmed => (Code::KeyTrimmed, Some("white space")),
        KeyForm::Uppercase => (Code::KeyTrimmed, Some("upper case")),
        KeyForm::Lowercase => (Code::KeyTrimmed, Some("lower case")),
        KeyForm::TrailingNewline => (Code::KeyPrefix, Some("a line feed behind it")),
        KeyForm::Empty => (Code::KeyEmpty, None),
        KeyForm::Other => (Code::KeyOtherWebhook, Some("a secret that was never agreed on")),
    })
}

fn of_digest(digest: Digest) -> Option<(Code, Option<&'static str>)> {
    Some(match digest {
        Digest::Hex => return None,
        Digest::Uppercase => (Code::DigestEncoding, Some("upper")),
        Digest::Base64 => (Code::DigestEncoding, Some("base64")),
        Digest::Base64Url => (Code::DigestEncoding, Some("base64url")),
        Digest::Prefixed => (Code::DigestPrefix, Some("sha256=")),
        Digest::Truncated => (Code::DigestTruncated, None),
        Digest::Sha1 => (Code::DigestAlgorithm, Some("sha1")),
        Digest::Sha512 => (Code::DigestAlgorithm, Some("sha512")),
        Digest::Unkeyed => (Code::DigestAlgorithm, Some("unkeyed")),
        Digest::Zeros => (Code::DigestAlgorithm, Some("zeros")),
    })
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())?;
        self.detail.as_ref().map_or(Ok(()), |detail| write!(f, " ({detail})"))
    }
}
