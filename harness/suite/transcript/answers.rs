//! What a run keeps of a receiver's answers, and what checks look for in them.
//!
//! Invariant: bounded by construction. Each answer gets at most a small part of what is left of the budget, so the budget is
//! never used up. What checks look for is determined before an answer is cut, so no verdict depends on it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Transcript, Trial};
use crate::budget::Budget;
use crate::redaction::{Redaction, encodings};
use crate::webhook::manner::Manner;
use crate::webhook::signature::Secret;
use crate::wire::exchange::{Delivery, Exchange, ExchangeId, Headers, Outcome, Response};

/// An answer gets this part of what is left. Of the longest answers, more than a hundred are kept whole.
const PART: usize = 64;
/// The memory of a header without its bytes.
const OVERHEAD: usize = 96;
/// The header that checks look for, and how much of its value is kept.
const RETRY_AFTER: (&str, usize) = ("retry-after", 64);

/// What an answer gives away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Leaks {
    /// The secret, in any encoding.
    pub secret: bool,
    /// The signature that would have been accepted.
    pub signature: bool,
}

/// What checks look for in an answer, determined before it was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shown {
    pub(super) leaks: Leaks,
    pub(super) error: bool,
}

/// Reading them.
impl Transcript {
    pub fn outcome(&self, id: ExchangeId) -> &Outcome {
        &self.exchange(id).outcome
    }

    /// What an answer gives away, in the part of it that was cut too.
    pub fn leaks(&self, id: ExchangeId) -> Leaks {
        let Exchange { delivery, outcome, .. } = self.exchange(id);
        let Outcome::Answered(answer) = outcome else { return Leaks::default() };
        match self.exchanges.shown(id) {
            Some(shown) => shown.leaks,
            None => Leaks::of(self.secret.as_ref(), &self.manner, delivery, answer),
        }
    }

    /// What checks look for in an answer.
    pub(super) fn shown(&self, id: ExchangeId) -> Shown {
        Shown { leaks: self.leaks(id), error: self.says_error(id) }
    }

    /// Whether an answer's body mentions an error.
    pub fn says_error(&self, id: ExchangeId) -> bool {
        let Outcome::Answered(answer) = self.outcome(id) else { return false };
        self.exchanges.shown(id).map_or_else(|| says_error(&answer.body), |shown| shown.error)
    }

    /// The first answer of a rate limit to a delivery that checks are about; `None` if there was none.
    pub fn limited(&self) -> Option<&Response> {
        let sent =
            |trial: &'_ Trial| trial.controls.iter().copied().chain([trial.exchange]).collect::<Vec<_>>();
        self.trials.iter().flat_map(sent).find_map(|id| self.outcome(id).rate_limit())
    }

    pub fn acknowledged(&self, id: ExchangeId) -> bool {
        self.outcome(id).acknowledges()
    }
}

impl Leaks {
    pub(super) fn of(
        secret: Option<&Secret>,
        manner: &Manner,
        delivery: &Delivery,
        answer: &Response,
    ) -> Self {
        // One text: an answer may have many short headers.
        let mut text = Vec::with_capacity(bytes(answer));
        for (name, value) in &answer.headers.0 {
            text.extend([name.as_bytes(), b"\n", value, b"\n"].concat());
        }
        text.extend_from_slice(&answer.body);
        let expected = accepted_signatures(secret, manner, delivery);
        Self {
            secret: secret.is_some_and(|secret| encodings::is_in(secret, &text)),
            signature: expected.iter().any(|digits| contains_digits(&text, digits)),
        }
    }
}

/// The signature with which a delivery would have been accepted, and the same one in hexadecimal digits.
fn accepted_signatures(secret: Option<&Secret>, manner: &Manner, delivery: &Delivery) -> Vec<String> {
    let given = secret.zip(delivery.headers.single(manner.timestamp_name));
    let Some((secret, timestamp)) = given else { return Vec::new() };
    let hexadecimal = manner.in_digits();
    let forms = std::iter::once(*manner).chain((hexadecimal != *manner).then_some(hexadecimal));
    forms.map(|form| form.signature(secret.expose(), timestamp, &delivery.body)).collect()
}

/// Cuts the answer of an exchange to what the budget allows. Returns what it showed, if it was cut. `redaction` has the secret.
pub(super) fn cut(
    exchange: &mut Exchange,
    (secret, manner): (Option<&Secret>, &Manner),
    redaction: &Redaction,
    budget: &Budget,
) -> Option<Shown> {
    let Exchange { delivery, outcome: Outcome::Answered(answer), .. } = exchange else { return None };
    let (most, whole) = (budget.left() / PART, cost(answer));
    if whole <= most {
        budget.take(whole);
        return None;
    }
    let shown = Shown { leaks: Leaks::of(secret, manner, delivery, answer), error: says_error(&answer.body) };
    let before = bytes(answer);
    // Half for the headers, and the rest for the body.
    // Redacted first: a cut must not leave a part of a secret.
    let (mut left, mut is_sought) = (most / 2, true);
    let mut kept = Headers::default();
    for (name, value) in std::mem::take(&mut answer.headers.0) {
        let cost = OVERHEAD + name.len() + value.len();
        if is_sought && name.eq_ignore_ascii_case(RETRY_AFTER.0) {
            // A second one shows nothing more.
            is_sought = false;
            let value = redaction.bytes(&value);
            kept.add(name, Bytes::copy_from_slice(&value[..value.len().min(RETRY_AFTER.1)]));
        } else if cost <= left {
            left -= cost;
            kept.add(name, value);
        }
    }
    answer.headers = kept;
    let room = most.saturating_sub(cost_of_headers(answer));
    if room < answer.body.len() {
        let body = redaction.bytes(&answer.body);
        answer.body = Bytes::copy_from_slice(&body[..room.min(body.len())]);
    }
    answer.cut += before.saturating_sub(bytes(answer)).max(1) as u64;
    budget.take(cost(answer));
    Some(shown)
}

