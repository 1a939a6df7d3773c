//! What a scripted endpoint received: unchanged requests, and bytes that are not a complete request.
//!
//! Invariant: bounded. Beyond the limits, requests are counted and bodies are measured, but not kept.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::Notify;

use super::script::{Answer, Before, IdleEnd, Script};
use super::strays::Strays;
use crate::budget::Budget;
use crate::clock::Clock;
use crate::wire::codec::{FramingFault, WrongLength, quote};
use crate::wire::coding::record_ids;
use crate::wire::exchange::{Delivery, LONGEST_BODY, Outcome};
use crate::wire::handshake::HandshakeEnd;
use crate::wire::messages;
use crate::wire::uuids::uuids;

pub const MOST_REQUESTS: usize = 1024;
/// How many requests without a new record an endpoint keeps. A flood with one event is recognised by these, and room is left
/// for the events after it.
const MOST_REPEATS: u32 = 64;
/// How many incomplete requests an endpoint keeps.
const MOST_BROKEN: usize = 16;
/// How many connections without a request an endpoint keeps: the first ones, and always the last.
const MOST_HANDSHAKES: usize = 64;
/// How many bytes of an incomplete request are kept, to be quoted.
pub(super) const QUOTED: usize = 128;
/// The approximate cost of a kept request in addition to its bytes.
const OVERHEAD: usize = 512;

/// A request that arrived, with its times and its outcome.
#[derive(Debug, Clone)]
pub struct Received {
    /// The unchanged request; of a long body only the beginning.
    pub delivery: Delivery,
    /// The length of the whole body, without transfer coding.
    pub body_length: u64,
    /// When its first byte arrived, in milliseconds since the epoch.
    pub began_ms: u64,
    /// When its last byte arrived, in milliseconds since the epoch.
    pub at_ms: u64,
    pub outcome: Outcome,
    /// How long after its last byte the sender closed the connection, if it did so before it had the whole answer.
    pub given_up_after: Option<Duration>,
    /// How its declared length is wrong, if bytes followed it that are no request.
    pub wrong_length: Option<WrongLength>,
}

/// Bytes that are not a complete request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// When its first byte arrived, in milliseconds since the epoch.
    pub began_ms: u64,
    pub bytes: u64,
    /// What is wrong with its framing; `None` if it is only incomplete.
    pub fault: Option<FramingFault>,
    /// What is wrong with it, and its first bytes: a clause.
    pub what: String,
}

/// A connection to an HTTPS endpoint without a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handshake {
    /// When it ended, in milliseconds since the epoch.
    pub at_ms: u64,
    pub end: HandshakeEnd,
    /// How it ended, as a clause.
    pub what: String,
}

/// Everything that an endpoint received.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The recorded requests, in the order of their last bytes.
    pub received: Vec<Received>,
    /// How many more requests arrived.
    pub dropped: u64,
    /// Whether a dropped request may have had a record that no recorded request has.
    pub overflowed: bool,
    /// The first few incomplete requests.
    pub broken: Vec<Broken>,
    /// The first few HTTPS connections without a request, and the last.
    pub handshakes: Vec<Handshake>,
}

#[derive(Debug, Default)]
pub(super) struct Progress {
    began_ms: u64,
    bytes: AtomicU64,
    first: Mutex<Vec<u8>>,
}

/// The body of a request that is being read, before it is known whether it is kept.
#[derive(Debug)]
pub(super) struct Arriving {
    body: BytesMut,
    length: u64,
    budget: Budget,
    /// The bytes reserved from the budget, returned if the request is not kept.
    granted: usize,
}

#[derive(Debug)]
pub(super) struct Log {
    clock: Clock,
    budget: Budget,
    strays: Strays,
    kept: Mutex<Kept>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    script: Script,
    attempts: HashMap<String, usize>,
    seen: Seen,
    /// How often each record arrived, up to a limit.
    repeats: HashMap<String, u32>,
    under_way: BTreeMap<u64, Arc<Progress>>,
    begun: u64,
    /// How many connections ended after a request.
    ended: u64,
    handshakes: u64,
    retired: bool,
    /// How many bytes of the budget the kept requests take.
    cost: usize,
    /// How many requests were kept and then forgotten. They count in the places of those after them.
    forgotten: usize,
}

