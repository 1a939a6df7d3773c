//! The rules of judging that many checks share: minimal pairs for receivers, one verdict of many for senders.
//!
//! Invariant: nothing passes by the absence of evidence. No trial, no delivery or no acknowledged twin is `Untestable`.

use crate::cause::Cause;
use crate::cause::receiver::{of_admission, of_refusal};
use crate::dialect::Members;
use crate::exchange::{Exchange, ExchangeId};
use crate::requirement::{Evidence, Verdict};
use crate::transcript::{Arrival, Emission, Scenario, Transcript, Trial, Webhook};

/// The verdict on positives: each trial is acknowledged. One that is refused speaks against the receiver only where its
/// twin was acknowledged; `cause` says what the refusal means then.
pub(super) fn all_acknowledged(
    t: &Transcript,
    scenario: Scenario,
    cause: impl Fn(&Trial) -> Option<Cause>,
) -> Verdict {
    let trials: Vec<&Trial> = t.trials_of(scenario).collect();
    let refused: Vec<&Trial> =
        trials.iter().copied().filter(|trial| !t.acknowledged(trial.exchange)).collect();
    let (judged, unclear): (Vec<&Trial>, Vec<&Trial>) =
        refused.into_iter().partition(|trial| has_twins(t, trial));
    if let Some(first) = judged.first() {
        let outcome = t.outcome(first.exchange).to_string();
        let message = format!("{} was refused: {outcome}{}", first.what, others(judged.len(), trials.len()));
        let evidence = Evidence::new("2xx", &outcome, with_death(t, first.exchange, message));
        return evidence.shown_by(judged.iter().map(|trial| trial.exchange)).because(cause(first)).fail();
    }
    untwinned(t, &trials, unclear.first().copied()).unwrap_or(Verdict::Pass)
}

/// The verdict on negatives: no trial is acknowledged. One that is refused counts only where the twins before and behind
/// it were acknowledged.
pub(super) fn none_acknowledged(t: &Transcript, scenario: Scenario) -> Verdict {
    let trials: Vec<&Trial> = t.trials_of(scenario).collect();
    let admitted: Vec<&Trial> =
        trials.iter().copied().filter(|trial| t.acknowledged(trial.exchange)).collect();
    if let Some(first) = admitted.first() {
        let outcome = t.outcome(first.exchange).to_string();
        let message =
            format!("{} was acknowledged: {outcome}{}", first.what, others(admitted.len(), trials.len()));
        let causes = admitted.iter().find_map(|trial| of_admission(t, trial));
        let evidence = Evidence::new("not 2xx", &outcome, message);
        return evidence.shown_by(admitted.iter().map(|trial| trial.exchange)).because(causes).fail();
    }
    if let Some(fatal) = trials.iter().find(|trial| died_unanswered(t, trial)) {
        let message = with_death(t, fatal.exchange, format!("{} was not answered", fatal.what));
        let evidence =
            Evidence::new("an answer that is not 2xx", t.outcome(fatal.exchange).to_string(), message);
        let cause = Cause::new(crate::cause::Code::AnswerNone);
        return evidence.shown_by([fatal.exchange]).because(cause).fail();
    }
    let unclear = trials.iter().copied().find(|trial| !has_twins(t, trial));
    untwinned(t, &trials, unclear).unwrap_or(Verdict::Pass)
}

/// Whether the receiver ended in place of an answer. One that ended behind its answer is for VER-9 to blame.
fn died_unanswered(t: &Transcript, trial: &Trial) -> bool {
    t.death_at(trial.exchange).is_some() && t.outcome(trial.exchange).status().is_none()
}

fn has_twins(t: &Transcript, trial: &Trial) -> bool {
    trial.twins.iter().all(|&twin| t.acknowledged(twin))
}

/// The reason why trials do not tell, if there is one.
fn untwinned(t: &Transcript, trials: &[&Trial], unclear: Option<&Trial>) -> Option<Verdict> {
    if trials.is_empty() {
        return Some(Verdict::Untestable("nothing could be tried".to_owned()));
    }
    let twin = unclear?.twins.iter().find(|&&twin| !t.acknowledged(twin))?;
    let cause = of_refusal(t).map(|cause| format!("; cause: {cause}")).unwrap_or_default();
    Some(Verdict::Untestable(format!(
        "a plain genuine delivery beside it was not acknowledged ({twin}: {}{cause})",
        t.outcome(*twin)
    )))
}

