//! The outcomes that a sender reports of its deliveries.
//!
//! Invariant: the sender is asked until the deliveries that arrived are settled or the wait is over. Its last report is recorded.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::SenderStage;
use crate::subject::SubjectError;
use crate::subject::capability::Capability;
use crate::subject::protocol::{self, Op, Outcome};
use crate::suite::transcript::SettledDelivery;
use crate::wire::coding::record_ids;
use crate::wire::endpoint::scripted::Received;

/// How often outcomes are asked for while they are not settled.
const PACE: Duration = Duration::from_millis(20);

struct Unsettled {
    /// The webhook's place among the registered ones.
    at: usize,
    /// The records whose deliveries are to be settled.
    ids: Vec<String>,
    /// The records that have arrived.
    arrived: HashSet<String>,
    /// How many requests were searched for them.
    seen: usize,
}

impl SenderStage<'_> {
    /// Asks until those of these deliveries that arrived are settled, or the wait is over. If arrivals cannot be seen, all of
    /// them must be settled. `wanted` has places among the registered webhooks, and record ids.
    pub(crate) async fn settle(
        &mut self,
        wanted: impl IntoIterator<Item = (usize, Vec<String>)>,
        wait: Duration,
    ) -> Result<(), SubjectError> {
        if !self.declares(Capability::Outcomes) {
            return Ok(());
        }
        let deadline = Instant::now() + wait;
        let new = |(at, ids)| Unsettled { at, ids, arrived: HashSet::new(), seen: 0 };
        let mut open: Vec<Unsettled> = wanted.into_iter().map(new).collect();
        loop {
            let over = Instant::now() >= deadline;
            let mut still_open = Vec::new();
            for mut one in open {
                self.look_for_arrivals(&mut one);
                let at_ms = self.clock.now_ms();
                let outcomes = self.outcomes(one.at).await?;
                let is_settled = |id: &String| !one.arrived.contains(id) || outcomes.contains_key(id);
                if over || one.ids.iter().all(is_settled) {
                    self.record_outcomes(one.at, at_ms, outcomes);
                } else {
                    still_open.push(one);
                }
            }
            if still_open.is_empty() {
                return Ok(());
            }
            open = still_open;
            sleep(PACE).await;
        }
    }

    fn look_for_arrivals(&self, open: &mut Unsettled) {
        let registered = &self.registered[open.at];
        if !self.transcript.webhooks[registered.index].conduct.sees_requests() {
            open.arrived.extend(open.ids.iter().cloned());
            return;
        }
        registered.endpoint.look(|received: &[Received]| {
            for one in &received[open.seen..] {
                open.arrived.extend(record_ids(&one.delivery));
            }
            open.seen = received.len();
        });
    }

    /// The reported outcomes of a webhook's deliveries, by record.
    async fn outcomes(&self, at: usize) -> Result<HashMap<String, Outcome>, SubjectError> {
        let answer = match self.call(Op::Outcomes { webhook: self.registered[at].name.clone() }).await {
            Err(SubjectError::RequestFailed(why)) => {
                return Err(self.broken_capability(Capability::Outcomes, why));
            }
            answer => answer?,
        };
        let outcomes = protocol::outcomes(&answer)?;
        Ok(outcomes.into_iter().filter_map(|one| Some((one.record.clone()?, one))).collect())
    }

    fn record_outcomes(&mut self, at: usize, at_ms: u64, outcomes: HashMap<String, Outcome>) {
        let webhook = self.registered[at].index;
        self.transcript.webhooks[webhook].outcomes_at_ms = Some(at_ms);
        // The new report replaces the earlier one.
        self.transcript.settled.retain(|settled| settled.webhook != webhook);
        let settled = outcomes.into_iter().map(|(record_id, one)| SettledDelivery {
            webhook,
            record_id,
            delivered: one.delivered,
            status: one.status,
        });
        self.transcript.settled.extend(settled);
    }
}
