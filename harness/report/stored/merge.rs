//! Joins the shards of a run into one report.
//!
//! Invariant: only shards of the same run are joined, and all of them. The whole report has what a single run would have, except
//! for times and for the numbers of exchanges, which are those of each shard.

use std::borrow::Cow;

use super::names::Named;
use super::{Saved, Unusable, messages};
use crate::report::evidence::Manifest;
use crate::report::{Report, VerdictName};
use crate::suite::shard::Shard;

/// The whole run.
#[derive(Debug)]
pub struct Whole {
    pub report: Report,
    /// Its options: one for each role.
    pub manifests: Vec<Manifest>,
}

/// Why shards cannot be joined.
#[derive(Debug, thiserror::Error)]
pub enum NotJoined {
    #[error(transparent)]
    Unusable(#[from] Unusable),
    #[error("{0}")]
    Mismatch(String),
}

/// Joins saved shards. Errors: they are not all shards of one run.
pub fn merge(shards: Vec<Saved>) -> Result<Whole, NotJoined> {
    let mut numbered = Vec::new();
    for saved in shards {
        let shard = shard_of(&saved).map_err(NotJoined::Mismatch)?;
        numbered.push((shard, saved));
    }
    let Some((first, one)) = numbered.first() else {
        return Err(NotJoined::Mismatch(messages::nothing_to_join()));
    };
    for (shard, other) in &numbered {
        if let Some((what, own, others)) = different((*first, one), (*shard, other)) {
            let why = messages::different_runs(what, (&one.path, &own), (&other.path, &others));
            return Err(NotJoined::Mismatch(why));
        }
    }
    complete(&numbered)?;
    numbered.sort_by_key(|(shard, _)| shard.index);
    let saved: Vec<Saved> = numbered.into_iter().map(|(_, saved)| saved).collect();
    Ok(joined(saved))
}

/// Which shard it is. Errors: why it is none that can be joined.
fn shard_of(saved: &Saved) -> Result<Shard, String> {
    let Some(manifest) = saved.manifests.first() else { return Err(messages::no_folder(&saved.path)) };
    let shard = manifest.shard.ok_or_else(|| messages::not_of_a_shard(&saved.path, manifest.merged_from))?;
    if saved.report.interrupted {
        return Err(messages::interrupted_shard(&saved.path, shard));
    }
    let is_own = saved.report.shard.is_some_and(|own| (own.index, own.of) == (shard.index, shard.of));
    let is_alike = saved.manifests.iter().all(|one| one.shard == Some(shard));
    if is_own && is_alike { Ok(shard) } else { Err(messages::mixed_shards(&saved.path)) }
}

/// In what two shards differ that must be equal, with both values.
fn different(
    (shard, one): (Shard, &Saved),
    (other_shard, other): (Shard, &Saved),
) -> Option<(&'static str, String, String)> {
    let of_report: [Named<Report>; 5] = [
        ("role", |one| one.role.to_string()),
        ("version", |one| one.tool.version.to_string()),
        ("dialect", |one| one.dialect.to_string()),
        ("--seed", |one| one.seed.to_string()),
        ("--fail-on", |one| one.fail_on.to_string()),
    ];
    let of_manifest: [Named<Manifest>; 6] = [
        ("selection", |one| one.selection.join(" ")),
        ("--level", |one| one.level.to_string()),
        ("--cases", |one| one.cases.to_string()),
        ("--require", |one| one.required.join(" ")),
        ("--dialect", |one| one.dialect_chosen_by.to_string()),
        ("limits", |one| messages::limits(&one.limits)),
    ];
    let reports = of_report.into_iter().map(|(what, of)| (what, of(&one.report), of(&other.report)));
    let count = ("number of shards", shard.of.to_string(), other_shard.of.to_string());
    let manifests =
        one.manifests.iter().zip(&other.manifests).flat_map(|(one, other)| {
            of_manifest.into_iter().map(move |(what, of)| (what, of(one), of(other)))
        });
    let found = reports.chain([count]).chain(manifests).find(|(_, one, other)| one != other)?;
    Some(match found {
        ("selection", one, other) => {
            let (own, others) = messages::different_selections(&one, &other);
            ("selection", own, others)
        }
        found => found,
    })
}

/// Errors: shards that are missing or given twice.
fn complete(numbered: &[(Shard, Saved)]) -> Result<(), NotJoined> {
    let of = numbered.first().map_or(0, |(shard, _)| shard.of);
    for (at, (shard, saved)) in numbered.iter().enumerate() {
        if let Some((_, other)) = numbered[..at].iter().find(|(other, _)| other == shard) {
            return Err(NotJoined::Mismatch(messages::shard_twice(*shard, &other.path, &saved.path)));
        }
    }
    let missing: Vec<String> = (1..=of)
        .map(|index| Shard { index, of })
        .filter(|wanted| !numbered.iter().any(|(shard, _)| shard == wanted))
        .map(|shard| shard.to_string())
        .collect();
    let selection: Vec<_> = numbered.iter().take(1).flat_map(|(_, saved)| selection(saved)).collect();
    let judged = |id: &&Cow<'static, str>| {
        numbered.iter().flat_map(|(_, saved)| &saved.report.requirements).filter(|one| one.id == **id).count()
    };
    if !missing.is_empty() {
        return Err(NotJoined::Mismatch(messages::shards_missing(&missing)));
    }
    let count: usize = numbered.iter().map(|(_, saved)| saved.report.requirements.len()).sum();
    if count != selection.len() || selection.iter().any(|id| judged(id) != 1) {
        return Err(NotJoined::Mismatch(messages::no_partition()));
    }
    Ok(())
}

