//! What reports say of known failures.

use jiff::civil::Date;

use crate::plural::counted;
use crate::report::known::entry::KnownEntry;
use crate::suite::known::written;
use crate::suite::verdict::VerdictName;

/// How many ids a line shows.
const SHOWN: usize = 6;

fn ids(ids: &[&str]) -> String {
    match ids.len().saturating_sub(SHOWN) {
        0 | 1 => ids.join(", "),
        more => format!("{} and {more} more", ids[..SHOWN].join(", ")),
    }
}

// A requirement with an entry.

/// It fails as the entry says: the cause, the reason, and what else the entry has.
pub(in crate::report) fn fails(known: &KnownEntry) -> String {
    let KnownEntry { cause, reason, .. } = known;
    let expiry = known.expires.as_ref().map(|day| {
        if known.expired {
            format!("expired on {day}: fix it, or set a later date")
        } else {
            format!("until {day}")
        }
    });
    let more: Vec<String> = known.owner.iter().cloned().chain(expiry).chain(known.link.clone()).collect();
    let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join("; ")) };
    format!("{cause}: {reason}{more}")
}

pub(in crate::report) fn passes(place: &str) -> String {
    format!("passes now, and is a known failure at {place}; remove it there")
}

/// `found` is the cause of now, if one is known.
pub(in crate::report) fn drifts(place: &str, found: Option<&str>, expected: &str) -> String {
    let found = found.unwrap_or("an unknown cause");
    format!("fails for {found}, not for {expected} as at {place}")
}

/// An entry that matches requirements that pass, with others that fail.
pub(in crate::report) fn matches_too_much(
    place: &str,
    check: &str,
    passing: &[&str],
    failing: &[&str],
) -> String {
    let verb = if passing.len() == 1 { "passes" } else { "pass" };
    format!(
        "{check} at {place} matches too much: {} {verb}; name only what fails: {}",
        ids(passing),
        ids(failing)
    )
}

/// The heading of the part about known failures; `wrong` of them have to be changed.
pub(in crate::report) fn heading(count: usize, wrong: usize) -> String {
    match wrong {
        0 => format!("Known failures ({count})"),
        _ => format!("Known failures ({count}, {wrong} to correct)"),
    }
}

/// How to correct a file. `word` is its name in a shell.
pub(in crate::report) fn how_to_fix(word: &str) -> String {
    format!("twenty-conform known fix {word} DIR, where DIR is the --out folder of a whole run")
}

/// How to correct a list that comes with the tool.
pub(in crate::report) fn how_to_replace(list: &str) -> String {
    format!(
        "the list {list} comes with the tool and does not fit this program; use a file of your own instead"
    )
}

/// A requirement with an entry that was not judged.
pub(in crate::report) fn open(id: &str, verdict: VerdictName, place: &str) -> String {
    format!("{id} ({}, {place})", verdict.as_str())
}

pub(in crate::report) fn not_judged(open: &[String]) -> String {
    let shown = open.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let more = open.len().saturating_sub(SHOWN);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{} could not be judged: {shown}{more}", counted(open.len(), "known failure", "known failures"))
}

// Why a run does not decide about a whole list.

pub(in crate::report) fn nothing_tried() -> String {
    "the program was not started or reached, so nothing was tried".to_owned()
}

pub(in crate::report) fn interrupted() -> String {
    "the run was interrupted".to_owned()
}

pub(in crate::report) fn out_of_time() -> String {
    "the run was out of time before everything was tried; raise --max-time".to_owned()
}

pub(in crate::report) fn stopped() -> String {
    "the run stopped early".to_owned()
}

pub(in crate::report) fn not_run(id: &str, place: &str) -> String {
    format!("{id} ({place}) was not selected; run without --run, --skip and --level, and all shards merged")
}

// An entry of a list, according to a stored run.

pub(in crate::report) fn entry_passes(passing: &[&str], failing: &[&str]) -> String {
    match failing {
        [] => "passes now; remove it".to_owned(),
        _ => format!("matches too much: {} pass; name only what fails: {}", ids(passing), ids(failing)),
    }
}

pub(in crate::report) fn entry_drifts(id: &str, cause: Option<(&str, Option<&str>)>) -> String {
    format!("{id} fails for another cause: {}", written(cause, true))
}

pub(in crate::report) fn entry_expired(day: Option<Date>) -> String {
    let day = day.map(|day| format!(" on {day}")).unwrap_or_default();
    format!("expired{day}; fix it, or set a later date")
}

/// `has_run` says whether the run has a requirement of it.
pub(in crate::report) fn entry_unseen(has_run: bool) -> String {
    if has_run { "not judged in this run" } else { "not part of this run" }.to_owned()
}

pub(in crate::report) fn entry_right(expires: Option<Date>) -> String {
    let until = expires.map(|day| format!(", until {day}")).unwrap_or_default();
    format!("still fails for its cause{until}")
}
