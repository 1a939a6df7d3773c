//! The rules of judging that checks of senders share: one verdict on many deliveries.
//!
//! Invariant: nothing passes by the absence of evidence. Where no delivery arrived, the verdict is inconclusive.

use crate::suite::judge::of_all;
use crate::suite::requirement::{Evidence, Requirement, Verdict};
use crate::suite::scenario::Scenario;
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::scenario::events::EVERY_EVENT;
use crate::suite::sender::scenario::generated::GENERATED;
use crate::suite::sender::scenario::https::HTTPS;
use crate::suite::transcript::{Capability, Emission, ScenarioName, Transcript};

/// The scenario that a requirement is judged by first; most have no other.
pub(crate) fn first_scenario(requirement: &Requirement) -> ScenarioName {
    requirement.scenarios[0].name
}

/// One verdict on every delivery in the requirement's scenarios. Where those with fixed events show no failure, generated
/// events are looked at, and then deliveries over HTTPS.
pub(crate) fn every_delivery(
    requirement: &Requirement,
    t: &Transcript,
    judge: impl Fn(&Arrived<'_>) -> Result<Verdict, Verdict>,
) -> Verdict {
    let among = |wanted: &Scenario| requirement.scenarios.contains(&wanted);
    let is_fixed = |one: &Scenario| ![GENERATED.name, HTTPS.name].contains(&one.name);
    // Recorded traffic is that of one webhook.
    let is_played = |one: &Scenario| !t.recorded || *one == EVERY_EVENT;
    let fixed = requirement.scenarios.iter().filter(|one| is_fixed(one) && is_played(one));
    let verdicts = fixed.map(|scenario| each(t, scenario.name, &judge));
    let plain = of_all(verdicts, "no delivery arrived", "scenarios");
    let plain = plain.or_fail(|| if among(&GENERATED) { generated(t, &judge) } else { None });
    if among(&HTTPS) { and_over_https(t, plain, |t| each_over_https(t, &judge)) } else { plain }
}

/// A verdict on what went over plain HTTP and, where that is no failure, the one on what went over HTTPS; `None` where that
/// shows nothing.
pub(crate) fn and_over_https(
    t: &Transcript,
    plain: Verdict,
    secured: impl FnOnce(&Transcript) -> Option<Verdict>,
) -> Verdict {
    if matches!(plain, Verdict::Fail(_)) || !t.capabilities.contains(&Capability::Https) {
        return plain;
    }
    let secured = secured(t).map(|verdict| match verdict {
        Verdict::Fail(mut evidence) => {
            evidence.message = format!("over HTTPS, {}", evidence.message);
            Verdict::Fail(evidence)
        }
        Verdict::Inconclusive(why) => Verdict::Inconclusive(format!("over HTTPS, {why}")),
        other => other,
    });
    of_all([Some(plain), secured].into_iter().flatten(), "nothing was delivered", "ways")
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

/// Every delivery of a scenario.
fn all_in(t: &Transcript, scenario: ScenarioName) -> impl Iterator<Item = Arrived<'_>> {
    t.arrivals_in(scenario).map(|(webhook, arrival)| Arrived::of(t, webhook, arrival))
}

/// One verdict on every delivery of a scenario. The first failure is shown, with the number of them.
fn each(
    t: &Transcript,
    scenario: ScenarioName,
    judge: impl Fn(&Arrived<'_>) -> Result<Verdict, Verdict>,
) -> Verdict {
    let verdicts = all_in(t, scenario).map(|arrived| judge(&arrived).unwrap_or_else(|unclear| unclear));
    of_all(verdicts, "no delivery arrived", "deliveries")
}

/// What a generated event shows against the sender, where one does.
fn generated(t: &Transcript, judge: impl Fn(&Arrived<'_>) -> Result<Verdict, Verdict>) -> Option<Verdict> {
    all_in(t, GENERATED.name).find_map(|arrived| match judge(&arrived) {
        Ok(Verdict::Fail(evidence)) | Err(Verdict::Fail(evidence)) => Some(match arrived.emission {
            Some(emission) => of_generated(t, *evidence, emission).fail(),
            None => evidence.fail(),
        }),
        _ => None,
    })
}

/// One verdict on every delivery over HTTPS, if there was any. DLV-2 judges that none came.
fn each_over_https(
    t: &Transcript,
    judge: impl Fn(&Arrived<'_>) -> Result<Verdict, Verdict>,
) -> Option<Verdict> {
    t.arrivals_in(HTTPS.name).next()?;
    Some(each(t, HTTPS.name, judge))
}
