//! Whether a receiver's clock is off: found from deliveries with shifted timestamps, if it rejects every fresh one.

use super::messages;
use crate::suite::cause::{Cause, Code};
use crate::suite::transcript::{Respect, Transcript};

/// The cause if correctly signed deliveries are accepted only at another time than now.
pub(super) fn of_shifts(t: &Transcript) -> Option<Cause> {
    let shifts = t.trials.iter().filter_map(|trial| match trial.respect {
        Respect::Shifted(minutes) => Some((minutes, trial.exchange)),
        _ => None,
    });
    let (accepted, rejected): (Vec<_>, Vec<_>) = shifts.partition(|&(_, id)| t.acknowledged(id));
    let lowest = accepted.iter().map(|&(minutes, _)| minutes).min()?;
    let highest = accepted.iter().map(|&(minutes, _)| minutes).max()?;
    let is_bounded = |beyond: fn(i32, i32) -> bool, bound: i32| {
        rejected.iter().any(|&(minutes, _)| beyond(minutes, bound) && (minutes < 0) == (bound < 0))
    };
    let ahead = lowest > 0;
    let ends = if ahead {
        is_bounded(|one, bound| one > bound, highest)
    } else {
        is_bounded(|one, bound| one < bound, lowest)
    };
    let cause = match (ends, ahead) {
        // Rounded down: a delivery arrives a little after its timestamp.
        (true, _) => Cause::detailed(Code::ClockOff, messages::about((lowest + highest).div_euclid(2))),
        (false, true) => Cause::detailed(Code::ClockOneSided, messages::only_ahead()),
        (false, false) => Cause::detailed(Code::ClockOneSided, messages::only_back()),
    };
    Some(cause.shown_by(accepted.into_iter().map(|(_, id)| id).take(1)))
}
