//! The rules that checks of receivers share: minimal pairs.
//!
//! Nothing passes without evidence: without a trial, or with a rejected control, a check is inconclusive.

use super::messages;
use crate::suite::cause::receiver::{of_acceptance, of_exit, of_refusal};
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Evidence, Expected, Requirement, Verdict};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Respect, Surrounding, TimestampForm, Transcript, Trial};
use crate::wire::exchange::{ExchangeId, Outcome};

/// The verdict on positives: each trial must be accepted. A rejection counts against the receiver only if the control was
/// accepted; `cause` says what the rejection then means.
pub(super) fn accepts(
    scenarios: &[&Scenario],
    t: &Transcript,
    cause: impl Fn(&Trial) -> Option<Cause>,
) -> Verdict {
    let trials = trials(scenarios, t);
    let rejected = trials.iter().copied().filter(|trial| !t.acknowledged(trial.exchange));
    let (judged, unclear): (Vec<&Trial>, Vec<&Trial>) =
        rejected.partition(|trial| has_controls(t, trial) && !is_rate_limited(t, trial));
    fails(t, scenarios, &judged, cause)
        .or_else(|| uncontrolled(t, &trials, unclear.first().copied()))
        .unwrap_or(Verdict::Pass)
}

/// The verdict on positives of which these were rejected although they should not be; `None` if there are none.
pub(super) fn fails(
    t: &Transcript,
    scenarios: &[&Scenario],
    judged: &[&Trial],
    cause: impl Fn(&Trial) -> Option<Cause>,
) -> Option<Verdict> {
    let trials = trials(scenarios, t);
    let first = judged.first()?;
    {
        let outcome = t.outcome(first.exchange);
        let others = others(t, scenarios, judged, &trials);
        let rejected = messages::rejected(outcome, t.exchange(first.exchange).took, &first.what);
        let message = with_death(t, first.exchange, rejected + &others);
        let evidence = Evidence::new(Expected::Accepted, outcome.to_string(), message);
        let died = t
            .death_at(first.exchange)
            .map(|_| Cause::detailed(Code::CrashEverything, messages::process_ended()));
        let cause = died.or_else(|| cause(first));
        Some(evidence.shown_by(judged.iter().map(|trial| trial.exchange)).because(cause).fail())
    }
}

/// The verdict on negatives: no trial of the requirement's scenarios may be accepted.
pub(super) fn rejects_all(requirement: &Requirement, t: &Transcript) -> Verdict {
    rejects(requirement.scenarios, t)
}

/// The verdict on negatives: no trial may be accepted. A rejection counts only if the controls before and after it were
/// accepted.
pub(super) fn rejects(scenarios: &[&Scenario], t: &Transcript) -> Verdict {
    let trials = trials(scenarios, t);
    let accepted: Vec<&Trial> =
        trials.iter().copied().filter(|trial| t.acknowledged(trial.exchange)).collect();
    if let Some(first) = accepted.first() {
        let outcome = t.outcome(first.exchange);
        let others = others(t, scenarios, &accepted, &trials);
        let message = messages::accepted(outcome, &first.what) + &others;
        let cause = accepted.iter().find_map(|trial| of_acceptance(t, trial));
        let evidence = Evidence::new(Expected::NotAccepted, outcome.to_string(), message);
        return evidence.shown_by(accepted.iter().map(|trial| trial.exchange)).because(cause).fail();
    }
    if let Some(fatal) = trials.iter().find(|trial| exited_unanswered(t, trial)) {
        let outcome = t.outcome(fatal.exchange);
        let unanswered = messages::did_not_answer(outcome, t.exchange(fatal.exchange).took, &fatal.what);
        let message = with_death(t, fatal.exchange, unanswered);
        let evidence = Evidence::new(Expected::Rejected, outcome.to_string(), message);
        return evidence.shown_by([fatal.exchange]).because(of_exit(fatal.respect)).fail();
    }
    let unclear = trials.iter().copied().find(|trial| !has_controls(t, trial));
    uncontrolled(t, &trials, unclear).unwrap_or(Verdict::Pass)
}

/// The verdict on one rejection, which must be a 4xx. `crash` is the cause if it is not, as far as it is known.
pub(super) fn is_4xx(t: &Transcript, trial: &Trial, crash: Option<Cause>) -> Verdict {
    let outcome = t.outcome(trial.exchange);
    let died = t.death_at(trial.exchange).is_some();
    let is_4xx = !died && outcome.status().is_some_and(|status| (400..500).contains(&status));
    // If the valid delivery before it was rejected too, the rejection shows nothing.
    if is_4xx || !t.acknowledged(trial.controls[0]) {
        return control_rejected(t, trial).unwrap_or(Verdict::Pass);
    }
    let answered = messages::answered(outcome, t.exchange(trial.exchange).took, &trial.what);
    let message = with_death(t, trial.exchange, answered);
    let answered = matches!(outcome, Outcome::Answered(_)) && !died;
    let cause =
        crash.unwrap_or_else(|| Cause::new(if answered { Code::AnswerStatus } else { Code::AnswerNone }));
    let evidence = Evidence::new(Expected::ClientError, outcome.to_string(), message);
    evidence.shown_by([trial.exchange]).because(cause).fail()
}

