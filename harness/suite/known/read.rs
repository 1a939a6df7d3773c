//! Reads a list of known failures. Everything that is wrong is named, with its line.

use jiff::civil::Date;
use toml_edit::{Document, Item, Table, Value};

use super::{Entry, ExpectedCause, messages};
use crate::nearest;
use crate::suite::requirement::{Requirement, Role};
use crate::suite::requirements;
use crate::suite::selection;
use crate::terminal::clipped;

/// The name of the list in a file.
pub(super) const KNOWN: &str = "known";

/// The keys of an entry, each with an example.
const KEYS: [(&str, &str); 8] = [
    ("check", "check = \"VER-16\""),
    ("cause", "cause = \"message.reserialised\""),
    ("reason", "reason = \"framework bug\""),
    ("effect", "effect = \"deliveries fail\""),
    ("since", "since = \"2.31.0\""),
    ("link", "link = \"https://example.com/issues/12\""),
    ("owner", "owner = \"payments\""),
    EXPIRES,
];

const EXPIRES: (&str, &str) = ("expires", "expires = 2027-03-31");

/// How much of a line is shown.
const SHOWN: usize = 100;

/// Something that is wrong with a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub line: usize,
    pub why: String,
}

struct Reader<'a> {
    list: &'a str,
    /// Where each line ends.
    ends: Vec<usize>,
    faults: Vec<Fault>,
}

/// The entries of a list, in their order. `list` is its file or name.
///
/// Errors: everything that is wrong, by line.
pub fn parse(list: &str, text: &str) -> Result<Vec<Entry>, Vec<Fault>> {
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
    let mut reader = Reader { list, ends, faults: Vec::new() };
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(why) => {
            let at = why.span().map_or(0, |span| span.start);
            // At the end of a text, what is missing is missing from the last line that has something.
            let line = reader.line_at(if at >= text.len() { text.trim_end().len() } else { at });
            let shown = clipped(text.lines().nth(line - 1).unwrap_or_default().trim(), SHOWN);
            let told = why.message().split_whitespace().collect::<Vec<_>>().join(" ");
            return Err(vec![Fault { line, why: messages::not_toml(&told, line, &shown) }]);
        }
    };
    let mut entries = Vec::new();
    for (name, item) in document.as_table() {
        match item {
            Item::ArrayOfTables(tables) if name == KNOWN => {
                // More cannot be right, and each takes time.
                let most = requirements::all().count();
                if let Some(table) = tables.get(most) {
                    reader.wrong(table, "", messages::too_many(tables.len(), most));
                    continue;
                }
                entries.extend(tables.iter().filter_map(|table| reader.entry(table)));
            }
            _ if name == KNOWN => reader.wrong(document.as_table(), name, messages::not_entries()),
            _ => {
                let why = messages::unknown_key(name, nearest::to(name, [KNOWN].into_iter()), &["[[known]]"]);
                reader.wrong(document.as_table(), name, why);
            }
        }
    }
    reader.faults.sort_by_key(|fault| fault.line);
    if reader.faults.is_empty() { Ok(entries) } else { Err(reader.faults) }
}

impl Reader<'_> {
    fn line_at(&self, at: usize) -> usize {
        self.ends.partition_point(|&end| end < at) + 1
    }

    /// The line of a key, or of the table that has it.
    fn line(&self, table: &Table, name: &str) -> usize {
        let own = table.key(name).and_then(toml_edit::Key::span);
        let item = || table.get(name).and_then(Item::span);
        own.or_else(item).or_else(|| table.span()).map_or(1, |span| self.line_at(span.start))
    }

    fn wrong(&mut self, table: &Table, name: &str, why: String) {
        let line = self.line(table, name);
        self.faults.push(Fault { line, why });
    }

    /// An entry, unless something is wrong with it.
    fn entry(&mut self, table: &Table) -> Option<Entry> {
        let before = self.faults.len();
        let names = KEYS.map(|(name, _)| name);
        for (name, _) in table {
            if !names.contains(&name) {
                let why = messages::unknown_key(name, nearest::to(name, names.into_iter()), &names);
                self.wrong(table, name, why);
            }
        }
        let patterns = self.patterns(table);
        let requirements = self.requirements(table, &patterns);
        let cause = self
            .text_of(table, "cause", true)
            .and_then(|text| ExpectedCause::parse(&text).map_err(|why| self.wrong(table, "cause", why)).ok());
        let reason = self.text_of(table, "reason", true);
        let (effect, since) = (self.text_of(table, "effect", false), self.text_of(table, "since", false));
        let (link, owner) = (self.text_of(table, "link", false), self.text_of(table, "owner", false));
        let expires = self.date(table);
        let (list, line) = (self.list.to_owned(), self.line(table, ""));
        let (cause, reason) = cause.zip(reason)?;
        let is_right = self.faults.len() == before;
        is_right.then_some(Entry {
            list,
            line,
            patterns,
            requirements,
            cause,
            reason,
            effect,
            since,
            link,
            owner,
            expires,
        })
    }

    fn patterns(&mut self, table: &Table) -> Vec<String> {
        let Some(Item::Value(Value::Array(given))) = table.get("check") else {
            return self.text_of(table, "check", true).into_iter().collect();
        };
        let patterns: Option<Vec<String>> = given.iter().map(|one| one.as_str().map(str::to_owned)).collect();
        match patterns {
            Some(patterns) if patterns.is_empty() => {
                self.wrong(table, "check", messages::is_empty("check", KEYS[0].1));
                patterns
            }
            Some(patterns) => patterns,
            None => {
                self.wrong(table, "check", messages::wrong_type("check", "mixed array", KEYS[0].1));
                Vec::new()
            }
        }
    }

    fn requirements(&mut self, table: &Table, patterns: &[String]) -> Vec<&'static Requirement> {
        selection::matched(&[Role::Sender, Role::Receiver], patterns).unwrap_or_else(|why| {
            self.wrong(table, "check", why);
            Vec::new()
        })
    }

    /// A text that is not empty.
    fn text_of(&mut self, table: &Table, name: &str, is_needed: bool) -> Option<String> {
        let example = KEYS.iter().find(|(key, _)| *key == name).map_or("", |(_, example)| *example);
        match table.get(name) {
            None if is_needed => self.wrong(table, name, messages::missing_key(name, example)),
            None => {}
            Some(Item::Value(Value::String(text))) if text.value().trim().is_empty() => {
                self.wrong(table, name, messages::is_empty(name, example));
            }
            // Reports show it in one line.
            Some(Item::Value(Value::String(text))) => {
                return Some(text.value().split_whitespace().collect::<Vec<_>>().join(" "));
            }
            Some(other) => self.wrong(table, name, messages::wrong_type(name, other.type_name(), example)),
        }
        None
    }

    fn date(&mut self, table: &Table) -> Option<Date> {
        let (name, example) = EXPIRES;
        let text = match table.get(name)? {
            Item::Value(Value::Datetime(day)) => day.value().to_string(),
            Item::Value(Value::String(text)) => text.value().trim().to_owned(),
            other => {
                self.wrong(table, name, messages::wrong_type(name, other.type_name(), example));
                return None;
            }
        };
        // The ten characters of a day, because jiff takes a time after it too.
        let day = text.parse().ok().filter(|_| text.len() == 10);
        if day.is_none() {
            self.wrong(table, name, messages::not_a_date(&text));
        }
        day
    }
}
