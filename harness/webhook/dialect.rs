//! The two forms of body of Twenty's webhooks: the documented one, and the one that the shipped server sends.
//!
//! Invariant: a dialect is data. All differences are in the two literals below; methods read the literal and never ask which
//! dialect it is.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::webhook::event::{Event, EventName};
pub use crate::webhook::members::{Members, NotAnObject};
use crate::webhook::sample::{self, Sample};

/// The body as the documentation shows it (the default).
pub static DOCUMENTED: Dialect = Dialect {
    name: "documented",
    envelope: &[
        Member { key: "event", content: Content::EventName },
        Member { key: "data", content: Content::Record },
        Member { key: "timestamp", content: Content::Time },
    ],
    metadata_envelope: None,
    event_member: "event",
    record_member: "data",
    time_member: "timestamp",
    actions: &["created", "updated", "deleted"],
    nonce: false,
    record: |sample| sample.documented.as_deref(),
};

/// The body as the shipped server sends it (contract section 2).
pub static SHIPPED: Dialect = Dialect {
    name: "shipped",
    envelope: &[
        Member { key: "targetUrl", content: Content::TargetUrl },
        Member { key: "eventName", content: Content::EventName },
        Member { key: "objectMetadata", content: Content::ObjectMetadata },
        Member { key: "workspaceId", content: Content::WorkspaceId },
        Member { key: "webhookId", content: Content::WebhookId },
        Member { key: "eventDate", content: Content::Time },
        Member { key: "record", content: Content::Record },
        Member { key: "updatedFields", content: Content::UpdatedFields },
    ],
    metadata_envelope: Some(&[
        Member { key: "targetUrl", content: Content::TargetUrl },
        Member { key: "eventName", content: Content::EventName },
        Member { key: "workspaceId", content: Content::WorkspaceId },
        Member { key: "webhookId", content: Content::WebhookId },
        Member { key: "eventDate", content: Content::Time },
        Member { key: "event", content: Content::MetadataEvent },
    ]),
    event_member: "eventName",
    record_member: "record",
    time_member: "eventDate",
    actions: &["created", "updated", "deleted", "destroyed", "restored"],
    nonce: true,
    record: |sample| sample.shipped.as_deref(),
};

/// The actions that every receiver must accept (RCV-1).
const REQUIRED_ACTIONS: [&str; 3] = ["created", "updated", "deleted"];

/// Both dialects, the default first.
pub static ALL: [&Dialect; 2] = [&DOCUMENTED, &SHIPPED];

/// A form of body: its members, its extra header, its event names. Signing and acknowledgement are common to all.
pub struct Dialect {
    /// The name on the command line and in reports.
    pub name: &'static str,
    /// The members of a record event's body, in the order of the wire.
    pub envelope: &'static [Member],
    /// The members of a metadata event's body, if the dialect has such events.
    pub metadata_envelope: Option<&'static [Member]>,
    pub event_member: &'static str,
    pub record_member: &'static str,
    /// The member that says when the event occurred.
    pub time_member: &'static str,
    pub actions: &'static [&'static str],
    /// Whether each request has a nonce header.
    pub nonce: bool,
    record: fn(&Sample) -> Option<&RawValue>,
}

pub struct Member {
    pub key: &'static str,
    content: Content,
}

/// What a member holds.
enum Content {
    TargetUrl,
    EventName,
    ObjectMetadata,
    WorkspaceId,
    WebhookId,
    Time,
    Record,
    /// On updates only.
    UpdatedFields,
    MetadataEvent,
}

/// What a body says apart from its event: its destination, its workspace, and the time of the event.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub target_url: &'a str,
    pub webhook_id: &'a str,
    pub workspace_id: &'a str,
    /// When the event occurred, in milliseconds since the epoch.
    pub occurred_at_ms: u64,
}

impl Member {
    /// Its JSON type: `text`, `object` or `array`.
    pub(crate) fn json_type(&self) -> &'static str {
        match self.content {
            Content::ObjectMetadata | Content::Record | Content::MetadataEvent => "object",
            Content::UpdatedFields => "array",
            Content::TargetUrl
            | Content::EventName
            | Content::WorkspaceId
            | Content::WebhookId
            | Content::Time => "text",
        }
    }

    /// Whether a body without it is wrong. The time is recommended (PAY-3), and only updates have updated fields.
    pub(crate) fn is_required(&self) -> bool {
        !matches!(self.content, Content::Time | Content::UpdatedFields)
    }

    /// Whether it is the record, or the change of the metadata.
    pub(crate) fn is_content(&self) -> bool {
        matches!(self.content, Content::Record | Content::MetadataEvent)
    }
}

