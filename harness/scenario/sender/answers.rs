//! What a sender makes of the answers to its deliveries.
//!
//! Invariant: each answer is given to one record's deliveries, whatever else is under way.

use std::collections::{HashMap, HashSet};

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{Kind, OUTCOMES_PACE, Stage, read};
use crate::endpoint::scripted::{Answer, Script};
use crate::subject::SubjectError;
use crate::subject::protocol::{self, Op};
use crate::subject::sender::expect_ok;
use crate::transcript::{Capability, Scenario, Settled, uuids};

/// Statuses outside 200 to 299, a sample of each class.
pub(super) const NOT_ACKNOWLEDGING: &[u16] =
    &[300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 502, 503, 504];

impl Stage<'_> {
    /// One event for each status, and what the sender made of the answers.
    pub(super) async fn statuses(
        &mut self,
        scenario: Scenario,
        statuses: &[u16],
    ) -> Result<(), SubjectError> {
        let elsewhere = self.endpoint().await?;
        self.register(scenario, self.random.secret()).await?;
        self.first(scenario).await?;
        let sample = self.sample("person.updated");
        let ids: Vec<(String, u16)> = statuses.iter().map(|&status| (self.random.uuid(), status)).collect();
        let answer = |&(ref id, status): &(String, u16)| {
            let redirects = (300..400).contains(&status).then(|| elsewhere.url("/moved"));
            let answer = Answer::status(status);
            let answer = redirects.into_iter().fold(answer, |answer, to| answer.header("Location", to));
            (id.clone(), vec![answer])
        };
        let by_record = ids.iter().map(answer).collect();
        self.registered[0].endpoint.follow(Script { by_record, ..Script::default() });
        for (id, status) in ids {
            self.emit_as(scenario, &sample, id, Kind::Answered(status)).await?;
        }
        self.wait_for_all().await;
        if scenario == Scenario::Acknowledged {
            self.watch().await;
        }
        if self.transcript.capabilities.contains(&Capability::Outcomes) {
            self.ask_for_outcomes(scenario).await?;
        }
        for received in elsewhere.received() {
            self.take(None, received);
        }
        Ok(())
    }

    /// Asks until every delivery that arrived is settled, or the time in which it has to be is over.
    async fn ask_for_outcomes(&mut self, scenario: Scenario) -> Result<(), SubjectError> {
        let (index, webhook) = (self.registered[0].index, self.registered[0].name.clone());
        let emitted = self.record_ids(scenario);
        // What was acknowledged is settled then and there. What was not may be sent again later, and is not waited for.
        let limits = self.transcript.limits;
        let wait = if scenario == Scenario::Acknowledged { limits.timeout } else { limits.deadline };
        let deadline = Instant::now() + wait;
        loop {
            let arrived = self.registered[0].endpoint.received();
            let carried: HashSet<&str> = arrived.iter().flat_map(|one| uuids(&one.delivery.body)).collect();
            let at_ms = self.clock.now_ms();
            let answer =
                expect_ok("outcomes", self.subject.call(Op::Outcomes { webhook: webhook.clone() }).await?)?;
            let deliveries = answer.get("deliveries").cloned().unwrap_or(Value::Null);
            let outcomes: Vec<protocol::Outcome> = read("outcomes", deliveries)?;
            let settled: HashMap<String, protocol::Outcome> =
                outcomes.into_iter().filter_map(|one| Some((one.record.clone()?, one))).collect();
            let is_settled = |id: &String| settled.contains_key(id) || !carried.contains(id.as_str());
            if emitted.iter().all(is_settled) || Instant::now() >= deadline {
                self.transcript.webhooks[index].outcomes_at_ms = Some(at_ms);
                self.transcript.settled.extend(settled.into_iter().map(|(record_id, one)| Settled {
                    webhook: index,
                    record_id,
                    delivered: one.delivered,
                    status: one.status,
                }));
                return Ok(());
            }
            sleep(OUTCOMES_PACE).await;
        }
    }
}
