//! The places of connections. If there is none for a new connection, an idle one gives up its place, or else the one that has
//! waited longest for the rest of a request. Of the idle ones it is the newest, so that those that were there before a flood of
//! idle connections stay longest.
//!
//! Invariant: a connection whose request is being answered keeps its place.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::task::AtomicWaker;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long an idle connection keeps its place: its next request may be on the way.
const IDLE: Duration = Duration::from_secs(2);
/// How long a connection with half a request, or with an answer that its peer does not read, keeps its place.
const PARTIAL: Duration = Duration::from_secs(3);
/// How often the connections are looked through while a new one waits.
const LOOK: Duration = Duration::from_millis(50);

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiting {
    /// The next request.
    Idle,
    /// The rest of a request, or that its peer reads an answer.
    Partial,
}

/// The value of `Place::state` while a request is being answered.
const ANSWERING: u64 = u64::MAX;

/// One connection's place, free again when this value is dropped.
#[derive(Debug)]
pub(super) struct Place {
    began: Instant,
    /// Since when it has waited, in milliseconds times two, and one more if the wait is partial.
    state: AtomicU64,
    given_up: AtomicBool,
    waker: AtomicWaker,
    _taken: OwnedSemaphorePermit,
}

impl Place {
    /// The connection waits, since then. The usual request needs this too, so it must be cheap.
    pub(super) fn waits(&self, waiting: Waiting, since: Instant) {
        let since = since.saturating_duration_since(self.began);
        let ms = since.as_secs() * 1000 + u64::from(since.subsec_millis());
        self.state.store(ms * 2 + u64::from(waiting == Waiting::Partial), Ordering::Relaxed);
    }

    /// A request is being answered.
    pub(super) fn answers(&self) {
        self.state.store(ANSWERING, Ordering::Relaxed);
    }

    /// Ready once the place is needed for another connection.
    pub(super) fn poll_given_up(&self, cx: &Context<'_>) -> Poll<()> {
        self.waker.register(cx.waker());
        if self.given_up.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Ends once the place is needed for another connection.
    pub(super) async fn given_up(&self) {
        std::future::poll_fn(|cx| self.poll_given_up(cx)).await;
    }

    /// What it waits for and since when, in milliseconds, if it may be given up.
    fn waiting(&self) -> Option<(Waiting, u64)> {
        let state = self.state.load(Ordering::Relaxed);
        if state == ANSWERING || self.given_up.load(Ordering::Relaxed) {
            return None;
        }
        Some((if state % 2 == 1 { Waiting::Partial } else { Waiting::Idle }, state / 2))
    }

    fn give_up(&self) {
        self.given_up.store(true, Ordering::Release);
        self.waker.wake();
    }
}

/// All places of a server.
#[derive(Debug)]
pub(super) struct Places {
    began: Instant,
    free: Arc<Semaphore>,
    taken: Vec<Weak<Place>>,
    most: usize,
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self { began: Instant::now(), free: Arc::new(Semaphore::new(most)), taken: Vec::new(), most }
    }

    /// A place for a new connection.
    pub(super) async fn next(&mut self) -> Arc<Place> {
        let free = loop {
            if let Ok(free) = self.free.clone().try_acquire_owned() {
                break free;
            }
            self.give_up_one();
            // Until a place is free, or the next connection has waited long enough. The semaphore is never closed.
            if let Ok(Ok(free)) = timeout(LOOK, self.free.clone().acquire_owned()).await {
                break free;
            }
        };
        if self.taken.len() >= 2 * self.most {
            self.taken.retain(|place| place.strong_count() > 0);
        }
        let place = Arc::new(Place {
            began: self.began,
            state: AtomicU64::new(0),
            given_up: AtomicBool::new(false),
            waker: AtomicWaker::new(),
            _taken: free,
        });
        place.waits(Waiting::Idle, Instant::now());
        self.taken.push(Arc::downgrade(&place));
        place
    }

    /// Makes one connection give up its place, if one has waited long enough.
    fn give_up_one(&self) {
        let now = self.began.elapsed().as_millis();
        let places: Vec<Arc<Place>> = self.taken.iter().filter_map(Weak::upgrade).collect();
        let waiting = |kind: Waiting, keeps: Duration| {
            places.iter().filter_map(move |place| {
                let (waiting, since) = place.waiting()?;
                let long = u128::from(since) + keeps.as_millis() <= now;
                (waiting == kind && long).then_some((since, place))
            })
        };
        // The places are in the order in which they were taken.
        let idle = waiting(Waiting::Idle, IDLE).next_back();
        let place = idle.or_else(|| waiting(Waiting::Partial, PARTIAL).min_by_key(|(since, _)| *since));
        place.into_iter().for_each(|(_, place)| place.give_up());
    }
}
