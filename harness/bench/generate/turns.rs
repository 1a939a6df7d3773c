//! Whose turn it is: when the next delivery of a load goes out, and on which phase's account.
//!
//! Invariant: in an open loop the time meant for a delivery comes from the schedule, so that one which has to wait for a free
//! connection has its wait counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};

use crate::bench::generate::plan::{LoadPlan, Mode, Phase, Schedule};

/// How long deliveries that were due before the end may still go out.
pub(super) const LAST_CALL: Duration = Duration::from_secs(1);
/// The shortest pause of the pacemaker: the system's own sleeps are hardly finer.
const SHORTEST_PAUSE: Duration = Duration::from_micros(50);
/// The longest, so that it notices soon when the load is stopped.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// Why a load ends before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::bench) enum Stop {
    #[default]
    No,
    Interrupted,
    /// Connections to the receiver's address are refused.
    Gone,
    /// A worker ended otherwise than it should.
    Broken,
}

#[derive(Debug, Clone, Copy)]
pub(in crate::bench) struct Turn {
    pub(in crate::bench) phase: usize,
    /// The time that was meant for it.
    pub(in crate::bench) intended: Instant,
    pub(in crate::bench) scheduled: bool,
}

/// The turns of a load, for all connections together.
#[derive(Debug)]
pub(in crate::bench) struct Turns {
    phases: Vec<Phase>,
    start: Instant,
    schedule: Option<OpenLoop>,
}

#[derive(Debug)]
struct OpenLoop {
    schedule: Schedule,
    /// As many permits as there are deliveries that are due and have not gone out.
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
        Self { phases, start, schedule }
    }

    pub(in crate::bench) fn start(&self) -> Instant {
        self.start
    }

    fn end(&self) -> Duration {
        self.phases.last().map_or(Duration::ZERO, Phase::end)
    }

    /// Waits for a turn; `None` at the end of the load.
    pub(in crate::bench) async fn take(&self) -> Option<Turn> {
        let Some(open) = &self.schedule else {
            let now = Instant::now();
            let elapsed = now.saturating_duration_since(self.start);
            let phase = self.phases.iter().position(|phase| elapsed < phase.end())?;
            return Some(Turn { phase, intended: now, scheduled: false });
        };
        open.due.acquire().await.ok()?.forget();
        if self.start.elapsed() > self.end() + LAST_CALL {
            return None;
        }
        let (phase, at) = open.schedule.at(open.next.fetch_add(1, Ordering::Relaxed))?;
        Some(Turn { phase, intended: self.start + at, scheduled: true })
    }

    /// Lets deliveries go when they are due. It blocks until the last one, or until the load is stopped.
    pub(in crate::bench) fn pace(&self, stop: &watch::Receiver<Stop>) {
        let Some(open) = &self.schedule else { return };
        let total = open.schedule.total();
        let mut released = 0;
        while released < total && *stop.borrow() == Stop::No {
            let elapsed = self.start.elapsed();
            let due = open.schedule.due(elapsed).min(total);
            // A pause that ended a little early is no delivery the more.
            open.due.add_permits(usize::try_from(due.saturating_sub(released)).unwrap_or(0));
            released = released.max(due);
            let Some((_, next)) = open.schedule.at(released) else { break };
            let pause = next.saturating_sub(self.start.elapsed());
            thread::sleep(pause.clamp(SHORTEST_PAUSE, LONGEST_PAUSE));
        }
        // One for each connection, so that none waits for a turn that does not come.
        open.due.add_permits(open.connections);
    }

    /// How long each delivery had been due that had not gone out by the end, with its phase.
    pub(in crate::bench) fn unsent(&self) -> impl Iterator<Item = (usize, Duration)> {
        let end = self.end() + LAST_CALL;
        self.schedule.iter().flat_map(move |open| {
            let first = open.next.load(Ordering::Relaxed).min(open.schedule.total());
            let numbers = first..open.schedule.total();
            numbers.filter_map(|number| open.schedule.at(number)).map(move |(phase, at)| (phase, end - at))
        })
    }
}
