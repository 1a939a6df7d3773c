//! The rate limit of the API: a number of requests in a sliding window.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::settings::RateLimit;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// When the requests of the last minute were answered.
#[derive(Debug)]
pub(super) struct Limit {
    limit: RateLimit,
    answered: VecDeque<Instant>,
}

impl Limit {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self { limit, answered: VecDeque::new() }
    }

    /// Counts a request.
    ///
    /// Errors: it is over the limit. How long until one is not.
    pub(super) fn count(&mut self, now: Instant) -> Result<(), Duration> {
        while self.answered.front().is_some_and(|first| now.duration_since(*first) >= MINUTE) {
            self.answered.pop_front();
        }
        let windows = [(self.limit.per_second, SECOND), (self.limit.per_minute, MINUTE)];
        for (most, window) in windows {
            let Some(most) = most else { continue };
            // The request that has to leave the window before another fits.
            let oldest = self.answered.len().checked_sub(most).and_then(|at| self.answered.get(at));
            match oldest.map(|oldest| now.duration_since(*oldest)) {
                Some(age) if age < window => return Err(window - age),
                None if most == 0 => return Err(window),
                _ => {}
            }
        }
        if windows.iter().any(|(most, _)| most.is_some()) {
            self.answered.push_back(now);
        }
        Ok(())
    }
}
