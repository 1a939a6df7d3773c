//! What went wrong, by cause: each cause once, the most important first.
//!
//! Findings come from the entries of the checks, which are redacted already.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{CheckEntry, VerdictName};
use crate::suite::requirement::Level;

/// A cause of failures, or a failure without a known cause.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingEntry {
    /// The highest level of the requirements that it fails.
    pub level: Level,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cow<'static, str>>,
    /// The requirements that fail for it, those of the highest level first.
    pub requirements: Vec<Cow<'static, str>>,
    /// What is wrong.
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Cow<'static, str>>,
    /// The fix as a line of code, where the answers or the command tell the receiver's framework.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_line: Option<String>,
    /// The wrong fix that is often tried instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avoid: Option<Cow<'static, str>>,
    /// What was sent or expected of the first failure, and what happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun: Option<String>,
    pub exchanges: Vec<usize>,
}

/// The findings of failed checks, ranked by level and by how many requirements each explains. Known failures are none.
pub(super) fn of(checks: &[CheckEntry]) -> Vec<FindingEntry> {
    let mut failed: Vec<&CheckEntry> = checks
        .iter()
        .filter(|check| matches!(check.verdict, VerdictName::Fail | VerdictName::Drift))
        .collect();
    failed.sort_by_key(|check| check.level);
    let mut found: Vec<FindingEntry> = Vec::new();
    for check in failed {
        let code = check.cause.as_ref().map(|cause| &cause.code);
        let text = text_of(check);
        // The same code with another detail is another finding: the detail says what to change.
        let known = found
            .iter_mut()
            .find(|known| code.is_some() && known.cause.as_ref() == code && known.text == text);
        if let Some(known) = known {
            known.requirements.extend(check.requirements.iter().cloned());
        } else {
            found.push(finding(check, text));
        }
    }
    found.sort_by_key(|finding| (finding.level, std::cmp::Reverse(finding.requirements.len())));
    found
}

fn finding(check: &CheckEntry, text: String) -> FindingEntry {
    FindingEntry {
        level: check.level,
        cause: check.cause.as_ref().map(|cause| cause.code.clone()),
        requirements: check.requirements.to_vec(),
        text,
        fix: check.cause.as_ref().map(|cause| cause.fix.clone()),
        code_line: check.code_line.clone(),
        avoid: check.cause.as_ref().map(|cause| cause.avoid.clone()),
        expected: check.expected.clone(),
        answered: check.actual.clone(),
        rerun: check.rerun.clone(),
        exchanges: check.exchanges.clone(),
    }
}

/// What is wrong: the cause with its detail, or else the check's own message.
fn text_of(check: &CheckEntry) -> String {
    match &check.cause {
        Some(cause) => cause.sentence(),
        None => check.message.clone().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::of;
    use crate::report::{CauseEntry, CheckEntry, VerdictName};
    use crate::suite::requirement::Level;
    use crate::suite::requirements;

    fn failed(id: &str, level: Level, code: Option<&'static str>) -> Option<CheckEntry> {
        let requirement = requirements::all().find(|one| one.id == id)?;
        let cause = code.map(|code| CauseEntry {
            code: code.into(),
            detail: None,
            or: Vec::new(),
            shown_by: Vec::new(),
            text: "the receiver is wrong".into(),
            fix: "make it right".into(),
            avoid: "make it wrong".into(),
        });
        let (verdict, message) = (VerdictName::Fail, Some(format!("{id} failed")));
        Some(CheckEntry { verdict, level, cause, message, ..CheckEntry::unjudged(requirement) })
    }

    #[test]
    fn has_each_cause_once_and_the_most_important_first() {
        let checks: Vec<CheckEntry> = [
            failed("VER-19", Level::Advice, None),
            failed("VER-9", Level::Should, Some("one")),
            failed("VER-4", Level::Should, Some("two")),
            failed("VER-5", Level::Should, Some("two")),
            failed("VER-3", Level::Must, Some("three")),
            failed("VER-6", Level::Advice, None),
        ]
        .into_iter()
        .flatten()
        .collect();
        let found: Vec<Vec<Cow<'static, str>>> =
            of(&checks).into_iter().map(|one| one.requirements).collect();
        assert_eq!(
            found,
            [vec!["VER-3"], vec!["VER-4", "VER-5"], vec!["VER-9"], vec!["VER-19"], vec!["VER-6"]]
        );
    }
}
