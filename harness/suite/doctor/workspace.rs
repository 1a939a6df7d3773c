//! Looks at what a run on a Twenty needs: its API, its version, what the key may do, and whether its deliveries reach this machine.
//!
//! Invariant: what an examination makes has the marks of a run, and [`Driver::finish`] removes it, however the examination ended.

pub mod rows;
mod tap;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::Cut;
use super::visit::{Plan, Surroundings, reach};
use crate::random::Random;
use crate::subject::protocol::{Op, Reply};
use crate::subject::sender::Sender as _;
use crate::subject::twenty::adapter::Twenty;
use crate::subject::twenty::api::{Api, Version};
use crate::subject::twenty::cleanup::Removal;
use crate::subject::twenty::error::ApiError;
use crate::subject::twenty::mark;
use crate::subject::twenty::pace::RateLimits;
use crate::webhook::dialect::SHIPPED;
use crate::webhook::event::{Event, EventName, raw};
use crate::webhook::signature::{Secret, TIMESTAMP_HEADER};
use crate::wire::endpoint::scripted::{Budget, Endpoint, Place, Received, Settings, Strays};
use tap::Tap;
pub use tap::Told;

/// How long a registration may take to be in force.
pub const SETTLING: Duration = Duration::from_secs(15);
/// The pause between two events while nothing arrives.
const PAUSE: Duration = Duration::from_secs(1);

/// What was seen of a Twenty.
#[derive(Debug)]
pub struct Workspace {
    pub around: Surroundings,
    /// How it reaches this machine.
    pub place: Place,
    /// The answers to the calls.
    pub told: Vec<Told>,
    pub version: Option<Result<Version, ApiError>>,
    /// Whether the key is accepted, and may list webhooks.
    pub key: Option<Result<(), ApiError>>,
    /// Whether a custom object could be made, or why not.
    pub object: Option<Result<(), String>>,
    pub probe: Option<Probe>,
    /// What was removed in the end.
    pub removal: Option<Removal>,
}

/// A webhook and a record of the examination's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Probe {
    /// Why there was none.
    pub refused: Option<String>,
    /// The address of the endpoint without its path, as Twenty was told.
    pub url: String,
    /// How many events were emitted.
    pub events: usize,
    /// The first delivery of the record.
    pub arrived: Option<Arrived>,
    /// Whether the record could be deleted and restored, or why not.
    pub restored: Option<Result<(), String>>,
}

/// A delivery that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// How long after the registration.
    pub after: Duration,
    /// When its first byte arrived, in milliseconds since the epoch.
    pub at_ms: u64,
    /// The value of the timestamp header.
    pub timestamp: Option<String>,
}

impl Workspace {
    /// Nothing was seen yet.
    pub fn of(plan: &Plan, place: Place) -> Self {
        Self {
            around: Surroundings::of(plan),
            place,
            told: Vec::new(),
            version: None,
            key: None,
            object: None,
            probe: None,
            removal: None,
        }
    }
}

/// Makes the calls of an examination.
pub struct Driver {
    twenty: Twenty,
    tap: Arc<Tap>,
}

impl Driver {
    /// Calls with this key. `run` is random: 32 hexadecimal digits.
    pub fn new(plan: &Plan, key: Secret, run: String) -> Self {
        let tap = Arc::new(Tap::new(plan.target.clone(), key, plan.timeout, plan.clock.clone()));
        Self { twenty: Twenty::new(Api::new(tap.clone(), RateLimits::default()), run), tap }
    }

    /// Examines, and adds what is seen to `seen`.
    pub async fn examine(&self, plan: &Plan, seen: &mut Workspace) {
        if !reach(plan, &mut seen.around).await {
            return;
        }
        let version = self.twenty.api().version().await;
        let is_known = version.is_ok();
        seen.version = Some(version);
        if !is_known {
            return;
        }
        let key = self.twenty.api().check_key().await;
        let is_good = key.is_ok();
        seen.key = Some(key);
        if !is_good || is_over(plan, seen) {
            return;
        }
        let hello = Op::Hello { dialect: SHIPPED.name.to_owned(), ca: None };
        seen.object = Some(match self.twenty.call(hello).await {
            Ok(_) => self.twenty.without_custom_object().map_or(Ok(()), Err),
            Err(why) => Err(why.to_string()),
        });
        if !is_over(plan, seen) {
            self.probe(plan, seen.probe.insert(Probe::default()), &seen.place).await;
            is_over(plan, seen);
        }
    }

