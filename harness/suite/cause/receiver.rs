//! Finds what a receiver hashes and accepts, from the trials that it accepted and rejected.
//!
//! Invariant: a receiver that expects another way of signing gets the code of that way (`message.*`, `key.*`,
//! `digest.*`). One that accepts it in addition to the right way gets `accepts.alternative`, with that code as its
//! detail.

mod clock;
mod everything;
mod instead;
mod messages;
mod route;
#[cfg(test)]
mod tests;

pub use self::route::{location, of_obstacle, of_page as page_instead, says_the_same};

use super::{Cause, Code};
use crate::suite::transcript::{
    Age, Part, ProcessingKind, ProcessingTrial, Redating, Respect, ScenarioName, Surrounding, TimestampForm,
    Transcript, Trial,
};
use crate::webhook::recipe::{Digest, Message, Recipe};
pub use instead::accepted_instead;

/// The reformatting to which a receiver is blind that trims the body.
pub const TRAILING_NEWLINE: &str = "a trailing newline";

/// Why plain valid deliveries are rejected, found from what was accepted instead. If several ways of signing are equally near
/// to the contract, the result is the first of them, and names the others.
///
/// `refuses.everything` if other ways were tried and nothing at all was accepted; `None` if the trials do not show a
/// cause.
pub fn of_refusal(transcript: &Transcript) -> Option<Cause> {
    // Elsewhere the other form is sent to see whether it is accepted too, which explains no refusal.
    let tells = |trial: &&Trial| {
        !matches!(trial.respect, Respect::Form(_)) || trial.scenario == ScenarioName("diagnosis")
    };
    let instead =
        transcript.trials.iter().filter(|trial| transcript.acknowledged(trial.exchange)).filter(tells);
    let mut found: Vec<(usize, Cause)> = instead
        .filter_map(|trial| {
            let (distance, cause) = hypothesis(trial.respect)?;
            Some((distance, cause.shown_by([trial.exchange])))
        })
        .collect();
    // What compares seconds with a number often takes a date for none, which no comparison rejects.
    if found.iter().any(|(_, cause)| cause.code == Code::MessageTimestampUnit) {
        found.retain(|(_, cause)| cause.code != Code::HeaderTimestampFormat);
    }
    found.sort_by_key(|(distance, _)| *distance);
    let nearest = found.first().map(|(distance, _)| *distance);
    let mut causes =
        found.into_iter().filter(|(distance, _)| Some(*distance) == nearest).map(|(_, cause)| cause);
    if let Some(first) = causes.next() {
        return Some(causes.fold(first, Cause::or));
    }
    if let Some(cause) = clock::of_shifts(transcript) {
        return Some(cause);
    }
    let none_accepted = transcript.exchanges.acknowledged() == 0;
    if none_accepted && let Some(cause) = route::of_answers(transcript) {
        return Some(cause);
    }
    let tried_others = transcript.trials.iter().any(|trial| matches!(trial.respect, Respect::Signed(_)));
    (tried_others && none_accepted).then(|| Cause::new(Code::RefusesEverything))
}

/// The cause if a receiver accepts such a trial instead of the valid delivery, with its distance from the contract.
fn hypothesis(respect: Respect) -> Option<(usize, Cause)> {
    Some(match respect {
        Respect::Form(dialect) => {
            (1, Cause::detailed(Code::RefusesDialect, messages::only_this_form(dialect)))
        }
        Respect::Signed(recipe) => (recipe.distance(), Cause::of_recipe(&recipe)?),
        Respect::Stale(Age::Seconds) => {
            (1, Cause::detailed(Code::MessageTimestampUnit, messages::header_in_seconds()))
        }
        Respect::TimestampForm(TimestampForm::IsoDate) => {
            (1, Cause::detailed(Code::HeaderTimestampFormat, messages::iso_date_expected()))
        }
        Respect::DefaultSecret(_, recipe) => {
            (1 + recipe.distance(), Cause::detailed(Code::KeyOtherWebhook, respect.describe()))
        }
        Respect::Header(name, recipe) if recipe == Recipe::CONTRACT => {
            (1, Cause::detailed(Code::HeaderName, name))
        }
        Respect::Header(_, recipe) => {
            (1 + recipe.distance(), Cause::detailed(Code::HeaderName, respect.describe()))
        }
        _ => return None,
    })
}

/// The serialiser whose output a receiver hashes. The receiver accepts signatures over that output, and rejects some or all
/// signatures over the received bytes.
pub fn of_reserialising(transcript: &Transcript) -> Option<Cause> {
    if accepts_other_formattings(transcript) == Some(true) {
        return None;
    }
    serialiser(transcript)
}

