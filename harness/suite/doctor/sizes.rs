//! Which size of a body passes, and which does not.

use super::messages;
use super::visit::{Asked, SIZES, Sent, Surroundings};
use super::{Row, State, Topic};
use crate::terminal::{clipped, text};
use crate::wire::exchange::Outcome;

/// How much of a header is shown.
const SHOWN: usize = 60;

/// A body of this size is one that receivers should accept (RCV-6); up to here it is reported as a warning.
const EXPECTED: usize = 256 * 1024;

pub(super) fn row(seen: &Surroundings) -> Option<Row> {
    let valid = seen.valid()?;
    let usual = valid.told.outcome.status()?;
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
    let by = server(&stop.told.outcome).filter(|by| server(&valid.told.outcome).as_ref() != Some(by));
    let told = messages::size_stops((*size, &stop.told.outcome, by), usual, largest, seen.usual_size);
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

/// The server that an answer names.
fn server(outcome: &Outcome) -> Option<String> {
    let Outcome::Answered(answer) = outcome else { return None };
    answer.headers.all("server").next().map(|value| clipped(&text(value), SHOWN))
}
