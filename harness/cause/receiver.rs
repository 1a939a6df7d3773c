//! Which bytes a receiver hashes, and what it lets in, from what it acknowledged and what it refused.
//!
//! Invariant: what the receiver computes comes first (`message.*`, `key.*`, `digest.*`); what it lets in besides is
//! `accepts.alternative` with that code as its detail.

use super::{Cause, Code};
use crate::transcript::{Intake, IntakeKind, Respect, Transcript, Trial};

/// Why plain genuine deliveries are refused: the way of signing that was acknowledged instead.
///
/// `refuses.everything` where nothing at all was acknowledged though other ways were tried, `None` where the trials do
/// not tell.
pub fn of_refusal(transcript: &Transcript) -> Option<Cause> {
    let instead = transcript.trials.iter().filter(|trial| transcript.acknowledged(trial.exchange));
    let mut recipes: Vec<_> = instead
        .filter_map(|trial| match trial.respect {
            Respect::Signed(recipe) => Some(recipe),
            _ => None,
        })
        .collect();
    recipes.sort_by_key(|recipe| recipe.distance());
    if let Some(recipe) = recipes.first() {
        return Cause::of_recipe(recipe);
    }
    let tried_others = transcript.trials.iter().any(|trial| matches!(trial.respect, Respect::Signed(_)));
    let nothing = transcript.exchanges.acknowledged() == 0;
    (tried_others && nothing).then(|| Cause::new(Code::RefusesEverything))
}

/// Why a negative was acknowledged.
pub fn of_admission(transcript: &Transcript, admitted: &Trial) -> Option<Cause> {
    // Method and form are no matter of the signature: a receiver that verifies nothing may still route by method.
    let by_signature = |trial: &&Trial| {
        use Respect::{Content, Signed, Timestamp, Undated, Unsigned};
        matches!(trial.respect, Content(_) | Timestamp(_) | Signed(_) | Unsigned | Undated)
    };
    let mut negatives = transcript.trials.iter().filter(by_signature);
    let genuine_too = admitted.twins.iter().all(|&twin| transcript.acknowledged(twin));
    let respects: std::collections::HashSet<_> = transcript
        .trials
        .iter()
        .filter(by_signature)
        .map(|trial| std::mem::discriminant(&trial.respect))
        .collect();
    if genuine_too && respects.len() > 1 && negatives.all(|trial| transcript.acknowledged(trial.exchange)) {
        return Some(Cause::new(Code::AcceptsEverything));
    }
    match admitted.respect {
        Respect::Signed(recipe) => {
            let inner = Cause::of_recipe(&recipe)?;
            Some(if genuine_too { alternative(inner) } else { inner })
        }
        Respect::Unsigned | Respect::Undated => Some(Cause::new(Code::AcceptsUnsigned)),
        Respect::Surrounded(what) => Some(alternative(Cause::detailed(Code::DigestTrailing, what))),
        Respect::TimestampForm(which) => Some(Cause::detailed(Code::AcceptsTimestampFormat, which)),
        Respect::Stale(which) => Some(Cause::detailed(Code::AcceptsStale, which)),
        Respect::Future => Some(Cause::new(Code::AcceptsFuture)),
        Respect::Malformed(what) => Some(Cause::detailed(Code::AcceptsMalformed, what)),
        Respect::Method => Some(Cause::detailed(Code::AnswerStatus, "another method is acknowledged")),
        Respect::BackDoor(which) => Some(Cause::detailed(Code::AcceptsBackDoor, which)),
        Respect::Respelled(which) => Some(Cause::detailed(Code::MessageReserialised, which)),
        Respect::Borrowed => Some(Cause::new(Code::AcceptsReplayed)),
        Respect::Content(_) | Respect::Timestamp(_) if takes_borrowed(transcript) => {
            Some(Cause::new(Code::AcceptsReplayed))
        }
        Respect::Content(which) => {
            Some(alternative(Cause::detailed(Code::MessagePart, format!("without {which}"))))
        }
        Respect::SecretMember => Some(alternative(Cause::new(Code::MessageSecretMember))),
        Respect::Timestamp("zeros") => {
            Some(alternative(Cause::detailed(Code::MessageTimestampDiffers, "printed again as a number")))
        }
        Respect::Timestamp(_) => Some(Cause::new(Code::AcceptsReplayed)),
        Respect::Key(which) => Some(alternative(Cause::detailed(Code::KeyPrefix, which))),
        Respect::Digits(which) => Some(alternative(Cause::detailed(Code::DigestTruncated, which))),
        Respect::Genuine | Respect::Form(_) => None,
    }
}

/// What is taken beside the genuine way.
fn alternative(inner: Cause) -> Cause {
    Cause::detailed(Code::AcceptsAlternative, inner.to_string())
}

/// Whether the signature of one delivery is taken for another.
fn takes_borrowed(transcript: &Transcript) -> bool {
    let borrowed = |trial: &&Trial| trial.respect == Respect::Borrowed;
    transcript.trials.iter().filter(borrowed).any(|trial| transcript.acknowledged(trial.exchange))
}

/// Why something was taken in too seldom or too often.
pub fn of_intake(transcript: &Transcript, intake: &Intake) -> Option<Cause> {
    let times = |intake: &Intake| transcript.times_observed(&intake.observed);
    let of_kind = |kind: IntakeKind| transcript.intakes.iter().filter(move |intake| intake.kind == kind);
    let genuine: Vec<usize> = of_kind(IntakeKind::Genuine).map(times).collect();
    // Of everything only the first was taken in.
    let constant = genuine.len() > 1 && transcript.observed.len() == 1;
    let (seen, wanted) = (times(intake), intake.kind.times());
    let code = match intake.kind {
        _ if constant && seen < wanted => Cause::detailed(Code::DedupeTooCoarse, "constant"),
        _ if transcript.observed.is_empty() => return None,
        IntakeKind::Same if seen > wanted => Cause::new(Code::DedupeNone),
        IntakeKind::SignedAnew if seen > wanted => {
            if of_kind(IntakeKind::Same).all(|same| times(same) > 1) {
                Cause::new(Code::DedupeNone)
            } else if transcript.dialect.nonce {
                Cause::new(Code::DedupeNonce)
            } else {
                Cause::detailed(Code::DedupeNonce, "timestamp or signature")
            }
        }
        IntakeKind::SameRecord if seen < wanted => Cause::detailed(Code::DedupeTooCoarse, "record"),
        IntakeKind::BehindForged if seen < wanted => Cause::new(Code::DedupeBeforeSuccess),
        IntakeKind::OtherDialect if seen < wanted => Cause::new(Code::MisreadsDialect),
        _ => return None,
    };
    Some(code)
}