/// How text beyond ASCII is changed before it is hashed, if that is why this valid delivery was rejected: the same change in what is
/// signed made another one acceptable.
pub fn of_text_encoding(transcript: &Transcript, rejected: &Trial) -> Option<Cause> {
    let is_encoding = |recipe: Recipe| {
        matches!(recipe.message, Message::Misread(misread) if misread.is_encoding())
            && recipe == Recipe::message(recipe.message)
    };
    let accepted = |trial: &&Trial| {
        matches!(trial.respect, Respect::Signed(recipe) if is_encoding(recipe))
            && transcript.acknowledged(trial.exchange)
    };
    let body = &transcript.exchange(rejected.exchange).delivery.body;
    // A change that leaves this body as it is explains nothing.
    let changes_it = |trial: &&Trial| match trial.respect {
        Respect::Signed(Recipe { message: Message::Misread(misread), .. }) => {
            misread.of(body).is_some_and(|misread| misread != *body)
        }
        _ => false,
    };
    let mut causes = transcript
        .trials
        .iter()
        .filter(accepted)
        .filter(changes_it)
        .filter_map(|trial| Some(hypothesis(trial.respect)?.1.shown_by([trial.exchange])));
    let first = causes.next()?;
    Some(causes.fold(first, Cause::or))
}

fn serialiser(transcript: &Transcript) -> Option<Cause> {
    let reserialised = |trial: &&Trial| {
        matches!(trial.respect, Respect::Signed(Recipe { message: Message::Reserialised(_), .. }))
            && transcript.acknowledged(trial.exchange)
    };
    let mut causes = transcript
        .trials
        .iter()
        .filter(reserialised)
        .filter_map(|trial| Some(hypothesis(trial.respect)?.1.shown_by([trial.exchange])));
    let first = causes.next()?;
    Some(causes.fold(first, Cause::or))
}

/// Why a negative was accepted.
pub fn of_acceptance(transcript: &Transcript, accepted: &Trial) -> Option<Cause> {
    let valid_too = accepted.controls.iter().all(|&control| transcript.acknowledged(control));
    if valid_too && let Some(cause) = everything::accepted_with(transcript, accepted) {
        return Some(cause);
    }
    if !valid_too && let Some((_, cause)) = hypothesis(accepted.respect) {
        return Some(cause);
    }
    let which = || accepted.respect.describe();
    match accepted.respect {
        Respect::Surrounded(Surrounding::Prefixed) if !valid_too => {
            Cause::of_recipe(&Recipe::digest(Digest::Prefixed))
        }
        Respect::Signed(recipe) => {
            let inner = Cause::of_recipe(&recipe)?;
            let raw_too = accepts_other_formattings(transcript) != Some(false);
            if let (Message::Reserialised(_), false) = (recipe.message, raw_too) {
                return Some(inner);
            }
            Some(if valid_too { alternative(inner) } else { inner })
        }
        Respect::Unsigned | Respect::UnsignedMalformed | Respect::Undated => {
            Some(Cause::new(Code::AcceptsUnsigned))
        }
        Respect::Surrounded(_) => Some(alternative(Cause::detailed(Code::DigestTrailing, which()))),
        Respect::SecondSignature => Some(Cause::new(Code::HeaderDuplicate)),
        Respect::TimestampForm(_) => Some(Cause::detailed(Code::AcceptsTimestampFormat, which())),
        Respect::Stale(_) => Some(Cause::detailed(Code::AcceptsStale, which())),
        Respect::Future => Some(Cause::new(Code::AcceptsFuture)),
        Respect::Malformed(_) | Respect::WrongType(_) => {
            Some(Cause::detailed(Code::AcceptsMalformed, which()))
        }
        Respect::Method => Some(Cause::detailed(Code::AnswerStatus, messages::other_method())),
        Respect::BackDoor(_) if accepts_unsigned(transcript) => Some(Cause::new(Code::AcceptsUnsigned)),
        Respect::BackDoor(which) => Some(Cause::detailed(Code::AcceptsBackDoor, which)),
        Respect::Borrowed => Some(Cause::new(Code::AcceptsReplayed)),
        Respect::Content(_) | Respect::Timestamp(_) | Respect::Reformatted(_)
            if accepts_borrowed(transcript) =>
        {
            Some(Cause::new(Code::AcceptsReplayed))
        }
        Respect::Content(part) => {
            Some(alternative(Cause::detailed(Code::MessagePart, messages::without(part))))
        }
        // A receiver that ignores changed content ignores changed formatting too.
        Respect::Reformatted(which) => {
            if let Some(part) = ignored_part(transcript) {
                return Some(alternative(Cause::detailed(Code::MessagePart, messages::without(part))));
            }
            let cause = serialiser(transcript);
            let cause = cause.unwrap_or_else(|| reformatted(which));
            Some(if accepts_other_formattings(transcript) == Some(false) {
                cause
            } else {
                alternative(cause)
            })
        }
        Respect::SecretMember => Some(alternative(Cause::new(Code::MessageSecretMember))),
        Respect::Timestamp(Redating::Zeros) => {
            Some(alternative(Cause::detailed(Code::MessageTimestampDiffers, messages::printed_again())))
        }
        Respect::Timestamp(_) => Some(Cause::new(Code::AcceptsReplayed)),
        Respect::DefaultSecret(..) => Some(alternative(Cause::detailed(Code::KeyOtherWebhook, which()))),
        Respect::Header(..) | Respect::Aborted | Respect::Shifted(_) => None,
        Respect::Key(which) => Some(alternative(Cause::detailed(Code::KeyPrefix, which))),
        Respect::Digits(which) => Some(alternative(Cause::detailed(Code::DigestTruncated, which))),
        Respect::Valid
        | Respect::Concurrent
        | Respect::Form(_)
        | Respect::SplitCharacter(_)
        | Respect::Javascript(_)
        | Respect::Formatting(_) => None,
    }
}

