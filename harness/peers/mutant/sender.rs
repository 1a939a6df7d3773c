//! Wrong senders: the reference sender with its way out, its registry or its reports tampered with.
//!
//! Invariant: the reference sender inside renders, signs and sends as it always does; a fault changes the finished request
//! (and signs it anew where the fault is not about the signature), or what is asked and answered.

pub mod careless;

mod bodies;
mod requests;
mod tampering;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::clock::Clock;
use crate::peers::fault::SenderFault;
use crate::peers::sender::{Sender, Transport};
use crate::random::Random;
use crate::subject;
use crate::subject::SubjectError;
use crate::subject::protocol::{Op, Reply};
use crate::webhook::dialect::Dialect;
use crate::webhook::event::Event;
use crate::webhook::signature::Secret;
use tampering::Tampering;

/// How long an event waits for another one to be sent along with it.
const BATCH_WAIT: Duration = Duration::from_millis(40);

/// A sender with one fault.
#[derive(Clone)]
pub struct Mutant {
    fault: SenderFault,
    inner: Sender,
    registry: Arc<Registry>,
}

/// What the mutant knows of its webhooks: whether each is there still, and who is first and last.
#[derive(Default)]
struct Registry(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// URL and secret of each webhook that is registered, by name, in the order of registration.
    webhooks: BTreeMap<u64, (String, Option<Secret>)>,
    /// Webhooks that have had no event yet.
    fresh: Vec<u64>,
    registered: u64,
    /// An event that waits for another one to be sent along with it.
    waiting: Option<Event>,
    /// The events that are sent along with others, by the others' record ids.
    along: HashMap<String, Event>,
    /// The URLs that are given up.
    stopped: HashSet<String>,
    /// How the sender ended, once it did.
    crashed: Option<String>,
}

impl Mutant {
    /// A mutant over a way out. `late` is how long `SentLate` waits.
    pub fn new(
        fault: SenderFault,
        dialect: &'static Dialect,
        clock: Clock,
        random: Random,
        transport: Arc<dyn Transport>,
        late: Duration,
    ) -> Self {
        let registry = Arc::new(Registry::default());
        let tampering = Tampering::new(fault, dialect, clock.clone(), transport, registry.clone(), late);
        Self { fault, inner: Sender::new(dialect, clock, random, Arc::new(tampering)), registry }
    }

    async fn answer(&self, op: Op) -> Result<Reply, SubjectError> {
        if let Some(how) = self.registry.lock().crashed.clone() {
            return Err(SubjectError::Died(how));
        }
        match op {
            Op::Emit(event) if !self.lets_through(&event) => Ok(Reply::Ok(json!({}))),
            Op::Emit(event)
                if self.fault == SenderFault::EventsBatched && event.name.as_str() == "person.created" =>
            {
                self.batch(event);
                Ok(Reply::Ok(json!({})))
            }
            Op::DeleteWebhook { webhook } => {
                self.registry.lock().webhooks.retain(|id, _| format!("w{id}") != webhook);
                match self.fault {
                    SenderFault::DeliveredAfterDeletion => Ok(Reply::Ok(json!({}))),
                    _ => subject::sender::Sender::call(&self.inner, Op::DeleteWebhook { webhook }).await,
                }
            }
            Op::CreateWebhook { url, secret, operations } => {
                self.registry.register(&url, secret.as_ref());
                let operations = operations.and_then(|operations| self.misunderstand(operations));
                subject::sender::Sender::call(&self.inner, Op::CreateWebhook { url, secret, operations })
                    .await
            }
            Op::Outcomes { webhook } => {
                let reply = subject::sender::Sender::call(&self.inner, Op::Outcomes { webhook }).await?;
                Ok(match reply {
                    Reply::Ok(mut answer) => {
                        self.misreport(&mut answer);
                        Reply::Ok(answer)
                    }
                    other => other,
                })
            }
            other => subject::sender::Sender::call(&self.inner, other).await,
        }
    }

