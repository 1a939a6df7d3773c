//! What is under way between a sender that was asked and the endpoint: which deliveries of which events are still to come.
//!
//! Invariant: each delivery that is expected ends once: it arrives, it arrives wrong, it is refused, or it is lost. Memory
//! grows with what is under way, and not with the number of events.

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
use crate::bench::measure::tally::LoadTally;

pub const MOST_WEBHOOKS: usize = 64;

/// What is under way, shared by who asks and who receives.
#[derive(Clone)]
pub(super) struct DeliveryWatch(Arc<Mutex<WatchState>>);

pub(super) struct WatchState {
    pub(super) tally: LoadTally,
    run: u64,
    start: Instant,
    webhooks: usize,
    /// The number of the first event in the window.
    base: u64,
    window: VecDeque<Emitted>,
    /// How many events in the window have not ended.
    open: usize,
    /// The number of the first event of each phase.
    firsts: Vec<u64>,
    /// Events all of whose deliveries have arrived, and that were measured.
    pub(super) complete: u64,
    /// Deliveries of nothing that was asked for.
    pub(super) strange: u64,
    /// Deliveries that came after the wait for them was over.
    pub(super) late: u64,
    pub(super) lost: Vec<u64>,
    /// When the last delivery came or event was asked for, from the start.
    pub(super) last: Duration,
    /// The first delivery that was lost, that came again, and that was refused by the sender: event and webhook.
    pub(super) first_lost: Option<(u64, usize)>,
    pub(super) first_doubled: Option<(u64, usize)>,
    pub(super) first_refused: Option<(u64, String)>,
    pub(super) refused: u64,
}

/// An event that the sender was asked for.
struct Emitted {
    turn: Turn,
    /// When it was asked for; the time meant for it may have been long before.
    asked: Instant,
    /// A bit for each webhook that it has not reached.
    left: u64,
    /// Whether all that have ended have arrived.
    whole: bool,
    /// Whether the sender has said that it took it.
    taken: bool,
    waiting: Option<oneshot::Sender<()>>,
}

impl DeliveryWatch {
    pub(in crate::bench) fn new(phases: &[Phase], run: u64, webhooks: usize, start: Instant) -> Self {
        let state = WatchState {
            tally: LoadTally::new(phases),
            run,
            start,
            webhooks,
            base: 0,
            window: VecDeque::new(),
            open: 0,
            firsts: vec![u64::MAX; phases.len()],
            complete: 0,
            strange: 0,
            late: 0,
            lost: vec![0; webhooks],
            last: Duration::ZERO,
            first_lost: None,
            first_doubled: None,
            first_refused: None,
            refused: 0,
        };
        Self(Arc::new(Mutex::new(state)))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, WatchState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins the next event, unless there have been `most`. Returns its number; the receiver returned with it ends with its last
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
        let asked = Instant::now();
        state.window.push_back(Emitted {
            turn,
            asked,
            left,
            whole: true,
            taken: false,
            waiting: Some(waiting),
        });
        state.open += 1;
        state.firsts[turn.phase] = state.firsts[turn.phase].min(number);
        let at = asked.saturating_duration_since(state.start);
        state.last = state.last.max(at);
        for webhook in 0..state.webhooks {
            let late = late.filter(|_| webhook == 0);
            state.tally.begin(DeliveryKind::Valid, turn.phase, at, late);
        }
        Some((number, ended))
    }

    pub(super) fn taken(&self, number: u64) {
        let mut state = self.state();
        // Where all of its deliveries have ended it is gone.
        if let Some(index) = state.index(number) {
            state.window[index].taken = true;
        }
    }

    /// The sender did not take an event: why.
    pub(super) fn refused(&self, number: u64, why: &str) {
        let mut state = self.state();
        state.refused += 1;
        state.first_refused.get_or_insert_with(|| (number, why.to_owned()));
        let Some(index) = state.index(number) else { return };
        state.give_up(index, DeliveryFailure::Untaken);
    }

