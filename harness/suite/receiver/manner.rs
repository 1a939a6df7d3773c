//! The manner in which a receiver wants deliveries, found from what it accepted instead of valid ones.

use super::diagnosis::{DIAGNOSIS, TIMESTAMP_NAMES};
use super::valid::VALID;
use crate::suite::cause::receiver::accepted_instead;
use crate::suite::transcript::{Age, Respect, TimestampForm, Transcript};
use crate::webhook::manner::{Manner, Unit};
use crate::webhook::signature::TIMESTAMP_HEADER;

/// Timestamps that are off by less are as good as right, and those that are off by more are something else than a clock.
const LEAST_OFF_MS: i64 = 10_000;
const MOST_OFF_MS: i64 = 3 * 24 * 60 * 60 * 1000;

/// The manners in which a receiver may want deliveries that rejected every valid one, the nearest to the contract first. There
/// are none if it accepted a valid one, or nothing else.
pub(crate) fn manners(transcript: &Transcript) -> Vec<Manner> {
    let mut valid = transcript.trials_of(VALID.name).peekable();
    let is_refused = valid.peek().is_some() && !valid.any(|trial| transcript.acknowledged(trial.exchange));
    if !is_refused {
        return Vec::new();
    }
    let mut manners: Vec<Manner> = Vec::new();
    for respect in accepted_instead(transcript) {
        for manner in of(respect) {
            if !manners.contains(&manner) {
                manners.push(manner);
            }
        }
    }
    manners.extend(clock(transcript).filter(|_| manners.is_empty()));
    manners
}

/// The manner for a receiver whose clock is off, if it accepts correctly signed deliveries at another time than now: the middle of
/// what it accepts.
fn clock(transcript: &Transcript) -> Option<Manner> {
    let offsets = transcript.trials_of(DIAGNOSIS.name).filter_map(|trial| {
        let exchange = transcript.exchange(trial.exchange);
        let timestamp = exchange.delivery.headers.single(TIMESTAMP_HEADER)?;
        let sent_ms: i64 = std::str::from_utf8(timestamp).ok()?.parse().ok()?;
        let offset_ms = sent_ms - i64::try_from(exchange.at_ms).ok()?;
        let is_off = (LEAST_OFF_MS..=MOST_OFF_MS).contains(&offset_ms.abs());
        (is_off && exchange.outcome.acknowledges()).then_some(offset_ms)
    });
    let (lowest, highest) =
        offsets.fold((i64::MAX, i64::MIN), |(low, high), one| (low.min(one), high.max(one)));
    (lowest <= highest).then(|| Manner { offset_ms: i64::midpoint(lowest, highest), ..Manner::CONTRACT })
}

/// The manners that such a delivery is made in.
fn of(respect: Respect) -> Vec<Manner> {
    let contract = Manner::CONTRACT;
    match respect {
        Respect::Signed(recipe) => vec![Manner { recipe, ..contract }],
        Respect::Stale(Age::Seconds) => vec![Manner { unit: Unit::Seconds, ..contract }],
        Respect::TimestampForm(TimestampForm::IsoDate) => vec![Manner { unit: Unit::IsoDate, ..contract }],
        Respect::DefaultSecret(secret, recipe) => vec![Manner { secret: Some(secret), recipe, ..contract }],
        Respect::Form(dialect) => vec![Manner { dialect: Some(dialect), ..contract }],
        Respect::Header(name, recipe) if TIMESTAMP_NAMES.contains(&name) => {
            vec![Manner { recipe, timestamp_name: name, ..contract }]
        }
        Respect::Header(name, recipe) => {
            // That delivery had its timestamp under every name.
            let own = Manner { recipe, signature_name: name, ..contract };
            let others = TIMESTAMP_NAMES.iter().map(|&timestamp_name| Manner { timestamp_name, ..own });
            std::iter::once(own).chain(others).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::suite::transcript::{Limits, Role, Trial};
    use crate::webhook::dialect::DOCUMENTED;
    use crate::webhook::signature::{Key, Secret};
    use crate::wire::exchange::{Delivery, Exchange, ExchangeId, Headers, Outcome, Response};

    const NOW_MS: u64 = 1_735_000_000_000;

    /// A receiver's answers to a fresh delivery and to others in the diagnosis, by how much these are ahead.
    fn answered(fresh: u16, others: &[(i64, u16)]) -> Transcript {
        let mut transcript = Transcript::new(Role::Receiver, &DOCUMENTED, Limits::default());
        let key = Key::new(&Secret::new("s3cr3t"));
        let others = others.iter().map(|&(offset_ms, status)| (DIAGNOSIS.name, offset_ms, status));
        for (scenario, offset_ms, status) in std::iter::once((VALID.name, 0, fresh)).chain(others) {
            let headers =
                Headers::of_delivery(Some(&key), NOW_MS.saturating_add_signed(offset_ms), None, b"{}");
            let exchange = transcript.record(Exchange {
                id: ExchangeId(0),
                at_ms: NOW_MS,
                took: Duration::ZERO,
                delivery: Delivery::new("POST", "/", headers, bytes::Bytes::from_static(b"{}")),
                outcome: Outcome::Answered(Response::text(status, "")),
            });
            transcript.trials.push(Trial {
                scenario,
                what: String::new(),
                respect: Respect::Valid,
                generated: false,
                exchange,
                controls: Vec::new(),
            });
        }
        transcript
    }

    #[test]
    fn clock_that_is_off_is_met_in_the_middle_of_its_window() {
        let minute = 60_000;
        let others = [(5 * minute, 401), (6 * minute, 200), (14 * minute, 200), (15 * minute, 401)];
        let found = manners(&answered(401, &others));
        assert_eq!(found, [Manner { offset_ms: 10 * minute, ..Manner::CONTRACT }]);
        let slow = manners(&answered(401, &[(-60 * minute, 200)]));
        assert_eq!(slow, [Manner { offset_ms: -60 * minute, ..Manner::CONTRACT }]);
        assert_eq!(manners(&answered(401, &[(0, 200), (60 * minute, 401)])), []);
        assert_eq!(manners(&answered(200, &others)), []);
    }
}
