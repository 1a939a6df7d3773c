//! HTTPS endpoints: one with a good certificate, and some whose certificates cannot be trusted.
//!
//! Invariant: the endpoint with the bad certificate shows whether the sender connected, whatever the sender reports.

use futures_util::FutureExt as _;
use futures_util::future::join_all;

use super::answers::plain;
use crate::subject::SubjectError;
use crate::subject::capability::Capability;
use crate::suite::scenario::{Play, Scenario, Turn};
use crate::suite::sender::messages;
use crate::suite::sender::stage::{NewWebhook, Purpose, SenderStage};
use crate::suite::transcript::{Certificate, Conduct, ScenarioName};
use crate::wire::endpoint::scripted::Script;

/// Several events, to an HTTPS endpoint.
pub const HTTPS: Scenario = Scenario {
    name: ScenarioName("https"),
    sends: "an HTTPS endpoint with a certificate from the authority that the sender was given",
    needs: Some(Capability::Https),
    turn: Turn::Usual,
    play: Play::Sender(|stage| stage.https().boxed_local()),
};

/// Endpoints with certificates that cannot be trusted.
pub const BAD_CERTIFICATES: Scenario = Scenario {
    name: ScenarioName("bad-certificates"),
    sends: "HTTPS endpoints whose certificates have expired, are self-signed and are for another host, next to an \
            endpoint with a good certificate",
    needs: Some(Capability::Https),
    turn: Turn::Last,
    play: Play::Sender(|stage| stage.bad_certificates().boxed_local()),
};

impl SenderStage<'_> {
    async fn https(&mut self) -> Result<(), SubjectError> {
        let scenario = HTTPS.name;
        self.register_secured(scenario, Certificate::Good).await?;
        self.emit_first(scenario).await?;
        for name in ["person.updated", "company.created"] {
            self.emit(scenario, &self.sample(name), Purpose::Sample).await?;
        }
        self.wait_for_all().await;
        self.settle([(0, self.record_ids(scenario))], self.transcript.limits.timeout).await
    }

    async fn bad_certificates(&mut self) -> Result<(), SubjectError> {
        let scenario = BAD_CERTIFICATES.name;
        self.register_secured(scenario, Certificate::Good).await?;
        for certificate in Certificate::BAD {
            self.register_secured(scenario, certificate).await?;
        }
        let mut before = self.visits();
        self.emit_first(scenario).await?;
        self.wait_for_visits(&before).await;
        let sample = self.sample("person.updated");
        let mut ids = Vec::new();
        // The second event shows whether the sender continues.
        for _ in 0..2 {
            let id = self.random.uuid();
            before = self.visits();
            self.emit_as(scenario, &sample, id.clone(), Purpose::Sample).await?;
            self.wait_for_visits(&before).await;
            ids.push(id);
            let all = (0..self.registered.len()).map(|at| (at, ids.clone()));
            self.settle(all, self.transcript.limits.deadline).await?;
        }
        self.remark_on_trust();
        Ok(())
    }

    async fn register_secured(
        &mut self,
        scenario: ScenarioName,
        certificate: Certificate,
    ) -> Result<(), SubjectError> {
        self.register_as(scenario, NewWebhook::signed().at(Conduct::Secured(certificate))).await?;
        // A plain answer: ACK-5 judges other forms.
        self.registered.iter().for_each(|one| one.endpoint.follow(Script::always(plain())));
        Ok(())
    }

    /// How often the sender has connected to each endpoint.
    fn visits(&self) -> Vec<u64> {
        self.registered.iter().map(|one| one.endpoint.visits()).collect()
    }

    /// Waits until the last event has reached the working endpoint. For the others, it waits until the sender has connected or the
    /// deadline has passed.
    async fn wait_for_visits(&mut self, before: &[u64]) {
        let deadline = self.transcript.limits.deadline;
        let visits = self.registered.iter().zip(before);
        join_all(visits.map(|(one, &before)| one.endpoint.wait_for_visit(before, deadline))).await;
        self.wait_for_all().await;
    }

    /// Remarks on a sender that accepts bad certificates. No requirement forbids it.
    fn remark_on_trust(&mut self) {
        let trusted = self.registered.iter().filter(|one| one.endpoint.count() > 0);
        let certificates = trusted.filter_map(|one| match self.transcript.webhooks[one.index].conduct {
            Conduct::Secured(certificate) if certificate != Certificate::Good => Some(certificate.describe()),
            _ => None,
        });
        let certificates: Vec<&str> = certificates.collect();
        if !certificates.is_empty() {
            self.transcript.remarks.push(messages::untrusted_accepted(&certificates));
        }
    }
}
