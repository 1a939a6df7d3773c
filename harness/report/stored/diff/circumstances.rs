//! In what two runs differ, other than in the program under test.

use serde::Serialize;

use crate::report::Report;
use crate::report::evidence::Manifest;
use crate::report::stored::names::Named;
use crate::report::stored::{Saved, messages};

/// Something that differs between two runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Circumstance {
    pub(super) what: &'static str,
    pub(super) old: String,
    pub(super) new: String,
}

/// The requirements that a list of known failures decides.
fn known(report: &Report) -> String {
    let known = report.checks.iter().filter(|check| check.known.is_some());
    let ids: Vec<&str> = known.map(|check| &*check.requirements[0]).collect();
    if ids.is_empty() { "none".to_owned() } else { ids.join(" ") }
}

/// What differs, the most important first.
pub(super) fn circumstances(old: &Saved, new: &Saved) -> Vec<Circumstance> {
    let (before, after) = (&old.report, &new.report);
    let of_report: [Named<Report>; 9] = [
        ("version", |one| one.tool.version.to_string()),
        ("dialect", |one| one.dialect.to_string()),
        ("subject", |one| one.subject.clone()),
        ("seed", |one| one.seed.to_string()),
        ("gated level", |one| one.fail_on.to_string()),
        ("shard", |one| one.shard.map_or("none".to_owned(), |shard| format!("{}/{}", shard.index, shard.of))),
        ("known failures", known),
        ("reached", |one| yes_or_no(!one.unreached)),
        ("interrupted", |one| yes_or_no(one.interrupted)),
    ];
    let of_manifest: [Named<Manifest>; 10] = [
        ("lowest level", |one| one.level.to_string()),
        ("cases", |one| one.cases.to_string()),
        ("jobs", |one| one.jobs.to_string()),
        ("timeout", |one| ms(one.limits.timeout_ms)),
        ("deadline", |one| ms(one.limits.deadline_ms)),
        ("prompt", |one| ms(one.limits.prompt_ms)),
        ("quick", |one| ms(one.limits.quick_ms)),
        ("quiet", |one| ms(one.limits.quiet_ms)),
        ("skew", |one| ms(one.limits.skew_ms)),
        ("required", |one| one.required.join(" ")),
    ];
    let reports = of_report.into_iter().filter_map(|(what, of)| different(what, of(before), of(after)));
    let mut found: Vec<Circumstance> = reports.collect();
    let [own, other] =
        [before, after].map(|one| one.requirements.iter().map(|one| &one.id).collect::<Vec<_>>());
    if own != other {
        let old = messages::selection(own.len(), own.iter().filter(|id| !other.contains(id)).count());
        let new = messages::selection(other.len(), other.iter().filter(|id| !own.contains(id)).count());
        found.push(Circumstance { what: "selection", old, new });
    }
    for (one, other) in old.manifests.iter().zip(&new.manifests) {
        for (what, of) in of_manifest {
            let further = different(what, of(one), of(other));
            found.extend(further.filter(|further| !found.contains(further)).into_iter().collect::<Vec<_>>());
        }
    }
    found
}

fn different(what: &'static str, old: String, new: String) -> Option<Circumstance> {
    (old != new).then_some(Circumstance { what, old, new })
}

fn yes_or_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

fn ms(value: u64) -> String {
    format!("{value} ms")
}
