//! Why everything is accepted: nothing is verified, or what was verified does not show in the answer.
//!
//! The second is no fault of the verification. Where a platform answers for the receiver, as for applications of Twenty, its
//! author has to look at the answer instead.

use std::collections::HashSet;

use super::{messages, route};
use crate::suite::cause::{Cause, Code};
use crate::suite::transcript::{Part, ProcessingKind, Respect, Transcript, Trial};
use crate::wire::exchange::{ExchangeId, Outcome, Response};

/// The status of an answer that comes before the work is done.
const QUEUED: u16 = 202;

/// The cause if this negative was accepted because everything is, or because an error is answered with a 2xx.
pub(super) fn accepted_with(t: &Transcript, accepted: &Trial) -> Option<Cause> {
    let everything = |detail: &'static str| Cause::detailed(Code::AcceptsEverything, detail);
    let says_error = t.says_error(accepted.exchange);
    if says_error && !accepted.controls.iter().any(|&control| t.says_error(control)) {
        return Some(everything(messages::error_in_body()).fixed_by(messages::answer_a_status()));
    }
    let plain = accepts_everything(t)?;
    let Some(answer) = answer(t, accepted.exchange) else { return Some(plain) };
    if let Some(page) = route::of_page(answer) {
        return Some(page);
    }
    let controls = || accepted.controls.iter().filter_map(|&control| self::answer(t, control));
    if route::says_missing(answer) && controls().all(route::says_missing) {
        return Some(everything(messages::missing_in_body()).fixed_by(messages::forward_and_answer()));
    }
    if says_error {
        return Some(everything(messages::error_in_every_body()).fixed_by(messages::answer_a_status()));
    }
    let detail = match processes_forged(t) {
        Some(false) => messages::accepted_not_processed(),
        None if answer.status == QUEUED => messages::queued_unseen(),
        Some(true) | None => return Some(plain),
    };
    Some(everything(detail).fixed_by(messages::verify_before_the_answer()))
}

/// Whether every delivery with a wrong signature, or without one, is accepted. Method and form do not count: a receiver that
/// verifies nothing may still route by method, and a parser before it may reject what is no JSON.
fn accepts_everything(t: &Transcript) -> Option<Cause> {
    use Respect::{Content, Digits, Key, Signed, Timestamp, Undated, Unsigned};
    // Trials of the diagnosis have no controls.
    let forged = |trial: &&Trial| {
        matches!(trial.respect, Content(_) | Timestamp(_) | Signed(_) | Key(_) | Digits(_))
            && trial.respect != Content(Part::End)
            && !trial.controls.is_empty()
    };
    let unsigned = |trial: &&Trial| matches!(trial.respect, Unsigned | Undated);
    let accepted = |trial: &Trial| t.acknowledged(trial.exchange);
    let kinds: HashSet<_> =
        t.trials.iter().filter(forged).map(|trial| std::mem::discriminant(&trial.respect)).collect();
    let all_forged = t.trials.iter().filter(forged).all(accepted);
    let all_unsigned = t.trials.iter().filter(unsigned).all(accepted);
    match (kinds.len(), all_forged, all_unsigned) {
        (0, ..) | (_, false, _) => None,
        (1, true, _) if !t.trials.iter().any(|trial| unsigned(&trial)) => None,
        (_, true, true) => Some(Cause::new(Code::AcceptsEverything)),
        (_, true, false) => Some(Cause::detailed(Code::AcceptsEverything, messages::any_signature())),
    }
}

/// Whether forged deliveries that were accepted were processed too; `None` if that cannot be seen, because nothing was sent for it or
/// no valid delivery was seen to be processed either.
fn processes_forged(t: &Transcript) -> Option<bool> {
    let of = |kind: ProcessingKind| t.processing.iter().filter(move |trial| trial.kind == kind);
    let is_seen = of(ProcessingKind::Valid).any(|trial| t.times_observed(&trial.observed) > 0);
    let accepted = |id: &ExchangeId| t.acknowledged(*id);
    let mut forged =
        of(ProcessingKind::Forged).filter(|trial| trial.exchanges.iter().all(accepted)).peekable();
    forged.peek().filter(|_| is_seen)?;
    Some(forged.any(|trial| t.times_observed(&trial.observed) > 0))
}

fn answer(t: &Transcript, id: ExchangeId) -> Option<&Response> {
    match t.outcome(id) {
        Outcome::Answered(answer) => Some(answer),
        _ => None,
    }
}
