//! What a manner alone explains: a receiver that wants deliveries in it accepts some that it should not, without another fault.

use crate::suite::transcript::{Age, Part, Redating, Respect};
use crate::webhook::manner::{Manner, Unit};
use crate::webhook::recipe::{KeyForm, Message, Misread, Recipe};

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
        Respect::Content(Part::Values | Part::AddedMembers | Part::MissingMembers)
        | Respect::SecretMember
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
        Misread::Empty | Misread::ObjectObject | Misread::Undefined | Misread::Null | Misread::EmptyObject
    )
}
