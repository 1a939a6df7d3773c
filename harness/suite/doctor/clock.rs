//! The difference of two clocks, from the `Date` of several answers.
//!
//! A `Date` has whole seconds, and was written between sending and receiving. Each answer gives an interval, and the difference is
//! in all of them.

use std::time::Duration;

use jiff::fmt::rfc2822;

use super::messages;
use super::visit::Surroundings;
use super::{Row, State, Topic};
use crate::suite::cause::Code;
use crate::wire::exchange::Outcome;

/// How far a delivery's timestamp may be off (contract, section 1), in milliseconds.
pub(super) const WINDOW_MS: i64 = 5 * 60 * 1000;
/// A difference up to here is none that matters.
pub(super) const SMALL_MS: i64 = 30 * 1000;

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

/// An answer with the value of its `Date`, if it has one.
pub(super) struct Dated<'a> {
    /// When the request was sent, in milliseconds since the epoch.
    pub(super) at_ms: u64,
    pub(super) took: Duration,
    pub(super) date: Option<&'a [u8]>,
}

/// What the dates of answers tell.
enum Told {
    Nothing { is_unreadable: bool },
    Contradictions(usize),
    Of(Interval, usize),
}

/// The row of a receiver; `None` if it did not answer.
pub(super) fn row(seen: &Surroundings) -> Option<Row> {
    let dates = seen.sent.iter().filter_map(|sent| {
        let Outcome::Answered(answer) = &sent.told.outcome else { return None };
        let date = answer.headers.all("date").next().map(|value| &**value);
        Some(Dated { at_ms: sent.at_ms, took: sent.told.took, date })
    });
    let told = told(dates.collect());
    let Told::Of(interval, count) = told else {
        seen.valid()?.told.outcome.status()?;
        return Some(unknown(&told));
    };
    let (difference, least) = (messages::difference(interval.middle(), interval.least()), interval.least());
    Some(match (least, seen.accepts()) {
        (..=SMALL_MS, _) => Row::new(Topic::Clock, State::Ok, messages::clock_agrees(&difference, count)),
        (_, true) if least > WINDOW_MS => {
            Row::new(Topic::Clock, State::Warning, messages::clock_of_another(&difference))
                .fixed_by(messages::set_clock())
        }
        (..=WINDOW_MS, _) => off(&difference),
        (_, _) => {
            let row = Row::new(Topic::Clock, State::Problem, messages::clock_is_out(&difference));
            Row { cause: Some(Code::ClockOff), ..row.fixed_by(messages::set_clock()) }
        }
    })
}

/// The row of a server whose answers are no verdicts on a delivery; `None` if there are none.
pub(super) fn row_of(dates: Vec<Dated<'_>>) -> Option<Row> {
    if dates.is_empty() {
        return None;
    }
    let told = told(dates);
    let Told::Of(interval, count) = told else { return Some(unknown(&told)) };
    let (difference, least) = (messages::difference(interval.middle(), interval.least()), interval.least());
    Some(if least <= SMALL_MS {
        Row::new(Topic::Clock, State::Ok, messages::clock_agrees(&difference, count))
    } else {
        off(&difference)
    })
}

fn off(difference: &str) -> Row {
    Row::new(Topic::Clock, State::Warning, messages::clock_is_off(difference)).fixed_by(messages::set_clock())
}

fn unknown(told: &Told) -> Row {
    let seen = match told {
        // Two programs answer, or a clock was set meanwhile.
        Told::Contradictions(count) => messages::dates_contradict(*count),
        Told::Nothing { is_unreadable: true } => messages::date_unreadable().to_owned(),
        _ => messages::no_date().to_owned(),
    };
    Row::new(Topic::Clock, State::NotKnown, seen)
}

fn told(dates: Vec<Dated<'_>>) -> Told {
    let mut intervals: Vec<Interval> = Vec::new();
    let mut is_unreadable = false;
    for Dated { at_ms, took, date } in dates {
        let Some(date) = date else { continue };
        let Some(date) = read(date) else {
            is_unreadable = true;
            continue;
        };
        let at = i64::try_from(at_ms).unwrap_or(i64::MAX);
        let took = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        // All of these are whole milliseconds, rounded down.
        let low = date.saturating_sub(at.saturating_add(took)).saturating_sub(ROUNDING_MS);
        intervals.push(Interval { low, high: date.saturating_add(OLDEST_MS).saturating_sub(at) });
    }
    let low = intervals.iter().map(|one| one.low).max();
    let high = intervals.iter().map(|one| one.high).min();
    match low.zip(high) {
        None => Told::Nothing { is_unreadable },
        Some((low, high)) if low > high => Told::Contradictions(intervals.len()),
        Some((low, high)) => Told::Of(Interval { low, high }, intervals.len()),
    }
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
