//! The queues of deliveries that wait to be judged, each with a thread of its own.
//!
//! Invariant: bounded in memory. A long body, or a wrong signature whose cause is searched in a long body, delays only other long
//! bodies.

use std::io;
use std::sync::Arc;
use std::thread;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::{Storage, Watched};
use crate::error::Error;
use crate::suite::requirement::Requirement;
use crate::suite::traffic::{Traffic, judge, messages};
use crate::wire::client::forwarding::Forwarded;
use crate::wire::exchange::Exchange;

/// How many deliveries may wait in a queue.
const QUEUED: usize = 1024;
/// How many KiB of long bodies may wait. A body that is longer waits alone.
const QUEUED_KIB: u32 = 16 * 1024;
/// Bodies above this are long.
const LONG: usize = 8 * 1024;

/// A delivery that waits to be judged. It occupies its share of the queue until it is dropped.
#[derive(Debug)]
struct Queued {
    exchange: Box<Exchange>,
    storage: Storage,
    forwarded: Option<Forwarded>,
    _room: Option<OwnedSemaphorePermit>,
}

/// The ends of the queues where deliveries enter.
pub(super) struct Entries {
    short: mpsc::Sender<Queued>,
    long: mpsc::Sender<Queued>,
    room: Arc<Semaphore>,
}

/// The ends of the queues where deliveries are judged.
#[derive(Debug)]
pub(super) struct Queues {
    short: mpsc::Receiver<Queued>,
    long: mpsc::Receiver<Queued>,
}

pub(super) fn queues() -> (Entries, Queues) {
    let (short_entry, short) = mpsc::channel(QUEUED);
    let (long_entry, long) = mpsc::channel(QUEUED);
    let room = Arc::new(Semaphore::new(QUEUED_KIB as usize));
    (Entries { short: short_entry, long: long_entry, room }, Queues { short, long })
}

/// The error if a thread cannot be started.
pub(super) fn not_started(why: io::Error) -> Error {
    Error::Harness(messages::thread_not_started(&why))
}

impl Entries {
    /// Queues a delivery. `None` if nothing more is judged.
    pub(super) async fn add(
        &self,
        exchange: Box<Exchange>,
        storage: Storage,
        forwarded: Option<Forwarded>,
    ) -> Option<()> {
        let length = exchange.delivery.body.len();
        let (queue, room) = if length > LONG {
            let kib = u32::try_from(length / 1024 + 1).unwrap_or(u32::MAX).min(QUEUED_KIB);
            (&self.long, Some(self.room.clone().acquire_many_owned(kib).await.ok()?))
        } else {
            (&self.short, None)
        };
        queue.send(Queued { exchange, storage, forwarded, _room: room }).await.ok()
    }
}

impl Queues {
    /// Starts the threads that judge. They end when both ends of their queue do; none is waited for.
    ///
    /// Errors: a thread cannot be started.
    pub(super) fn judge(
        self,
        traffic: &Arc<Traffic>,
        selected: &Arc<[&'static Requirement]>,
        results: &mpsc::Sender<Watched>,
    ) -> io::Result<()> {
        for (name, queue) in [("judge-short", self.short), ("judge-long", self.long)] {
            let (traffic, selected, results) = (traffic.clone(), selected.clone(), results.clone());
            let judging = move || judge_all(queue, &traffic, &selected, &results);
            thread::Builder::new().name(name.to_owned()).spawn(judging)?;
        }
        Ok(())
    }
}

fn judge_all(
    mut queue: mpsc::Receiver<Queued>,
    traffic: &Traffic,
    selected: &[&'static Requirement],
    results: &mpsc::Sender<Watched>,
) {
    while let Some(Queued { exchange, storage, forwarded, _room }) = queue.blocking_recv() {
        let transcript = traffic.transcript(vec![(*exchange).clone()]);
        let findings = judge(&transcript, selected);
        if results.blocking_send(Watched::Delivery { exchange, storage, findings, forwarded }).is_err() {
            return;
        }
    }
}