impl Arriving {
    /// Adds a part of the body: all of it is counted, and kept as far as the limits allow.
    pub(super) fn part(&mut self, part: &[u8]) {
        self.length += part.len() as u64;
        let room = LONGEST_BODY.saturating_sub(self.body.len()).min(part.len());
        let granted = self.budget.take(room);
        self.granted += granted;
        self.body.extend_from_slice(&part[..granted]);
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.budget.give_back(self.granted);
    }
}

impl Progress {
    pub(super) fn note(&self, bytes: &[u8]) {
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        let room = QUOTED.saturating_sub(first.len()).min(bytes.len());
        first.extend_from_slice(&bytes[..room]);
    }

    fn broken(&self, fault: Option<FramingFault>, why: &str) -> Broken {
        let first = quote(&self.first.lock().unwrap_or_else(PoisonError::into_inner));
        let bytes = self.bytes.load(Ordering::Relaxed);
        let what = messages::broken_request(why, bytes, &first);
        Broken { began_ms: self.began_ms, bytes, fault, what }
    }
}

impl Kept {
    /// The request at this place, if it was not forgotten.
    fn at(&mut self, place: usize) -> Option<&mut Received> {
        self.seen.received.get_mut(place.checked_sub(self.forgotten)?)
    }

    /// Whether a request carries a record that did not arrive often before.
    fn is_new(&mut self, delivery: &Delivery) -> bool {
        let (mut is_new, mut ids) = (false, record_ids(delivery));
        if ids.is_empty() {
            // All requests without a record count as one record.
            ids.push(String::new());
        }
        for id in ids {
            if !self.repeats.contains_key(&id) && self.repeats.len() >= 4 * MOST_REQUESTS {
                return true;
            }
            let count = self.repeats.entry(id).or_default();
            *count = count.saturating_add(1);
            is_new |= *count <= MOST_REPEATS;
        }
        is_new
    }
}

