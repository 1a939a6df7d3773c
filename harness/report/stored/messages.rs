//! What is said of saved runs: why a folder or file cannot be used, differences, and shards.

use std::fmt::Display;
use std::path::Path;

use super::names::{EXCHANGES, MANIFEST, REPORT};
use crate::plural::counted;
use crate::report::Tool;
use crate::report::evidence::SavedLimits;
use crate::suite::shard::Shard;

// Folders and files.

/// What helps where a file is damaged.
const AGAIN: &str = "copy it again, or run it again with --out";

pub(super) fn unread(path: &Path, why: impl Display) -> String {
    format!("cannot read {}: {why}", path.display())
}

pub(super) fn not_a_run(path: &Path) -> String {
    format!(
        "{} is not the folder of a run: it has no {MANIFEST} and no {REPORT}; give the folder that a run made with --out, or a report that \
         it wrote with --report json=PATH",
        path.display()
    )
}

pub(super) fn not_ended(path: &Path) -> String {
    let shown = path.display();
    format!(
        "the run in {shown} did not end: it has no {REPORT}, because the program was killed or the disk was full; \
         run it again (what was exchanged until then is in exchanges.jsonl)"
    )
}

pub(super) fn lacks(path: &Path, name: &str) -> String {
    format!(
        "{} has no {name}, so it is not a whole folder of a run; give {} for its report alone, or the folder that --out made",
        path.display(),
        path.join(REPORT).display()
    )
}

pub(super) fn not_a_file(path: &Path) -> String {
    format!(
        "{} is not a file; give the folder of a run as --out made it, with files instead of links and pipes",
        path.display()
    )
}

pub(super) fn cut(path: &Path) -> String {
    format!("{} is cut: it ends in the middle; {AGAIN}", path.display())
}

pub(super) fn not_json(path: &Path, why: &str) -> String {
    let fix = "give the folder that a run made with --out, or its report; run it again if that is damaged";
    format!("{} is not JSON: {why}; {fix}", path.display())
}

pub(super) fn malformed(path: &Path, why: &str) -> String {
    format!("{} is damaged or was changed: {why}; {AGAIN}", path.display())
}

pub(super) fn other_format(path: &Path, found: Option<&str>, wanted: &str) -> String {
    let found = match found {
        Some(found) => format!("its format is {found:?}"),
        None => "it names no format".to_owned(),
    };
    format!(
        "{} is not a file of format {wanted}: {found}; give the folder that a run made with --out, or its {REPORT}",
        path.display()
    )
}

/// `tool` is the version of the program that wrote it.
pub(super) fn newer(path: &Path, (found, wanted): (&str, &str), tool: Option<&str>) -> String {
    let needed = match tool {
        Some(version) => format!("twenty-conform {version} or later, which wrote it"),
        None => "a later version of twenty-conform".to_owned(),
    };
    let (shown, this) = (path.display(), &Tool::THIS.version);
    format!(
        "{shown} has the format {found}; this is twenty-conform {this}, which reads {wanted}: use {needed}"
    )
}

pub(super) fn older(path: &Path, (found, wanted): (&str, &str), tool: Option<&str>) -> String {
    let needed = match tool {
        Some(version) => format!("twenty-conform {version}, which wrote it"),
        None => "the version of twenty-conform that wrote it".to_owned(),
    };
    let shown = path.display();
    format!("{shown} has the old format {found}; this version reads {wanted}: use {needed}, or run it again")
}

pub(super) fn mixed(path: &Path, what: &str) -> String {
    format!(
        "{} has files of different runs: {MANIFEST} and {REPORT} differ in {what}; give a folder as --out made it",
        path.display()
    )
}

pub(super) fn other_result() -> &'static str {
    "its result is not that of its requirements"
}

pub(super) fn unpaired() -> &'static str {
    "its requirements do not agree with its checks"
}

pub(super) fn lacks_exchange(number: usize) -> String {
    format!("exchange #{number}, which the report names, is missing")
}

pub(super) fn not_an_exchange() -> &'static str {
    "a line is not an exchange"
}

// Differences.

pub(super) fn different_roles((old, role): (&Path, &str), (new, other): (&Path, &str)) -> String {
    let (old, new) = (old.display(), new.display());
    let name = |role: &str| match role {
        "both" => "both roles, by `demo`".to_owned(),
        role => format!("a {role}"),
    };
    format!(
        "cannot compare {old} with {new}: the first is of {}, the second of {}; give two runs of the same role",
        name(role),
        name(other)
    )
}

pub(super) fn circumstances() -> &'static str {
    "different circumstances"
}

pub(super) fn selection(count: usize, alone: usize) -> String {
    let all = counted(count, "requirement", "requirements");
    if alone == 0 { all } else { format!("{all}, {alone} only here") }
}

pub(super) fn newly_ended() -> &'static str {
    "the program under test ended during the new run, and not during the old one"
}

pub(super) fn newly_failing() -> &'static str {
    "newly failing"
}

pub(super) fn failing_otherwise() -> &'static str {
    "still failing, for another cause"
}

pub(super) fn newly_open() -> &'static str {
    "newly inconclusive, not applicable or an error"
}

pub(super) fn newly_passing() -> &'static str {
    "newly passing"
}

pub(super) fn only_in(run: &str) -> String {
    format!("only in the {run} run")
}

