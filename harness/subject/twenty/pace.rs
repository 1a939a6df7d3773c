//! Keeps the calls to an API under its rate limits: a window slides over the calls that were made.
//!
//! Invariant: a call counts from when it began until a window's length after its answer. The server counted it in between, so its
//! own window never has more, whatever the latency.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// The rate limits of an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// How many calls in a second; at least 1.
    pub per_second: usize,
    /// How many calls in a minute; at least 1.
    pub per_minute: usize,
}

impl Default for RateLimits {
    /// The limits of a Twenty that was not configured otherwise.
    fn default() -> Self {
        Self { per_second: 100, per_minute: 100 }
    }
}

impl RateLimits {
    /// How long that many calls take at least, if none was made before.
    pub fn time_for(&self, calls: usize) -> Duration {
        let windows = |most: usize, length: Duration| {
            let full = calls.saturating_sub(1) / most.max(1);
            length.saturating_mul(u32::try_from(full).unwrap_or(u32::MAX))
        };
        windows(self.per_second, SECOND).max(windows(self.per_minute, MINUTE))
    }

    fn windows(&self) -> [(Duration, usize); 2] {
        [(SECOND, self.per_second.max(1)), (MINUTE, self.per_minute.max(1))]
    }
}

/// Gives each call its turn.
#[derive(Debug)]
pub struct Pace {
    limits: RateLimits,
    calls: Mutex<Calls>,
    /// The caller whose turn is next holds it, so that turns are given in order.
    queue: tokio::sync::Mutex<()>,
    ended: Notify,
}

/// A call under way. It counts as ended when this is dropped.
#[derive(Debug)]
pub struct Turn<'a>(&'a Pace);

/// When the next call may begin.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Now,
    At(Instant),
    /// When a call under way has ended.
    AfterAnother,
}

#[derive(Debug, Default)]
struct Calls {
    under_way: usize,
    /// When the calls of the last minute ended, in order.
    ended: VecDeque<Instant>,
    /// The server asked for silence until then.
    not_before: Option<Instant>,
    made: usize,
    waited: Duration,
}

impl Pace {
    /// No call was made yet.
    pub fn new(limits: RateLimits) -> Self {
        Self { limits, calls: Mutex::default(), queue: tokio::sync::Mutex::default(), ended: Notify::new() }
    }