fn with_death(t: &Transcript, exchange: ExchangeId, message: String) -> String {
    match t.death_at(exchange) {
        Some(how) => format!("{message}; {how}"),
        None => message,
    }
}

/// "(and 3 more of 12)".
fn others(found: usize, of: usize) -> String {
    if found > 1 { format!(" (and {} more of {of})", found - 1) } else { String::new() }
}

/// A delivery that is judged by itself: the webhook it came to, the request, and the event that it carries.
pub(super) struct Arrived<'a> {
    pub(super) webhook: &'a Webhook,
    pub(super) exchange: &'a Exchange,
    pub(super) arrival: &'a Arrival,
    emission: Option<&'a Emission>,
}

impl<'a> Arrived<'a> {
    /// What reached a webhook's endpoint.
    pub(super) fn of(t: &'a Transcript, webhook: &'a Webhook, arrival: &'a Arrival) -> Self {
        let (exchange, emission) = (t.exchange(arrival.exchange), t.carried(arrival).next());
        Self { webhook, exchange, arrival, emission }
    }

    /// The event that it carries; where none of those emitted can be found in it, that is what does not tell.
    pub(super) fn emission(&self) -> Result<&'a Emission, Verdict> {
        self.emission
            .ok_or_else(|| Verdict::Untestable("the request carries no record that was emitted".to_owned()))
    }

    /// The members of its body; where it is no JSON object, that is for DLV-3, DLV-5 and PAY-6 to say.
    pub(super) fn members(&self) -> Result<Members, Verdict> {
        Members::parse(self.whole_body()?).map_err(|why| Verdict::Untestable(why.to_string()))
    }

    /// Its body, where all of it was kept; where not, that is for DLV-3 to say.
    pub(super) fn whole_body(&self) -> Result<&'a [u8], Verdict> {
        let (kept, length) = (&*self.exchange.delivery.body, self.arrival.traits.body_length);
        if kept.len() as u64 == length {
            return Ok(kept);
        }
        Err(Verdict::Untestable(format!("of a body of {length} bytes only {} were kept", kept.len())))
    }

    /// Evidence that this delivery shows.
    pub(super) fn evidence(
        &self,
        expected: impl Into<String>,
        actual: impl Into<String>,
        message: impl Into<String>,
    ) -> Evidence {
        Evidence::new(expected, actual, message).shown_by([self.exchange.id])
    }
}

/// Every delivery of a scenario.
pub(super) fn all_in(t: &Transcript, scenario: Scenario) -> impl Iterator<Item = Arrived<'_>> {
    t.arrivals_in(scenario).map(|(webhook, arrival)| Arrived::of(t, webhook, arrival))
}

/// One verdict on every delivery of a scenario. The first failure speaks for all and says how many there are.
pub(super) fn each(
    t: &Transcript,
    scenario: Scenario,
    judge: impl Fn(&Arrived<'_>) -> Result<Verdict, Verdict>,
) -> Verdict {
    let verdicts = all_in(t, scenario).map(|arrived| judge(&arrived).unwrap_or_else(|unclear| unclear));
    of_all(verdicts, "no delivery arrived", "deliveries")
}

/// The strongest of many verdicts: a failure, then what does not tell, then a pass. `nothing` is the reason where there
/// are none.
pub(super) fn of_all(verdicts: impl Iterator<Item = Verdict>, nothing: &str, things: &str) -> Verdict {
    let (mut failed, mut unclear, mut not_applicable, mut passed) = (Vec::new(), None, None, 0_usize);
    let mut count = 0_usize;
    for verdict in verdicts {
        count += 1;
        match verdict {
            Verdict::Pass => passed += 1,
            Verdict::Fail(evidence) => failed.push(*evidence),
            Verdict::Untestable(reason) => unclear = unclear.or(Some(reason)),
            Verdict::NotApplicable(reason) => not_applicable = not_applicable.or(Some(reason)),
        }
    }
    let number = failed.len();
    if let Some(mut evidence) = failed.into_iter().reduce(|mut first, other| {
        first.exchanges.extend(other.exchanges);
        first
    }) {
        if number > 1 {
            evidence.message = format!("{} ({number} of {count} {things})", evidence.message);
        }
        return evidence.fail();
    }
    match (unclear, not_applicable) {
        (Some(reason), _) => Verdict::Untestable(reason),
        (None, Some(reason)) if passed == 0 => Verdict::NotApplicable(reason),
        (None, _) if passed == 0 => Verdict::Untestable(nothing.to_owned()),
        _ => Verdict::Pass,
    }
}
