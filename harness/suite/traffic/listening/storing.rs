//! Stores deliveries on a thread of its own, those that wait together as one group.
//!
//! Invariant: a delivery has its number and is stored, or cannot be, before it is answered.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::sync::{mpsc, oneshot};

use crate::wire::exchange::{Exchange, ExchangeId};

/// How many deliveries wait to be stored. There are not more connections than this by far.
const WAITING: usize = 1024;
/// How many are stored together.
const GROUP: usize = 64;

/// Whether a delivery is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// There is no store.
    Unasked,
    Stored,
    /// It could not be, for this reason.
    Failed(String),
}

/// Where deliveries are stored. What is stored must outlive the process.
pub trait Store: Send + 'static {
    /// Stores deliveries in this order. Returns for each, in the same order, why it could not be stored, if so.
    fn store(&mut self, group: &[&Exchange]) -> Vec<Result<(), String>>;
}

struct Task {
    exchange: Box<Exchange>,
    stored: oneshot::Sender<(Box<Exchange>, Storage)>,
}

/// Numbers deliveries, and stores them if there is a store.
pub(super) enum Storing {
    NumbersOnly(AtomicUsize),
    InOrder(StoreQueue),
}

/// Where deliveries wait for the thread that stores them.
pub(super) struct StoreQueue(mpsc::Sender<Task>);

impl Storing {
    /// Starts the thread, which ends with this value. Errors: it cannot be started.
    pub(super) fn start(store: Option<Box<dyn Store>>) -> io::Result<Self> {
        let Some(store) = store else { return Ok(Self::NumbersOnly(AtomicUsize::new(0))) };
        let (queue, tasks) = mpsc::channel(WAITING);
        thread::Builder::new().name("storing".to_owned()).spawn(move || store_all(store, tasks))?;
        Ok(Self::InOrder(StoreQueue(queue)))
    }

    /// Numbers and stores a delivery. `None` if the thread has ended.
    pub(super) async fn store(&self, mut exchange: Box<Exchange>) -> Option<(Box<Exchange>, Storage)> {
        match self {
            Self::NumbersOnly(last) => {
                exchange.id = ExchangeId(last.fetch_add(1, Ordering::Relaxed) + 1);
                Some((exchange, Storage::Unasked))
            }
            Self::InOrder(StoreQueue(queue)) => {
                let (stored, answer) = oneshot::channel();
                queue.send(Task { exchange, stored }).await.ok()?;
                answer.await.ok()
            }
        }
    }
}

fn store_all(mut store: Box<dyn Store>, mut tasks: mpsc::Receiver<Task>) {
    let (mut group, mut last) = (Vec::with_capacity(GROUP), 0);
    while tasks.blocking_recv_many(&mut group, GROUP) > 0 {
        for task in &mut group {
            last += 1;
            task.exchange.id = ExchangeId(last);
        }
        let exchanges: Vec<&Exchange> = group.iter().map(|task| &*task.exchange).collect();
        let results = store.store(&exchanges);
        for (task, result) in group.drain(..).zip(results) {
            let storage = result.map_or_else(Storage::Failed, |()| Storage::Stored);
            // Its connection may have ended.
            let _ = task.stored.send((task.exchange, storage));
        }
    }
}
