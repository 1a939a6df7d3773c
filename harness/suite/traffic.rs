//! Judges traffic that the suite did not cause: watched or recorded deliveries, as the transcript of one webhook.
//!
//! The checks are those of the requirements. A requirement that traffic cannot show is not applicable, with the reason; it
//! never passes.

pub mod har;
pub mod listening;
pub mod reading;
pub mod recording;
pub mod tally;

mod messages;

use std::time::Instant;

use crate::suite::requirement::{Binds, Recorded, Requirement, Role, Verdict};
use crate::suite::run::{self, Finding, Judgement, Run};
use crate::suite::sender::scenario::events::EVERY_EVENT;
use crate::suite::transcript::{
    Chosen, Conduct, Ending, Keeper, Kept, Limits, RegisteredWebhook, Traits, Transcript,
};
use crate::webhook::dialect::Dialect;
use crate::webhook::signature::Secret;
use crate::wire::exchange::Exchange;
use recording::Recording;

/// What is known of traffic apart from its requests.
#[derive(Debug, Clone)]
pub struct Traffic {
    /// The dialect of every body, or under `auto` of those that do not show theirs.
    pub dialect: &'static Dialect,
    /// Whether each body is judged in the dialect that it has.
    pub auto: bool,
    pub limits: Limits,
    /// The webhook's secret, if known.
    pub secret: Option<Secret>,
}

/// Why traffic cannot show a requirement; `None` if it can.
pub fn not_shown(requirement: &Requirement, secret_known: bool) -> Option<&'static str> {
    match requirement.binds {
        Binds::Sender(Recorded::Shows) => None,
        Binds::Sender(Recorded::ShowsWithSecret) => (!secret_known).then(messages::secret_missing),
        Binds::Sender(Recorded::Cannot(what)) => Some(what.describe()),
        Binds::Receiver => Some(messages::for_receivers()),
    }
}

impl Traffic {
    /// The transcript of these requests: one webhook with an unknown URL, and no event that the suite emitted.
    pub fn transcript(&self, exchanges: impl Into<Vec<Exchange>>) -> Transcript {
        let exchanges = exchanges.into();
        let mut bodies = exchanges.iter().map(|exchange| &exchange.delivery.body);
        let own = self.auto.then(|| bodies.find_map(|body| Dialect::of_body(body))).flatten();
        let mut transcript = Transcript::new(Role::Sender, own.unwrap_or(self.dialect), self.limits);
        transcript.chosen = self.auto.then(Chosen::default);
        transcript.recorded = true;
        transcript.webhooks.push(RegisteredWebhook {
            scenario: EVERY_EVENT.name,
            url: String::new(),
            secret: self.secret.clone(),
            made: None,
            operations: None,
            conduct: Conduct::Answers,
            since: 0,
            deleted_after: None,
            outcomes_at_ms: None,
            watched_until_ms: 0,
            dropped: 0,
            overflowed: false,
        });
        transcript.arrive_all(0, exchanges, |exchange| Traits {
            began_ms: exchange.at_ms,
            body_length: exchange.delivery.body.len() as u64,
            given_up_after: None,
            wrong_length: None,
        });
        transcript.endings.push((EVERY_EVENT.name, Ending::Complete));
        transcript
    }

    /// The run of a recording. `began` is when reading it began.
    pub fn run(
        &self,
        recording: Recording,
        selected: &[&'static Requirement],
        keeper: Option<&Keeper>,
        began: Instant,
    ) -> Run {
        let mut transcript = self.transcript(recording.exchanges);
        transcript.remarks = recording.remarks;
        if let Some(keeper) = keeper {
            keeper.keep(Kept::Dialect(transcript.dialect.name));
            transcript
                .exchanges
                .after(0)
                .iter()
                .for_each(|exchange| keeper.keep(Kept::Exchange { exchange, body_cut: 0 }));
        }
        let findings = judge(&transcript, selected);
        Run {
            transcript,
            after: None,
            findings,
            duration: began.elapsed(),
            interrupted: false,
            not_started: None,
        }
    }
}

/// Judges the transcript of recorded traffic.
pub fn judge(transcript: &Transcript, selected: &[&'static Requirement]) -> Vec<Finding> {
    let secret_known = transcript.webhooks.iter().any(|webhook| webhook.secret.is_some());
    let finding = |&requirement: &&'static Requirement| match not_shown(requirement, secret_known) {
        Some(why) => vec![Finding {
            provisional: None,
            requirement,
            judgement: Judgement::Judged(Verdict::NotApplicable(why.to_owned())),
        }],
        None => run::judge(transcript, &[requirement]),
    };
    selected.iter().flat_map(finding).collect()
}