pub(super) fn slower() -> &'static str {
    "much slower"
}

pub(super) fn not_gated() -> &'static str {
    ", not gated"
}

pub(super) fn whole_run() -> &'static str {
    "whole run"
}

pub(super) fn no_differences() -> &'static str {
    "no requirement has another verdict or cause"
}

/// The time of each case of a check, or of a whole run.
pub(super) fn times(old_us: f64, new_us: f64, per_case: bool) -> String {
    let ms = |us: f64| {
        let ms = us / 1000.0;
        if ms < 10.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
    };
    let each = if per_case { " per case" } else { "" };
    format!("{} → {}{each}", ms(old_us), ms(new_us))
}

/// How many times as long something takes that is shown, and how many milliseconds more each case and a run take.
pub(super) fn no_benchmark((factor, per_case_ms, whole_ms): (f64, f64, f64)) -> String {
    format!(
        "Only what takes at least {factor} times as long is shown, if that is at least {per_case_ms} ms more per case or {whole_ms} ms \
         for the run. Times of two runs are no benchmark; `twenty-conform bench` measures."
    )
}

/// The last line, for programs that search for it.
pub(super) fn differences(counts: &[(&str, usize)]) -> String {
    let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    format!("DIFF: {}", counts.join(" "))
}

// Tables of Markdown.

pub(super) const RUNS: &str = "| | run | subject | result |\n|---|---|---|---|";
pub(super) const VALUES: &str = "| | old | new |\n|---|---|---|";
pub(super) const TIMES: &str = "| requirement | time |\n|---|---|";
pub(super) const CHANGES: &str = "| requirement | level | old | new | fix |\n|---|---|---|---|---|";
pub(super) const VERDICTS: &str = "| requirement | level | verdict |\n|---|---|---|";

/// A row of a table.
pub(super) fn row(cells: &[&str]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

// Shards.

pub(super) fn nothing_to_join() -> String {
    "there is nothing to join; give the folder of each shard".to_owned()
}

pub(super) fn no_folder(path: &Path) -> String {
    format!("{} is a report alone; `merge` needs the folder that the shard made with --out", path.display())
}

pub(super) fn not_of_a_shard(path: &Path, merged_from: Option<usize>) -> String {
    let what = match merged_from {
        Some(count) => format!("a run that was already joined from {count} shards"),
        None => "a whole run".to_owned(),
    };
    format!("{} is {what}, not a shard; a shard is made with --shard and --out", path.display())
}

pub(super) fn interrupted_shard(path: &Path, shard: Shard) -> String {
    format!("shard {shard} in {} was interrupted, so its report is incomplete; run it again", path.display())
}

pub(super) fn mixed_shards(path: &Path) -> String {
    format!("{} has files of different shards; give a folder as --out made it", path.display())
}

/// Two shards are of different runs. The values are of a setting.
pub(super) fn different_runs(
    what: &str,
    (one, own): (&Path, &str),
    (other, others): (&Path, &str),
) -> String {
    format!(
        "{} and {} are shards of different runs: {what} is {own} in the first, and {others} in the second; run all shards with the same \
         options",
        one.display(),
        other.display()
    )
}

/// Two selections as the ids of each, separated by blanks, in words.
pub(super) fn different_selections(one: &str, other: &str) -> (String, String) {
    let words = |own: &str, other: &str| {
        let other: Vec<&str> = other.split(' ').collect();
        let count = own.split(' ').filter(|id| !id.is_empty()).count();
        let alone: Vec<&str> = own.split(' ').filter(|id| !id.is_empty() && !other.contains(id)).collect();
        let all = counted(count, "requirement", "requirements");
        match &*alone {
            [] => all,
            [first, ..] if alone.len() > 3 => format!("{all} with {first} and {} others", alone.len() - 1),
            few => format!("{all} with {}", few.join(", ")),
        }
    };
    (words(one, other), words(other, one))
}

pub(super) fn limits(limits: &SavedLimits) -> String {
    let SavedLimits { timeout_ms, deadline_ms, prompt_ms, quick_ms, quiet_ms, skew_ms } = limits;
    format!(
        "--timeout {timeout_ms}ms --deadline {deadline_ms}ms (prompt {prompt_ms}, quick {quick_ms}, quiet {quiet_ms}, skew {skew_ms} ms)"
    )
}

pub(super) fn shard_twice(shard: Shard, one: &Path, other: &Path) -> String {
    format!("shard {shard} is there twice: {} and {}; give each shard once", one.display(), other.display())
}

pub(super) fn shards_missing(missing: &[String]) -> String {
    let (are, folders) =
        if missing.len() == 1 { ("shard", "its folder") } else { ("shards", "their folders") };
    format!("missing {are} {}; give {folders} too, or run what is missing with --out", missing.join(", "))
}

pub(super) fn no_partition() -> String {
    "the shards do not have each requirement of the selection once; run all of them with the same version"
        .to_owned()
}

pub(super) fn numbers_of_shards() -> String {
    format!("numbers of exchanges are those of each shard, in the {EXCHANGES} of its own folder")
}

pub(super) fn different_subjects(subjects: &[&String]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for subject in subjects {
        if !names.contains(&subject.as_str()) {
            names.push(subject);
        }
    }
    format!("the shards name different programs or addresses: {}", names.join("; "))
}
