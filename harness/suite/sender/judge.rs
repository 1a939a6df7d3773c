//! How the checks of senders combine the verdicts on many deliveries.
//!
//! Invariant: nothing passes without evidence. If no delivery arrived, the verdict is inconclusive.

use crate::suite::judge::of_all;
use crate::suite::requirement::{Evidence, Requirement, Verdict};
use crate::suite::scenario::Scenario;
use crate::suite::sender::arrived::Arrived;
use crate::suite::sender::messages;
use crate::suite::sender::scenario::events::EVERY_EVENT;
use crate::suite::sender::scenario::generated::GENERATED;
use crate::suite::sender::scenario::https::HTTPS;
use crate::suite::transcript::{Capability, Emission, ScenarioName, Transcript};

/// The scenario by which a requirement is judged first. Most have no other.
pub(crate) fn first_scenario(requirement: &Requirement) -> ScenarioName {
    requirement.scenarios[0].name
}

/// One verdict on every delivery in the requirement's scenarios: first fixed events, then generated ones if no fixed one
/// fails, then deliveries over HTTPS.
pub(crate) fn every_delivery(
    requirement: &Requirement,
    t: &Transcript,
    judge: impl Fn(&Arrived<'_>) -> Result<Verdict, Verdict>,
) -> Verdict {
    let among = |wanted: &Scenario| requirement.scenarios.contains(&wanted);
    let is_fixed = |one: &Scenario| ![GENERATED.name, HTTPS.name].contains(&one.name);
    // Recorded traffic is from one webhook.
    let is_played = |one: &Scenario| !t.recorded || *one == EVERY_EVENT;
    let fixed = requirement.scenarios.iter().filter(|one| is_fixed(one) && is_played(one));
    let verdicts = fixed.map(|scenario| each(t, scenario.name, &judge));
    let plain = of_all(verdicts, messages::no_delivery_arrived(), "scenarios");
    let plain = plain.or_fail(|| if among(&GENERATED) { generated(t, &judge) } else { None });
    if among(&HTTPS) { and_over_https(t, plain, |t| each_over_https(t, &judge)) } else { plain }
}

/// A verdict on deliveries over plain HTTP and, unless that fails, on those over HTTPS. `secured` returns `None` if HTTPS shows
/// nothing.
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
            evidence.message = messages::over_https(&evidence.message);
            Verdict::Fail(evidence)
        }
        Verdict::Inconclusive(why) => Verdict::Inconclusive(messages::over_https(&why)),
        other => other,
    });
    of_all([Some(plain), secured].into_iter().flatten(), messages::no_delivery_arrived(), "transports")
}

/// Evidence from a generated event. It points to the event, which can then be emitted again.
pub(crate) fn of_generated(t: &Transcript, mut evidence: Evidence, emission: &Emission) -> Evidence {
    let Some(generated) = &emission.generated else { return evidence };
    let (property, steps, what) = (generated.property, generated.steps, generated.what.as_deref());
    evidence.message = messages::generated(&evidence.message, property, steps, what);
    evidence.emission = t.emissions.iter().position(|other| other.record_id == emission.record_id);
    evidence
}

fn all_in(t: &Transcript, scenario: ScenarioName) -> impl Iterator<Item = Arrived<'_>> {
    t.arrivals_in(scenario).map(|(webhook, arrival)| Arrived::of(t, webhook, arrival))
}

/// One verdict on every delivery of a scenario. It shows the first failure and how many there are.
fn each(
    t: &Transcript,
    scenario: ScenarioName,
    judge: impl Fn(&Arrived<'_>) -> Result<Verdict, Verdict>,
) -> Verdict {
    let verdicts = all_in(t, scenario).map(|arrived| judge(&arrived).unwrap_or_else(|unclear| unclear));
    of_all(verdicts, messages::no_delivery_arrived(), "deliveries")
}

/// The first failure that a generated event shows.
fn generated(t: &Transcript, judge: impl Fn(&Arrived<'_>) -> Result<Verdict, Verdict>) -> Option<Verdict> {
    all_in(t, GENERATED.name).find_map(|arrived| match judge(&arrived) {
        Ok(Verdict::Fail(evidence)) | Err(Verdict::Fail(evidence)) => Some(match arrived.emission {
            Some(emission) => of_generated(t, *evidence, emission).fail(),
            None => evidence.fail(),
        }),
        _ => None,
    })
}

/// One verdict on every delivery over HTTPS, if any arrived. DLV-2 fails if none did.
fn each_over_https(
    t: &Transcript,
    judge: impl Fn(&Arrived<'_>) -> Result<Verdict, Verdict>,
) -> Option<Verdict> {
    t.arrivals_in(HTTPS.name).next()?;
    Some(each(t, HTTPS.name, judge))
}
