//! The rules of judging that checks of receivers share: minimal pairs.
//!
//! Nothing passes by the absence of evidence: no trial, or a control that was rejected, is inconclusive.

use crate::suite::cause::Cause;
use crate::suite::cause::receiver::{of_acceptance, of_end, of_refusal, of_reserialising};
use crate::suite::receiver::scenarios::{
    CONCURRENT, JAVASCRIPT_JSON, LONE_SURROGATE, OTHER_DIALECT, OTHER_SPELLING, UNFAMILIAR, VALID,
};
use crate::suite::requirement::{Evidence, Verdict};
use crate::suite::transcript::{ScenarioName, Transcript, Trial};
use crate::wire::exchange::{ExchangeId, Outcome};

/// The verdict on positives: each trial is acknowledged. One that is refused speaks against the receiver only where its
/// twin was acknowledged; `cause` says what the refusal means then.
pub(crate) fn all_acknowledged(
    t: &Transcript,
    scenario: ScenarioName,
    cause: impl Fn(&Trial) -> Option<Cause>,
) -> Verdict {
    let trials: Vec<&Trial> = t.trials_of(scenario).collect();
    let refused: Vec<&Trial> =
        trials.iter().copied().filter(|trial| !t.acknowledged(trial.exchange)).collect();
    let (judged, unclear): (Vec<&Trial>, Vec<&Trial>) =
        refused.into_iter().partition(|trial| has_controls(t, trial) && !limits_rate(t, trial));
    if let Some(first) = judged.first() {
        let outcome = t.outcome(first.exchange).to_string();
        let message =
            format!("{} was refused: {outcome}{}", first.what, others(t, scenario, &judged, &trials));
        let evidence = Evidence::new("2xx", &outcome, with_death(t, first.exchange, message));
        return evidence
            .shown_by(judged.iter().map(|trial| trial.exchange))
            .because(computed(t, scenario).or_else(|| cause(first)))
            .fail();
    }
    uncontrolled(t, &trials, unclear.first().copied()).unwrap_or(Verdict::Pass)
}

/// Why it is refused, where that lies in what the receiver computes and the scenario is one of spelling.
fn computed(t: &Transcript, scenario: ScenarioName) -> Option<Cause> {
    let spelled = [VALID, JAVASCRIPT_JSON, LONE_SURROGATE, OTHER_DIALECT, OTHER_SPELLING, UNFAMILIAR];
    let spells = spelled.iter().any(|one| one.name == scenario);
    of_reserialising(t).filter(|_| spells)
}

/// The verdict on negatives: no trial is acknowledged. One that is refused counts only where the twins before and behind
/// it were acknowledged.
pub(crate) fn none_acknowledged(t: &Transcript, scenario: ScenarioName) -> Verdict {
    let trials: Vec<&Trial> = t.trials_of(scenario).collect();
    let accepted: Vec<&Trial> =
        trials.iter().copied().filter(|trial| t.acknowledged(trial.exchange)).collect();
    if let Some(first) = accepted.first() {
        let outcome = t.outcome(first.exchange).to_string();
        let message =
            format!("{} was acknowledged: {outcome}{}", first.what, others(t, scenario, &accepted, &trials));
        let causes = accepted.iter().find_map(|trial| of_acceptance(t, trial));
        let evidence = Evidence::new("not 2xx", &outcome, message);
        return evidence.shown_by(accepted.iter().map(|trial| trial.exchange)).because(causes).fail();
    }
    if let Some(fatal) = trials.iter().find(|trial| died_unanswered(t, trial)) {
        let message = with_death(t, fatal.exchange, format!("{} was not answered", fatal.what));
        let evidence =
            Evidence::new("an answer that is not 2xx", t.outcome(fatal.exchange).to_string(), message);
        return evidence.shown_by([fatal.exchange]).because(of_end(fatal.respect)).fail();
    }
    let unclear = trials.iter().copied().find(|trial| !has_controls(t, trial));
    uncontrolled(t, &trials, unclear).unwrap_or(Verdict::Pass)
}

/// Whether the receiver ended in place of an answer. One that ended behind its answer is for VER-9 to blame.
fn died_unanswered(t: &Transcript, trial: &Trial) -> bool {
    t.death_at(trial.exchange).is_some() && t.outcome(trial.exchange).status().is_none()
}

fn has_controls(t: &Transcript, trial: &Trial) -> bool {
    trial.controls.iter().all(|&control| t.acknowledged(control))
}

/// Whether a delivery was refused because there were too many: that says nothing of this one. How many at a time must be
/// taken is RCV-8's matter.
fn limits_rate(t: &Transcript, trial: &Trial) -> bool {
    let Outcome::Answered(response) = t.outcome(trial.exchange) else { return false };
    let later = response.headers.all("retry-after").next().is_some();
    trial.scenario != CONCURRENT.name && (response.status == 429 || response.status == 503 && later)
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
        "a plain genuine delivery beside it was not acknowledged ({control}: {}{cause})",
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
fn others(t: &Transcript, scenario: ScenarioName, found: &[&Trial], all: &[&Trial]) -> String {
    let fixed = |trials: &[&Trial]| trials.iter().filter(|trial| !trial.generated).count();
    let first_is_fixed = found.first().is_some_and(|first| !first.generated);
    let more = fixed(found) - usize::from(first_is_fixed);
    let mut words: Vec<String> = Vec::new();
    if more > 0 {
        words.push(format!("and {more} more of {}", fixed(all)));
    }
    let (deviating, cases) = t.generated(scenario);
    if deviating > 0 {
        words.push(format!("{deviating} of {cases} generated cases came out wrong as well"));
    }
    if words.is_empty() { String::new() } else { format!(" ({})", words.join("; ")) }
}