    /// Removes what the examination made, and adds that and the answers to `seen`.
    pub async fn finish(&self, seen: &mut Workspace) {
        if self.twenty.left() > 0 {
            seen.removal = Some(self.twenty.stop().await);
        }
        seen.told = self.tap.told();
    }

    /// Registers a webhook and changes a record until a delivery of it arrives.
    async fn probe(&self, plan: &Plan, probe: &mut Probe, place: &Place) {
        let settings = Settings {
            clock: plan.clock.clone(),
            budget: Budget::of_a_run(),
            strays: Strays::default(),
            patience: plan.timeout,
            place: place.clone(),
        };
        let endpoint = match Endpoint::start(settings).await {
            Ok(endpoint) => endpoint,
            Err(why) => return probe.refused = Some(why.to_string()),
        };
        let random = Random::from_seed(plan.seed);
        let (url, id) = (endpoint.url(&mark_path(&random)), mark::record_id(&random.uuid()));
        probe.url = endpoint.url("/");
        let events = Some(vec!["person.*".to_owned()]);
        let op = Op::CreateWebhook { url, secret: Some(plan.secret.clone()), operations: events };
        if let Err(why) = self.done(op).await {
            return probe.refused = Some(why);
        }
        let registered = Instant::now();
        let name = json!({ "id": id, "name": { "firstName": "twenty-conform", "lastName": "doctor" } });
        if let Err(why) = self.done(Op::Emit(event("person.created", &name))).await {
            return probe.refused = Some(why);
        }
        loop {
            probe.events += 1;
            if let Some(first) = arrival(&endpoint, &id).await {
                probe.arrived = Some(Arrived { after: registered.elapsed(), ..first });
                break;
            }
            if registered.elapsed() > SETTLING || plan.max_time.is_over() {
                break;
            }
            let change = json!({ "id": id, "jobTitle": format!("probe {}", probe.events) });
            if let Err(why) = self.done(Op::Emit(event("person.updated", &change))).await {
                return probe.refused = Some(why);
            }
        }
        probe.restored = Some(self.restore(&id).await);
    }

    /// Deletes the record, and restores it.
    async fn restore(&self, id: &str) -> Result<(), String> {
        for action in ["person.deleted", "person.restored"] {
            self.done(Op::Emit(event(action, &json!({ "id": id })))).await?;
        }
        Ok(())
    }

    /// Errors: why it was not done.
    async fn done(&self, op: Op) -> Result<(), String> {
        match self.twenty.call(op).await {
            Ok(Reply::Ok(_)) => Ok(()),
            Ok(Reply::Error(why) | Reply::Unsupported(why)) => Err(why),
            Err(why) => Err(why.to_string()),
        }
    }
}

fn mark_path(random: &Random) -> String {
    format!("{}{}", mark::WEBHOOK_PATH, random.nonce())
}

fn event(name: &str, record: &Value) -> Event {
    Event { name: EventName::new(name), record: raw(record), updated_fields: None }
}

/// The first delivery of this record, if one arrives within a pause.
async fn arrival(endpoint: &Endpoint, id: &str) -> Option<Arrived> {
    let has = |one: &Received| memchr::memmem::find(&one.delivery.body, id.as_bytes()).is_some();
    if !endpoint.wait(PAUSE, |all| all.iter().any(has)).await {
        return None;
    }
    let first = endpoint.received().into_iter().find(has)?;
    let timestamp = first.delivery.headers.single(TIMESTAMP_HEADER);
    let timestamp = timestamp.map(|value| String::from_utf8_lossy(value).into_owned());
    Some(Arrived { after: Duration::ZERO, at_ms: first.began_ms, timestamp })
}

/// Whether the time is used up, which is noted then.
fn is_over(plan: &Plan, seen: &mut Workspace) -> bool {
    if plan.max_time.is_over() {
        seen.around.cut = Some(Cut::Time);
    }
    plan.max_time.is_over()
}
