//! A captured request as a case: a valid delivery must be accepted, any other must not.

use super::{Case, FORMAT};
use crate::report::messages;
use crate::suite::requirement::Expected;
use crate::webhook::signature::{Key, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use crate::wire::exchange::{Delivery, Headers};

/// How many digits a time in milliseconds has, from 2001 to 2286.
const DIGITS: usize = 13;

/// What the signature of a captured request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapturedSignature {
    Matches,
    Differs,
    /// There is not exactly one header for it and one for the timestamp.
    Missing,
    /// It matches, over a timestamp that is not one.
    NoTime,
}

impl CapturedSignature {
    /// That of a delivery.
    pub fn of(delivery: &Delivery, key: &Key) -> Self {
        let of = |name| delivery.headers.single(name);
        let (Some(timestamp), Some(signature)) = (of(TIMESTAMP_HEADER), of(SIGNATURE_HEADER)) else {
            return Self::Missing;
        };
        let is_time = timestamp.len() == DIGITS && timestamp.iter().all(u8::is_ascii_digit);
        match (key.verify(timestamp, &delivery.body, signature), is_time) {
            (true, true) => Self::Matches,
            (true, false) => Self::NoTime,
            (false, _) => Self::Differs,
        }
    }

    /// The request, as a noun phrase.
    fn describe(self) -> &'static str {
        match self {
            Self::Matches => messages::signature_matches(),
            Self::Differs => messages::signature_differs(),
            Self::Missing => messages::signature_missing(),
            Self::NoTime => messages::signature_without_time(),
        }
    }

    /// Whether a receiver must accept the delivery while it is fresh.
    pub fn is_valid(self) -> bool {
        self == Self::Matches
    }
}

impl Case {
    /// The case of a captured request. A control with the same body, validly signed, shows that a rejection is due to the
    /// signature. With `as_saved`, nothing but the controls is signed anew.
    pub fn of_captured(delivery: Delivery, secret: &Secret, as_saved: bool, now_ms: u64) -> Self {
        let key = Key::new(secret);
        let signature = CapturedSignature::of(&delivery, &key);
        let timestamp = delivery.headers.single(TIMESTAMP_HEADER);
        let captured_ms = timestamp
            .filter(|value| value.len() == DIGITS)
            .and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
        let at_ms = captured_ms.unwrap_or(now_ms);
        let control = || {
            let at_ms = if as_saved { now_ms } else { at_ms };
            let signed = Headers::of_delivery(Some(&key), at_ms, None, &delivery.body);
            let mut control = Delivery { method: "POST".to_owned(), ..delivery.clone() };
            for name in [TIMESTAMP_HEADER, SIGNATURE_HEADER] {
                control.headers.set(name, signed.single(name).cloned().unwrap_or_default());
            }
            control
        };
        let is_valid = signature.is_valid();
        Self {
            format: FORMAT.to_owned(),
            requirement: String::new(),
            check: String::new(),
            level: String::new(),
            dialect: String::new(),
            what: signature.describe().to_owned(),
            respect: serde_json::Value::Null,
            expected: if is_valid { Expected::Accepted } else { Expected::NotAccepted },
            actual: String::new(),
            died: None,
            seed: 0,
            exchanges: Vec::new(),
            at_ms,
            redacted: false,
            controls: if is_valid { Vec::new() } else { vec![control()] },
            trial: delivery,
        }
    }
}
