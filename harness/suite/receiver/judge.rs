//! The rules of judging that checks of receivers share: minimal pairs.
//!
//! Nothing passes by the absence of evidence: no trial, or a control that was rejected, is inconclusive.

use crate::suite::cause::receiver::{of_acceptance, of_end, of_refusal};
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Evidence, Expected, Requirement, Verdict};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Respect, Surrounding, TimestampForm, Transcript, Trial};
use crate::wire::exchange::{ExchangeId, Outcome};

/// The verdict on positives: each trial is accepted. One that is rejected counts against the receiver only where its
/// control was accepted; `cause` says what the rejection means then.
pub(super) fn accepts(
    scenarios: &[&Scenario],
    t: &Transcript,
    cause: impl Fn(&Trial) -> Option<Cause>,
) -> Verdict {
    let trials = trials(scenarios, t);
    let rejected = trials.iter().copied().filter(|trial| !t.acknowledged(trial.exchange));
    let (judged, unclear): (Vec<&Trial>, Vec<&Trial>) =
        rejected.partition(|trial| has_controls(t, trial) && !limits_rate(t, trial));
    if let Some(first) = judged.first() {
        let outcome = t.outcome(first.exchange).to_string();
        let others = others(t, scenarios, &judged, &trials);
        let message = format!("{} was refused: {outcome}{others}", first.what);
        let evidence = Evidence::new(Expected::Accepted, &outcome, with_death(t, first.exchange, message));
        return evidence.shown_by(judged.iter().map(|trial| trial.exchange)).because(cause(first)).fail();
    }
    uncontrolled(t, &trials, unclear.first().copied()).unwrap_or(Verdict::Pass)
}

/// The verdict on negatives: no trial of the requirement's scenarios is accepted.
pub(super) fn rejects_all(requirement: &Requirement, t: &Transcript) -> Verdict {
    rejects(requirement.scenarios, t)
}

/// The verdict on negatives: no trial is accepted. One that is rejected counts only where the controls before and after it
/// were accepted.
pub(super) fn rejects(scenarios: &[&Scenario], t: &Transcript) -> Verdict {
    let trials = trials(scenarios, t);
    let accepted: Vec<&Trial> =
        trials.iter().copied().filter(|trial| t.acknowledged(trial.exchange)).collect();
    if let Some(first) = accepted.first() {
        let outcome = t.outcome(first.exchange).to_string();
        let others = others(t, scenarios, &accepted, &trials);
        let message = format!("{} was acknowledged: {outcome}{others}", first.what);
        let cause = accepted.iter().find_map(|trial| of_acceptance(t, trial));
        let evidence = Evidence::new(Expected::NotAccepted, &outcome, message);
        return evidence.shown_by(accepted.iter().map(|trial| trial.exchange)).because(cause).fail();
    }
    if let Some(fatal) = trials.iter().find(|trial| died_unanswered(t, trial)) {
        let message = with_death(t, fatal.exchange, format!("{} was not answered", fatal.what));
        let evidence = Evidence::new(Expected::Rejected, t.outcome(fatal.exchange).to_string(), message);
        return evidence.shown_by([fatal.exchange]).because(of_end(fatal.respect)).fail();
    }
    let unclear = trials.iter().copied().find(|trial| !has_controls(t, trial));
    uncontrolled(t, &trials, unclear).unwrap_or(Verdict::Pass)
}

/// The verdict on one rejection: it is a 4xx. `crash` says why it is none, where that is known.
pub(super) fn is_4xx(t: &Transcript, trial: &Trial, crash: Option<Cause>) -> Verdict {
    let outcome = t.outcome(trial.exchange);
    let died = t.death_at(trial.exchange).is_some();
    let unclear =
        || Verdict::Inconclusive("a plain valid delivery beside it was not acknowledged".to_owned());
    if !died && outcome.status().is_some_and(|status| (400..500).contains(&status)) {
        return if has_controls(t, trial) { Verdict::Pass } else { unclear() };
    }
    // Where valid deliveries fare no better, it is not the rejection that is wrong.
    if !t.acknowledged(trial.controls[0]) {
        return unclear();
    }
    let answer = if outcome.status().is_some() { "was answered" } else { "was not answered" };
    let message = with_death(t, trial.exchange, format!("{} {answer}: {outcome}", trial.what));
    let answered = matches!(outcome, Outcome::Answered(_)) && !died;
    let cause =
        crash.unwrap_or_else(|| Cause::new(if answered { Code::AnswerStatus } else { Code::AnswerNone }));
    let evidence = Evidence::new(Expected::ClientError, outcome.to_string(), message);
    evidence.shown_by([trial.exchange]).because(cause).fail()
}

