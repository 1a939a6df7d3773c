//! How a length of time is read: a number and its unit.
//!
//! Invariant: one parser. Which units there are, and which bounds hold, is said by those that read a value.

/// Why a text is no length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable<'a> {
    /// It ends with this, which is none of the units.
    Unit(&'a str),
    /// What stands before the unit is no number.
    Number,
}

/// Reads a number and one of these units, each given with its length in seconds. Returns seconds.
///
/// Errors: what is wrong with the text.
pub fn seconds<'a>(text: &'a str, units: &[(&str, f64)]) -> Result<f64, Unreadable<'a>> {
    let digits = text.trim_end_matches(char::is_alphabetic);
    let unit = &text[digits.len()..];
    let (_, length) = units.iter().find(|(name, _)| *name == unit).ok_or(Unreadable::Unit(unit))?;
    digits.trim().parse::<f64>().map(|number| number * length).map_err(|_| Unreadable::Number)
}

#[cfg(test)]
mod tests {
    use super::{Unreadable, seconds};

    #[test]
    fn reads_a_number_and_a_unit() {
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
