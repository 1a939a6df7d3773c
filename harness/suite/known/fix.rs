//! Changes a list of known failures according to a run. Comments, order and formatting of what stays are kept.

use std::mem;

use jiff::civil::Date;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, Value};

use super::read::KNOWN;
use super::{Entry, ExpectedCause, Seen, Standing, messages, written};
use crate::suite::requirements;
use crate::suite::selection::matches;
use crate::suite::verdict::VerdictName;

/// The byte order mark, which the parser drops.
const MARK: char = '\u{feff}';

/// The reason of an entry that is added.
const REASON: &str = "TODO";

/// A list after its change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The same text if nothing changes.
    pub text: String,
    /// Each change, in a sentence.
    pub changes: Vec<String>,
    /// What is wrong and is not for a run to decide.
    pub left: Vec<String>,
}

/// What a run asks of an entry.
enum Change {
    Remove,
    /// It names these requirements alone, if its pattern changes, with this cause, if that changes.
    Edit {
        narrowed: Option<Vec<&'static str>>,
        cause: Option<String>,
    },
}

/// The change of one entry, with the entries that it is split into.
struct Plan {
    change: Option<Change>,
    /// Requirements that fail for another cause than the rest of the entry.
    split: Vec<(Vec<&'static str>, String)>,
    said: Vec<String>,
}

/// A list according to what a run has seen. `entries` are those of the text; with `add`, failures without an entry get one.
///
/// Errors: the text is not a list.
pub fn fixed(
    text: &str,
    entries: &[Entry],
    seen: &[Seen<'_>],
    today: Date,
    add: bool,
) -> Result<Fixed, String> {
    let bare = text.strip_prefix(MARK).unwrap_or(text);
    let mut document: DocumentMut =
        bare.parse().map_err(|why: toml_edit::TomlError| why.message().to_owned())?;
    let (mut changes, mut left) = (Vec::new(), Vec::new());
    let mut tables = match document.get_mut(KNOWN) {
        Some(Item::ArrayOfTables(tables)) => mem::take(tables),
        _ => ArrayOfTables::new(),
    };
    let mut kept = ArrayOfTables::new();
    let mut carried = String::new();
    for (entry, table) in entries.iter().zip(tables.iter_mut()) {
        let plan = plan(entry, seen, today);
        if entry.has_expired(today) && !matches!(plan.change, Some(Change::Remove)) {
            left.push(messages::expired(entry));
        }
        changes.extend(plan.said);
        let mut table = mem::take(table);
        if let Some(Change::Remove) = plan.change {
            let comments = carry(&mut carried, &table);
            changes.extend(comments.then(|| messages::comments_stay(entry)));
            continue;
        }
        put_before(&mut carried, &mut table);
        let copies: Vec<Table> =
            plan.split.into_iter().map(|(ids, cause)| copy(&table, &ids, &cause)).collect();
        if let Some(Change::Edit { narrowed, cause }) = plan.change {
            if let Some(ids) = narrowed {
                narrow(&mut table, &ids);
            }
            if let Some(cause) = cause {
                set(&mut table, "cause", cause.into());
            }
        }
        kept.push(table);
        copies.into_iter().for_each(|copy| kept.push(copy));
    }
    let missing = seen.iter().filter(|one| {
        add && one.verdict == VerdictName::Fail && !entries.iter().any(|entry| entry.matches(one.id))
    });
    for one in missing {
        let cause = written(one.cause, false);
        changes.push(messages::added(one.id, &cause));
        let mut table = new_entry(one.id, &cause);
        // It comes after everything, comments too.
        let last = document.trailing().as_str().unwrap_or_default().to_owned();
        document.set_trailing("");
        if last.contains('#') {
            carried = joined(&carried, &last);
        }
        let is_first = kept.is_empty() && bare.trim().is_empty();
        table.decor_mut().set_prefix(if is_first { "" } else { "\n" });
        put_before(&mut carried, &mut table);
        kept.push(table);
    }
    if changes.is_empty() {
        return Ok(Fixed { text: text.to_owned(), changes, left });
    }
    if !carried.is_empty() {
        let trailing = document.trailing().as_str().unwrap_or_default();
        let joined = joined(&carried, trailing);
        document.set_trailing(if joined.ends_with('\n') { joined } else { joined + "\n" });
    }
    document[KNOWN] = Item::ArrayOfTables(kept);
    Ok(Fixed { text: with_form_of(text, &document.to_string()), changes, left })
}

/// What to change of an entry.
fn plan(entry: &Entry, seen: &[Seen<'_>], today: Date) -> Plan {
    let standings = entry.standings(seen, today);
    let ids = |wanted: &[Standing]| -> Vec<&'static str> {
        let is =
            |id: &str| standings.iter().any(|(seen, standing)| seen.id == id && wanted.contains(standing));
        entry.requirements.iter().map(|one| one.id).filter(|id| is(id)).collect()
    };
    let passing = ids(&[Standing::Passes]);
    let mut left: Vec<&'static str> =
        entry.requirements.iter().map(|one| one.id).filter(|id| !passing.contains(id)).collect();
    if left.is_empty() {
        return Plan {
            change: Some(Change::Remove),
            split: Vec::new(),
            said: vec![messages::removed(entry)],
        };
    }
    let mut others: Vec<(Vec<&'static str>, String)> = Vec::new();
    for id in ids(&[Standing::Drifts]) {
        let cause = standings.iter().find(|(seen, _)| seen.id == id).and_then(|(seen, _)| seen.cause);
        let cause = written(cause, entry.cause.detail.is_some());
        match others.iter_mut().find(|(_, known)| *known == cause) {
            Some((ids, _)) => ids.push(id),
            None => others.push((vec![id], cause)),
        }
    }
    let mut said = Vec::new();
    let mut cause = None;
    // Where nothing fails as it says, the first other cause takes its place. What was not judged stays with it.
    if ids(&[Standing::Fails, Standing::Expired]).is_empty() && !others.is_empty() {
        let (of, new) = others.remove(0);
        said.push(messages::cause_changed(entry, &of, &new));
        cause = Some(new);
    }
    left.retain(|id| !others.iter().any(|(ids, _)| ids.contains(id)));
    if !passing.is_empty() {
        said.push(messages::narrowed(entry, &passing, &left));
    }
    said.extend(others.iter().map(|(ids, cause)| messages::split(entry, ids, cause)));
    let narrowed = (left.len() < entry.requirements.len()).then_some(left);
    let is_changed = narrowed.is_some() || cause.is_some();
    Plan { change: is_changed.then_some(Change::Edit { narrowed, cause }), split: others, said }
}

/// The ids as the value of `check`.
fn check(ids: &[&str]) -> Value {
    match ids {
        [one] => (*one).into(),
        several => several.iter().copied().collect::<Array>().into(),
    }
}

/// Leaves these ids only in `check`. Patterns of a list that match nothing else stay, with their comments.
fn narrow(table: &mut Table, ids: &[&str]) {
    let Some(Item::Value(Value::Array(patterns))) = table.get_mut("check") else {
        return set(table, "check", check(ids));
    };
    let mut missing = ids.to_vec();
    let mut comments = String::new();
    let mut at = 0;
    while at < patterns.len() {
        let matched: Vec<&str> = match patterns.get(at).and_then(Value::as_str) {
            Some(pattern) => {
                requirements::all().filter(|one| matches(pattern, one)).map(|one| one.id).collect()
            }
            None => Vec::new(),
        };
        if matched.iter().all(|id| ids.contains(id)) {
            missing.retain(|id| !matched.contains(id));
            if let Some(kept) = patterns.get_mut(at) {
                put_before_value(&mut comments, kept);
            }
            at += 1;
        } else {
            // A comment at the end of the line before stands before this value.
            let above = patterns.remove(at);
            let above = above.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
            if above.contains('#') {
                comments.push_str(above.trim_end());
            }
        }
    }
    for id in missing {
        let mut value = Value::from(id);
        value.decor_mut().set_prefix(if patterns.is_empty() { "" } else { " " });
        put_before_value(&mut comments, &mut value);
        patterns.push_formatted(value);
    }
    if let Some(first) = patterns.get_mut(0)
        && first.decor().prefix().and_then(|prefix| prefix.as_str()) == Some(" ")
    {
        first.decor_mut().set_prefix("");
    }
    if !comments.is_empty() {
        let trailing = patterns.trailing().as_str().unwrap_or_default().to_owned();
        patterns.set_trailing(format!(
            "{comments}{}",
            if trailing.contains('\n') { trailing } else { "\n".to_owned() }
        ));
    }
}

/// Puts comments between the values of a list before this one.
fn put_before_value(comments: &mut String, value: &mut Value) {
    if comments.is_empty() {
        return;
    }
    let own = value.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
    let own = if own.contains('\n') { own.to_owned() } else { format!("\n{own}") };
    value.decor_mut().set_prefix(format!("{}{own}", mem::take(comments)));
}

/// Replaces a value and keeps what stands around it.
fn set(table: &mut Table, key: &str, value: Value) {
    if let Some(old) = table.get_mut(key).and_then(Item::as_value_mut) {
        let decor = old.decor().clone();
        *old = value;
        *old.decor_mut() = decor;
    }
}

/// The same entry for other requirements, without its comments.
fn copy(table: &Table, ids: &[&str], cause: &str) -> Table {
    let mut new = Table::new();
    for (key, item) in table {
        let value = match (key, item) {
            ("check", _) => check(ids),
            ("cause", _) => {
                ExpectedCause::parse(cause).map_or_else(|_| cause.into(), |cause| cause.to_string().into())
            }
            (_, Item::Value(value)) => value.clone().decorated(" ", ""),
            _ => continue,
        };
        new.insert(key, Item::Value(value));
    }
    new.decor_mut().set_prefix("\n");
    new
}

fn new_entry(id: &str, cause: &str) -> Table {
    let mut table = Table::new();
    for (key, value) in [("check", id), ("cause", cause), ("reason", REASON)] {
        table.insert(key, Item::Value(value.into()));
    }
    table
}

/// Keeps the comments above a table that is removed. Returns whether there are any.
fn carry(carried: &mut String, table: &Table) -> bool {
    let above = table.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
    let has_comments = above.contains('#');
    if has_comments {
        *carried = joined(carried, above);
    }
    has_comments
}

/// Comments, and those that follow, with a line end between them.
fn joined(before: &str, after: &str) -> String {
    if before.is_empty() { after.to_owned() } else { format!("{}\n{after}", before.trim_end()) }
}

/// Puts the comments of removed tables before this one.
fn put_before(carried: &mut String, table: &mut Table) {
    if carried.is_empty() {
        return;
    }
    let own = table.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
    let own = own.trim_start_matches(['\r', '\n']);
    let joined = format!("{}\n\n{own}", mem::take(carried).trim_end());
    table.decor_mut().set_prefix(joined);
}

/// The text with the line ends and the mark of another.
fn with_form_of(old: &str, new: &str) -> String {
    let mut text = new.to_owned();
    if old.contains("\r\n") {
        text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    if old.starts_with(MARK) { format!("{MARK}{text}") } else { text }
}