/// The requirements of all shards, in their order.
fn selection(saved: &Saved) -> impl Iterator<Item = &Cow<'static, str>> {
    saved.manifests.iter().flat_map(|one| &one.selection)
}

/// The whole of all shards, in the order of their numbers.
fn joined(shards: Vec<Saved>) -> Whole {
    let count = shards.len();
    let order: Vec<Cow<'static, str>> = shards.iter().take(1).flat_map(selection).cloned().collect();
    let mut manifests: Vec<Manifest> = Vec::new();
    let mut reports: Vec<Report> = Vec::new();
    for saved in shards {
        if manifests.is_empty() {
            manifests = saved.manifests;
        } else {
            for (own, other) in manifests.iter_mut().zip(saved.manifests) {
                own.began_at_ms = own.began_at_ms.min(other.began_at_ms);
            }
        }
        reports.push(saved.report);
    }
    for manifest in &mut manifests {
        manifest.shard = None;
        manifest.requirements = std::mem::take(&mut manifest.selection);
        manifest.merged_from = Some(count);
    }
    let subjects: Vec<&String> = reports.iter().map(|one| &one.subject).collect();
    let differ =
        subjects.iter().any(|one| *one != subjects[0]).then(|| messages::different_subjects(&subjects));
    let mut reports = reports.into_iter();
    let Some(mut whole) = reports.next() else { unreachable!("there is a first shard") };
    whole.unmark_shard();
    for other in reports {
        whole.join(other);
    }
    let place = |id: &str| order.iter().position(|other| *other == id).unwrap_or(order.len());
    whole.requirements.sort_by_key(|one| place(&one.id));
    whole.checks.sort_by_key(|one| place(&one.requirements[0]));
    whole.absent.sort_by_key(|id| place(id));
    let fails = whole.ended && !whole.end_is_known() || whole.gates(VerdictName::Fail);
    whole.unreached &= !fails;
    if whole.findings_have_numbers() {
        whole.notes.push(messages::numbers_of_shards());
    }
    whole.notes.extend(differ);
    whole.conclude();
    Whole { report: whole, manifests }
}

impl Report {
    /// Adds another shard of the same run.
    fn join(&mut self, mut other: Self) {
        other.unmark_shard();
        self.duration_ms += other.duration_ms;
        self.waited_ms += other.waited_ms;
        self.add_part(&mut other);
        self.dialect_choice = self.dialect_choice.take().or(other.dialect_choice);
        // A shard that ran says more than one that did not start.
        self.not_started = self.not_started.take().filter(|_| other.not_started.is_some());
        add_new(&mut self.absent, other.absent);
        add_new(&mut self.stopped_by, other.stopped_by);
        add_new(&mut self.notes, other.notes);
    }

    /// Whether a check refers to exchanges by their numbers.
    fn findings_have_numbers(&self) -> bool {
        self.checks.iter().any(|check| !check.exchanges.is_empty())
    }
}

/// Adds what is not there yet.
fn add_new<T: PartialEq>(known: &mut Vec<T>, others: Vec<T>) {
    for other in others {
        if !known.contains(&other) {
            known.push(other);
        }
    }
}
