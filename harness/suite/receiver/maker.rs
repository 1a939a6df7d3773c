//! Makes deliveries: plain events, rendered and signed.
//!
//! Invariant: the deliveries of a maker depend only on the clock and on its own random sequence. Cases that run at the same time
//! have their own makers, so results do not depend on which case is faster.

use bytes::Bytes;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::clock::Clock;
use crate::random::Random;
use crate::webhook::dialect::{Context, Dialect};
use crate::webhook::event::Event;
use crate::webhook::manner::Manner;
use crate::webhook::recipe::Recipe;
use crate::webhook::signature::{Key, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use crate::wire::exchange::{Delivery, Headers, Transfer};

/// The event that controls carry.
pub(super) const PLAIN_EVENT: &str = "person.created";

/// A member to add to a record, with multi-byte characters that can be split.
pub(in crate::suite) const BEYOND_ASCII: &str = r#""name":"日本語 👩🏽‍🚀""#;

/// A member to add to a record, with nothing special about it.
pub(super) const PLAIN_MEMBER: &str = r#""further":"x""#;

/// A member to add to a record, filled up to make a body large.
pub(super) const PADDING: &str = r#""padding":"""#;

/// Makes deliveries for one receiver.
pub struct Maker {
    pub(in crate::suite) dialect: &'static Dialect,
    pub(super) secret: Secret,
    key: Key,
    /// How this receiver wants its deliveries.
    pub(super) manner: Manner,
    pub(super) clock: Clock,
    pub(in crate::suite) random: Random,
    url: String,
    /// The URL's path and query.
    path: String,
    /// The event that controls carry, before it gets its own record id.
    event: Event,
}

/// A plain valid delivery, and the timestamp that it is signed with.
pub(super) struct Control {
    pub(super) delivery: Delivery,
    pub(super) timestamp: String,
    pub(super) sent_ms: u64,
}

/// What a repeat of a delivery is made from: its body, and when it was sent.
pub(super) struct Repeated {
    pub(super) body: Bytes,
    pub(super) sent_ms: u64,
}

impl Control {
    pub(super) fn repeated(&self) -> Repeated {
        Repeated { body: self.delivery.body.clone(), sent_ms: self.sent_ms }
    }
}

impl Maker {
    pub(in crate::suite) fn new(
        dialect: &'static Dialect,
        secret: Secret,
        clock: Clock,
        random: Random,
        (url, path): (String, String),
    ) -> Self {
        // Every dialect has this sample; a test checks that.
        let event = dialect.sample(PLAIN_EVENT).unwrap_or_else(|| unreachable!("no sample {PLAIN_EVENT}"));
        let (key, manner) = (Key::new(&secret), Manner::CONTRACT);
        Self { dialect, key, manner, secret, clock, random, url, path, event }
    }

    /// The same, with its own random sequence.
    pub(super) fn with_seed(&self, seed: u64) -> Self {
        Self {
            random: Random::from_seed(seed),
            secret: self.secret.clone(),
            key: self.key.clone(),
            clock: self.clock.clone(),
            url: self.url.clone(),
            path: self.path.clone(),
            event: self.event.clone(),
            ..*self
        }
    }

    /// The same, in this dialect.
    pub(in crate::suite) fn in_dialect(self, dialect: &'static Dialect) -> Self {
        let event = dialect.sample(PLAIN_EVENT).unwrap_or(self.event);
        Self { dialect, event, ..self }
    }

    /// The same, in this manner.
    pub(super) fn in_manner(self, manner: Manner) -> Self {
        let secret = manner.secret.map_or_else(|| self.secret.clone(), Secret::new);
        Self { manner, key: Key::new(&secret), secret, ..self }
    }

    /// The event that controls carry, with a new record id.
    pub(in crate::suite) fn plain(&self) -> Event {
        self.event.with_id(&self.random.uuid())
    }

    pub(in crate::suite) fn render(&self, event: &Event) -> Bytes {
        self.render_as(self.dialect, event)
    }

    pub(super) fn render_as(&self, dialect: &Dialect, event: &Event) -> Bytes {
        dialect.render(
            event,
            &Context {
                target_url: &self.url,
                webhook_id: "20202020-0000-4000-8000-000000000001",
                workspace_id: "20202020-1c25-4d02-bf25-6aeccf7ea419",
                occurred_at_ms: self.clock.now_ms(),
            },
        )
    }

    /// A valid delivery of this body.
    pub(in crate::suite) fn sign(&self, body: Bytes) -> Delivery {
        self.sign_at(body, self.clock.now_ms())
    }

    /// A valid delivery of this body, signed with that time.
    pub(super) fn sign_at(&self, body: Bytes, sent_ms: u64) -> Delivery {
        let nonce = self.dialect.nonce.then(|| self.random.nonce());
        let mut headers = Headers::in_dialect(self.dialect, Some(&self.key), sent_ms, nonce, &body);
        if self.manner != Manner::CONTRACT {
            self.date_headers(&mut headers, self.manner.stamp(sent_ms).as_bytes(), &body);
        }
        let target = self.path.clone();
        Delivery { method: "POST".to_owned(), target, headers, body, transfer: Transfer::Whole }
    }

    /// A valid delivery of this event.
    pub(in crate::suite) fn deliver(&self, event: &Event) -> Delivery {
        self.sign(self.render(event))
    }

    /// A valid delivery of this body, with its timestamp.
    pub(super) fn control(&self, body: Bytes) -> Control {
        let sent_ms = self.clock.now_ms();
        Control { delivery: self.sign_at(body, sent_ms), timestamp: self.manner.stamp(sent_ms), sent_ms }
    }

    /// A valid delivery of a body that was sent before, signed with a time at least `later_ms` later. With the same timestamp it
    /// would be the same delivery, byte for byte.
    pub(super) fn sign_again(&self, Repeated { body, sent_ms }: Repeated, later_ms: u64) -> Delivery {
        self.sign_at(body, self.clock.now_ms().max(sent_ms + later_ms * self.manner.step_ms()))
    }

    /// Sets the timestamp, and signs the delivery with it.
    pub(super) fn date(&self, delivery: &mut Delivery, timestamp: &[u8]) {
        self.date_headers(&mut delivery.headers, timestamp, &delivery.body);
    }

    fn date_headers(&self, headers: &mut Headers, timestamp: &[u8], body: &[u8]) {
        headers.set(TIMESTAMP_HEADER, timestamp.to_vec());
        headers.set(SIGNATURE_HEADER, self.signature(timestamp, body));
    }

    /// The signature header's value for this timestamp and body.
    pub(super) fn signature(&self, timestamp: &[u8], body: &[u8]) -> String {
        if self.manner.recipe == Recipe::CONTRACT {
            return self.key.sign(timestamp, body).to_hex();
        }
        self.manner.signature(self.secret.expose(), timestamp, body)
    }

    /// The value that a recipe gives instead; `None` if it does not apply, or gives a valid one.
    pub(super) fn signature_by(&self, recipe: Recipe, timestamp: &[u8], body: &[u8]) -> Option<String> {
        self.manner.forged(recipe, self.secret.expose(), timestamp, body)
    }

    /// The value under another secret; `None` if this is a valid one too.
    pub(in crate::suite) fn signature_under(
        &self,
        secret: &Secret,
        timestamp: &[u8],
        body: &[u8],
    ) -> Option<String> {
        let value = self.manner.signature(secret.expose(), timestamp, body);
        (value != self.signature(timestamp, body)).then_some(value)
    }

    /// Where the digits of a signature header's value are.
    pub(super) fn digits(&self, value: &[u8]) -> std::ops::Range<usize> {
        self.manner.digits(value.len())
    }

    /// A plain body of this many bytes.
    pub(in crate::suite) fn padded(&self, length: usize) -> Bytes {
        let bare = self.render(&with_raw_member(&self.plain(), PADDING));
        // Filled up after rendering, which would copy a large body several times.
        let place = bare.windows(PADDING.len()).position(|window| window == PADDING.as_bytes());
        let at = place.map_or(bare.len(), |at| at + PADDING.len() - 1);
        let filling = vec![b'x'; length.saturating_sub(bare.len())];
        [&bare[..at], &filling, &bare[at..]].concat().into()
    }
}

/// The event with a member, given as JSON text, added at the end of its record.
pub(in crate::suite) fn with_raw_member(event: &Event, member: &str) -> Event {
    let record = event.record.get().trim_end();
    let record = format!("{},{member}}}", record.strip_suffix('}').unwrap_or(record));
    // The members come from constants that a test parses, and from a JSON printer.
    let record = RawValue::from_string(record).unwrap_or_else(|why| unreachable!("{member}: {why}"));
    Event { record, ..event.clone() }
}

/// The text with a letter for each character beyond ASCII, for deliveries that must differ in nothing but their form.
pub(super) fn ascii_only(body: &[u8]) -> Bytes {
    let plain = |letter: char| if letter.is_ascii() { letter } else { 'x' };
    String::from_utf8_lossy(body).chars().map(plain).collect::<String>().into()
}

/// A JSON object's text with a member added at its end.
pub(super) fn with_member(body: &[u8], key: &str, value: &Value) -> Bytes {
    let end = body.iter().rposition(|&byte| byte == b'}').unwrap_or(body.len());
    let member = format!(",{}:{value}}}", Value::from(key));
    Bytes::from([&body[..end], member.as_bytes()].concat())
}
