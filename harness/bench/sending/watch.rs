//! The deliveries in flight between a sender and the endpoint.
//!
//! Each expected delivery ends once: it arrives, it arrives wrong, its event is rejected, or it is lost. Memory grows with
//! the deliveries in flight, not with the number of events.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::bench::accounts::arrivals::ArrivalListener;
use crate::bench::accounts::ledger::{Defect, Identity};
use crate::bench::accounts::seen::Mark;
use crate::bench::generate::failure::DeliveryFailure;
use crate::bench::generate::ids::Numbered;
use crate::bench::generate::plan::Phase;
use crate::bench::generate::turns::Turn;
use crate::bench::measure::ended::{DeliveryKind, EndedDelivery};
use crate::bench::measure::live::{LiveFigures, LivePart};
use crate::bench::measure::tally::LoadTally;

pub const MOST_WEBHOOKS: usize = 64;

/// The deliveries in flight, shared by the tasks that request events and the endpoint.
#[derive(Clone)]
pub(super) struct DeliveryWatch(Arc<Mutex<WatchState>>);

pub(super) struct WatchState {
    pub(super) tally: LoadTally,
    live: Option<LivePart>,
    run: u64,
    start: Instant,
    webhooks: usize,
    /// The number of the first event in the window.
    base: u64,
    window: VecDeque<Requested>,
    /// How many events in the window have not ended.
    in_flight: usize,
    /// The number of the first event of each phase.
    firsts: Vec<u64>,
    /// Measured events whose deliveries have all arrived.
    pub(super) complete: u64,
    /// Deliveries of events that were not requested.
    pub(super) strange: u64,
    /// Deliveries that arrived after their timeout.
    pub(super) late: u64,
    pub(super) lost: Vec<u64>,
    /// When the last event was requested or the last delivery arrived, from the start.
    pub(super) last: Duration,
    /// The event and the webhook of the first lost delivery.
    pub(super) first_lost: Option<(u64, usize)>,
    /// The event and the webhook of the first duplicate.
    pub(super) first_duplicated: Option<(u64, usize)>,
    /// The first event that the sender rejected, and its reason.
    pub(super) first_rejected: Option<(u64, String)>,
    pub(super) rejected: u64,
}

/// An event that was requested.
struct Requested {
    turn: Turn,
    /// When it was requested, which may be long after the planned time.
    at: Instant,
    /// A bit for each webhook whose delivery has not ended.
    left: u64,
    /// Whether all deliveries that have ended were verified.
    verified: bool,
    /// Whether the sender has accepted the event.
    accepted: bool,
    waiting: Option<oneshot::Sender<()>>,
}

impl DeliveryWatch {
    /// `live` is where deliveries are counted for somebody who watches.
    pub(in crate::bench) fn new(
        phases: &[Phase],
        run: u64,
        webhooks: usize,
        start: Instant,
        live: Option<&Arc<LiveFigures>>,
    ) -> Self {
        let state = WatchState {
            tally: LoadTally::new(phases),
            live: live.cloned().map(LivePart::new),
            run,
            start,
            webhooks,
            base: 0,
            window: VecDeque::new(),
            in_flight: 0,
            firsts: vec![u64::MAX; phases.len()],
            complete: 0,
            strange: 0,
            late: 0,
            lost: vec![0; webhooks],
            last: Duration::ZERO,
            first_lost: None,
            first_duplicated: None,
            first_rejected: None,
            rejected: 0,
        };
        Self(Arc::new(Mutex::new(state)))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, WatchState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins the next event, unless there have been `most`. Returns its number, and a receiver that completes with its last
    /// delivery.
    pub(in crate::bench) fn begin(
        &self,
        turn: Turn,
        late: Option<Duration>,
        most: u64,
    ) -> Option<(u64, oneshot::Receiver<()>)> {
        let mut state = self.state();
        let number = state.base + state.window.len() as u64;
        if number >= most {
            return None;
        }
        let (waiting, ended) = oneshot::channel();
        let left = u64::MAX >> (64 - state.webhooks.clamp(1, MOST_WEBHOOKS));
        let requested = Instant::now();
        state.window.push_back(Requested {
            turn,
            at: requested,
            left,
            verified: true,
            accepted: false,
            waiting: Some(waiting),
        });
        state.in_flight += 1;
        state.firsts[turn.phase] = state.firsts[turn.phase].min(number);
        let at = requested.saturating_duration_since(state.start);
        state.last = state.last.max(at);
        for webhook in 0..state.webhooks {
            let late = late.filter(|_| webhook == 0);
            state.tally.begin(DeliveryKind::Valid, turn.phase, at, late);
        }
        Some((number, ended))
    }

    pub(super) fn accepted(&self, number: u64) {
        let mut state = self.state();
        // The event has left the window if all its deliveries have ended.
        if let Some(index) = state.index(number) {
            state.window[index].accepted = true;
        }
    }

    pub(super) fn rejected(&self, number: u64, why: &str) {
        let mut state = self.state();
        state.rejected += 1;
        state.first_rejected.get_or_insert_with(|| (number, why.to_owned()));
        let Some(index) = state.index(number) else { return };
        state.give_up(index, DeliveryFailure::NotAccepted);
    }

    /// Gives up the events that were requested before a time, or all of them.
    pub(super) fn expire(&self, before: Option<Instant>) {
        let mut state = self.state();
        let due = |event: &Requested| before.is_none_or(|before| event.at < before);
        while state.window.front().is_some_and(due) {
            let accepted = state.window.front().is_some_and(|event| event.accepted);
            state.give_up(0, if accepted { DeliveryFailure::Lost } else { DeliveryFailure::NotAccepted });
        }
    }

    pub(in crate::bench) fn in_flight(&self) -> usize {
        self.state().in_flight
    }
}

impl WatchState {
    fn index(&self, number: u64) -> Option<usize> {
        let index = usize::try_from(number.checked_sub(self.base)?).ok()?;
        (index < self.window.len()).then_some(index)
    }

