//! The expressions of signatures by a recipe: its key and its digest.

use crate::report::case::expression::{Algorithm, Expression};
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
        Digest::Truncated => hex(Algorithm::Sha256).part(0, 32),
        Digest::Sha1 => hex(Algorithm::Sha1),
        Digest::Sha512 => hex(Algorithm::Sha512),
        Digest::Unkeyed => Expression::Hex(Box::new(Expression::Digest(Box::new(text)))),
        Digest::Appended => {
            Expression::join(vec![Expression::Hex(Box::new(text.clone())), hex(Algorithm::Sha256)])
        }
        Digest::AppendedUnwritten | Digest::Zeros => return None,
    })
}
