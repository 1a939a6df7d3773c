//! The attachment protocol of senders: JSON lines, with one reply per request, matched by id (interface, section 3).
//!
//! Invariant: the record of an `emit` is raw JSON text on both sides and is never parsed in between. Of a reply, only the
//! members that are known are parsed, and a bounded part of its texts is kept.

mod hello;

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{SubjectError, messages};
use crate::budget::{OUTCOMES, REPLY, REPLY_TEXT, shortened};
use crate::redaction::Redaction;
use crate::webhook::dialect::Members;
use crate::webhook::event::{Event, EventName};
use crate::webhook::signature::Secret;
use crate::wire::codec::quote;

pub use hello::Hello;

pub(crate) const VERSION: u32 = 1;

/// One request to a sender.
#[derive(Debug, Clone)]
pub enum Op {
    Hello {
        dialect: String,
        /// A PEM file with the authority of the HTTPS endpoints; `None` without such endpoints.
        ca: Option<PathBuf>,
    },
    CreateWebhook {
        url: String,
        /// `None` for a webhook without a secret (capability `unsigned`).
        secret: Option<Secret>,
        /// The filter; `None` for every event.
        operations: Option<Vec<String>>,
    },
    Emit(Event),
    /// Asks for the outcomes of a webhook's deliveries.
    Outcomes {
        webhook: String,
    },
    DeleteWebhook {
        webhook: String,
    },
    Shutdown,
}

/// What a sender replies.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Done, with an answer as JSON text.
    Ok(Box<RawValue>),
    Error(String),
    /// The sender cannot do this: why.
    Unsupported(String),
}

/// What a sender reports about one delivery.
#[derive(Debug, Clone, Deserialize)]
pub struct Outcome {
    #[serde(default)]
    pub record: Option<String>,
    pub delivered: bool,
    #[serde(default)]
    pub status: Option<u16>,
}

/// Reads the answer to `create_webhook`: the sender's name for the webhook. Errors: [`SubjectError::ProtocolViolation`].
pub(crate) fn webhook_name(answer: &RawValue) -> Result<String, SubjectError> {
    let name = member(answer, "webhook").and_then(|name| serde_json::from_str(name.get()).ok());
    name.ok_or_else(|| SubjectError::ProtocolViolation(messages::no_webhook_name(&quoted(answer))))
}

/// Reads the answer to `outcomes`. Errors: [`SubjectError::ProtocolViolation`].
pub(crate) fn outcomes(answer: &RawValue) -> Result<Vec<Outcome>, SubjectError> {
    read("outcomes", answer, member(answer, "deliveries").unwrap_or(RawValue::NULL))
}

/// Reads a part of an answer.
fn read<'a, T: Deserialize<'a>>(op: &str, answer: &RawValue, part: &'a RawValue) -> Result<T, SubjectError> {
    serde_json::from_str(part.get())
        .map_err(|why| SubjectError::ProtocolViolation(messages::invalid_answer(op, why, &quoted(answer))))
}

/// The member of this name, if the text is an object.
fn member<'a>(json: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    struct Find<'n>(&'n str);

    impl<'de> Visitor<'de> for Find<'_> {
        type Value = Option<&'de RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            // As in most parsers, the last one counts.
            while let Some(name) = members.next_key::<Cow<'de, str>>()? {
                if name == self.0 {
                    found = Some(members.next_value()?);
                } else {
                    members.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }

    let mut text = serde_json::Deserializer::from_str(json.get());
    text.deserialize_map(Find(name)).ok().flatten()
}

fn quoted(answer: &RawValue) -> String {
    quote(answer.get().as_bytes())
}

