//! The requirements and causes as JSON: `list --json` and `explain --json`.
//!
//! Invariant: members are only added; none is renamed, removed, or given another type within a format's version.

use serde::Serialize;

use crate::suite::cause::Code;
use crate::suite::receiver::single;
use crate::suite::requirement::{Level, Requirement, Role, group_of};

/// The name and version of what `list --json` prints.
const LIST: &str = "twenty-conform-list/1";

/// The name and version of what `explain --json` prints.
const EXPLANATION: &str = "twenty-conform-explain/1";

/// The faults of the suite's own mutants, with the requirements that find each and the causes that they name.
const MATRICES: [&str; 2] = [
    include_str!("../../snapshots/kill-matrix-receivers.snap"),
    include_str!("../../snapshots/kill-matrix-senders.snap"),
];

#[derive(Serialize)]
struct List {
    format: &'static str,
    requirements: Vec<RequirementEntry>,
    causes: Vec<CauseEntry>,
}

/// Either a requirement or a cause.
#[derive(Serialize)]
struct Explanation {
    format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    requirement: Option<RequirementEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<CauseEntry>,
}

#[derive(Serialize)]
struct RequirementEntry {
    id: &'static str,
    title: &'static str,
    level: Level,
    role: &'static str,
    /// The group in reports.
    group: &'static str,
    text: &'static str,
    /// The letters of the contract: D, S, R or W, with what is meant in parentheses.
    source: &'static str,
    why: &'static str,
    /// The ids of the checks that judge it.
    checks: [&'static str; 1],
    /// What is sent, a sentence for each scenario.
    sends: Vec<&'static str>,
    /// The capability without which it does not apply.
    #[serde(skip_serializing_if = "Option::is_none")]
    needs: Option<&'static str>,
    /// The faults that its check finds.
    catches: Vec<&'static str>,
    /// The codes that it names for the suite's own faulty programs.
    causes: Vec<&'static str>,
}

#[derive(Serialize)]
struct CauseEntry {
    code: &'static str,
    text: &'static str,
    fix: Advice,
    avoid: Advice,
    /// Whether `sign --broken` makes a delivery that is wrong in its way.
    has_broken: bool,
}

/// A sentence for the author of a receiver, and of a sender.
#[derive(Serialize)]
struct Advice {
    receiver: &'static str,
    sender: &'static str,
}

/// The requirements and every cause.
pub(super) fn list(requirements: impl Iterator<Item = &'static Requirement>) -> String {
    let causes = Code::ALL.iter().copied().map(CauseEntry::of).collect();
    text(&List { format: LIST, requirements: requirements.map(RequirementEntry::of).collect(), causes })
}

pub(super) fn requirement(requirement: &'static Requirement) -> String {
    let requirement = Some(RequirementEntry::of(requirement));
    text(&Explanation { format: EXPLANATION, requirement, cause: None })
}

pub(super) fn cause(code: Code) -> String {
    text(&Explanation { format: EXPLANATION, requirement: None, cause: Some(CauseEntry::of(code)) })
}

fn text(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value);
    text.unwrap_or_else(|why| unreachable!("JSON of text: {why}")) + "\n"
}

impl RequirementEntry {
    fn of(one: &'static Requirement) -> Self {
        Self {
            id: one.id,
            title: one.title,
            level: one.level,
            role: one.role().as_str(),
            group: group_of(one.check_id),
            text: one.text,
            source: one.source,
            why: one.why,
            checks: [one.check_id],
            sends: one.scenarios.iter().map(|scenario| scenario.sends).collect(),
            needs: one.needs.map(|capability| capability.as_str()),
            catches: one.counterexamples.descriptions().collect(),
            causes: causes_of(one.id),
        }
    }
}

impl CauseEntry {
    fn of(code: Code) -> Self {
        let both = |of: fn(Code, Role) -> &'static str| Advice {
            receiver: of(code, Role::Receiver),
            sender: of(code, Role::Sender),
        };
        Self {
            code: code.as_str(),
            text: code.text(),
            fix: both(Code::fix),
            avoid: both(Code::avoid),
            has_broken: single::codes().any(|other| other == code),
        }
    }
}

/// The causes that a requirement's check names for the mutants, in the order of the codes.
fn causes_of(id: &str) -> Vec<&'static str> {
    let of = |row: &'static str| {
        let (first, rest) = row.trim_start().split_once(' ')?;
        (first == id).then(|| rest.split(' ').next().unwrap_or(rest))
    };
    let named: Vec<&str> = MATRICES.iter().flat_map(|matrix| matrix.lines()).filter_map(of).collect();
    Code::ALL.iter().map(|code| code.as_str()).filter(|code| named.contains(code)).collect()
}
