//! Parsers of option values.

use std::time::Duration;

use super::messages;
use crate::api::receiver::check_path;
use crate::duration::{Unreadable, seconds};

pub(super) fn up_to<const MOST: usize>(text: &str) -> Result<usize, String> {
    from_to::<1, MOST>(text)
}

/// Reads a count; both bounds are allowed.
pub(super) fn from_to<const LEAST: usize, const MOST: usize>(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (LEAST..=MOST).contains(count));
    count.ok_or_else(|| messages::not_in_range(text, LEAST, MOST))
}

/// Reads `10s`, `500ms`, `5m`, or a number of seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let seconds =
        seconds(text, &[("ms", 0.001), ("s", 1.0), ("", 1.0), ("m", 60.0)]).map_err(|why| match why {
            Unreadable::Unit(unit) => messages::unknown_unit(unit),
            Unreadable::Number => messages::not_a_duration(text),
        })?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() && seconds <= 86_400.0 => Ok(duration),
        _ => Err(messages::duration_out_of_range(text)),
    }
}

/// Reads a duration that may be 0.
pub(super) fn pause(text: &str) -> Result<Duration, String> {
    if matches!(text, "0" | "0s" | "0ms") { Ok(Duration::ZERO) } else { duration(text) }
}

/// Reads the path of a request, which may have a query.
pub(super) fn path(text: &str) -> Result<String, String> {
    check_path(text).map(|()| text.to_owned())
}
