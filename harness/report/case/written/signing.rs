//! The expressions of signatures: a recipe's key and digest, and what was done to valid digits.

use super::expression::{Algorithm, Expression};
use crate::report::case::resign::{FEW_DIGITS, MANY_DIGITS, position};
use crate::webhook::recipe::{Digest, KeyForm, OTHER_SECRET};

/// The key of a form; `None` for one that is not written.
pub(super) fn key(form: KeyForm, secret: &str) -> Option<Expression> {
    let secret_is = || Box::new(Expression::Secret);
    Some(match form {
        KeyForm::Utf8 => Expression::Secret,
        KeyForm::HexDecoded => Expression::FromHex(secret_is()),
        KeyForm::Base64Decoded => Expression::FromBase64(secret_is()),
        KeyForm::Uppercase => Expression::Upper(secret_is()),
        KeyForm::Lowercase => Expression::Lower(secret_is()),
        KeyForm::Empty => Expression::Fixed(Vec::new()),
        KeyForm::Other => Expression::fixed(OTHER_SECRET.as_bytes()),
        _ => {
            // The secret with something around it.
            let key = form.bytes(secret)?;
            let at = key.windows(secret.len()).position(|part| part == secret.as_bytes())?;
            let (before, after) = (&key[..at], &key[at + secret.len()..]);
            Expression::join(vec![Expression::fixed(before), Expression::Secret, Expression::fixed(after)])
        }
    })
}

pub(super) fn digest(form: Digest, key: Expression, text: Expression) -> Option<Expression> {
    let mac = |algorithm| Box::new(Expression::Mac(algorithm, Box::new(key.clone()), Box::new(text.clone())));
    let hex = |algorithm| Expression::Hex(mac(algorithm));
    Some(match form {
        Digest::Hex => hex(Algorithm::Sha256),
        Digest::Uppercase => Expression::Upper(Box::new(hex(Algorithm::Sha256))),
        Digest::Base64 => Expression::Base64(mac(Algorithm::Sha256)),
        Digest::Base64Url => Expression::Base64Url(mac(Algorithm::Sha256)),
        Digest::Prefixed => Expression::join(vec![Expression::fixed(b"sha256="), hex(Algorithm::Sha256)]),
        Digest::Truncated => Expression::Part(Box::new(hex(Algorithm::Sha256)), 0, 32),
        Digest::Sha1 => hex(Algorithm::Sha1),
        Digest::Sha512 => hex(Algorithm::Sha512),
        Digest::Unkeyed => Expression::Hex(Box::new(Expression::Digest(Box::new(text)))),
        Digest::Appended => {
            Expression::join(vec![Expression::Hex(Box::new(text.clone())), hex(Algorithm::Sha256)])
        }
        Digest::AppendedUnwritten | Digest::Zeros => return None,
    })
}

/// What was done to the valid digits to get a value.
pub(super) fn edited(value: &[u8], valid: &[u8], expression: &Expression) -> Option<Expression> {
    let part = |from, to| Expression::Part(Box::new(expression.clone()), from, to);
    if let Some(at) = position(value, valid) {
        let (before, after) = (&value[..at], &value[at + valid.len()..]);
        return Some(Expression::join(vec![
            Expression::fixed(before),
            expression.clone(),
            Expression::fixed(after),
        ]));
    }
    if valid.starts_with(value) && !value.is_empty() {
        return Some(part(0, value.len()));
    }
    if let Some(at) = position(valid, value).filter(|_| value.len() >= MANY_DIGITS) {
        return Some(part(at, at + value.len()));
    }
    let other: Vec<usize> = (0..valid.len()).filter(|&at| value.get(at) != valid.get(at)).collect();
    if value.len() != valid.len() || other.len() > FEW_DIGITS {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut parts = Vec::new();
    let mut from = 0;
    for at in other {
        let by = (digit(value[at])? + 16 - digit(valid[at])?) % 16;
        parts.push(part(from, at));
        parts.push(Expression::Moved(Box::new(part(at, at + 1)), u8::try_from(by).ok()?));
        from = at + 1;
    }
    parts.push(part(from, valid.len()));
    parts.retain(|one| !matches!(one, Expression::Part(_, from, to) if from == to));
    Some(Expression::join(parts))
}
