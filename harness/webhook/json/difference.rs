//! Compares a record with the one that was expected, in four concerns that do not overlap: numbers that do not fit a double,
//! strings that are not Unicode, members with unusual names, and all other values.
//!
//! Invariant: a difference belongs to one concern, that of the expected value. Long numbers are compared digit by digit, all
//! others as doubles, so that `1`, `1.0` and `1e0` are equal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Json, Text};

/// The values that a comparison is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Concern {
    /// Everything else, including objects, arrays and their lengths.
    Values,
    /// Numbers beyond 2^53, or with more digits than fit a double.
    LongNumbers,
    /// Strings with a lone surrogate.
    LoneSurrogates,
    /// Members with one of the [`UNUSUAL_NAMES`], with everything in them.
    MemberNames,
}

/// Names of members that serialisers drop or change: those that JavaScript's objects have anyway, and the empty one.
pub const UNUSUAL_NAMES: [&str; 4] = ["__proto__", "constructor", "prototype", ""];

/// A value that differs from the expected one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its path, which begins with the given path.
    pub path: String,
    pub expected: String,
    pub actual: Option<String>,
}

/// The first value of `expected` in this concern that differs in `actual`, with its path below `path`. Members that only
/// `actual` has are ignored: the comparison of shapes finds them.
pub(crate) fn first_change(expected: &Json, actual: &Json, path: &str, concern: Concern) -> Option<Change> {
    let change = change(expected, Some(actual), concern)?;
    Some(Change { path: format!("{path}{}", change.path), ..change })
}

/// The same, with a path relative to this value. `actual` is `None` if the value is missing.
fn change(expected: &Json, actual: Option<&Json>, concern: Concern) -> Option<Change> {
    // Most values are written identically.
    if actual == Some(expected) {
        return None;
    }
    let within = |step: String, expected: &Json, actual: Option<&Json>| {
        let change = change(expected, actual, concern)?;
        Some(Change { path: step + &change.path, ..change })
    };
    let here = || {
        let (expected, actual) = (expected.compact(), actual.map(Json::compact));
        Some(Change { path: String::new(), expected, actual })
    };
    match (expected, actual) {
        (Json::Object(members), Some(Json::Object(others))) => {
            // The last of several members with one name counts.
            let others: BTreeMap<&Text, &Json> = others.iter().map(|(name, value)| (name, value)).collect();
            members.iter().find_map(|(name, value)| {
                let actual = others.get(name).copied();
                match (is_unusual(name), concern) {
                    (false, _) => within(step_to(name), value, actual),
                    (true, Concern::MemberNames) => changed_at_all(name, value, actual),
                    (true, _) => None,
                }
            })
        }
        (Json::Array(elements), Some(Json::Array(others)))
            if concern != Concern::Values || elements.len() == others.len() =>
        {
            let mut elements = elements.iter().enumerate();
            elements.find_map(|(at, element)| within(format!("[{at}]"), element, others.get(at)))
        }
        (Json::Object(_) | Json::Array(_), _) if concern == Concern::Values => here(),
        // The value is missing, with everything in it.
        (Json::Object(members), _) => {
            members.iter().find_map(|(name, value)| match (is_unusual(name), concern) {
                (false, _) => within(step_to(name), value, None),
                (true, Concern::MemberNames) => changed_at_all(name, value, None),
                (true, _) => None,
            })
        }
        (Json::Array(elements), _) => {
            let mut elements = elements.iter().enumerate();
            elements.find_map(|(at, element)| within(format!("[{at}]"), element, None))
        }
        (leaf, other) if concern_of(leaf) == concern && !other.is_some_and(|other| is_same(leaf, other)) => {
            here()
        }
        _ => None,
    }
}

/// The first difference in a member with an unusual name, whatever it is about.
fn changed_at_all(name: &Text, value: &Json, actual: Option<&Json>) -> Option<Change> {
    let all = [Concern::Values, Concern::MemberNames, Concern::LongNumbers, Concern::LoneSurrogates];
    let change = all.into_iter().find_map(|concern| change(value, actual, concern))?;
    Some(Change { path: step_to(name) + &change.path, ..change })
}

fn step_to(name: &Text) -> String {
    if name.units().is_empty() { "[\"\"]".to_owned() } else { format!(".{name}") }
}

fn is_unusual(name: &Text) -> bool {
    UNUSUAL_NAMES.iter().any(|one| name.units().len() == one.len() && *name == Text::from(*one))
}

fn concern_of(value: &Json) -> Concern {
    match value {
        Json::Number(number) if is_long(number) || is_large(number) => Concern::LongNumbers,
        Json::Text(text) if is_lone(text) => Concern::LoneSurrogates,
        _ => Concern::Values,
    }
}

/// Whether a number is beyond 2^53, where not every integer is a double.
fn is_large(number: &str) -> bool {
    number.parse::<f64>().is_ok_and(|double| double.abs() > 9_007_199_254_740_992.0)
}

fn is_lone(text: &Text) -> bool {
    text.characters().any(|character| character.is_err())
}

