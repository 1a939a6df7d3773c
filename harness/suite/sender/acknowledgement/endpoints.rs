//! The endpoints of a scenario that do not answer plainly, and the events that are judged there.

use crate::suite::transcript::{Conduct, Emission, ScenarioName, Transcript};

/// The webhooks of a scenario whose endpoints have the wanted conduct.
pub(super) fn webhooks(
    t: &Transcript,
    scenario: ScenarioName,
    wanted: impl Fn(Conduct) -> bool,
) -> Vec<(usize, Conduct)> {
    let all = t.webhooks_of(scenario).map(|(index, webhook)| (index, webhook.conduct));
    all.filter(|(_, conduct)| wanted(*conduct)).collect()
}

/// The events that are judged at an endpoint: all but the first event after the registration.
pub(super) fn judged_events(t: &Transcript, webhook: usize) -> impl Iterator<Item = &Emission> {
    t.emissions_to(webhook).filter(|emission| !emission.first && emission.unsupported.is_none())
}
