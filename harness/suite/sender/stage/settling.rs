//! How long a registration and a deletion take to be in force.
//!
//! Invariant: only SUB-1 and SUB-3 judge it. Everything else is emitted when the registration is in force, so that one fault
//! does not make the other requirements inconclusive.

use std::mem;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use super::{Purpose, SenderStage};
use crate::subject::SubjectError;
use crate::suite::transcript::ScenarioName;
use crate::webhook::event::EventName;
use crate::wire::coding::record_ids;
use crate::wire::endpoint::scripted::{Endpoint, Received};

/// How long to wait for an event before the next one is tried.
const STEP: Duration = Duration::from_secs(1);
/// The same at a CRM, which delivers through a queue, and where each event is a call.
const STEP_AT_CRM: Duration = Duration::from_secs(2);
/// How long to try at a CRM. Twenty 2.31 needs up to 10 s.
const LONGEST: Duration = Duration::from_secs(20);

/// What is known about the registrations of the scenario under way, and about the sender's.
#[derive(Debug, Default)]
pub(crate) struct Settling {
    /// When the last webhook of the scenario was registered, in milliseconds since the epoch; `None` if none is new.
    registered_at_ms: Option<u64>,
    /// Whether nothing was in force for so long that it is not tried again.
    gave_up: bool,
}

impl Settling {
    pub(super) fn registered(&mut self, at_ms: u64) {
        self.registered_at_ms = Some(at_ms);
    }

    /// Forgets the registrations of a scenario that has ended.
    pub(super) fn end(&mut self) {
        self.registered_at_ms = None;
    }
}

impl SenderStage<'_> {
    /// Emits the first event after a registration, which only SUB-1 judges. Returns when the registration is in force: what follows is
    /// delivered.
    pub(crate) async fn emit_first(&mut self, scenario: ScenarioName) -> Result<(), SubjectError> {
        if self.crm().is_some() && self.settling.registered_at_ms.is_none() {
            // All its webhooks are in force since an earlier scenario.
            return Ok(());
        }
        let registered_at_ms = mem::take(&mut self.settling.registered_at_ms).unwrap_or_default();
        let probes = self.transcript.emissions.len();
        self.emit_probe(scenario).await?;
        if !self.transcript.settling.is_zero() {
            sleep(self.transcript.settling).await;
            self.transcript.waited += self.transcript.settling;
            return Ok(());
        }
        let is_known = self.transcript.in_force.registration.is_some() || self.settling.gave_up;
        if self.crm().is_none() && is_known && !self.transcript.in_force.is_late() {
            return Ok(());
        }
        self.wait_until_in_force(scenario, probes, registered_at_ms).await
    }

    async fn emit_probe(&mut self, scenario: ScenarioName) -> Result<(), SubjectError> {
        let event = self.first_event();
        self.emit(scenario, &event, Purpose::First).await
    }

    /// Emits events until one has reached each new webhook whose filter matches it. Notes how long that took.
    async fn wait_until_in_force(
        &mut self,
        scenario: ScenarioName,
        first: usize,
        registered_at_ms: u64,
    ) -> Result<(), SubjectError> {
        let (step, longest) = match self.crm() {
            Some(_) => (STEP_AT_CRM, LONGEST),
            None => (STEP, self.transcript.limits.deadline * 2),
        };
        let longest = if self.rehearses { Duration::ZERO } else { longest };
        let began = Instant::now();
        let until = began + longest;
        while !self.all_reached(&self.first_event().name, step.min(longest)).await {
            if Instant::now() >= until {
                // Nothing is in force: the checks judge what is missing. To try again would cost the whole time in each scenario.
                self.settling.gave_up = true;
                return Ok(());
            }
            self.emit_probe(scenario).await?;
        }
        self.transcript.waited += began.elapsed();
        let arrived = self.arrived_ids();
        let probes = self.transcript.emissions[first..].iter().filter(|one| one.first);
        let mut probes = probes.enumerate();
        let earliest = probes.find(|(_, probe)| arrived.contains(&probe.record_id));
        let late_ms = match earliest {
            Some((0, _)) | None => 0,
            Some((_, probe)) => probe.asked_at_ms.saturating_sub(registered_at_ms),
        };
        let longest = self.transcript.in_force.registration.max(Some(Duration::from_millis(late_ms)));
        self.transcript.in_force.registration = longest;
        Ok(())
    }

    /// Whether something reaches each webhook of the scenario at which it can be seen and whose filter matches the event.
    async fn all_reached(&self, event: &EventName, wait: Duration) -> bool {
        let reached = self.registered.iter().filter(|one| {
            let webhook = &self.transcript.webhooks[one.index];
            let matches = |all: &Vec<String>| all.iter().any(|one| event.matches(one));
            webhook.conduct.sees_requests() && webhook.operations.as_ref().is_none_or(matches)
        });
        let waits = reached.map(|one| one.endpoint.wait(wait, |received| !received.is_empty()));
        join_all(waits).await.into_iter().all(|arrived| arrived)
    }

    /// The records whose events have reached any webhook of the scenario.
    fn arrived_ids(&self) -> Vec<String> {
        let of = |received: &[Received]| received.iter().flat_map(|one| record_ids(&one.delivery)).collect();
        self.registered.iter().flat_map(|one| one.endpoint.look::<Vec<String>>(of)).collect()
    }

    /// If events still reach a deleted webhook: emits more until one reaches the remaining webhook alone. Notes how long that took. Both are
    /// given by their places.
    pub(crate) async fn wait_until_deleted(
        &mut self,
        scenario: ScenarioName,
        (deleted, remaining): (usize, usize),
        deleted_at_ms: u64,
    ) -> Result<(), SubjectError> {
        if self.crm().is_none() && !self.transcript.in_force.is_late() {
            return Ok(());
        }
        let quiet = self.transcript.limits.quiet;
        let (mut last, until) = (None, Instant::now() + LONGEST);
        loop {
            self.watch_for(quiet).await;
            let emitted =
                self.transcript.emissions.last().map(|one| (one.record_id.clone(), one.asked_at_ms));
            let Some((id, asked_at_ms)) = emitted else { return Ok(()) };
            if !carries(&self.registered[deleted].endpoint, &id) {
                break;
            }
            last = Some(asked_at_ms);
            if Instant::now() >= until {
                break;
            }
            sleep(STEP.saturating_sub(quiet)).await;
            self.emit_probe(scenario).await?;
            let id = self.transcript.emissions.last().map(|one| one.record_id.clone());
            self.wait_for(&self.registered[remaining].endpoint, id.into_iter().collect()).await;
        }
        self.transcript.in_force.deletion =
            last.map(|asked| Duration::from_millis(asked.saturating_sub(deleted_at_ms)));
        Ok(())
    }
}

fn carries(endpoint: &Endpoint, id: &str) -> bool {
    let is_it = |one: &Received| record_ids(&one.delivery).iter().any(|other| other == id);
    endpoint.look(|received| received.iter().any(is_it))
}
