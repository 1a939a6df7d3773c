//! Numbers as they are written: which of them a double does not hold, and whether two of them are the same.
//!
//! Invariant: numbers are compared digit by digit; nothing here goes through a double but to see whether it holds.

use serde_json::value::RawValue;

use crate::dialect::Members;

/// A number that came out changed.
pub(super) struct Change {
    /// Where it stands.
    pub(super) path: String,
    /// As it was given.
    pub(super) expected: String,
    /// What stands in its place.
    pub(super) actual: String,
}

/// The first number of `expected`, among those that a double does not hold, that is not the same in `actual`.
pub(super) fn first_change(expected: &RawValue, actual: &RawValue, path: &str) -> Option<Change> {
    let text = expected.get();
    match text.as_bytes().first()? {
        b'{' => {
            let (members, others) =
                (Members::parse(text.as_bytes()).ok()?, Members::parse(actual.get().as_bytes()));
            members.keys().find_map(|key| {
                let (member, path) = (members.get(key)?, format!("{path}.{key}"));
                match others.as_ref().ok().and_then(|others| others.get(key)) {
                    Some(other) => first_change(member, other, &path),
                    None => missing(member, &path),
                }
            })
        }
        b'[' => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            let others: Vec<&RawValue> = serde_json::from_str(actual.get()).unwrap_or_default();
            elements.into_iter().enumerate().find_map(|(at, element)| {
                let path = format!("{path}[{at}]");
                match others.get(at) {
                    Some(other) => first_change(element, other, &path),
                    None => missing(element, &path),
                }
            })
        }
        b'-' | b'0'..=b'9' if is_long(text) && Decimal::parse(text) != Decimal::parse(actual.get()) => {
            Some(Change { path: path.to_owned(), expected: text.to_owned(), actual: shortened(actual.get()) })
        }
        _ => None,
    }
}

/// What it is that nothing stands in a value's place: a change, where the value is such a number.
fn missing(expected: &RawValue, path: &str) -> Option<Change> {
    let expected = expected.get();
    let is_number = expected.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    (is_number && is_long(expected)).then(|| Change {
        path: path.to_owned(),
        expected: expected.to_owned(),
        actual: "missing".to_owned(),
    })
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Whether a double does not hold the number: read as one and written again it is another.
fn is_long(number: &str) -> bool {
    let again =
        number.parse::<f64>().ok().filter(|double| double.is_finite()).map(|double| format!("{double:?}"));
    let again = again.and_then(|text| Decimal::parse(&text));
    again.is_none() || again != Decimal::parse(number)
}

/// A decimal number: sign, digits without zeros at the ends, and the power of ten behind the last of them.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Reads a JSON number; `None` for anything else.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (is_negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        if whole.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let without_end = all.trim_end_matches('0');
        let zeros = i64::try_from(all.len() - without_end.len()).ok()?;
        let digits = without_end.trim_start_matches('0').to_owned();
        let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(zeros)?;
        // Zero is zero, wherever its point stands.
        let exponent = if digits.is_empty() { 0 } else { exponent };
        Some(Self { is_negative, digits, exponent })
    }
}

#[cfg(test)]
mod tests {
    use super::{Decimal, first_change, is_long};
    use crate::event::raw;

    fn changed(expected: &str, actual: &str) -> Option<String> {
        let raw = |text: &str| serde_json::value::RawValue::from_string(text.to_owned()).ok();
        first_change(&raw(expected)?, &raw(actual)?, "data").map(|change| change.path)
    }

    #[test]
    fn equal_numbers_are_equal_however_they_are_written() {
        for same in [
            ["1", "1.0"],
            ["100", "1e2"],
            ["-0.5", "-5E-1"],
            ["0", "0e9"],
            ["12345678901234567890", "1234567890123456789e1"],
        ] {
            assert_eq!(Decimal::parse(same[0]), Decimal::parse(same[1]), "{same:?}");
        }
        for other in [
            ["9007199254740993", "9007199254740992"],
            ["1", "-1"],
            ["1", "10"],
            ["0.1", "0.10000000000000001"],
        ] {
            assert_ne!(Decimal::parse(other[0]), Decimal::parse(other[1]), "{other:?}");
        }
        for none in ["", "\"1\"", "null", "1e", ".5", "[1]"] {
            assert_eq!(Decimal::parse(none), None, "{none:?}");
        }
    }

    #[test]
    fn what_a_double_holds_is_not_long() {
        for held in
            ["0", "-1", "0.1", "1.5e300", "5e-324", "9007199254740992", "1e21", "100000000000000000000"]
        {
            assert!(!is_long(held), "{held}");
        }
        for long in ["9007199254740993", "0.1000000000000000055", "123456789012345678901234567890", "1e400"] {
            assert!(is_long(long), "{long}");
        }
    }

    #[test]
    fn the_place_of_a_change_is_found() {
        let given = r#"{"a":1.0,"b":[{"c":9007199254740993},"x",null]}"#;
        assert_eq!(changed(given, r#"{"b":[{"c":9007199254740993.0}],"a":7}"#), None);
        for other in ["9007199254740992", "\"9007199254740993\"", "null"] {
            let actual = format!(r#"{{"a":1,"b":[{{"c":{other}}}]}}"#);
            assert_eq!(changed(given, &actual).as_deref(), Some("data.b[0].c"));
        }
        assert_eq!(changed(r#"[9007199254740993]"#, "[]").as_deref(), Some("data[0]"));
        assert!(first_change(&raw(&1.into()), &raw(&2.into()), "").is_none());
    }
}
