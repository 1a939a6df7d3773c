//! The endpoints that are in trouble, and the events that meet their conduct.

use crate::suite::transcript::{Conduct, Emission, ScenarioName, Transcript};

/// The webhooks of a scenario at endpoints of some conduct.
pub(super) fn webhooks(
    t: &Transcript,
    scenario: ScenarioName,
    wanted: impl Fn(Conduct) -> bool,
) -> Vec<(usize, Conduct)> {
    let all = t.webhooks_of(scenario).map(|(index, webhook)| (index, webhook.conduct));
    all.filter(|(_, conduct)| wanted(*conduct)).collect()
}

/// The events that meet an endpoint's conduct: all but the first one after the registration.
pub(super) fn met(t: &Transcript, webhook: usize) -> impl Iterator<Item = &Emission> {
    t.emissions_to(webhook).filter(|emission| !emission.first && emission.unsupported.is_none())
}
