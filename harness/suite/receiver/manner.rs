//! The manner in which a receiver wants deliveries, found from what it accepted instead of valid ones.

use super::diagnosis::TIMESTAMP_NAMES;
use super::valid::VALID;
use crate::suite::cause::receiver::accepted_instead;
use crate::suite::transcript::{Age, Respect, TimestampForm, Transcript};
use crate::webhook::manner::{Manner, Unit};

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
    manners
}

/// The manners that such a delivery is made in.
fn of(respect: Respect) -> Vec<Manner> {
    let contract = Manner::CONTRACT;
    match respect {
        Respect::Signed(recipe) => vec![Manner { recipe, ..contract }],
        Respect::Stale(Age::Seconds) => vec![Manner { unit: Unit::Seconds, ..contract }],
        Respect::TimestampForm(TimestampForm::IsoDate) => vec![Manner { unit: Unit::IsoDate, ..contract }],
        Respect::DefaultSecret(secret) => vec![Manner { secret: Some(secret), ..contract }],
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
