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
use crate::webhook::signature::{NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};

/// The body as the documentation shows it (the default).
pub static DOCUMENTED: Dialect = Dialect {
    name: "documented",
    envelope: &[
        Member::always("event", Content::EventName),
        Member::always("data", Content::Record),
        Member::sometimes("timestamp", Content::Time),
    ],
    metadata_envelope: None,
    event_member: "event",
    record_member: "data",
    time_member: "timestamp",
    actions: &["created", "updated", "deleted"],
    headers: &[
        Header::Fixed("Content-Type", "application/json"),
        Header::Signed(SIGNATURE_HEADER),
        Header::Signed(TIMESTAMP_HEADER),
    ],
    nonce: false,
    own_members: &[],
    record: |sample| sample.documented.as_deref().map(|record| (record, &sample.updated_fields)),
};

/// The body as Twenty 2.31 sends it (contract section 2).
pub static SHIPPED: Dialect = Dialect {
    name: "shipped",
    envelope: &[
        Member::always("targetUrl", Content::TargetUrl),
        Member::always("eventName", Content::EventName),
        Member::always("objectMetadata", Content::ObjectMetadata),
        Member::always("workspaceId", Content::WorkspaceId),
        Member::always("webhookId", Content::WebhookId),
        Member::sometimes("eventDate", Content::Time),
        Member::sometimes("userId", Content::UserId),
        Member::sometimes("workspaceMemberId", Content::WorkspaceMemberId),
        Member::always("record", Content::Record),
        Member::on(&["updated"], "updatedFields", Content::UpdatedFields),
    ],
    metadata_envelope: Some(&[
        Member::always("targetUrl", Content::TargetUrl),
        Member::always("eventName", Content::EventName),
        Member::always("workspaceId", Content::WorkspaceId),
        Member::always("webhookId", Content::WebhookId),
        Member::sometimes("eventDate", Content::Time),
        Member::sometimes("userId", Content::UserId),
        Member::sometimes("apiKeyId", Content::ApiKeyId),
        Member::always("event", Content::MetadataEvent),
    ]),
    event_member: "eventName",
    record_member: "record",
    time_member: "eventDate",
    actions: &["created", "updated", "deleted", "destroyed", "restored"],
    // Twenty's `Accept-Encoding` is left out: the suite searches answers for secrets, and prints them, without decoding them.
    headers: &[
        Header::Fixed("Accept", "application/json, text/plain, */*"),
        Header::Fixed("Content-Type", "application/json"),
        Header::Signed(TIMESTAMP_HEADER),
        Header::Signed(SIGNATURE_HEADER),
        Header::Signed(NONCE_HEADER),
        Header::Fixed("User-Agent", "axios/1.19.0"),
    ],
    nonce: true,
    own_members: &[("id", false), ("createdAt", false), ("updatedAt", false), ("deletedAt", true)],
    record: |sample| sample.shipped.as_deref().map(|record| (record, &sample.shipped_updated_fields)),
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
    /// The headers of a signed delivery, in the order of the wire. Connection headers are the client's.
    pub headers: &'static [Header],
    /// Whether each request has a nonce header.
    pub nonce: bool,
    /// The members that the record of every object has, whatever a workspace has changed, and whether each may be null. Without
    /// any, nothing is known of a record.
    pub(crate) own_members: &'static [(&'static str, bool)],
    record: fn(&Sample) -> Option<OwnSample<'_>>,
}

/// A sample's record in a dialect, and its updated fields.
type OwnSample<'a> = (&'a RawValue, &'a Option<Vec<String>>);

/// A header of a delivery.
#[derive(Debug, Clone, Copy)]
pub enum Header {
    /// With this name and this value.
    Fixed(&'static str, &'static str),
    /// One of Twenty's headers, which signed deliveries have.
    Signed(&'static str),
}

pub struct Member {
    pub key: &'static str,
    content: Content,
    presence: Presence,
}

/// When a body has a member.
#[derive(Debug, Clone, Copy)]
enum Presence {
    Always,
    /// It may be left out.
    Sometimes,
    /// Always on events with these actions; on others, it may be left out.
    On(&'static [&'static str]),
}

