//! The rules of judging that many checks share: minimal pairs for receivers, one verdict of many for senders.
//!
//! Invariant: nothing passes by the absence of evidence. No trial, no delivery or no acknowledged twin is `Untestable`.

use crate::suite::cause::Cause;
use crate::suite::cause::receiver::{of_acceptance, of_end, of_refusal, of_reserialising};
use crate::suite::receiver::scenarios::{
    CONCURRENT, JAVASCRIPT_JSON, LONE_SURROGATE, OTHER_DIALECT, OTHER_SPELLING, UNFAMILIAR, VALID,
};
use crate::suite::requirement::{Evidence, Verdict};
use crate::suite::sender::scenarios::{EVERY_EVENT, GENERATED};
use crate::suite::transcript::{Arrival, Emission, ScenarioName, Transcript, Trial, Webhook};
use crate::webhook::dialect::Members;
use crate::webhook::event::EventName;
use crate::wire::exchange::{Exchange, ExchangeId, Outcome};

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

/// A delivery that is judged by itself: the webhook it came to, the request, and the event that it carries.
pub(crate) struct Arrived<'a> {
    pub(crate) webhook: &'a Webhook,
    pub(crate) exchange: &'a Exchange,
    pub(crate) arrival: &'a Arrival,
    emission: Option<&'a Emission>,
    /// Whether it is recorded traffic, in which nothing was emitted by the suite.
    recorded: bool,
}

impl<'a> Arrived<'a> {
    /// What reached a webhook's endpoint.
    pub(crate) fn of(t: &'a Transcript, webhook: &'a Webhook, arrival: &'a Arrival) -> Self {
        let (exchange, emission) = (t.exchange(arrival.exchange), t.carried(arrival).next());
        Self { webhook, exchange, arrival, emission, recorded: t.recorded }
    }

    /// The event that it carries; where none of those emitted can be found in it, that is what does not tell.
    pub(crate) fn emission(&self) -> Result<&'a Emission, Verdict> {
        self.emission
            .ok_or_else(|| Verdict::Inconclusive("the request carries no record that was emitted".to_owned()))
    }

    /// The event that was emitted, as above; `None` in recorded traffic, where the delivery alone says what happened.
    pub(crate) fn emitted(&self) -> Result<Option<&'a Emission>, Verdict> {
        if self.recorded { Ok(None) } else { self.emission().map(Some) }
    }

    /// The name of the event: the emitted one's or, in recorded traffic, the one that the body gives.
    pub(crate) fn event_name(&self, member: &str) -> Result<EventName, Verdict> {
        if let Some(emission) = self.emitted()? {
            return Ok(emission.event.name.clone());
        }
        let named = self.members()?.text(member).map(EventName::new);
        named.ok_or_else(|| Verdict::Inconclusive(format!("the body has no text `{member}` (see PAY-1)")))
    }

    /// The members of its body; where it is no JSON object, that is for DLV-3, DLV-5 and PAY-6 to say.
    pub(crate) fn members(&self) -> Result<Members, Verdict> {
        Members::parse(self.whole_body()?).map_err(|why| Verdict::Inconclusive(why.to_string()))
    }

    /// Its body, where all of it was kept; where not, that is for DLV-3 to say.
    pub(crate) fn whole_body(&self) -> Result<&'a [u8], Verdict> {
        let (kept, length) = (&*self.exchange.delivery.body, self.arrival.traits.body_length);
        if kept.len() as u64 == length {
            return Ok(kept);
        }
        Err(Verdict::Inconclusive(format!("of a body of {length} bytes only {} were kept", kept.len())))
    }

    /// Evidence that this delivery shows.
    pub(crate) fn evidence(
        &self,
        expected: impl Into<String>,
        actual: impl Into<String>,
        message: impl Into<String>,
    ) -> Evidence {
        Evidence::new(expected, actual, message).shown_by([self.exchange.id])
    }
}

/// Every delivery of a scenario.
pub(crate) fn all_in(t: &Transcript, scenario: ScenarioName) -> impl Iterator<Item = Arrived<'_>> {
    t.arrivals_in(scenario).map(|(webhook, arrival)| Arrived::of(t, webhook, arrival))
}

/// One verdict on every delivery that shows how this sender makes one: those of the first scenario and, of the generated
/// ones, those that came out otherwise than they should.
pub(crate) fn every_delivery(
    t: &Transcript,
    judge: impl Fn(&Arrived<'_>) -> Result<Verdict, Verdict>,
) -> Verdict {
    each(t, EVERY_EVENT.name, &judge).or_fail(|| generated(t, judge))
}

/// What a generated event shows against the sender, where one does.
pub(crate) fn generated(
    t: &Transcript,
    judge: impl Fn(&Arrived<'_>) -> Result<Verdict, Verdict>,
) -> Option<Verdict> {
    all_in(t, GENERATED.name).find_map(|arrived| match judge(&arrived) {
        Ok(Verdict::Fail(evidence)) | Err(Verdict::Fail(evidence)) => {
            let emission = arrived.emission.filter(|emission| emission.generated.is_some());
            Some(match emission {
                Some(emission) => of_generated(t, *evidence, emission).fail(),
                None => evidence.fail(),
            })
        }
        _ => None,
    })
}

/// Evidence that a generated event gives: it names the event, so that it can be emitted again.
pub(crate) fn of_generated(t: &Transcript, mut evidence: Evidence, emission: &Emission) -> Evidence {
    let Some(generated) = &emission.generated else { return evidence };
    let smaller = match generated.steps {
        0 => String::new(),
        steps => format!(", made smaller in {steps} steps"),
    };
    let what = generated.what.as_ref().map(|what| format!(": {what}")).unwrap_or_default();
    let property = generated.property;
    evidence.message = format!("{} (one of the generated {property}{smaller}{what})", evidence.message);
    evidence.emission = t.emissions.iter().position(|other| other.record_id == emission.record_id);
    evidence
}

/// One verdict on every delivery of a scenario. The first failure speaks for all and says how many there are.
pub(crate) fn each(
    t: &Transcript,
    scenario: ScenarioName,
    judge: impl Fn(&Arrived<'_>) -> Result<Verdict, Verdict>,
) -> Verdict {
    let verdicts = all_in(t, scenario).map(|arrived| judge(&arrived).unwrap_or_else(|unclear| unclear));
    of_all(verdicts, "no delivery arrived", "deliveries")
}

/// The strongest of many verdicts: a failure, then what does not tell, then a pass. `nothing` is the reason where there
/// are none.
pub(crate) fn of_all(verdicts: impl Iterator<Item = Verdict>, nothing: &str, things: &str) -> Verdict {
    let (mut failed, mut unclear, mut not_applicable, mut passed) = (Vec::new(), None, None, 0_usize);
    let mut count = 0_usize;
    for verdict in verdicts {
        count += 1;
        match verdict {
            Verdict::Pass => passed += 1,
            Verdict::Fail(evidence) => failed.push(*evidence),
            Verdict::Inconclusive(reason) => unclear = unclear.or(Some(reason)),
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
        (Some(reason), _) => Verdict::Inconclusive(reason),
        (None, Some(reason)) if passed == 0 => Verdict::NotApplicable(reason),
        (None, _) if passed == 0 => Verdict::Inconclusive(nothing.to_owned()),
        _ => Verdict::Pass,
    }
}