    /// Ends the deliveries of an event that have not arrived.
    fn give_up(&mut self, index: usize, failure: DeliveryFailure) {
        let at = self.start.elapsed();
        let number = self.base + index as u64;
        let event = &mut self.window[index];
        let (turn, left) = (event.turn, std::mem::take(&mut event.left));
        event.waiting = None;
        for webhook in (0..self.webhooks).filter(|webhook| left & (1 << webhook) != 0) {
            if failure == DeliveryFailure::Lost {
                self.lost[webhook] += 1;
                self.first_lost.get_or_insert((number, webhook));
            }
            let latency = self.start + at - turn.planned;
            self.end(&EndedDelivery::without_bytes(turn.phase, Err(failure), latency, at));
        }
        self.in_flight -= usize::from(left != 0);
        self.slide();
    }

    /// Counts a delivery that has ended.
    fn end(&mut self, delivery: &EndedDelivery) {
        self.tally.end(delivery);
        if let Some(live) = &mut self.live {
            live.count(delivery, self.start + delivery.at);
        }
    }

    /// Drops the events at the window's beginning that have ended.
    fn slide(&mut self) {
        while self.window.front().is_some_and(|event| event.left == 0) {
            self.window.pop_front();
            self.base += 1;
        }
    }

    /// Ends a delivery. Returns whether it was in flight.
    fn arrive(&mut self, webhook: usize, number: u64, status: u16) -> bool {
        let Some(index) = self.index(number) else { return false };
        let now = Instant::now();
        let at = now.saturating_duration_since(self.start);
        let event = &mut self.window[index];
        let bit = 1 << webhook;
        if event.left & bit == 0 {
            return false;
        }
        event.left &= !bit;
        event.verified &= status < 300;
        let (turn, left, verified) = (event.turn, event.left, event.verified);
        let latency = now.saturating_duration_since(turn.planned);
        self.last = self.last.max(at);
        self.end(&EndedDelivery::without_bytes(turn.phase, Ok(status), latency, at));
        if left == 0 {
            if let Some(waiting) = self.window[index].waiting.take() {
                // No task waits in an open loop, or after the end.
                let _ = waiting.send(());
            }
            self.in_flight -= 1;
            self.complete += u64::from(verified && self.tally.measures(turn.phase));
            self.slide();
        }
        true
    }

    /// Counts a delivery that was given up as late, not lost.
    fn count_late(&mut self, webhook: usize, number: u64) {
        self.late += 1;
        self.lost[webhook] = self.lost[webhook].saturating_sub(1);
        if self.first_lost == Some((number, webhook)) {
            self.first_lost = None;
        }
        let begun = self.firsts.iter().rposition(|&first| first <= number);
        self.tally.correct(begun.unwrap_or(0), DeliveryFailure::Lost, DeliveryFailure::Late);
    }
}

impl ArrivalListener for DeliveryWatch {
    fn verified(&self, webhook: usize, identity: &Identity<'_>, mark: Option<Mark>) {
        let mut state = self.state();
        let numbered = match identity {
            Identity::Numbered(id) if id.run == state.run => Some(id.number),
            _ => None,
        };
        let requested = |state: &WatchState, number| number < state.base + state.window.len() as u64;
        match numbered.filter(|&number| requested(&state, number)) {
            None => state.strange += 1,
            Some(number) if mark == Some(Mark::Again) => {
                state.first_duplicated.get_or_insert((number, webhook));
            }
            Some(number) => {
                if !state.arrive(webhook, number, 204) && state.index(number).is_none() {
                    state.count_late(webhook, number);
                }
            }
        }
    }

    fn wrong(&self, webhook: usize, defect: Defect, claimed: Option<Numbered>) {
        let mut state = self.state();
        if let Some(id) = claimed.filter(|id| id.run == state.run) {
            state.arrive(webhook, id.number, defect.status());
        }
    }
}