/// Why a rejection is no answer: what the trial is about, where other rejections are answers.
pub(super) fn of_crash(t: &Transcript, trial: &Trial, code: Code) -> Option<Cause> {
    let elsewhere = |other: &&Trial| {
        other.scenario != trial.scenario && !other.respect.is_valid() && !t.acknowledged(other.exchange)
    };
    let in_400s = |other: &Trial| t.outcome(other.exchange).status().is_some_and(|status| status / 100 == 4);
    let answered: Vec<bool> = t.trials.iter().filter(elsewhere).map(in_400s).collect();
    if !answered.is_empty() && !answered.contains(&true) {
        return None;
    }
    match trial.respect {
        Respect::Surrounded(Surrounding::BeyondAscii) => Some(Cause::new(Code::CrashHeaderBytes)),
        Respect::Surrounded(_) | Respect::Malformed(_) | Respect::WrongType(_) => Some(Cause::new(code)),
        Respect::TimestampForm(TimestampForm::MovedColon) => Some(Cause::new(Code::CrashMalformedJson)),
        Respect::TimestampForm(_) => {
            Some(Cause::detailed(Code::AnswerStatus, "a timestamp that is no number breaks the receiver"))
        }
        _ => None,
    }
}

/// What was tried in those scenarios.
fn trials<'t>(scenarios: &[&Scenario], t: &'t Transcript) -> Vec<&'t Trial> {
    scenarios.iter().flat_map(|scenario| t.trials_of(scenario.name)).collect()
}

/// Whether the receiver ended in place of an answer. One that ended behind its answer is for VER-9 to blame.
fn died_unanswered(t: &Transcript, trial: &Trial) -> bool {
    t.death_at(trial.exchange).is_some() && t.outcome(trial.exchange).status().is_none()
}

/// Whether the controls of a trial were accepted.
pub(super) fn has_controls(t: &Transcript, trial: &Trial) -> bool {
    trial.controls.iter().all(|&control| t.acknowledged(control))
}

/// Whether a delivery was refused because there were too many: that says nothing of this one. How many at a time must be
/// taken is RCV-8's matter.
fn limits_rate(t: &Transcript, trial: &Trial) -> bool {
    let Outcome::Answered(response) = t.outcome(trial.exchange) else { return false };
    let later = response.headers.all("retry-after").next().is_some();
    trial.respect != Respect::Concurrent && (response.status == 429 || response.status == 503 && later)
}

/// The reason why trials do not tell, if there is one.
fn uncontrolled(t: &Transcript, trials: &[&Trial], unclear: Option<&Trial>) -> Option<Verdict> {
    if trials.is_empty() {
        return Some(Verdict::Inconclusive("nothing could be tried".to_owned()));
    }
    let unclear = unclear?;
    let Some(control) = unclear.controls.iter().find(|&&control| !t.acknowledged(control)) else {
        let outcome = t.outcome(unclear.exchange);
        return Some(Verdict::Inconclusive(format!(
            "the receiver limits its rate ({} was answered {outcome}); lower --jobs or --cases",
            unclear.what
        )));
    };
    let cause = of_refusal(t).map(|cause| format!("; cause: {cause}")).unwrap_or_default();
    Some(Verdict::Inconclusive(format!(
        "a plain valid delivery beside it was not acknowledged ({control}: {}{cause})",
        t.outcome(*control)
    )))
}

fn with_death(t: &Transcript, exchange: ExchangeId, message: String) -> String {
    match t.death_at(exchange) {
        Some(how) => format!("{message}; {how}"),
        None => message,
    }
}

/// "(and 3 more of 12; 7 of 64 generated cases)".
fn others(t: &Transcript, scenarios: &[&Scenario], found: &[&Trial], all: &[&Trial]) -> String {
    let fixed = |trials: &[&Trial]| trials.iter().filter(|trial| !trial.generated).count();
    let first_is_fixed = found.first().is_some_and(|first| !first.generated);
    let more = fixed(found) - usize::from(first_is_fixed);
    let mut words: Vec<String> = Vec::new();
    if more > 0 {
        words.push(format!("and {more} more of {}", fixed(all)));
    }
    let generated = scenarios.iter().map(|scenario| t.generated(scenario.name));
    let (deviating, cases) = generated.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    if deviating > 0 {
        words.push(format!("{deviating} of {cases} generated cases came out wrong as well"));
    }
    if words.is_empty() { String::new() } else { format!(" ({})", words.join("; ")) }
}
