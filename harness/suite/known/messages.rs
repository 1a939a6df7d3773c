//! What is said of lists of known failures: what is wrong with one, and how it is changed.

use super::Entry;

/// The page about lists.
const PAGE: &str = "docs/known-failures.md";

/// Ids in a sentence, shortened.
pub(super) fn ids(ids: &[&str]) -> String {
    const SHOWN: usize = 6;
    match ids.len().saturating_sub(SHOWN) {
        0 | 1 => ids.join(", "),
        more => format!("{} and {more} more", ids[..SHOWN].join(", ")),
    }
}

// A list that is wrong.

/// `shown` is the line's text.
pub(super) fn not_toml(why: &str, line: usize, shown: &str) -> String {
    format!("{why}\n{line} | {shown}\nwrite each entry below [[known]], as NAME = \"VALUE\"; see {PAGE}")
}

pub(super) fn too_many(count: usize, most: usize) -> String {
    format!("there are {count} entries, but only {most} requirements; write one entry for each")
}

pub(super) fn not_entries() -> String {
    format!("write each entry as a table of its own, below a line [[known]]; see {PAGE}")
}

pub(super) fn unknown_key(name: &str, nearest: Option<&str>, keys: &[&str]) -> String {
    match nearest {
        Some(nearest) => format!("{name:?} is not known here; did you mean {nearest:?}?"),
        None => format!("{name:?} is not known here; known are {}", keys.join(", ")),
    }
}

pub(super) fn missing_key(name: &str, example: &str) -> String {
    format!("this entry has no {name}; add a line such as {example}")
}

/// A value of another type than the key's.
pub(super) fn wrong_type(name: &str, found: &str, wanted: &str) -> String {
    let article = if found.starts_with(['a', 'i', 'o']) { "an" } else { "a" };
    format!("{name} is {article} {found}; write {wanted}")
}

pub(super) fn is_empty(name: &str, example: &str) -> String {
    format!("{name} is empty; write for example {example}")
}

pub(super) fn not_a_date(text: &str) -> String {
    format!("{text:?} is not a date; write expires = 2027-03-31")
}

pub(super) fn unknown_cause(name: &str, nearest: Option<&str>) -> String {
    let hint = nearest.map(|nearest| format!("did you mean {nearest:?}? ")).unwrap_or_default();
    format!(
        "{name:?} is not the code of a cause; {hint}reports name the cause of a failure, and \"unknown\" is for one without"
    )
}

/// Requirements with two entries, at both places.
pub(super) fn named_twice(of: &[&str], (one, other): (&Entry, &Entry), same: bool) -> String {
    let (ids, what) = (ids(of), if of.len() == 1 { "has" } else { "have" });
    let causes =
        if same { String::new() } else { format!(" with different causes ({}, {})", one.cause, other.cause) };
    format!("{}: {ids} {what} an entry at {} already{causes}; keep one of them", other.place(), one.place())
}

// Changes of a list.

pub(super) fn removed(entry: &Entry) -> String {
    format!("{}: removed {}, which passes now", entry.place(), entry.check())
}

/// Comments that stood above an entry that is removed.
pub(super) fn comments_stay(entry: &Entry) -> String {
    format!("{}: the comment above it stays; remove it if it is about this entry alone", entry.place())
}

pub(super) fn narrowed(entry: &Entry, passing: &[&str], left: &[&str]) -> String {
    let verb = if passing.len() == 1 { "passes" } else { "pass" };
    format!(
        "{}: {} matched too much: {} {verb}; it names {} now",
        entry.place(),
        entry.check(),
        ids(passing),
        ids(left)
    )
}

pub(super) fn cause_changed(entry: &Entry, of: &[&str], cause: &str) -> String {
    format!("{}: the cause of {} is {cause} now, not {}", entry.place(), ids(of), entry.cause)
}

pub(super) fn split(entry: &Entry, of: &[&str], cause: &str) -> String {
    let verb = if of.len() == 1 { "fails" } else { "fail" };
    format!("{}: {} {verb} for {cause}, and got an entry with the same reason", entry.place(), ids(of))
}

pub(super) fn added(id: &str, cause: &str) -> String {
    format!("added {id} ({cause}); replace its reason, \"TODO\"")
}

/// What a run does not decide.
pub(super) fn expired(entry: &Entry) -> String {
    let day = entry.expires.map(|day| day.to_string()).unwrap_or_default();
    format!("{}: {} expired on {day}; fix it, or set a later date", entry.place(), entry.check())
}
