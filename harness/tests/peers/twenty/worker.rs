//! The worker of a fake Twenty: which webhooks get an event, and in which order their deliveries are sent.
//!
//! Invariant: an event's deliveries are decided when it is emitted, and each is sent once.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use twenty_conform::clock::Clock;
use twenty_conform::random::Random;
use twenty_conform::webhook::dialect::rfc3339;
use twenty_conform::webhook::json::Json;

use super::events::Change;
use super::sending::{self, Status};
use super::settings::Settings;
use super::webhooks::Webhook;

/// How many deliveries one job has.
const JOB: usize = 20;
/// How many deliveries are underway. Further ones are lost.
const MOST_UNDERWAY: usize = 20_000;
/// How many deliveries are remembered.
const REMEMBERED: usize = 10_000;

/// A delivery that was sent, or that would have been if the address were allowed.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) webhook: String,
    pub(crate) event: String,
    /// The id of the record.
    pub(crate) record: String,
    /// The status of the answer; `None` without one.
    pub(crate) status: Option<u16>,
}

struct Outgoing {
    webhook: Webhook,
    event: String,
    record: String,
    body: Json,
}

pub(super) struct Worker {
    shared: Arc<Shared>,
    jobs: mpsc::UnboundedSender<Vec<Outgoing>>,
    task: JoinHandle<()>,
    stopped: AtomicBool,
    cache: Mutex<Option<(Instant, Vec<Webhook>)>>,
}

struct Shared {
    settings: Settings,
    random: Arc<Random>,
    underway: watch::Sender<usize>,
    sent: Mutex<VecDeque<Sent>>,
}

impl Worker {
    pub(super) fn start(settings: Settings, random: Arc<Random>) -> Self {
        let (jobs, waiting) = mpsc::unbounded_channel();
        let (underway, sent) = (watch::Sender::new(0), Mutex::default());
        let shared = Arc::new(Shared { settings, random, underway, sent });
        let task = tokio::spawn(work(waiting, shared.clone()));
        Self { shared, jobs, task, stopped: AtomicBool::new(false), cache: Mutex::default() }
    }

    /// Sends events to those of the registered webhooks whose filters have them, or to those that it remembers.
    pub(super) fn emit(&self, registered: &[Webhook], changes: &[Change]) {
        if self.stopped.load(Ordering::SeqCst) {
            return;
        }
        let settings = &self.shared.settings;
        let date = rfc3339(Clock::system().now_ms());
        let webhooks = self.known(registered);
        let mut outgoing = Vec::new();
        let wanted = changes.iter().filter(|change| settings.metadata_events || !change.is_metadata());
        for change in wanted {
            for webhook in webhooks.iter().filter(|webhook| webhook.wants(change)) {
                outgoing.push(Outgoing {
                    event: change.name.clone(),
                    record: change.id(),
                    body: change.body(&webhook.target, &webhook.id, &date, settings.names_actors),
                    webhook: webhook.clone(),
                });
            }
        }
        while !outgoing.is_empty() && *self.shared.underway.borrow() < MOST_UNDERWAY {
            let job: Vec<_> = outgoing.drain(..outgoing.len().min(JOB)).collect();
            self.shared.underway.send_modify(|underway| *underway += job.len());
            // The worker ends only after it was stopped.
            let _ = self.jobs.send(job);
        }
    }

    /// The webhooks that it knows: looked up at the first use, and again once they are older than the cache allows.
    fn known(&self, registered: &[Webhook]) -> Vec<Webhook> {
        let Some(age) = self.shared.settings.webhook_cache else { return registered.to_vec() };
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        match &*cache {
            Some((looked_up, known)) if looked_up.elapsed() < age => known.clone(),
            _ => {
                *cache = Some((Instant::now(), registered.to_vec()));
                registered.to_vec()
            }
        }
    }

    /// The last deliveries that ended.
    pub(super) fn sent(&self) -> Vec<Sent> {
        self.shared.lock().iter().cloned().collect()
    }

    /// Waits until no delivery is underway. Returns whether that is so.
    pub(super) async fn settled(&self, wait: Duration) -> bool {
        let mut underway = self.shared.underway.subscribe();
        tokio::time::timeout(wait, underway.wait_for(|count| *count == 0)).await.is_ok()
    }

    /// Ends it: nothing is sent from now on.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.task.abort();
        self.shared.underway.send_replace(0);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Sent>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn deliver(self: Arc<Self>, outgoing: Outgoing) {
        let Outgoing { webhook, event, record, body } = outgoing;
        // The semaphore is never closed.
        let _turn = webhook.turns.acquire().await;
        let status: Status =
            sending::send(&self.settings, &self.random, &webhook.target, &webhook.secret, &body).await;
        let sent = Sent { webhook: webhook.id.clone(), event, record, status };
        let mut remembered = self.lock();
        if remembered.len() == REMEMBERED {
            remembered.pop_front();
        }
        remembered.push_back(sent);
        drop(remembered);
        self.underway.send_modify(|underway| *underway = underway.saturating_sub(1));
    }
}

async fn work(mut jobs: mpsc::UnboundedReceiver<Vec<Outgoing>>, shared: Arc<Shared>) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            job = jobs.recv() => {
                let Some(job) = job else { return };
                let deliveries = job.into_iter().map(|one| shared.clone().deliver(one));
                if shared.settings.one_queue {
                    join_all(deliveries).await;
                } else {
                    deliveries.for_each(|delivery| drop(running.spawn(delivery)));
                }
            }
            Some(_) = running.join_next() => {}
        }
    }
}
