//! What was done to valid digits to get a signature: something around them, a part of them, or a few of them changed.
//!
//! Invariant: a replay and a written test apply the same edits, because both have them from here.

use memchr::memmem;

use super::expression::Expression;

/// How many digits of a signature may differ from the valid one for it to count as an edit.
const FEW_DIGITS: usize = 4;
/// How many of the valid digits a signature must have to count as a part of them, not a coincidence.
pub(super) const MANY_DIGITS: usize = 8;

/// The value as an expression over these digits, which are the valid ones at the time of the value; `None` if it is unrelated to them.
pub(super) fn edited(value: &[u8], valid: &[u8], digits: &Expression) -> Option<Expression> {
    let upper_case = || {
        let digits = Expression::Upper(Box::new(digits.clone()));
        edit(value, &valid.to_ascii_uppercase(), &digits)
    };
    edit(value, valid, digits).or_else(upper_case)
}

fn edit(value: &[u8], valid: &[u8], digits: &Expression) -> Option<Expression> {
    if let Some(at) = position(value, valid) {
        let (before, after) = (&value[..at], &value[at + valid.len()..]);
        return Some(Expression::join(vec![
            Expression::fixed(before),
            digits.clone(),
            Expression::fixed(after),
        ]));
    }
    if valid.starts_with(value) && !value.is_empty() {
        return Some(digits.part(0, value.len()));
    }
    if let Some(at) = position(valid, value).filter(|_| value.len() >= MANY_DIGITS) {
        return Some(digits.part(at, at + value.len()));
    }
    if value.len() != valid.len() {
        return None;
    }
    let rotated = |by: &usize| [&valid[*by..], &valid[..*by]].concat() == value;
    if let Some(by) = (1..valid.len()).find(rotated) {
        return Some(Expression::join(vec![digits.part(by, valid.len()), digits.part(0, by)]));
    }
    let other: Vec<usize> = (0..valid.len()).filter(|&at| value[at] != valid[at]).collect();
    (other.len() <= FEW_DIGITS).then(|| changed(value, valid, digits, &other))
}

/// The digits with those at some places changed. Equal digits stay equal at any time, different ones different.
fn changed(value: &[u8], valid: &[u8], digits: &Expression, places: &[usize]) -> Expression {
    let of = |digit: u8| char::from(digit).to_digit(16);
    let (lower, are_upper) = match digits {
        Expression::Upper(lower) => (lower.as_ref(), true),
        other => (other, false),
    };
    let mut parts = Vec::new();
    let mut from = 0;
    for &at in places {
        let new = match of(value[at]).zip(of(valid[at])) {
            Some((new, old)) => {
                // What moves a digit knows the lower case only.
                let digit = lower.part(at, at + 1);
                let digit = match (new + 16 - old) % 16 {
                    0 => digit,
                    by => Expression::Moved(Box::new(digit), u8::try_from(by).unwrap_or_default()),
                };
                let is_upper = value[at].is_ascii_uppercase() || are_upper && !value[at].is_ascii_lowercase();
                if is_upper { Expression::Upper(Box::new(digit)) } else { digit }
            }
            None => Expression::fixed(&value[at..=at]),
        };
        parts.extend([digits.part(from, at), new]);
        from = at + 1;
    }
    parts.push(digits.part(from, valid.len()));
    parts.retain(|one| !matches!(one, Expression::Part(_, from, to) if from == to));
    Expression::join(parts)
}

fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    (!part.is_empty()).then(|| memmem::find(bytes, part)).flatten()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::edited;
    use crate::report::case::expression::{Expression, Values};

    const OLD: &[u8] = b"00f1a2b3c4d5e6f7";
    const NEW: &[u8] = b"7d00112233445566";

    /// What was done to the old digits, done to the new ones.
    fn again(value: &[u8]) -> Option<String> {
        let expression = edited(value, OLD, &Expression::Fixed(NEW.to_vec()))?;
        Some(String::from_utf8(expression.value(&Values::NONE).unwrap()).unwrap())
    }

    #[test]
    fn what_was_done_to_digits_is_done_to_others() {
        for (value, new) in [
            ("00f1a2b3c4d5e6f7", "7d00112233445566"),
            ("sha256=00f1a2b3c4d5e6f7", "sha256=7d00112233445566"),
            ("V=00F1A2B3C4D5E6F7;", "V=7D00112233445566;"),
            ("00f1a", "7d001"),
            ("a2b3c4d5", "11223344"),
            ("f1a2b3c4d5e6f700", "001122334455667d"),
            ("F1A2B3C4D5E6F700", "001122334455667D"),
            ("10f1a2b3c4d5e6f8", "8d00112233445567"),
            ("10F1A2B3C4D5E6F8", "8D00112233445567"),
            // In another case.
            ("00F1a2b3c4d5e6f7", "7d00112233445566"),
            ("00f1A2B3C4D5E6F7", "7D00112233445566"),
            // The letter O.
            ("O0f1a2b3c4d5e6f7", "Od00112233445566"),
        ] {
            assert_eq!(again(value.as_bytes()).as_deref(), Some(new), "{value}");
        }
        for unrelated in ["", "a2b3", "0123456789abcdef"] {
            assert_eq!(again(unrelated.as_bytes()), None, "{unrelated}");
        }
    }
}