/// Returns the bytes of an exchange that is no longer kept.
pub(super) fn give_back(exchange: &Exchange, budget: &Budget) {
    if let Outcome::Answered(answer) = &exchange.outcome {
        budget.give_back(cost(answer));
    }
}

fn cost(answer: &Response) -> usize {
    cost_of_headers(answer) + answer.body.len()
}

fn cost_of_headers(answer: &Response) -> usize {
    answer.headers.0.iter().map(|(name, value)| OVERHEAD + name.len() + value.len()).sum()
}

fn bytes(answer: &Response) -> usize {
    let headers: usize = answer.headers.0.iter().map(|(name, value)| name.len() + value.len()).sum();
    headers + answer.body.len()
}

/// Whether a text contains these hexadecimal digits, in either case.
fn contains_digits(text: &[u8], digits: &str) -> bool {
    let digits = digits.as_bytes();
    let Some(first) = digits.first() else { return true };
    let places = memchr::memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), text);
    places.filter_map(|at| text.get(at..at + digits.len())).any(|window| window.eq_ignore_ascii_case(digits))
}

/// Whether an answer's body mentions an error.
pub(super) fn says_error(body: &[u8]) -> bool {
    let body = String::from_utf8_lossy(body).to_lowercase();
    ["error", "invalid", "unauthor", "forbidden", "mismatch", "denied", "\"ok\":false", "\"success\":false"]
        .iter()
        .any(|word| body.contains(word))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::{Leaks, PART, Shown, cost, cut, give_back};
    use crate::budget::Budget;
    use crate::redaction::Redaction;
    use crate::webhook::manner::Manner;
    use crate::webhook::signature::Secret;
    use crate::wire::exchange::{Delivery, Exchange, ExchangeId, Headers, Outcome, Response};

    fn answered(headers: &[(&str, usize)], body: Bytes) -> Exchange {
        let headers = headers.iter().map(|(name, length)| ((*name).to_owned(), vec![b'h'; *length].into()));
        Exchange {
            id: ExchangeId(0),
            at_ms: 0,
            took: Duration::ZERO,
            delivery: Delivery::new("POST", "/", Headers::default(), Bytes::new()),
            outcome: Outcome::Answered(Response {
                status: 503,
                headers: Headers(headers.collect()),
                body,
                cut: 0,
            }),
        }
    }

    fn answer(exchange: &Exchange) -> &Response {
        let Outcome::Answered(answer) = &exchange.outcome else { unreachable!("made as an answer") };
        answer
    }

    #[test]
    fn budget_is_never_used_up() {
        let (most, secret) = (1024 * 1024, Secret::new("s3cr3t"));
        let redaction = Redaction::new(Some(&secret));
        let budget = Budget::of(most);
        let mut kept = Vec::new();
        for number in 0..20_000 {
            let mut exchange = answered(&[("X-Long", 3000)], Bytes::from(vec![b'B'; 5000]));
            let shown = cut(&mut exchange, (Some(&secret), &Manner::CONTRACT), &redaction, &budget);
            assert_eq!(shown.is_some(), answer(&exchange).cut > 0, "{number}");
            kept.push(exchange);
        }
        let costs: usize = kept.iter().map(|exchange| cost(answer(exchange))).sum();
        assert!(costs <= most && budget.left() == most - costs && budget.left() > 0, "{costs}");
        kept.iter().for_each(|exchange| give_back(exchange, &budget));
        assert_eq!(budget.left(), most);
    }

    #[test]
    fn what_checks_look_for_survives_a_cut() {
        let secret = Secret::new("s3cr3t");
        let body = [&b"x".repeat(9000)[..], b"Invalid: s3cr3t"].concat();
        let mut exchange = answered(&[("X-Long", 9000), ("Retry-After", 3000)], body.into());
        let redaction = Redaction::new(Some(&secret));
        let shown =
            cut(&mut exchange, (Some(&secret), &Manner::CONTRACT), &redaction, &Budget::of(1000 * PART));
        assert_eq!(shown, Some(Shown { leaks: Leaks { secret: true, signature: false }, error: true }));
        let answer = answer(&exchange);
        assert_eq!((answer.status, answer.headers.0.len()), (503, 1));
        assert_eq!(answer.headers.single("retry-after").map(Bytes::len), Some(64));
        let kept = answer.body.len() + "Retry-After".len() + 64;
        assert_eq!(answer.cut as usize, 9000 + "X-Long".len() + "Retry-After".len() + 3000 + 9015 - kept);
    }
}
