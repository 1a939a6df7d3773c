//! Shows a replayed case like a check in a report. Secrets are redacted here.

use super::Case;
use super::replayed::Replayed;
use crate::redaction::Redaction;
use crate::report::text;
use crate::report::{CheckEntry, RequirementEntry, VerdictName, command};
use crate::suite::replay::ReplayAttempt;
use crate::suite::requirement::Requirement;
use crate::wire::client::Target;

/// The result of a replay, as text with ANSI colours.
pub fn render(
    requirement: &Requirement,
    case: &Case,
    (attempt, replayed): (&ReplayAttempt, &Replayed),
    target: &Target,
    redaction: &Redaction,
) -> String {
    let (verdict, message) = match replayed {
        Replayed::StillFails(message) | Replayed::FailsOtherwise(message) => {
            (VerdictName::Fail, Some(message))
        }
        Replayed::Fixed => (VerdictName::Pass, None),
        Replayed::Inconclusive(why) => (VerdictName::Inconclusive, Some(why)),
    };
    let (url, delivery) = (redaction.text(&target.url()), redaction.delivery(&attempt.trial.delivery));
    let curl = command(&url, &target.trust(), &delivery);
    let check = CheckEntry {
        verdict,
        beyond_curl: curl.is_none(),
        expected: Some(case.expected.describe().into_owned()),
        actual: Some(redaction.text(&attempt.trial.outcome.to_string())),
        message: message.map(|message| redaction.text(message)),
        curl,
        ..CheckEntry::unjudged(requirement)
    };
    text::check(&RequirementEntry::new(requirement, verdict), &check)
}