/// What is hashed by a receiver to which this reformatting makes no difference.
pub fn reformatted(which: &str) -> Cause {
    let detail = if which == TRAILING_NEWLINE { messages::trimmed() } else { which };
    Cause::detailed(Code::MessageReserialised, detail)
}

/// The cause for a way of signing that is accepted in addition to the right one.
fn alternative(inner: Cause) -> Cause {
    let code = Code::AcceptsAlternative;
    Cause { code, detail: Some(inner.to_string()), inner: Some(inner.code), ..inner }
}

/// Whether other formattings are accepted if they are correctly signed; `None` if none was tried.
fn accepts_other_formattings(transcript: &Transcript) -> Option<bool> {
    let of_formatting = |trial: &&Trial| matches!(trial.respect, Respect::Formatting(_));
    let mut trials = transcript.trials.iter().filter(of_formatting).peekable();
    trials.peek()?;
    Some(trials.all(|trial| transcript.acknowledged(trial.exchange)))
}

/// Whether requests without a signature are accepted.
fn accepts_unsigned(transcript: &Transcript) -> bool {
    let bare = |trial: &&Trial| trial.respect == Respect::Unsigned;
    let mut trials = transcript.trials.iter().filter(bare).peekable();
    trials.peek().is_some() && trials.all(|trial| transcript.acknowledged(trial.exchange))
}

/// The part of the body that can be changed under an old signature, if there is one.
fn ignored_part(transcript: &Transcript) -> Option<Part> {
    transcript.trials.iter().find_map(|trial| match trial.respect {
        Respect::Content(which) if transcript.acknowledged(trial.exchange) => Some(which),
        _ => None,
    })
}

/// Whether the signature of one delivery is accepted for another.
fn accepts_borrowed(transcript: &Transcript) -> bool {
    let borrowed = |trial: &&Trial| trial.respect == Respect::Borrowed;
    transcript.trials.iter().filter(borrowed).any(|trial| transcript.acknowledged(trial.exchange))
}

/// Why a receiver exited instead of answering, found from what was unusual about the request.
pub fn of_exit(respect: Respect) -> Cause {
    let of_another_length = |digest| {
        matches!(
            digest,
            Digest::Sha1 | Digest::Sha512 | Digest::Base64 | Digest::Base64Url | Digest::Truncated
        )
    };
    Cause::new(match respect {
        Respect::Surrounded(Surrounding::BeyondAscii) => Code::CrashHeaderBytes,
        Respect::Surrounded(_) => Code::CrashSignatureLength,
        Respect::Signed(recipe) if of_another_length(recipe.digest) => Code::CrashSignatureLength,
        Respect::Malformed(_)
        | Respect::Content(Part::End)
        | Respect::TimestampForm(TimestampForm::MovedColon) => Code::CrashMalformedJson,
        _ => Code::AnswerNone,
    })
}

/// Why a delivery was processed too rarely or too often.
pub fn of_processing(transcript: &Transcript, trial: &ProcessingTrial) -> Option<Cause> {
    let times = |trial: &ProcessingTrial| transcript.times_observed(&trial.observed);
    let of_kind = |kind: ProcessingKind| transcript.processing.iter().filter(move |trial| trial.kind == kind);
    let valid: Vec<usize> = of_kind(ProcessingKind::Valid).map(times).collect();
    // Only the first of all deliveries was processed.
    let constant = valid.len() > 1 && transcript.observed.count() == 1;
    let (seen, wanted) = (times(trial), trial.kind.times());
    let code = match trial.kind {
        _ if constant && seen < wanted => Cause::detailed(Code::DedupeTooCoarse, "constant"),
        _ if transcript.observed.count() == 0 => return None,
        ProcessingKind::Same if seen > wanted => Cause::new(Code::DedupeNone),
        ProcessingKind::SignedAnew if seen > wanted => {
            if of_kind(ProcessingKind::Same).all(|same| times(same) > 1) {
                Cause::new(Code::DedupeNone)
            } else if transcript.dialect.nonce {
                Cause::new(Code::DedupeNonce)
            } else {
                Cause::detailed(Code::DedupeNonce, messages::timestamp_or_signature())
            }
        }
        ProcessingKind::SameRecord if seen < wanted => Cause::detailed(Code::DedupeTooCoarse, "record"),
        ProcessingKind::AfterForged if seen < wanted => Cause::new(Code::DedupeBeforeSuccess),
        ProcessingKind::OtherDialect if seen < wanted => Cause::new(Code::MisreadsDialect),
        _ => return None,
    };
    Some(code)
}
