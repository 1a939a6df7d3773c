//! Traffic that the suite did not ask for: deliveries as they were watched or recorded, as the transcript of one webhook,
//! and what of the contract they can show.
//!
//! Invariant: the checks are those of the requirements' literals. What traffic cannot show is not applicable, with the
//! reason; it never passes.

pub mod har;
pub mod reading;
pub mod tally;

use crate::suite::requirement::{Requirement, Role, Verdict};
use crate::suite::run::{self, Finding, Judgement};
use crate::suite::transcript::{Conduct, Ending, Limits, Scenario, Traits, Transcript, Webhook};
use crate::webhook::dialect::Dialect;
use crate::webhook::signature::Secret;
use crate::wire::exchange::Exchange;

/// What is known of traffic beside its requests.
#[derive(Debug, Clone)]
pub struct Traffic {
    /// The form of body that is expected.
    pub dialect: &'static Dialect,
    /// The bounds that hold.
    pub limits: Limits,
    /// The webhook's secret, where it is known.
    pub secret: Option<Secret>,
}

/// The requirements that a delivery shows by itself.
const SHOWN: &[&str] = &[
    "DLV-1", "DLV-3", "DLV-4", "DLV-5", "PAY-1", "PAY-3", "PAY-4", "PAY-5", "PAY-6", "SIG-1", "SIG-2",
    "SIG-3", "SIG-4", "SIG-5", "SIG-8", "SIG-10", "NON-1",
];

/// Why the others are not shown: the beginning of their ids, and the reason. The first that fits holds.
const NOT_SHOWN: &[(&str, &str)] = &[
    ("SUB-", "traffic alone does not show which webhooks there were, and which events"),
    ("DLV-2", "which URL was registered is not known"),
    ("DLV-6", "when the event happened is not known"),
    ("PAY-", "what the record was is not known"),
    ("SIG-6", "the traffic is that of one webhook"),
    ("ACK-", "traffic alone does not show what the sender makes of an answer"),
    ("", "traffic alone does not show it"),
];

/// Why traffic cannot show a requirement; `None` where it can. `signed` is whether the secret is known.
pub fn unshown(requirement: &Requirement, signed: bool) -> Option<&'static str> {
    let id = requirement.id;
    if !SHOWN.contains(&id) {
        return NOT_SHOWN.iter().find(|(start, _)| id.starts_with(start)).map(|(_, why)| *why);
    }
    let of_signing = ["SIG-", "NON-"].iter().any(|start| id.starts_with(start));
    (of_signing && !signed).then_some("the webhook's secret is not known; --secret gives it")
}

impl Traffic {
    /// The transcript of these requests: one webhook, which was registered at whatever URL they went to, and no event that
    /// the suite emitted.
    pub fn transcript(&self, exchanges: impl IntoIterator<Item = Exchange>) -> Transcript {
        let mut transcript = Transcript::new(Role::Sender, self.dialect, self.limits);
        transcript.recorded = true;
        transcript.webhooks.push(Webhook {
            scenario: Scenario::EveryEvent,
            url: String::new(),
            secret: self.secret.clone(),
            operations: None,
            conduct: Conduct::Answers,
            since: 0,
            deleted_after: None,
            outcomes_at_ms: None,
            watched_until_ms: 0,
            dropped: 0,
            overflowed: false,
        });
        for exchange in exchanges {
            let body_length = exchange.delivery.body.len() as u64;
            let traits = Traits { began_ms: exchange.at_ms, body_length, let_go: None };
            transcript.arrive(Some(0), exchange, traits);
        }
        transcript.endings.push((Scenario::EveryEvent, Ending::Complete));
        transcript
    }

    /// What such a transcript shows of these requirements.
    pub fn judge(&self, transcript: &Transcript, selected: &[&'static Requirement]) -> Vec<Finding> {
        let finding = |&requirement: &&'static Requirement| match unshown(requirement, self.secret.is_some())
        {
            Some(why) => vec![Finding {
                requirement,
                judgement: Judgement::Judged(Verdict::NotApplicable(why.to_owned())),
            }],
            None => run::judge(transcript, &[requirement]),
        };
        selected.iter().flat_map(finding).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::{SHOWN, unshown};
    use crate::suite::requirement::Role;
    use crate::suite::requirements;

    #[test]
    fn every_requirement_on_senders_is_shown_or_has_a_reason() {
        for requirement in requirements::of(Role::Sender) {
            let why = unshown(requirement, true);
            assert_eq!(why.is_none(), SHOWN.contains(&requirement.id), "{}", requirement.id);
            assert!(unshown(requirement, false).is_some() || why.is_none(), "{}", requirement.id);
        }
    }
}
