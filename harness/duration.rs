//! Parses a duration, which is a number with a unit, and formats one for reports.
//!
//! Callers choose the units and check the limits.

use std::time::Duration;

/// Why a text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable<'a> {
    /// It ends with this, which is not one of the units.
    Unit(&'a str),
    /// The part before the unit is not a number.
    Number,
}

/// Parses a number and a unit. `units` has the length of each unit in seconds. Returns seconds.
pub fn seconds<'a>(text: &'a str, units: &[(&str, f64)]) -> Result<f64, Unreadable<'a>> {
    let digits = text.trim_end_matches(char::is_alphabetic);
    let unit = &text[digits.len()..];
    let (_, length) = units.iter().find(|(name, _)| *name == unit).ok_or(Unreadable::Unit(unit))?;
    digits.trim().parse::<f64>().map(|number| number * length).map_err(|_| Unreadable::Number)
}

/// A duration in whole milliseconds, for reports.
pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Unreadable, seconds};

    #[test]
    fn parses_a_number_with_a_unit() {
        let units = [("ms", 1e-3), ("s", 1.0), ("", 1.0)];
        for (text, read) in [
            ("10s", Ok(10.0)),
            ("2.5", Ok(2.5)),
            ("500ms", Ok(0.5)),
            ("3 s", Ok(3.0)),
            ("3h", Err(Unreadable::Unit("h"))),
            ("s", Err(Unreadable::Number)),
            ("", Err(Unreadable::Number)),
        ] {
            assert_eq!(seconds(text, &units), read, "{text:?}");
        }
    }
}
