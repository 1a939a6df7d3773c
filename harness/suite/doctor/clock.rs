//! The difference of two clocks, from the `Date` of several answers.
//!
//! A `Date` has whole seconds, and was written between sending and receiving. Each answer gives an interval, and the difference is
//! in all of them.

use jiff::fmt::rfc2822;

use super::messages;
use super::visit::Surroundings;
use super::{Row, State, Topic};
use crate::suite::cause::Code;
use crate::wire::exchange::Outcome;

/// How far a delivery's timestamp may be off (contract, section 1), in milliseconds.
const WINDOW_MS: i64 = 5 * 60 * 1000;
/// A difference up to here is none that matters.
const SMALL_MS: i64 = 30 * 1000;

/// How old a date may be when it is sent: it has whole seconds, and servers write it once a second.
const OLDEST_MS: i64 = 1999;

const ROUNDING_MS: i64 = 3;

/// By how much the clock of the answers is ahead, at least and at most, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Interval {
    low: i64,
    high: i64,
}

impl Interval {
    /// How far it is from 0 at least.
    fn least(self) -> i64 {
        if self.low > 0 {
            self.low
        } else if self.high < 0 {
            -self.high
        } else {
            0
        }
    }

    fn middle(self) -> i64 {
        self.low.midpoint(self.high)
    }
}

pub(super) fn row(seen: &Surroundings) -> Option<Row> {
    let mut intervals: Vec<Interval> = Vec::new();
    let mut is_unreadable = false;
    for sent in &seen.sent {
        let Outcome::Answered(answer) = &sent.told.outcome else { continue };
        let Some(date) = answer.headers.all("date").next() else { continue };
        let Some(date) = read(date) else {
            is_unreadable = true;
            continue;
        };
        let at = i64::try_from(sent.at_ms).unwrap_or(i64::MAX);
        let took = i64::try_from(sent.told.took.as_millis()).unwrap_or(i64::MAX);
        // All of these are whole milliseconds, rounded down.
        let low = date.saturating_sub(at.saturating_add(took)).saturating_sub(ROUNDING_MS);
        intervals.push(Interval { low, high: date.saturating_add(OLDEST_MS).saturating_sub(at) });
    }
    if intervals.is_empty() {
        seen.valid()?.told.outcome.status()?;
        let told = if is_unreadable { messages::date_unreadable() } else { messages::no_date() };
        return Some(Row::new(Topic::Clock, State::NotKnown, told));
    }
    let count = intervals.len();
    let low = intervals.iter().map(|one| one.low).max()?;
    let high = intervals.iter().map(|one| one.high).min()?;
    if low > high {
        // Two programs answer, or a clock was set meanwhile.
        return Some(Row::new(Topic::Clock, State::NotKnown, messages::dates_contradict(count)));
    }
    let interval = Interval { low, high };
    let (difference, least) = (messages::difference(interval.middle(), interval.least()), interval.least());
    Some(match (least, seen.accepts()) {
        (..=SMALL_MS, _) => Row::new(Topic::Clock, State::Ok, messages::clock_agrees(&difference, count)),
        (_, true) if least > WINDOW_MS => {
            Row::new(Topic::Clock, State::Warning, messages::clock_of_another(&difference))
                .fixed_by(messages::set_clock())
        }
        (..=WINDOW_MS, _) => Row::new(Topic::Clock, State::Warning, messages::clock_is_off(&difference))
            .fixed_by(messages::set_clock()),
        (_, _) => {
            let row = Row::new(Topic::Clock, State::Problem, messages::clock_is_out(&difference));
            Row { cause: Some(Code::ClockOff), ..row.fixed_by(messages::set_clock()) }
        }
    })
}

/// The time of a `Date` header, in milliseconds since the epoch.
fn read(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    rfc2822::parse(text.trim()).ok().map(|time| time.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn dates_of_http_are_read() {
        assert_eq!(read(b"Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777_000));
        for other in ["", "now", "Sun, 99 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"] {
            assert_eq!(read(other.as_bytes()), None, "{other}");
        }
        assert_eq!(read(b"\xff"), None);
    }
}