/// Why a rejection is not a 4xx, found from what is special about the trial; `None` if other rejections are not 4xx either.
pub(super) fn of_crash(t: &Transcript, trial: &Trial, code: Code) -> Option<Cause> {
    let elsewhere = |other: &&Trial| {
        let judged = !other.respect.is_valid() && other.respect != Respect::Aborted;
        other.scenario != trial.scenario && judged && !t.acknowledged(other.exchange)
    };
    let has_4xx = |other: &Trial| t.outcome(other.exchange).status().is_some_and(|status| status / 100 == 4);
    let answered: Vec<bool> = t.trials.iter().filter(elsewhere).map(has_4xx).collect();
    if !answered.is_empty() && !answered.contains(&true) {
        return None;
    }
    match trial.respect {
        Respect::Surrounded(Surrounding::BeyondAscii) => Some(Cause::new(Code::CrashHeaderBytes)),
        Respect::Surrounded(_) | Respect::Malformed(_) | Respect::WrongType(_) => Some(Cause::new(code)),
        Respect::TimestampForm(TimestampForm::MovedColon) => Some(Cause::new(Code::CrashMalformedJson)),
        Respect::TimestampForm(_) => {
            Some(Cause::detailed(Code::AnswerStatus, messages::crashing_timestamp()))
        }
        _ => None,
    }
}

fn trials<'t>(scenarios: &[&Scenario], t: &'t Transcript) -> Vec<&'t Trial> {
    scenarios.iter().flat_map(|scenario| t.trials_of(scenario.name)).collect()
}

/// Whether the receiver exited instead of answering. VER-9 reports a receiver that exits after its answer.
fn exited_unanswered(t: &Transcript, trial: &Trial) -> bool {
    t.death_at(trial.exchange).is_some() && t.outcome(trial.exchange).status().is_none()
}

pub(super) fn has_controls(t: &Transcript, trial: &Trial) -> bool {
    trial.controls.iter().all(|&control| t.acknowledged(control))
}

/// Whether a delivery was rejected by a rate limit, not because of its content. RCV-8 judges the limit itself.
pub(super) fn is_rate_limited(t: &Transcript, trial: &Trial) -> bool {
    t.outcome(trial.exchange).rate_limit().is_some()
}

/// Why trials are inconclusive, if they are.
fn uncontrolled(t: &Transcript, trials: &[&Trial], unclear: Option<&Trial>) -> Option<Verdict> {
    if trials.is_empty() {
        return Some(Verdict::Inconclusive(messages::nothing_tried().to_owned()));
    }
    let unclear = unclear?;
    let reason = match rejected_control(t, unclear) {
        Some(outcome) => {
            if let Some(answer) = outcome.rate_limit() {
                return Some(Verdict::Inconclusive(messages::rate_limited(answer)));
            }
            let cause = of_refusal(t).map(|cause| messages::because(&cause.to_string()));
            messages::control_rejected(outcome) + &cause.unwrap_or_default()
        }
        None => t.limited().map_or_else(|| messages::nothing_tried().to_owned(), messages::rate_limited),
    };
    Some(Verdict::Inconclusive(reason))
}

/// What a rejected control of a trial was answered; `None` if the controls were accepted.
fn rejected_control<'t>(t: &'t Transcript, trial: &Trial) -> Option<&'t Outcome> {
    trial.controls.iter().find(|&&control| !t.acknowledged(control)).map(|&control| t.outcome(control))
}

/// The verdict on a trial with a rejected control; `None` if the controls were accepted. It names no cause: finding one for each
/// of many trials would take long.
pub(super) fn control_rejected(t: &Transcript, trial: &Trial) -> Option<Verdict> {
    Some(Verdict::Inconclusive(messages::control_rejected(rejected_control(t, trial)?)))
}

fn with_death(t: &Transcript, exchange: ExchangeId, message: String) -> String {
    match t.death_at(exchange) {
        Some(how) => messages::ended(&message, how),
        None => message,
    }
}

/// How many other cases show the same.
fn others(t: &Transcript, scenarios: &[&Scenario], found: &[&Trial], all: &[&Trial]) -> String {
    let fixed = |trials: &[&Trial]| trials.iter().filter(|trial| !trial.generated).count();
    let generated = scenarios.iter().map(|scenario| t.generated(scenario.name));
    let generated = generated.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    messages::others((fixed(found), fixed(all)), generated)
}