impl Op {
    /// The name in the protocol.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::CreateWebhook { .. } => "create_webhook",
            Self::Emit(_) => "emit",
            Self::Outcomes { .. } => "outcomes",
            Self::DeleteWebhook { .. } => "delete_webhook",
            Self::Shutdown => "shutdown",
        }
    }

    /// The longest reply to it, in bytes.
    pub(crate) fn longest_reply(&self) -> usize {
        if matches!(self, Self::Outcomes { .. }) { OUTCOMES } else { REPLY }
    }

    /// Its line, without the line feed. It is pure ASCII: some readers end a line at U+2028 or U+0085, or decode with the encoding
    /// of the system.
    pub(crate) fn encode(&self, id: u64) -> String {
        ascii(&self.line(id))
    }

    fn line(&self, id: u64) -> String {
        let op = self.name();
        let mut line = json!({ "id": id, "op": op });
        match self {
            Self::Hello { dialect, ca } => {
                line["protocol"] = VERSION.into();
                line["dialect"] = dialect.as_str().into();
                if let Some(ca) = ca {
                    line["ca"] = ca.to_string_lossy().into();
                }
            }
            Self::CreateWebhook { url, secret, operations } => {
                line["url"] = url.as_str().into();
                line["secret"] = secret.as_ref().map(Secret::expose).into();
                if let Some(operations) = operations {
                    line["operations"] = operations.clone().into();
                }
            }
            Self::Emit(event) => {
                line["event"] = event.name.as_str().into();
                if let Some(fields) = &event.updated_fields {
                    line["updated_fields"] = fields.clone().into();
                }
                // The record is inserted as text. A line break in it would end the line too early.
                let head = line.to_string();
                let record = single_line(&event.record);
                return format!("{},\"data\":{record}}}", &head[..head.len() - 1]);
            }
            Self::Outcomes { webhook } | Self::DeleteWebhook { webhook } => {
                line["webhook"] = webhook.as_str().into()
            }
            Self::Shutdown => {}
        }
        line.to_string()
    }

    /// Reads a line. Returns the request's id, and the request or the reply to an invalid one.
    pub fn decode(line: &str) -> (Value, Result<Self, Reply>) {
        let members = match Members::parse(line.as_bytes()) {
            Ok(members) => members,
            Err(why) => return (Value::Null, Err(Reply::Error(messages::invalid_request(why)))),
        };
        let id = members.get("id").and_then(|id| serde_json::from_str(id.get()).ok()).unwrap_or(Value::Null);
        (id, Self::from_members(&members))
    }

    fn from_members(members: &Members) -> Result<Self, Reply> {
        let text = |key: &str| members.text(key).ok_or_else(|| Reply::Error(messages::must_be_string(key)));
        let list = |key: &str| -> Result<Option<Vec<String>>, Reply> {
            let Some(raw) = members.get(key) else { return Ok(None) };
            serde_json::from_str(raw.get()).map_err(|_| Reply::Error(messages::must_be_strings(key)))
        };
        Ok(match text("op")?.as_str() {
            "hello" => Self::Hello { dialect: text("dialect")?, ca: members.text("ca").map(PathBuf::from) },
            "create_webhook" => Self::CreateWebhook {
                url: text("url")?,
                secret: members.text("secret").map(Secret::new),
                operations: list("operations")?,
            },
            "emit" => Self::Emit(Event {
                name: EventName::new(text("event")?),
                record: members
                    .get("data")
                    .ok_or_else(|| Reply::Error(messages::missing_member("data")))?
                    .to_owned(),
                updated_fields: list("updated_fields")?,
            }),
            "outcomes" => Self::Outcomes { webhook: text("webhook")? },
            "delete_webhook" => Self::DeleteWebhook { webhook: text("webhook")? },
            "shutdown" => Self::Shutdown,
            other => return Err(Reply::Unsupported(messages::unknown_operation(other))),
        })
    }
}

impl Reply {
    /// The reply that an operation is done, with this answer.
    pub fn ok(answer: &Value) -> Self {
        // A value always serialises.
        Self::Ok(serde_json::value::to_raw_value(answer).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }

    /// Its line, without the line feed.
    pub fn encode(&self, id: &Value) -> String {
        match self {
            Self::Ok(answer) => json!({ "id": id, "ok": answer }),
            Self::Error(message) => json!({ "id": id, "error": { "message": message } }),
            Self::Unsupported(reason) => json!({ "id": id, "unsupported": { "reason": reason } }),
        }
        .to_string()
    }

    /// Reads a line. Errors: why it is not a reply.
    pub fn decode(line: &[u8]) -> Result<(u64, Self), String> {
        let whole: &RawValue = serde_json::from_slice(line).map_err(messages::not_json)?;
        let of = |name: &str| member(whole, name);
        let id = of("id").and_then(|id| serde_json::from_str(id.get()).ok());
        let id: u64 = id.ok_or_else(messages::no_numeric_id)?;
        if let Some(answer) = of("ok") {
            return Ok((id, Self::Ok(answer.to_owned())));
        }
        let error = of("error").map(|given| Self::Error(words(given, "message")));
        let reply =
            error.or_else(|| of("unsupported").map(|given| Self::Unsupported(words(given, "reason"))));
        reply.map(|reply| (id, reply)).ok_or_else(messages::no_result)
    }
}

/// Keeps the beginning of long texts in replies. Secrets are redacted before that, so that no part of one is left.
#[derive(Debug, Default)]
pub(crate) struct ReplyTexts {
    redaction: Redaction,
    /// The length of the longest secret.
    longest: usize,
}

impl ReplyTexts {
    /// Notes the secret that an operation has.
    pub(crate) fn know(&mut self, op: &Op) {
        if let Op::CreateWebhook { secret: Some(secret), .. } = op {
            self.redaction.add(secret);
            self.longest = self.longest.max(secret.expose().len());
        }
    }

