//! Which size of a body passes, and which does not.

use super::messages;
use super::visit::{Asked, SIZES, Sent, Surroundings};
use super::{Row, State, Topic};
use crate::wire::exchange::Outcome;

/// A body of this size is one that receivers should accept (RCV-6); up to here it is reported as a warning.
const EXPECTED: usize = 256 * 1024;

pub(super) fn row(seen: &Surroundings) -> Option<Row> {
    let usual = seen.valid()?.told.outcome.status()?;
    let sent: Vec<(usize, &Sent)> =
        SIZES.iter().filter_map(|&size| Some((size, seen.sent(Asked::Sized(size))?))).collect();
    let (passed, stopped): (Vec<_>, Vec<_>) =
        sent.into_iter().partition(|(_, sent)| sent.told.outcome.status() == Some(usual));
    let largest = passed.iter().map(|(size, _)| *size).max();
    let Some((size, stop)) = stopped.first() else {
        let largest = largest?;
        let told = messages::sizes_pass(largest, seen.usual_size, seen.accepts());
        let state = if seen.accepts() { State::Ok } else { State::NotKnown };
        let is_all = SIZES.last() == Some(&largest);
        let told = if is_all { told } else { messages::no_time_for_larger(&told) };
        return Some(Row::new(Topic::Size, state, told));
    };
    let told = messages::size_stops(*size, &stop.told.outcome, usual, largest, seen.usual_size);
    if stop.told.outcome == Outcome::TimedOut {
        let row = Row::new(Topic::Size, State::NotKnown, told);
        return Some(row.fixed_by(messages::wait_longer()));
    }
    let state = if *size <= EXPECTED || largest.is_none_or(|one| one < EXPECTED) {
        State::Warning
    } else {
        State::Ok
    };
    let row = Row::new(Topic::Size, state, told);
    Some(if state == State::Warning { row.fixed_by(messages::raise_limit(*size)) } else { row })
}