fn is_same(expected: &Json, actual: &Json) -> bool {
    match (expected, actual) {
        (Json::Number(one), Json::Number(other)) if is_long(one) || is_large(one) => {
            Decimal::parse(one) == Decimal::parse(other)
        }
        (Json::Number(one), Json::Number(other)) => one.parse::<f64>().ok() == other.parse::<f64>().ok(),
        (one, other) => one == other,
    }
}

/// Whether the number does not fit a double: parsed as a double and printed again, it changes.
fn is_long(number: &str) -> bool {
    let again =
        number.parse::<f64>().ok().filter(|double| double.is_finite()).map(|double| format!("{double:?}"));
    let again = again.and_then(|text| Decimal::parse(&text));
    again.is_none() || again != Decimal::parse(number)
}

/// A decimal number: sign, digits without zeros at the ends, and the power of ten after the last of them.
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
        // All forms of zero are equal.
        let exponent = if digits.is_empty() { 0 } else { exponent };
        Some(Self { is_negative, digits, exponent })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::{Change, Concern, Decimal, Json, first_change, is_long};

    fn change(expected: &str, actual: &str, concern: Concern) -> Option<Change> {
        let read = |text: &str| Json::parse(text.as_bytes()).unwrap();
        first_change(&read(expected), &read(actual), "data", concern)
    }

    fn place(expected: &str, actual: &str, concern: Concern) -> Option<String> {
        change(expected, actual, concern).map(|change| change.path)
    }

    #[test]
    fn compares_decimals_by_value() {
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
    fn number_that_fits_a_double_is_not_long() {
        for fitting in
            ["0", "-1", "0.1", "1.5e300", "5e-324", "9007199254740992", "1e21", "100000000000000000000"]
        {
            assert!(!is_long(fitting), "{fitting}");
        }
        for long in ["9007199254740993", "0.1000000000000000055", "123456789012345678901234567890", "1e400"] {
            assert!(is_long(long), "{long}");
        }
    }

    #[test]
    fn finds_the_path_of_a_changed_long_number() {
        let given = r#"{"a":1.0,"b":[{"c":9007199254740993},"x",null]}"#;
        let changed = |actual: &str| place(given, actual, Concern::LongNumbers);
        assert_eq!(changed(r#"{"b":[{"c":9007199254740993.0}],"a":7}"#), None);
        for other in ["9007199254740992", "\"9007199254740993\"", "null"] {
            assert_eq!(
                changed(&format!(r#"{{"a":1,"b":[{{"c":{other}}}]}}"#)).as_deref(),
                Some("data.b[0].c")
            );
        }
        for lost in [r#"{"a":1}"#, r#"{"b":[]}"#, r#"{"b":[7]}"#, "[]", "1"] {
            assert_eq!(changed(lost).as_deref(), Some("data.b[0].c"), "{lost}");
        }
    }

    #[test]
    fn each_difference_belongs_to_one_concern() {
        let all = [Concern::Values, Concern::LongNumbers, Concern::LoneSurrogates, Concern::MemberNames];
        for (given, actual, concern) in [
            ("[9007199254740993]", "[9007199254740992]", Concern::LongNumbers),
            ("[9007199254740992]", "[9007199254740991]", Concern::Values),
            (r#"["a\ud800"]"#, "[\"a\u{fffd}\"]", Concern::LoneSurrogates),
            (r#"["a"]"#, r#"["b"]"#, Concern::Values),
            (r#"{"a":null}"#, "{}", Concern::Values),
            (r#"{"a":[9007199254740993]}"#, r#"{"a":["9007199254740993"]}"#, Concern::LongNumbers),
            (r#"{"":null}"#, "{}", Concern::MemberNames),
            (r#"{"":[9007199254740993]}"#, r#"{"":["9007199254740993"]}"#, Concern::MemberNames),
            (r#"{"a":[{"__proto__":"x"}]}"#, r#"{"a":[{}]}"#, Concern::MemberNames),
            (r#"{"constructor":{"a":"x"}}"#, r#"{"constructor":{"a":"y"}}"#, Concern::MemberNames),
            (r#"{"prototype":"a\ud800"}"#, "{\"prototype\":\"a\"}", Concern::MemberNames),
            (r#"{"prototypes":"x"}"#, "{}", Concern::Values),
            ("[1,2]", "[1,2,3]", Concern::Values),
            ("{}", "[]", Concern::Values),
            ("true", "null", Concern::Values),
        ] {
            let found: Vec<_> = all.into_iter().filter(|one| change(given, actual, *one).is_some()).collect();
            assert_eq!(found, [concern], "{given} {actual}");
        }
    }

    #[test]
    fn ignores_differences_of_formatting() {
        for (given, actual) in [
            (r#"{"a":1,"b":-0.0,"c":"\u00e9"}"#, r#"{"further":1,"c":"é","b":0,"a":1.0}"#),
            (r#"["\ud800","\ud83d\ude00"]"#, r#"["\uD800","😀"]"#),
            ("1e21", "1000000000000000000000"),
            ("5e-324", "4.9406564584124654e-324"),
            (r#"{"a":1}"#, r#"{"a":2,"a":1}"#),
        ] {
            for concern in
                [Concern::Values, Concern::LongNumbers, Concern::LoneSurrogates, Concern::MemberNames]
            {
                assert_eq!(change(given, actual, concern), None, "{given} {actual}");
            }
        }
    }
}