impl Log {
    pub(super) fn new(clock: Clock, budget: Budget, strays: Strays) -> Self {
        Self { clock, budget, strays, kept: Mutex::default(), changed: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn follow(&self, script: Script) {
        let mut kept = self.lock();
        kept.script = script;
        kept.attempts.clear();
    }

    pub(super) fn retire(&self) {
        let mut kept = self.lock();
        kept.script = Script::default();
        kept.retired = true;
    }

    /// Forgets everything that was received, and records again.
    pub(super) fn restart(&self) {
        let mut kept = self.lock();
        self.budget.give_back(kept.cost);
        let (under_way, begun, ended) = (std::mem::take(&mut kept.under_way), kept.begun, kept.ended);
        let forgotten = kept.forgotten + kept.seen.received.len();
        *kept = Kept { under_way, begun, ended, forgotten, ..Kept::default() };
    }

    pub(super) fn idle(&self) -> Option<IdleEnd> {
        self.lock().script.idle
    }

    /// Notes that a connection ends after a request, by either side.
    pub(super) fn connection_ended(&self) {
        self.lock().ended += 1;
        self.changed.notify_waiters();
    }

    /// Whether each request was followed by the end of its connection.
    pub(super) fn all_ended(&self) -> bool {
        let kept = self.lock();
        kept.ended >= kept.begun
    }

    pub(super) fn before(&self) -> Before {
        self.lock().script.before.clone()
    }

    /// Notes the first bytes of a request. Returns its number.
    pub(super) fn begin(&self, first: &[u8]) -> (u64, Arc<Progress>) {
        let progress = Arc::new(Progress { began_ms: self.clock.now_ms(), ..Progress::default() });
        progress.note(first);
        let mut kept = self.lock();
        kept.begun += 1;
        let number = kept.begun;
        kept.under_way.insert(number, progress.clone());
        (number, progress)
    }

    pub(super) fn arriving(&self) -> Arriving {
        Arriving { body: BytesMut::new(), length: 0, budget: self.budget.clone(), granted: 0 }
    }

    /// Records a request. Its answer is `at_head` if it was answered before its body, or else the script's.
    /// `followed_by` are bytes after it that are no request. Returns its
    /// place, if it is kept, and the answer.
    pub(super) fn receive(
        &self,
        number: u64,
        mut delivery: Delivery,
        mut arriving: Arriving,
        at_head: Option<Answer>,
        followed_by: Option<&[u8]>,
    ) -> (Option<usize>, Answer) {
        let at_ms = self.clock.now_ms();
        delivery.body = std::mem::take(&mut arriving.body).freeze();
        let mut kept = self.lock();
        let kept = &mut *kept;
        let began_ms = kept.under_way.remove(&number).map_or(at_ms, |progress| progress.began_ms);
        // A redirect may be followed with a GET: its target has a record.
        if delivery.is_stray() && uuids(delivery.target.as_bytes()).next().is_none() {
            self.strays.add(&delivery.method);
            self.changed.notify_waiters();
            return (None, Answer::default());
        }
        let answer = at_head.unwrap_or_else(|| kept.script.answer(&delivery, &mut kept.attempts));
        let names: usize = delivery.headers.0.iter().map(|(name, value)| name.len() + value.len()).sum();
        let cost = OVERHEAD + delivery.target.len() + names;
        if kept.retired {
            return (None, answer);
        }
        let is_new = kept.is_new(&delivery);
        let room = is_new && kept.seen.received.len() < MOST_REQUESTS;
        let granted = if room { self.budget.take(cost) } else { 0 };
        let place = if room && granted == cost {
            kept.cost += cost + std::mem::take(&mut arriving.granted);
            let (body_length, outcome) = (arriving.length, answer.outcome());
            // A body that was read in large steps has more memory than it needs.
            delivery.body = Bytes::copy_from_slice(&delivery.body);
            let wrong_length = followed_by.and_then(|bytes| WrongLength::of(&delivery.body, bytes));
            let received = Received {
                delivery,
                body_length,
                began_ms,
                at_ms,
                outcome,
                given_up_after: None,
                wrong_length,
            };
            kept.seen.received.push(received);
            Some(kept.forgotten + kept.seen.received.len() - 1)
        } else {
            self.budget.give_back(granted);
            kept.seen.dropped += 1;
            kept.seen.overflowed |= is_new;
            None
        };
        self.changed.notify_waiters();
        (place, answer)
    }

    /// Records an incomplete request; without `why`, the endpoint itself cut it off.
    pub(super) fn abandon(&self, number: u64, why: Option<(Option<FramingFault>, String)>) {
        let mut kept = self.lock();
        let progress = kept.under_way.remove(&number);
        if let (Some(progress), Some((fault, why))) = (progress, why)
            && kept.seen.broken.len() < MOST_BROKEN
        {
            kept.seen.broken.push(progress.broken(fault, &why));
        }
        self.changed.notify_waiters();
    }

    /// Records a connection without a request.
    pub(super) fn handshake(&self, end: HandshakeEnd, what: String) {
        let handshake = Handshake { at_ms: self.clock.now_ms(), end, what };
        let mut kept = self.lock();
        kept.handshakes += 1;
        // The last one shows whether there was a connection after a certain event.
        kept.seen.handshakes.truncate(MOST_HANDSHAKES - 1);
        kept.seen.handshakes.push(handshake);
        drop(kept);
        self.changed.notify_waiters();
    }

    pub(super) fn visits(&self) -> u64 {
        let kept = self.lock();
        kept.begun + kept.handshakes
    }

    /// Records that the sender closed the connection instead of waiting for the answer.
    pub(super) fn given_up(&self, place: Option<usize>, waited: Duration) {
        let mut kept = self.lock();
        if let Some(received) = place.and_then(|place| kept.at(place)) {
            received.given_up_after = Some(waited);
        }
        drop(kept);
        self.changed.notify_waiters();
    }

    /// Records bytes on a connection after a request that belong to no request.
    pub(super) fn followed_by(&self, place: Option<usize>, bytes: &[u8]) {
        let mut kept = self.lock();
        if let Some(received) = place.and_then(|place| kept.at(place)) {
            received.wrong_length = WrongLength::of(&received.delivery.body, bytes);
        }
    }

    pub(super) fn seen(&self, unfinished_after: Duration) -> Seen {
        let kept = self.lock();
        let mut seen = kept.seen.clone();
        let now = self.clock.now_ms();
        for progress in kept.under_way.values() {
            let age = now.saturating_sub(progress.began_ms);
            if u128::from(age) >= unfinished_after.as_millis() && seen.broken.len() < MOST_BROKEN {
                let why = messages::incomplete_after(format!("{age} ms"));
                seen.broken.push(progress.broken(None, &why));
            }
        }
        seen
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&[Received]) -> T) -> T {
        look(&self.lock().seen.received)
    }

    pub(super) fn count(&self) -> u64 {
        let kept = self.lock();
        kept.seen.received.len() as u64 + kept.seen.dropped
    }

    pub(super) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }
}