    /// Waits until another call is within the limits.
    pub async fn turn(&self) -> Turn<'_> {
        let _first_in_line = self.queue.lock().await;
        let began = Instant::now();
        loop {
            let now = Instant::now();
            let next = self.calls().next(&self.limits, now);
            match next {
                Next::Now => {
                    let mut calls = self.calls();
                    calls.under_way += 1;
                    calls.made += 1;
                    calls.waited += now.saturating_duration_since(began);
                    return Turn(self);
                }
                Next::At(then) => sleep_until(then).await,
                Next::AfterAnother => self.ended.notified().await,
            }
        }
    }

    /// Makes no call for so long: the server refused one because of its rate.
    pub fn pause(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut calls = self.calls();
        calls.not_before = Some(calls.not_before.map_or(until, |other| other.max(until)));
    }

    /// The limits that it keeps.
    pub fn limits(&self) -> RateLimits {
        self.limits
    }

    /// How many calls were made.
    pub fn made(&self) -> usize {
        self.calls().made
    }

    /// How long calls waited for their turn, together.
    pub fn waited(&self) -> Duration {
        self.calls().waited
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Calls {
    fn next(&mut self, limits: &RateLimits, now: Instant) -> Next {
        while self.ended.front().is_some_and(|&ended| now.saturating_duration_since(ended) >= MINUTE) {
            self.ended.pop_front();
        }
        let mut begin = self.not_before.filter(|&then| then > now);
        for (length, most) in limits.windows() {
            let counted = self.ended.iter().filter(|&&ended| now.saturating_duration_since(ended) < length);
            let too_many = (self.under_way + counted.count()).saturating_sub(most - 1);
            if too_many == 0 {
                continue;
            }
            // The calls under way cannot be waited for by time.
            if self.under_way >= most {
                return Next::AfterAnother;
            }
            let first = self.ended.partition_point(|&ended| now.saturating_duration_since(ended) >= length);
            if let Some(&ended) = self.ended.get(first + too_many - 1) {
                let then = ended + length;
                begin = Some(begin.map_or(then, |other| other.max(then)));
            }
        }
        begin.map_or(Next::Now, Next::At)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut calls = self.0.calls();
        calls.under_way -= 1;
        calls.ended.push_back(Instant::now());
        drop(calls);
        self.0.ended.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RateLimits = RateLimits { per_second: 3, per_minute: 5 };

    fn at(begin: Instant, ms: u64) -> Instant {
        begin + Duration::from_millis(ms)
    }

    #[test]
    fn window_slides_over_the_calls_that_ended() {
        let (begin, mut calls) = (Instant::now(), Calls::default());
        assert_eq!(calls.next(&LIMITS, begin), Next::Now);
        calls.ended.extend([0, 100, 200].map(|ms| at(begin, ms)));
        // The second has three.
        assert_eq!(calls.next(&LIMITS, at(begin, 300)), Next::At(at(begin, 1000)));
        assert_eq!(calls.next(&LIMITS, at(begin, 999)), Next::At(at(begin, 1000)));
        assert_eq!(calls.next(&LIMITS, at(begin, 1000)), Next::Now);
        calls.ended.extend([1000, 1100].map(|ms| at(begin, ms)));
        // The minute has five; the first of them leaves it after a minute.
        assert_eq!(calls.next(&LIMITS, at(begin, 2500)), Next::At(at(begin, 60_000)));
        assert_eq!(calls.next(&LIMITS, at(begin, 60_000)), Next::Now);
        assert_eq!(calls.ended.len(), 4);
    }

    #[test]
    fn call_under_way_counts_until_it_has_ended() {
        let (begin, mut calls) = (Instant::now(), Calls { under_way: 3, ..Calls::default() });
        assert_eq!(calls.next(&LIMITS, begin), Next::AfterAnother);
        calls.under_way = 1;
        calls.ended.extend([at(begin, 0), at(begin, 0)]);
        assert_eq!(calls.next(&LIMITS, at(begin, 10)), Next::At(at(begin, 1000)));
        calls.under_way = 4;
        assert_eq!(calls.next(&LIMITS, at(begin, 1000)), Next::AfterAnother, "no second has more than three");
    }

    #[test]
    fn pause_delays_the_next_call() {
        let (begin, mut calls) = (Instant::now(), Calls::default());
        calls.not_before = Some(at(begin, 7000));
        assert_eq!(calls.next(&LIMITS, begin), Next::At(at(begin, 7000)));
        assert_eq!(calls.next(&LIMITS, at(begin, 7000)), Next::Now);
    }

    #[test]
    fn least_time_counts_full_windows() {
        let limits = RateLimits::default();
        for (calls, seconds) in [(0, 0), (1, 0), (100, 0), (101, 60), (200, 60), (201, 120), (950, 540)] {
            assert_eq!(limits.time_for(calls), Duration::from_secs(seconds), "{calls}");
        }
        let slow = RateLimits { per_second: 2, per_minute: 1000 };
        assert_eq!(slow.time_for(7), Duration::from_secs(3));
        assert_eq!(
            RateLimits { per_second: 0, per_minute: 0 }.time_for(2),
            MINUTE,
            "at least one is allowed"
        );
    }

    #[tokio::test]
    async fn turns_are_counted_and_end_when_dropped() {
        let pace = Pace::new(RateLimits { per_second: 1, per_minute: 100 });
        let first = pace.turn().await;
        let (waiting, ()) = tokio::join!(
            async {
                let began = Instant::now();
                drop(pace.turn().await);
                began.elapsed()
            },
            async { drop(first) },
        );
        assert!(waiting >= Duration::from_millis(990), "{waiting:?}");
        assert_eq!(pace.made(), 2);
        assert!(pace.waited() >= Duration::from_millis(990));
    }
}
