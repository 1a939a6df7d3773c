//! Mutants of the sender: the reference sender with a changed transport, registry or report.
//!
//! Invariant: the reference sender inside renders, signs and sends as usual. A fault changes the finished request (and signs
//! it again if the fault is not in the signature), or an operation and its reply. `acts` says which.

pub mod careless;

mod acts;
mod bodies;
mod kept;
mod messages;
mod outgoing;
mod registry;
mod tampering;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::sleep;

use self::acts::Act;
use self::registry::Registry;
use self::tampering::Tampering;
use crate::clock::Clock;
use crate::peers::fault::SenderFault;
use crate::peers::sender::{Sender, Transport};
use crate::random::Random;
use crate::subject::protocol::{Op, Reply};
use crate::subject::{self, SubjectError};
use crate::webhook::dialect::Dialect;
use crate::webhook::event::Event;

/// How long an event waits for another one to share its request.
const BATCH_WAIT: Duration = Duration::from_millis(40);

#[derive(Clone)]
pub struct Mutant {
    act: Act,
    inner: Sender,
    registry: Arc<Registry>,
}

impl Mutant {
    /// A mutant that sends with a transport. `late` is how long `SentLate` waits.
    pub fn new(
        fault: SenderFault,
        dialect: &'static Dialect,
        clock: Clock,
        random: Random,
        transport: Arc<dyn Transport>,
        late: Duration,
    ) -> Self {
        let registry = Arc::new(Registry::default());
        let act = acts::act(fault);
        let tampering = Tampering::new(act, dialect, clock.clone(), transport, registry.clone(), late);
        Self { act, inner: Sender::new(dialect, clock, random, Arc::new(tampering)), registry }
    }

    async fn answer(&self, op: Op) -> Result<Reply, SubjectError> {
        if let Some(how) = self.registry.lock().crashed.clone() {
            return Err(SubjectError::Died(how));
        }
        match op {
            Op::Emit(event) if self.drops(&event) => Ok(Reply::ok(&json!({}))),
            Op::Emit(event) if matches!(self.act, Act::Batches(these) if these(&event)) => {
                self.batch(event);
                Ok(Reply::ok(&json!({})))
            }
            Op::DeleteWebhook { webhook } => {
                self.registry.lock().webhooks.retain(|id, _| format!("w{id}") != webhook);
                match self.act {
                    Act::KeepsDeleted => Ok(Reply::ok(&json!({}))),
                    _ => self.ask(Op::DeleteWebhook { webhook }).await,
                }
            }
            Op::CreateWebhook { url, secret, operations } => {
                self.registry.register(&url, secret.as_ref());
                let operations = operations.and_then(|operations| match self.act {
                    Act::Filters(filter) => filter(self.inner.dialect(), operations),
                    _ => Some(operations),
                });
                self.ask(Op::CreateWebhook { url, secret, operations }).await
            }
            Op::Outcomes { webhook } => {
                let reply = self.ask(Op::Outcomes { webhook }).await?;
                Ok(match (&reply, self.act) {
                    (Reply::Ok(answer), Act::Reports(these)) => report(answer, these),
                    _ => reply,
                })
            }
            Op::Hello { .. } => {
                let reply = self.ask(op).await?;
                Ok(match (&reply, self.act) {
                    (Reply::Ok(answer), Act::Settles(time)) => asking_for(answer, time * 2),
                    _ => reply,
                })
            }
            other => self.ask(other).await,
        }
    }

    fn ask(&self, op: Op) -> BoxFuture<'_, Result<Reply, SubjectError>> {
        subject::sender::Sender::call(&self.inner, op)
    }

    fn drops(&self, event: &Event) -> bool {
        match self.act {
            Act::Drops(these) => these(event),
            Act::MissesFirst => !std::mem::take(&mut self.registry.lock().fresh).is_empty(),
            _ => false,
        }
    }

    /// Sends an event together with the waiting one, or lets it wait.
    fn batch(&self, event: Event) {
        let mut known = self.registry.lock();
        if let Some(first) = known.waiting.take() {
            known.batched.insert(first.record_id().unwrap_or_default(), event);
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
}

/// Reports deliveries with these statuses as delivered.
fn report(answer: &RawValue, these: fn(u64) -> bool) -> Reply {
    let mut answer: Value = serde_json::from_str(answer.get()).unwrap_or_default();
    let deliveries = answer.get_mut("deliveries").and_then(Value::as_array_mut);
    for delivery in deliveries.into_iter().flatten() {
        delivery["delivered"] = these(delivery["status"].as_u64().unwrap_or_default()).into();
    }
    Reply::ok(&answer)
}

/// The answer to `hello` with the time that registrations take.
fn asking_for(answer: &RawValue, time: Duration) -> Reply {
    let mut answer: Value = serde_json::from_str(answer.get()).unwrap_or_default();
    answer["settle_ms"] = u64::try_from(time.as_millis()).unwrap_or_default().into();
    Reply::ok(&answer)
}

impl subject::sender::Sender for Mutant {
    fn call(&self, op: Op) -> BoxFuture<'_, Result<Reply, SubjectError>> {
        self.answer(op).boxed()
    }
}