    /// Gives up what was asked for before that time, or everything.
    pub(super) fn expire(&self, before: Option<Instant>) {
        let mut state = self.state();
        let due = |emitted: &Emitted| before.is_none_or(|before| emitted.asked < before);
        while state.window.front().is_some_and(due) {
            let taken = state.window.front().is_some_and(|emitted| emitted.taken);
            state.give_up(0, if taken { DeliveryFailure::Lost } else { DeliveryFailure::Untaken });
        }
    }

    pub(in crate::bench) fn open(&self) -> usize {
        self.state().open
    }
}

impl WatchState {
    fn index(&self, number: u64) -> Option<usize> {
        let index = usize::try_from(number.checked_sub(self.base)?).ok()?;
        (index < self.window.len()).then_some(index)
    }

    /// Ends whatever has not arrived of an event.
    fn give_up(&mut self, index: usize, failure: DeliveryFailure) {
        let at = self.start.elapsed();
        let number = self.base + index as u64;
        let emitted = &mut self.window[index];
        let (turn, left) = (emitted.turn, std::mem::take(&mut emitted.left));
        emitted.waiting = None;
        for webhook in (0..self.webhooks).filter(|webhook| left & (1 << webhook) != 0) {
            if failure == DeliveryFailure::Lost {
                self.lost[webhook] += 1;
                self.first_lost.get_or_insert((number, webhook));
            }
            let latency = self.start + at - turn.intended;
            self.tally.end(&EndedDelivery::without_bytes(turn.phase, Err(failure), latency, at));
        }
        self.open -= usize::from(left != 0);
        self.slide();
    }

    /// Lets go of events at the window's beginning that have ended.
    fn slide(&mut self) {
        while self.window.front().is_some_and(|emitted| emitted.left == 0) {
            self.window.pop_front();
            self.base += 1;
        }
    }

    /// Ends one delivery. Returns whether it was still to come.
    fn arrive(&mut self, webhook: usize, number: u64, status: u16) -> bool {
        let Some(index) = self.index(number) else { return false };
        let now = Instant::now();
        let at = now.saturating_duration_since(self.start);
        let emitted = &mut self.window[index];
        let bit = 1 << webhook;
        if emitted.left & bit == 0 {
            return false;
        }
        emitted.left &= !bit;
        emitted.whole &= status < 300;
        let (turn, left, whole) = (emitted.turn, emitted.left, emitted.whole);
        let latency = now.saturating_duration_since(turn.intended);
        self.last = self.last.max(at);
        self.tally.end(&EndedDelivery::without_bytes(turn.phase, Ok(status), latency, at));
        if left == 0 {
            if let Some(waiting) = self.window[index].waiting.take() {
                // Where no task waits the loop is open, or over.
                let _ = waiting.send(());
            }
            self.open -= 1;
            self.complete += u64::from(whole && self.tally.measures(turn.phase));
            self.slide();
        }
        true
    }

    /// A delivery came that had been given up: it was not lost.
    fn came_late(&mut self, webhook: usize, number: u64) {
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
        let asked_for = |state: &WatchState, number| number < state.base + state.window.len() as u64;
        match numbered.filter(|&number| asked_for(&state, number)) {
            None => state.strange += 1,
            Some(number) if mark == Some(Mark::Again) => {
                state.first_doubled.get_or_insert((number, webhook));
            }
            Some(number) => {
                if !state.arrive(webhook, number, 204) && state.index(number).is_none() {
                    state.came_late(webhook, number);
                }
            }
        }
    }

    fn mistaken(&self, webhook: usize, wrong: Defect, claimed: Option<Numbered>) {
        let mut state = self.state();
        if let Some(id) = claimed.filter(|id| id.run == state.run) {
            state.arrive(webhook, id.number, wrong.status());
        }
    }
}
