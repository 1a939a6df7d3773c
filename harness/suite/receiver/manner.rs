//! The manner in which a receiver wants deliveries, found from what it accepted instead of valid ones, and what that manner alone
//! explains.

use super::diagnosis::TIMESTAMP_NAMES;
use super::valid::VALID;
use crate::suite::cause::receiver::accepted_instead;
use crate::suite::transcript::{Age, Part, Redating, Respect, TimestampForm, Transcript};
use crate::webhook::manner::{Manner, Unit};
use crate::webhook::recipe::{KeyForm, Message, Misread, Recipe};

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

/// Whether a receiver that wants deliveries in this manner, and has no other fault, may take such a delivery for one that it
/// should not.
pub(super) fn explains(manner: &Manner, respect: Respect) -> bool {
    let message = manner.recipe.message;
    let unsigned_time = matches!(message, Message::BodyAlone | Message::MisreadAlone(_));
    let unsigned_body = match message {
        Message::TimestampAlone => true,
        Message::Misread(misread) | Message::MisreadAlone(misread) => is_constant(misread),
        _ => false,
    };
    match respect {
        Respect::Timestamp(_) | Respect::Undated if unsigned_time => true,
        Respect::Content(_) | Respect::Reformatted(_) | Respect::SecretMember | Respect::Borrowed
            if unsigned_body =>
        {
            true
        }
        Respect::Timestamp(Redating::Later | Redating::Digit) => message == Message::Seconds,
        Respect::Content(Part::Values | Part::AddedMembers | Part::MissingMembers) | Respect::SecretMember
            if message == Message::Part =>
        {
            true
        }
        Respect::SecretMember if message == Message::SecretMember => true,
        Respect::Reformatted(_) => matches!(message, Message::Reserialised(_) | Message::Part),
        Respect::Stale(Age::Seconds) => manner.unit == Unit::Seconds,
        Respect::TimestampForm(_) => manner.unit == Unit::IsoDate,
        // Hexadecimal digits are the same key in either case.
        Respect::Signed(Recipe { key: KeyForm::Uppercase | KeyForm::Lowercase, .. }) => {
            manner.recipe.key == KeyForm::HexDecoded
        }
        _ => false,
    }
}

/// Whether every body is misread as the same text.
fn is_constant(misread: Misread) -> bool {
    matches!(
        misread,
        Misread::Empty
            | Misread::ObjectObject
            | Misread::Undefined
            | Misread::Null
            | Misread::EmptyObject
    )
}