/// What a member holds.
enum Content {
    TargetUrl,
    EventName,
    ObjectMetadata,
    WorkspaceId,
    WebhookId,
    Time,
    /// Who made the record's last change, if it was a logged-in user.
    UserId,
    WorkspaceMemberId,
    /// The API key that changed metadata.
    ApiKeyId,
    Record,
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
    const fn always(key: &'static str, content: Content) -> Self {
        Self { key, content, presence: Presence::Always }
    }

    const fn sometimes(key: &'static str, content: Content) -> Self {
        Self { key, content, presence: Presence::Sometimes }
    }

    const fn on(actions: &'static [&'static str], key: &'static str, content: Content) -> Self {
        Self { key, content, presence: Presence::On(actions) }
    }

    /// Its JSON type: `text`, `object` or `array`.
    pub(crate) fn json_type(&self) -> &'static str {
        match self.content {
            Content::ObjectMetadata | Content::Record | Content::MetadataEvent => "object",
            Content::UpdatedFields => "array",
            Content::TargetUrl
            | Content::EventName
            | Content::WorkspaceId
            | Content::WebhookId
            | Content::Time
            | Content::UserId
            | Content::WorkspaceMemberId
            | Content::ApiKeyId => "text",
        }
    }

    /// Whether the body of any event without it is wrong. The time is recommended (PAY-3).
    pub(crate) fn is_required(&self) -> bool {
        matches!(self.presence, Presence::Always)
    }

    /// Whether the body of this event without it is wrong.
    pub(crate) fn is_required_of(&self, event: &EventName) -> bool {
        match self.presence {
            Presence::Always => true,
            Presence::Sometimes => false,
            Presence::On(actions) => actions.contains(&event.action()),
        }
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
            let (record, updated_fields) = (self.record)(sample)?;
            let (record, updated_fields) = (record.to_owned(), updated_fields.clone());
            Some(Event { name: sample.event.clone(), record, updated_fields })
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

    /// The members of this event's body, in the order of the wire.
    pub(crate) fn envelope_of(&self, event: &EventName) -> &'static [Member] {
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
                format!("{{\"id\":\"{}\",\"nameSingular\":{}}}", stable_id(object), text(object))
            }
            Self::WorkspaceId => text(context.workspace_id),
            Self::WebhookId => text(context.webhook_id),
            Self::Time => text(&rfc3339(context.occurred_at_ms)),
            Self::UserId => text(&stable_id(&author(event)?)),
            Self::WorkspaceMemberId => text(&author(event)?),
            Self::ApiKeyId => text(&stable_id("apiKey")),
            Self::Record => event.record.get().to_owned(),
            Self::UpdatedFields => serde_json::to_string(event.updated_fields.as_ref()?).ok()?,
            Self::MetadataEvent => {
                let given = Members::parse(event.record.get().as_bytes()).ok()?;
                let (_, rest) = event.name.as_str().split_once('.')?;
                let (name, operation) = rest.rsplit_once('.')?;
                let member = |key: &str| match key {
                    "type" => text(operation),
                    "metadataName" => text(name),
                    key => given.get(key).map_or("null", RawValue::get).to_owned(),
                };
                let members = metadata_members(name, operation);
                let members = members.map(|key| format!("\"{key}\":{}", member(key)));
                format!("{{{}}}", members.join(","))
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

/// The members of a metadata event, in the order of the wire.
fn metadata_members(name: &str, operation: &str) -> [&'static str; 4] {
    // What creating an object brings with it is announced by other code of the server than the object itself.
    if operation == "created" && name != "objectMetadata" {
        ["type", "recordId", "metadataName", "properties"]
    } else {
        ["type", "metadataName", "recordId", "properties"]
    }
}

/// The workspace member who made the record's last change. `None` if it was not a logged-in user.
fn author(event: &Event) -> Option<String> {
    let record = Members::parse(event.record.get().as_bytes()).ok()?;
    let author = record.get("updatedBy").or_else(|| record.get("createdBy"))?;
    Members::parse(author.get().as_bytes()).ok()?.text("workspaceMemberId")
}

/// A stable UUID from the bytes of a name.
fn stable_id(name: &str) -> String {
    let number = name.bytes().fold(0_u64, |sum, byte| (sum * 31 + u64::from(byte)) % (1 << 48));
    format!("20202020-0000-4000-8000-{number:012x}")
}
