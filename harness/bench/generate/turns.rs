//! Turns: when the next delivery of a load is due, and to which phase it belongs.
//!
//! In an open loop the planned time comes from the schedule, so latencies include the wait for a free connection: they are
//! corrected for coordinated omission.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};

use crate::bench::generate::plan::{LoadPlan, Mode, Phase, Schedule};

/// How long after the end overdue deliveries are still sent.
pub(super) const OVERDUE_LIMIT: Duration = Duration::from_secs(1);
/// The shortest pause between releases: the system's timers are not more precise.
const SHORTEST_PAUSE: Duration = Duration::from_micros(50);
/// The longest pause, so that a stop is noticed soon.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// Why a load ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::bench) enum Stop {
    #[default]
    No,
    Interrupted,
    /// The receiver's address refuses connections.
    Gone,
    /// A worker thread panicked.
    Broken,
}

#[derive(Debug, Clone, Copy)]
pub(in crate::bench) struct Turn {
    pub(in crate::bench) phase: usize,
    /// The planned time, from which latency counts.
    pub(in crate::bench) planned: Instant,
    pub(in crate::bench) scheduled: bool,
}

/// The turns of a load, shared by all connections.
#[derive(Debug)]
pub(in crate::bench) struct Turns {
    phases: Vec<Phase>,
    start: Instant,
    schedule: Option<OpenLoop>,
    /// The deliveries of a closed loop that may still begin, if they are limited.
    left: Option<AtomicU64>,
}

#[derive(Debug)]
struct OpenLoop {
    schedule: Schedule,
    /// One permit for each delivery that is due and not sent.
    due: Semaphore,
    next: AtomicU64,
    connections: usize,
}

impl Turns {
    pub(in crate::bench) fn new(plan: &LoadPlan, start: Instant) -> Self {
        let phases = plan.phases();
        let schedule = matches!(plan.mode, Mode::Rates(_)).then(|| OpenLoop {
            schedule: Schedule::new(&phases),
            due: Semaphore::new(0),
            next: AtomicU64::new(0),
            connections: plan.concurrency,
        });
        Self { phases, start, schedule, left: plan.deliveries.map(AtomicU64::new) }
    }

    pub(in crate::bench) fn start(&self) -> Instant {
        self.start
    }

    fn end(&self) -> Duration {
        self.phases.last().map_or(Duration::ZERO, Phase::end)
    }

    /// Waits for a turn; `None` at the end of the load.
    pub(in crate::bench) async fn next(&self) -> Option<Turn> {
        let Some(open) = &self.schedule else {
            let now = Instant::now();
            let elapsed = now.saturating_duration_since(self.start);
            let phase = self.phases.iter().position(|phase| elapsed < phase.end())?;
            if let Some(left) = &self.left {
                left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).ok()?;
            }
            return Some(Turn { phase, planned: now, scheduled: false });
        };
        open.due.acquire().await.ok()?.forget();
        if self.start.elapsed() > self.end() + OVERDUE_LIMIT {
            return None;
        }
        let (phase, at) = open.schedule.at(open.next.fetch_add(1, Ordering::Relaxed))?;
        Some(Turn { phase, planned: self.start + at, scheduled: true })
    }

    /// Releases deliveries when they are due. Blocks until the last one or until the load is stopped.
    pub(in crate::bench) fn pace(&self, stop: &watch::Receiver<Stop>) {
        let Some(open) = &self.schedule else { return };
        let total = open.schedule.total();
        let mut released = 0;
        while released < total && *stop.borrow() == Stop::No {
            let elapsed = self.start.elapsed();
            let due = open.schedule.due(elapsed).min(total);
            // A pause may end a little early, before the next delivery is due.
            open.due.add_permits(usize::try_from(due.saturating_sub(released)).unwrap_or(0));
            released = released.max(due);
            let Some((_, next)) = open.schedule.at(released) else { break };
            let pause = next.saturating_sub(self.start.elapsed());
            thread::sleep(pause.clamp(SHORTEST_PAUSE, LONGEST_PAUSE));
        }
        // One for each connection, because none of them may wait for a turn that never comes.
        open.due.add_permits(open.connections);
    }

    /// The deliveries that were not sent by the end: the phase of each, and how long it had been due.
    pub(in crate::bench) fn unsent(&self) -> impl Iterator<Item = (usize, Duration)> {
        let end = self.end() + OVERDUE_LIMIT;
        self.schedule.iter().flat_map(move |open| {
            let first = open.next.load(Ordering::Relaxed).min(open.schedule.total());
            let numbers = first..open.schedule.total();
            numbers.filter_map(|number| open.schedule.at(number)).map(move |(phase, at)| (phase, end - at))
        })
    }
}
