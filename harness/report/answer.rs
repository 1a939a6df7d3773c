//! What a receiver answered, as reports have it.

use serde::{Deserialize, Serialize};

use crate::redaction::Redaction;
use crate::terminal::{clipped, text};
use crate::wire::exchange::{Exchange, Outcome, Response};

/// How many characters of a body an answer keeps.
const SHOWN_BODY: usize = 400;

/// How many headers an answer keeps, and how many characters of each value.
const SHOWN_HEADERS: (usize, usize) = (16, 200);

/// What a receiver answered to the first delivery that shows a failure.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerEntry {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// The beginning of the body, as text.
    pub body: String,
}

impl AnswerEntry {
    /// The answer of an exchange, redacted; `None` if there was none.
    pub(super) fn of(exchange: &Exchange, redact: &Redaction) -> Option<Self> {
        let (exchange, _) = redact.exchange(exchange);
        let Outcome::Answered(Response { status, headers, body, .. }) = exchange.outcome else { return None };
        let (most, longest) = SHOWN_HEADERS;
        let shown =
            |(name, value): &(String, bytes::Bytes)| (clipped(name, longest), clipped(&text(value), longest));
        let headers = headers.0.iter().take(most).map(shown).collect();
        Some(Self { status, headers, body: text(&body).chars().take(SHOWN_BODY).collect() })
    }
}
