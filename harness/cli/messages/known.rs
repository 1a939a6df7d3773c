//! What `known` says, and what is said of `--known-failures`.

use super::alternatives;
use crate::plural::counted;
use crate::suite::known::Entry;

/// The first lines of many.
pub(crate) fn first_of(lines: &[String]) -> String {
    const SHOWN: usize = 20;
    let shown = lines.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
    match lines.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}\nand {more} more"),
    }
}

pub(crate) fn is_folder() -> &'static str {
    "it is a folder; name a file of known failures"
}

pub(crate) fn no_name() -> &'static str {
    "the name of the list of known failures is empty; name a file, or a list that comes with the tool"
}

/// Neither a file nor the name of a list that comes with the tool.
pub(crate) fn no_list(name: &str, nearest: Option<&str>, names: &[&str]) -> String {
    let hint = nearest.map(|nearest| format!("did you mean {nearest}? ")).unwrap_or_default();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    format!(
        "there is no file {name}, and no list of known failures of that name; {hint}lists that come with the tool: {}",
        alternatives(&names)
    )
}

pub(crate) fn not_to_change(name: &str) -> String {
    format!("the list {name} comes with the tool and is not changed; name a file")
}

// Showing.

/// A list that comes with the tool.
pub(crate) fn list_in_one_line(name: &str, title: &str) -> String {
    format!("{name:<16}{title}\n")
}

/// An entry with everything that it says.
pub(crate) fn whole_entry(entry: &Entry) -> String {
    let titles: Vec<String> =
        entry.requirements.iter().map(|one| format!("{} {}", one.id, one.title)).collect();
    let mut text = format!("{}\n", titles.join("; "));
    let until = entry.expires.map(|day| day.to_string());
    for (name, value) in [
        ("cause", Some(&entry.cause.to_string())),
        ("since", entry.since.as_ref()),
        ("reason", Some(&entry.reason)),
        ("effect", entry.effect.as_ref()),
        ("link", entry.link.as_ref()),
        ("owner", entry.owner.as_ref()),
        ("until", until.as_ref()),
    ] {
        if let Some(value) = value {
            text.push_str(&format!("  {name:<8}{value}\n"));
        }
    }
    text
}

/// The last line after the entries of a list.
pub(crate) fn how_to_use(list: &str, entries: usize) -> String {
    format!("\n{}; use it with --known-failures {list}\n", counted(entries, "entry", "entries"))
}

// Checking.

/// An entry that was not compared with a run.
pub(crate) fn entry(entry: &Entry) -> String {
    let until = entry.expires.map(|day| format!(", until {day}")).unwrap_or_default();
    format!("{}{until}", entry.cause)
}

/// How many entries are right, wrong and unseen.
pub(crate) fn counts(has_run: bool, [right, wrong, unseen]: [usize; 3]) -> String {
    let entries = counted(right + wrong + unseen, "entry", "entries");
    if has_run {
        format!("{entries}: {right} still fail, {wrong} to correct, {unseen} not judged")
    } else {
        format!("{entries}, {wrong} expired")
    }
}

pub(crate) fn not_whole(why: &str) -> String {
    format!("note: the run does not decide about the whole list: {why}")
}

// A run.

// Changing.

pub(crate) fn refused(list: &str, why: &str) -> String {
    format!("{list} is not changed, because the run does not decide about all of it: {why}")
}

pub(crate) fn left(line: &str) -> String {
    format!("left: {line}")
}

pub(crate) fn nothing_to_change(list: &str) -> String {
    format!("{list}: nothing to change")
}

pub(crate) fn not_written(list: &str) -> String {
    format!("{list} is unchanged (--dry-run)")
}

pub(crate) fn written(list: &str, changes: usize) -> String {
    format!("{list} is written, with {}", counted(changes, "change", "changes"))
}
