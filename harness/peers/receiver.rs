//! The reference receiver: what a conforming endpoint does, in the order in which it must do it.
//!
//! Invariant: it verifies the received bytes, and parses nothing before it has verified them. It has no faults: mutants
//! wrap it.

mod messages;

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, ready};
use sha2::{Digest, Sha256};

use crate::clock::Clock;
use crate::subject::observed::Observed;
use crate::webhook::dialect::{self, Members, NotAnObject};
use crate::webhook::event::EventName;
use crate::webhook::signature::{Key, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use crate::wire::endpoint::Handler;
use crate::wire::exchange::{Delivery, Response};

#[derive(Debug, Clone)]
pub struct Settings {
    pub secret: Secret,
    /// How far a delivery's timestamp may be from the current time, in both directions.
    pub window: Duration,
    /// The longest body that is accepted, in bytes.
    pub body_limit: usize,
    /// How many deliveries are remembered. A repeat of a remembered one is accepted, but not processed again.
    pub remembered: usize,
}

impl Settings {
    /// The default settings: 5 minutes, 5 MiB, 100,000 deliveries.
    pub fn new(secret: Secret) -> Self {
        Self { secret, window: Duration::from_secs(300), body_limit: 5 * 1024 * 1024, remembered: 100_000 }
    }
}

/// Called for each delivery that is processed.
pub type Observer = Arc<dyn Fn(Observed) + Send + Sync>;

/// The reference receiver. It answers 2xx, 400, 401 or 405, and its server 413.
pub struct Receiver {
    key: Key,
    settings: Settings,
    clock: Clock,
    observer: Observer,
    seen: Mutex<Seen>,
}

/// The hashes of the bodies that were processed last.
#[derive(Debug, Default)]
struct Seen {
    hashes: HashSet<[u8; 32]>,
    oldest_first: VecDeque<[u8; 32]>,
}

impl Receiver {
    /// A receiver that calls `observer` for each delivery that it processes.
    pub fn new(settings: Settings, clock: Clock, observer: Observer) -> Self {
        Self { key: Key::new(&settings.secret), settings, clock, observer, seen: Mutex::default() }
    }

    pub fn answer(&self, delivery: &Delivery) -> Response {
        if delivery.method != "POST" {
            let mut rejection = Response::text(405, messages::post_only());
            rejection.headers.add("Allow", "POST");
            return rejection;
        }
        if let Err(why) = self.verify(delivery) {
            return Response::text(401, format!("{why}\n"));
        }
        match read(&delivery.body) {
            Ok(observation) => {
                if self.is_new(&delivery.body) {
                    (self.observer)(observation);
                }
                Response::text(200, "ok\n")
            }
            Err(why) => Response::text(400, format!("{why}\n")),
        }
    }

    fn verify(&self, delivery: &Delivery) -> Result<(), &'static str> {
        let single = |name| delivery.headers.single(name);
        let signature = single(SIGNATURE_HEADER).ok_or(messages::one_signature())?;
        let timestamp = single(TIMESTAMP_HEADER).ok_or(messages::one_timestamp())?;
        let digits =
            std::str::from_utf8(timestamp).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let sent_ms: u64 =
            digits.and_then(|text| text.parse().ok()).ok_or(messages::timestamp_not_digits())?;
        // Before the window: a sender without the secret must not learn anything about the clock.
        if !self.key.verify(timestamp, &delivery.body, signature) {
            return Err(messages::signature_mismatch());
        }
        let age = Duration::from_millis(self.clock.now_ms().abs_diff(sent_ms));
        if age > self.settings.window { Err(messages::not_fresh()) } else { Ok(()) }
    }

    /// Whether a body is seen for the first time. Headers do not count: a repeat has a new timestamp and signature, and
    /// two events differ in their bodies.
    fn is_new(&self, body: &[u8]) -> bool {
        let hash: [u8; 32] = Sha256::digest(body).into();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.hashes.insert(hash) {
            return false;
        }
        seen.oldest_first.push_back(hash);
        if seen.oldest_first.len() > self.settings.remembered
            && let Some(oldest) = seen.oldest_first.pop_front()
        {
            seen.hashes.remove(&oldest);
        }
        true
    }
}

impl Handler for Receiver {
    fn handle(&self, delivery: Delivery) -> BoxFuture<'_, Option<Response>> {
        ready(Some(self.answer(&delivery))).boxed()
    }

    fn body_limit(&self) -> usize {
        self.settings.body_limit
    }
}

/// Why a verified body is not a delivery.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotADelivery {
    #[error(transparent)]
    NotAnObject(NotAnObject),
    #[error("the body has no event")]
    Unnamed,
    /// A member, and the type that it should have.
    #[error("`{0}` is not {1}")]
    WrongType(&'static str, &'static str),
}

/// Reads a verified body, in either dialect.
pub(crate) fn read(body: &[u8]) -> Result<Observed, NotADelivery> {
    let members = Members::parse(body).map_err(NotADelivery::NotAnObject)?;
    let text = |member| members.text(member).filter(|text| !text.is_empty());
    let named = dialect::ALL.iter().find_map(|dialect| Some((dialect, text(dialect.event_member)?)));
    let Some((dialect, event)) = named else {
        let other = dialect::ALL
            .iter()
            .map(|dialect| dialect.event_member)
            .find(|member| members.get(member).is_some_and(|raw| !raw.get().starts_with('"')));
        return Err(other.map_or(NotADelivery::Unnamed, |member| NotADelivery::WrongType(member, "a string")));
    };
    let member = dialect.content_member(&EventName::new(event.clone()));
    let content = members.get(member).map(|raw| Members::parse(raw.get().as_bytes()));
    if let Some(Err(NotAnObject::OtherType(_))) = content {
        return Err(NotADelivery::WrongType(member, "an object"));
    }
    let content = content.and_then(Result::ok);
    let id = content.and_then(|members| members.text("id").or_else(|| members.text("recordId")));
    Ok(Observed { event, id })
}
