//! How values of options are read.

use std::time::Duration;

use crate::api::receiver::check_path;
use crate::duration::{Unreadable, seconds};

pub(super) fn up_to<const MOST: usize>(text: &str) -> Result<usize, String> {
    from_to::<1, MOST>(text)
}

/// Reads a count between two bounds, each of them allowed.
pub(super) fn from_to<const LEAST: usize, const MOST: usize>(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (LEAST..=MOST).contains(count));
    count.ok_or_else(|| format!("{text:?} is not from {LEAST} to {MOST}"))
}

/// Reads `10s`, `500ms`, `5m`, or a number of seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let seconds =
        seconds(text, &[("ms", 0.001), ("s", 1.0), ("", 1.0), ("m", 60.0)]).map_err(|why| match why {
            Unreadable::Unit(unit) => format!("{unit:?} is no unit; there are ms, s and m"),
            Unreadable::Number => format!("{text:?} is no duration, such as 10s or 500ms"),
        })?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() && seconds <= 86_400.0 => Ok(duration),
        _ => Err(format!("{text:?} is not between 1 ms and a day")),
    }
}

pub(super) fn pause(text: &str) -> Result<Duration, String> {
    if matches!(text, "0" | "0s" | "0ms") { Ok(Duration::ZERO) } else { duration(text) }
}

/// Reads the path of a request, which may have a query.
pub(super) fn path(text: &str) -> Result<String, String> {
    check_path(text).map(|()| text.to_owned())
}