impl Dialect {
    /// The dialect whose envelope members a body has, if more of them than of the other dialect's.
    pub fn of_body(body: &[u8]) -> Option<&'static Self> {
        let members = Members::parse(body).ok()?;
        let count = |dialect: &Self| {
            let own: [&str; 3] = [dialect.event_member, dialect.record_member, dialect.time_member];
            own.into_iter().filter(|name| members.get(name).is_some()).count()
        };
        let most = ALL.into_iter().max_by_key(|dialect| count(dialect))?;
        let alone = ALL.into_iter().filter(|dialect| count(dialect) == count(most)).count() == 1;
        alone.then_some(most)
    }

    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        ALL.into_iter().find(|dialect| dialect.name == name)
    }

    /// The sample events of this dialect, by name.
    pub fn samples(&self) -> Vec<Event> {
        let known = |sample: &Sample| {
            let record = (self.record)(sample)?.to_owned();
            Some(Event { name: sample.event.clone(), record, updated_fields: sample.updated_fields.clone() })
        };
        sample::samples().iter().filter_map(known).collect()
    }

    /// The samples that every receiver must accept (RCV-1): events of standard objects.
    pub(crate) fn required_samples(&self) -> impl Iterator<Item = Event> {
        self.samples().into_iter().filter(|event| {
            sample::is_standard(&event.name) && REQUIRED_ACTIONS.contains(&event.name.action())
        })
    }

    /// The sample of this name, if this dialect has one.
    pub fn sample(&self, name: &str) -> Option<Event> {
        self.samples().into_iter().find(|event| event.name.as_str() == name)
    }

    /// The member with the record, or with the change of the metadata.
    pub fn content_member(&self, event: &EventName) -> &'static str {
        if self.envelope_of(event).iter().any(|member| matches!(member.content, Content::MetadataEvent)) {
            "event"
        } else {
            self.record_member
        }
    }

    /// Whether an event could have this name: an object, a dot and an action, without white space. An action of the dialect
    /// must have its exact case.
    pub(crate) fn could_be_named(&self, event: &EventName) -> bool {
        let (object, action) = (event.object(), event.action());
        let is_word = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
        let recased = |known: &&str| known.eq_ignore_ascii_case(action) && *known != action;
        is_word(object) && is_word(action) && !self.actions.iter().any(recased)
    }

    /// The body of an event. The record's text is inserted unchanged.
    pub fn render(&self, event: &Event, context: &Context<'_>) -> Bytes {
        let mut body = String::with_capacity(event.record.get().len() + 256);
        for member in self.envelope_of(&event.name) {
            let Some(value) = member.content.render(event, context) else { continue };
            body.push(if body.is_empty() { '{' } else { ',' });
            body.push_str(&format!("\"{}\":{value}", member.key));
        }
        body.push('}');
        Bytes::from(body)
    }

    fn envelope_of(&self, event: &EventName) -> &'static [Member] {
        self.metadata_envelope.filter(|_| event.is_metadata()).unwrap_or(self.envelope)
    }
}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dialect({})", self.name)
    }
}

impl Content {
    fn render(&self, event: &Event, context: &Context<'_>) -> Option<String> {
        Some(match self {
            Self::TargetUrl => text(context.target_url),
            Self::EventName => text(event.name.as_str()),
            Self::ObjectMetadata => {
                let object = event.name.object();
                format!("{{\"id\":\"{}\",\"nameSingular\":{}}}", metadata_id(object), text(object))
            }
            Self::WorkspaceId => text(context.workspace_id),
            Self::WebhookId => text(context.webhook_id),
            Self::Time => text(&rfc3339(context.occurred_at_ms)),
            Self::Record => event.record.get().to_owned(),
            Self::UpdatedFields => serde_json::to_string(event.updated_fields.as_ref()?).ok()?,
            Self::MetadataEvent => {
                let given = Members::parse(event.record.get().as_bytes()).ok()?;
                let raw = |key| given.get(key).map_or("null", RawValue::get);
                let (_, rest) = event.name.as_str().split_once('.')?;
                let (name, operation) = rest.rsplit_once('.')?;
                format!(
                    "{{\"metadataName\":{},\"recordId\":{},\"properties\":{},\"type\":{}}}",
                    text(name),
                    raw("recordId"),
                    raw("properties"),
                    text(operation)
                )
            }
        })
    }
}

/// A time as RFC 3339 with milliseconds and `Z`.
pub fn rfc3339(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    format!("{:.3}", time.unwrap_or(Timestamp::MAX))
}

fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The id of an object's metadata: a stable UUID from the bytes of the name.
fn metadata_id(object: &str) -> String {
    let number = object.bytes().fold(0_u64, |sum, byte| (sum * 31 + u64::from(byte)) % (1 << 48));
    format!("20202020-0000-4000-8000-{number:012x}")
}