    /// The reply as it is kept.
    pub(crate) fn kept(&self, reply: Reply) -> Reply {
        match reply {
            Reply::Error(message) if message.len() > REPLY_TEXT => Reply::Error(self.beginning(&message)),
            Reply::Unsupported(reason) if reason.len() > REPLY_TEXT => {
                Reply::Unsupported(self.beginning(&reason))
            }
            short => short,
        }
    }

    fn beginning(&self, text: &str) -> String {
        // No encoding of a secret is longer than this.
        let longest = 8 * self.longest;
        let redacted = self.redaction.text(&shortened(text, REPLY_TEXT + longest));
        // The end may be a part of a secret, which is not redacted.
        shortened(&redacted, REPLY_TEXT.min(redacted.len().saturating_sub(longest + "…".len())))
    }
}

/// The text in a member of an object. A plain string instead of an object is accepted too.
fn words(given: &RawValue, name: &str) -> String {
    let words = member(given, name).unwrap_or(given);
    serde_json::from_str(words.get()).unwrap_or_else(|_| words.get().to_owned())
}

/// JSON text with every character beyond ASCII escaped. Such a character can only be in a string.
fn ascii(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for char in json.chars() {
        if char.is_ascii() {
            escaped.push(char);
            continue;
        }
        for unit in char.encode_utf16(&mut [0; 2]) {
            escaped.push_str(&format!("\\u{unit:04x}"));
        }
    }
    escaped
}

/// JSON text without raw line feeds, which can only be white space between tokens.
fn single_line(json: &RawValue) -> String {
    json.get().replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::{Op, Reply, ReplyTexts};
    use crate::budget::REPLY_TEXT;
    use crate::webhook::event::{Event, EventName};
    use crate::webhook::signature::Secret;

    #[test]
    fn long_text_is_cut_without_leaving_a_part_of_a_secret() {
        let mut texts = ReplyTexts::default();
        let secret = "0123456789abcdefghij";
        let create =
            Op::CreateWebhook { url: String::new(), secret: Some(Secret::new(secret)), operations: None };
        texts.know(&create);
        for before in 0..secret.len() {
            let words = format!("{}{}", "x".repeat(before), secret.repeat(1000));
            let Reply::Error(kept) = texts.kept(Reply::Error(words)) else { panic!("it was an error") };
            assert!(kept.len() <= REPLY_TEXT + "…".len() && kept.ends_with('…'), "{kept}");
            assert!(!kept.contains("0123"), "{kept}");
        }
        let short = texts.kept(Reply::Unsupported("no".to_owned()));
        assert!(matches!(short, Reply::Unsupported(reason) if reason == "no"));
    }

    #[test]
    fn requests_are_ascii_and_mean_the_same() {
        let record = "{\n\"name\":\"Zo\u{eb} \u{2028}\u{85}\u{1f600} \\u00e9 \\\\\"}";
        let event = Event {
            name: EventName::new("p\u{e9}rson.created".to_owned()),
            record: RawValue::from_string(record.to_owned()).unwrap_or_else(|why| panic!("{why}")),
            updated_fields: Some(vec!["\u{df}".to_owned()]),
        };
        let line = Op::Emit(event.clone()).encode(7);
        assert!(line.is_ascii() && !line.contains('\n'), "{line}");
        assert!(line.contains("Zo\\u00eb \\u2028\\u0085\\ud83d\\ude00 \\u00e9 \\\\"), "{line}");
        let (_, Ok(Op::Emit(read))) = Op::decode(&line) else { panic!("{line}") };
        assert_eq!((read.name.as_str(), &read.updated_fields), (event.name.as_str(), &event.updated_fields));
        let value = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap_or_default();
        assert_eq!(value(read.record.get()), value(record));
    }

    #[test]
    fn reads_every_form_of_error_reply() {
        for (line, expected) in [
            (r#"{"id":1,"error":{"message":"locked"}}"#, "locked"),
            (r#"{"id":1,"error":"locked"}"#, "locked"),
            (r#"{"id":1,"error":{"code":7}}"#, r#"{"code":7}"#),
        ] {
            let Ok((1, Reply::Error(words))) = Reply::decode(line.as_bytes()) else { panic!("{line}") };
            assert_eq!(words, expected);
        }
    }
}