    fn lets_through(&self, event: &Event) -> bool {
        match self.fault {
            SenderFault::DeletionsNotSent => event.name.action() != "deleted",
            SenderFault::CustomObjectsNotSent => event.name.object() != "rocket",
            SenderFault::FirstEventMissed => {
                let mut known = self.registry.lock();
                let missed = !known.fresh.is_empty();
                known.fresh.clear();
                !missed
            }
            _ => true,
        }
    }

    /// The filter as it is kept.
    fn misunderstand(&self, operations: Vec<String>) -> Option<Vec<String>> {
        match self.fault {
            SenderFault::FiltersIgnored => None,
            // No event is named like this, so what has a wildcard matches nothing.
            SenderFault::WildcardsNotUnderstood => {
                Some(operations.into_iter().map(|one| one.replace('*', "\\*")).collect())
            }
            SenderFault::MetadataNotMatched => {
                let actions = self.inner.dialect().actions;
                let spelled_out = |one: String| match one.as_str() {
                    "*.*" => ["person", "company", "note"]
                        .iter()
                        .flat_map(|object| actions.iter().map(move |action| format!("{object}.{action}")))
                        .collect(),
                    _ => vec![one],
                };
                Some(operations.into_iter().flat_map(spelled_out).collect())
            }
            _ => Some(operations),
        }
    }

    /// Sends an event along with the one that waits, or lets it wait.
    fn batch(&self, event: Event) {
        let mut known = self.registry.lock();
        if let Some(first) = known.waiting.take() {
            known.along.insert(first.record_id().unwrap_or_default(), event);
            drop(known);
            return self.inner.emit(&first);
        }
        let id = event.record_id();
        known.waiting = Some(event);
        drop(known);
        let (registry, inner) = (self.registry.clone(), self.inner.clone());
        tokio::spawn(async move {
            sleep(BATCH_WAIT).await;
            let alone = registry.lock().waiting.take_if(|waiting| waiting.record_id() == id);
            if let Some(alone) = alone {
                inner.emit(&alone);
            }
        });
    }

    fn misreport(&self, answer: &mut Value) {
        let deliveries = answer.get_mut("deliveries").and_then(Value::as_array_mut);
        for delivery in deliveries.into_iter().flatten() {
            let status = delivery["status"].as_u64().unwrap_or_default();
            let delivered = match self.fault {
                SenderFault::Only200Acknowledges => status == 200,
                SenderFault::OnlyCommon2xxAcknowledge => matches!(status, 200 | 201 | 204),
                SenderFault::RedirectAcknowledges => (200..400).contains(&status),
                SenderFault::ErrorsAcknowledge => (200..300).contains(&status) || status >= 400,
                SenderFault::ClientErrorsAcknowledge => {
                    (200..300).contains(&status) || (400..500).contains(&status)
                }
                _ => continue,
            };
            delivery["delivered"] = delivered.into();
        }
    }
}

impl subject::sender::Sender for Mutant {
    fn call(&self, op: Op) -> BoxFuture<'_, Result<Reply, SubjectError>> {
        self.answer(op).boxed()
    }
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn register(&self, url: &str, secret: Option<&Secret>) {
        let mut known = self.lock();
        known.registered += 1;
        let id = known.registered;
        known.fresh.push(id);
        known.webhooks.insert(id, (url.to_owned(), secret.cloned()));
    }

    fn is_registered(&self, url: &str) -> bool {
        self.lock().webhooks.values().any(|(other, _)| other == url)
    }

    /// How many webhooks were registered before that one and are there still.
    fn place_of(&self, url: &str) -> u32 {
        let place = self.lock().webhooks.values().position(|(other, _)| other == url);
        place.and_then(|place| u32::try_from(place).ok()).unwrap_or_default()
    }

    fn secret_of(&self, url: &str) -> Option<Secret> {
        self.lock().webhooks.values().find(|(other, _)| other == url)?.1.clone()
    }

    fn is_first(&self, url: &str) -> bool {
        self.lock().webhooks.values().next().is_some_and(|(first, _)| first == url)
    }

    fn last_secret(&self) -> Option<Secret> {
        self.lock().webhooks.values().next_back()?.1.clone()
    }
}
