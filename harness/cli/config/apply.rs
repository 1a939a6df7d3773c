//! Which value of an option counts.
//!
//! Invariant: a value that is not on the command line and does not fit what has precedence over it is left out.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::builder::ValueParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::file::{Entry, File, Given, Place};
use super::tree::{self, Checked};
use super::{Surroundings, variable};
use crate::cli::environment::{is_of_other_commands, variable_of};
use crate::cli::messages;
use crate::error::Error;
use crate::suite::known;

/// Options about a program that `--exec` starts.
const OF_EXEC: [&str; 5] = ["path", "port", "env", "cwd", "show-output"];

/// Options about a Twenty that `--twenty` names.
const OF_TWENTY: [&str; 6] =
    ["api-key", "api-key-file", "endpoint-host", "calls-per-minute", "dry-run", "cleanup"];

/// Options whose value is a URL that may be `https`.
const URLS: [&str; 5] = ["url", "control", "forward", "observe", "twenty"];

/// Where a value comes from, the first in precedence first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    Flag,
    /// The variable of this name.
    Variable(String),
    /// A line of a file, in the table of a profile or in none.
    Line {
        profile: Option<String>,
        place: Place,
    },
    Default,
    Unset,
}

/// An option with the value that counts.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) long: String,
    pub(super) origin: Origin,
    pub(super) value: Value,
    pub(super) kind: Kind,
    /// Whether the value does not fit another one, which has precedence.
    pub(super) is_used: bool,
    /// The options that exclude this one.
    conflicts: Vec<String>,
    /// What precedes among values from outside the command line; 0 is first.
    rank: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Flag,
    One,
    /// It can be given several times; in a variable, commas may separate the values.
    Several,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Is(bool),
    Words(Vec<OsString>),
}

/// Everything that decides about values.
pub(super) struct Known<'a> {
    pub(super) command: &'a Command,
    pub(super) path: &'a [String],
    pub(super) matches: &'a ArgMatches,
    pub(super) around: &'a Surroundings<'a>,
    pub(super) profile: Option<&'a str>,
}

impl Origin {
    /// The place in words; `None` for the command line and for defaults.
    pub(super) fn elsewhere(&self) -> Option<String> {
        match self {
            Self::Variable(name) => Some(messages::config::by_variable(name)),
            Self::Line { profile, place } => {
                Some(messages::config::by_line(&place.file, place.line, profile.as_deref()))
            }
            Self::Flag | Self::Default | Self::Unset => None,
        }
    }
}

impl Resolved {
    /// The words that a command line lacks.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        if self.origin.elsewhere().is_none() || !self.is_used {
            return Vec::new();
        }
        match &self.value {
            Value::Is(true) => vec![format!("--{}", self.long).into()],
            Value::Is(false) => Vec::new(),
            Value::Words(words) => words.iter().map(|word| assigned(&self.long, word)).collect(),
        }
    }

    /// Whether it sets anything.
    fn is_set(&self) -> bool {
        !matches!(self.origin, Origin::Default | Origin::Unset) && self.value != Value::Is(false)
    }

    /// The value of an option that has one, if it is used.
    pub(super) fn single(&self) -> Option<String> {
        match &self.value {
            Value::Words(words) if self.is_used => {
                words.last().map(|word| word.to_string_lossy().into_owned())
            }
            _ => None,
        }
    }
}

fn assigned(long: &str, word: &OsStr) -> OsString {
    let mut argument = OsString::from(format!("--{long}="));
    argument.push(word);
    argument
}

impl Known<'_> {
    /// The value of each option of the command. Errors: a variable is wrong.
    pub(super) fn resolve(&self, entries: &[&Entry]) -> Result<Vec<Resolved>, Error> {
        let options = tree::options(self.command, self.path);
        let mut resolved =
            options.iter().map(|arg| self.option(arg, entries)).collect::<Result<Vec<_>, _>>()?;
        for at in 0..resolved.len() {
            resolved[at].is_used = fits(&resolved[at], &resolved);
        }
        // Excluded values exclude nothing, so this is looked at first.
        for at in 0..resolved.len() {
            resolved[at].is_used = resolved[at].is_used && !is_excluded(at, &resolved);
        }
        Ok(resolved)
    }

    fn option(&self, arg: &Arg, entries: &[&Entry]) -> Result<Resolved, Error> {
        let long = arg.get_long().unwrap_or_default();
        let kind = kind(arg);
        let at = tree::at(self.command, self.path)
            .filter(|at| at.get_arguments().any(|one| one.get_id() == arg.get_id()));
        let conflicts = at.into_iter().flat_map(|at| conflicts(at, arg)).collect();
        let (origin, value, rank) = self.value(arg, kind, entries)?;
        Ok(Resolved { long: long.to_owned(), origin, value, kind, is_used: true, conflicts, rank })
    }

    fn value(&self, arg: &Arg, kind: Kind, entries: &[&Entry]) -> Result<(Origin, Value, usize), Error> {
        let (id, long) = (arg.get_id().as_str(), arg.get_long().unwrap_or_default());
        if self.matches.value_source(id) == Some(ValueSource::CommandLine) {
            let words = || self.matches.get_raw(id).into_iter().flatten().map(OsStr::to_owned).collect();
            let value = if kind == Kind::Flag { Value::Is(true) } else { Value::Words(words()) };
            return Ok((Origin::Flag, value, 0));
        }
        if let Some(name) = variable_of(self.command, self.path, long)
            && let Some((word, origin)) = variable(self.around, name)
        {
            return Ok((origin.clone(), from_variable(arg, kind, word, &origin)?, 1));
        }
        if let Some((rank, entry)) = self.entry(long, entries) {
            let origin = Origin::Line { profile: entry.profile.clone(), place: entry.place.clone() };
            return Ok((origin, from_file(arg, kind, entry)?, rank + 2));
        }
        let defaults: Vec<OsString> = arg.get_default_values().iter().map(|value| value.into()).collect();
        Ok(match kind {
            Kind::Flag => (Origin::Default, Value::Is(false), usize::MAX),
            _ if defaults.is_empty() => (Origin::Unset, Value::Words(Vec::new()), usize::MAX),
            _ => (Origin::Default, Value::Words(defaults), usize::MAX),
        })
    }

    /// The line of the file that counts: of the profile before others, and of the nearest table.
    fn entry<'e>(&self, long: &str, entries: &[&'e Entry]) -> Option<(usize, &'e Entry)> {
        let depth = self.path.len();
        let rank = |entry: &Entry| {
            let is_of_profile = match &entry.profile {
                Some(name) if Some(name.as_str()) == self.profile => true,
                Some(_) => return None,
                None => false,
            };
            let near = entry.command.len();
            let is_meant = self.path.starts_with(&entry.command)
                && (near == depth || !is_of_other_commands(self.command, self.path, long));
            is_meant.then(|| depth - near + if is_of_profile { 0 } else { depth + 1 })
        };
        let of_option = entries.iter().filter(|entry| entry.long == long);
        of_option.filter_map(|entry| Some((rank(entry)?, *entry))).min_by_key(|(rank, _)| *rank)
    }
}

fn kind(arg: &Arg) -> Kind {
    match arg.get_action() {
        ArgAction::SetTrue => Kind::Flag,
        _ if tree::is_list(arg) => Kind::Several,
        _ => Kind::One,
    }
}

/// The options that exclude this one, whichever of both says so.
fn conflicts(command: &Command, arg: &Arg) -> Vec<String> {
    let declared = |one: &Arg| {
        let others = if one.is_global_set() { Vec::new() } else { command.get_arg_conflicts_with(one) };
        others.into_iter().map(|other| other.get_id().clone()).collect::<Vec<_>>()
    };
    let own = declared(arg);
    let excludes = |other: &&Arg| own.contains(other.get_id()) || declared(other).contains(arg.get_id());
    let others = command.get_arguments().filter(|other| other.get_id() != arg.get_id()).filter(excludes);
    others.filter_map(|other| other.get_long().map(str::to_owned)).collect()
}

/// Whether an option is about something that the command has. One on the command line always is: if it is not, that is an error.
fn fits(one: &Resolved, all: &[Resolved]) -> bool {
    let has = |long: &str| all.iter().any(|other| other.long == long);
    let is_set = |long: &str| all.iter().any(|other| other.long == long && other.is_set());
    let excluded = |long: &str| {
        let at = all.iter().position(|other| other.long == long);
        at.is_some_and(|at| is_excluded(at, all))
    };
    let counts = |long: &str| is_set(long) && !excluded(long);
    match one.long.as_str() {
        _ if one.origin.elsewhere().is_none() => true,
        long if OF_EXEC.contains(&long) && has("exec") => counts("exec"),
        long if OF_TWENTY.contains(&long) && has("twenty") => counts("twenty"),
        "secret" | "secret-file" if counts("twenty") => false,
        "secret" | "secret-file" if has("transcript") => counts("transcript"),
        "ca" | "insecure" if counts("exec") => false,
        "ca" | "insecure" => all
            .iter()
            .filter(|other| URLS.contains(&other.long.as_str()) && counts(&other.long))
            .any(|url| url.single().is_some_and(|url| url.trim().to_lowercase().starts_with("https:"))),
        _ => true,
    }
}

/// Whether an option is left out for another one that precedes it.
fn is_excluded(at: usize, all: &[Resolved]) -> bool {
    let one = &all[at];
    let precedes = |(index, other): (usize, &Resolved)| {
        // Of variables that exclude each other, the one of the first option counts. Two lines of a table are a mistake.
        let is_first = other.rank == 1 && index < at && one.kind != Kind::Flag && other.kind != Kind::Flag;
        other.is_used
            && other.is_set()
            && one.conflicts.contains(&other.long)
            && (other.rank < one.rank || other.rank == one.rank && is_first)
    };
    one.origin.elsewhere().is_some() && one.is_set() && all.iter().enumerate().any(precedes)
}

fn from_variable(arg: &Arg, kind: Kind, word: OsString, origin: &Origin) -> Result<Value, Error> {
    let long = arg.get_long().unwrap_or_default();
    if kind == Kind::Flag { Ok(Value::Is(is_on(long, &word, origin)?)) } else { Ok(Value::Words(vec![word])) }
}

/// Whether a flag's variable switches it on. Errors: it is no word for that.
pub(super) fn is_on(long: &str, word: &OsStr, origin: &Origin) -> Result<bool, Error> {
    let (text, place) = (word.to_string_lossy(), origin.elsewhere().unwrap_or_default());
    switch(&text).ok_or_else(|| Error::Usage(messages::config::not_a_switch(long, &text, &place)))
}
/// The words of a line, with paths as seen from the current folder.
pub(super) fn from_file(arg: &Arg, kind: Kind, entry: &Entry) -> Result<Value, Error> {
    let long = &entry.long;
    let wrong = |line: usize, why: String| {
        Err(Error::Usage(messages::config::at_line(&entry.place.file, line, &why)))
    };
    match (&entry.given, kind) {
        (Given::One(text), Kind::Flag) => match switch(text) {
            Some(is) => Ok(Value::Is(is)),
            None => wrong(entry.place.line, messages::config::not_a_switch(long, text, "")),
        },
        (Given::Several(_), Kind::Flag | Kind::One) => {
            wrong(entry.place.line, messages::config::not_several(long))
        }
        (Given::One(text), _) => Ok(Value::Words(vec![relative(arg, text, &entry.place.file)])),
        (Given::Several(given), Kind::Several) => {
            let words = given.iter().map(|(text, _)| relative(arg, text, &entry.place.file));
            Ok(Value::Words(words.collect()))
        }
    }
}

/// A word such as `true` or `off`.
fn switch(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Some(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Some(false),
        _ => None,
    }
}

fn is_path(arg: &Arg) -> bool {
    arg.get_value_parser().type_id() == ValueParser::path_buf().type_id()
}

/// A value whose paths are relative to the folder of a file.
fn relative(arg: &Arg, text: &str, file: &Path) -> OsString {
    let join =
        |path: &str| -> PathBuf { if path == "-" { path.into() } else { File::folder(file).join(path) } };
    let is_named =
        |name: &str| arg.get_value_names().is_some_and(|names| names.iter().any(|one| one.as_str() == name));
    if is_path(arg) {
        return join(text).into();
    }
    let (before, path) = match text.strip_prefix('@') {
        Some(path) if is_named("PATTERN") => ("@", path),
        _ if is_named("FILE|NAME") && known::shipped(text).is_none() => ("", text),
        _ if is_named("FORMAT=PATH") => match text.split_once('=') {
            Some((format, path)) if !path.is_empty() => (&text[..=format.len()], path),
            _ => return text.into(),
        },
        _ => return text.into(),
    };
    let mut joined = OsString::from(before);
    joined.push(join(path));
    joined
}

/// Errors: an option of this command, or of the first that has it, does not take the value.
pub(super) fn check(entry: &Entry, program: &Command, path: &[String]) -> Result<(), Error> {
    let has = |leaf: &[String]| {
        tree::options(program, leaf).into_iter().any(|arg| arg.get_long() == Some(&entry.long))
    };
    let leaves = tree::leaves(program, &entry.command);
    let running = leaves.iter().find(|leaf| leaf.as_slice() == path && has(leaf));
    let Some(leaf) = running.or_else(|| leaves.iter().find(|leaf| has(leaf))) else { return Ok(()) };
    let options = tree::options(program, leaf);
    let Some(arg) = options.into_iter().find(|arg| arg.get_long() == Some(&entry.long)) else {
        return Ok(());
    };
    let Value::Words(words) = from_file(arg, kind(arg), entry)? else { return Ok(()) };
    for (at, word) in words.iter().enumerate() {
        let line = match &entry.given {
            Given::Several(given) => given.get(at).map_or(entry.place.line, |(_, line)| *line),
            Given::One(_) => entry.place.line,
        };
        let mut call = vec![OsString::from(program.get_name())];
        call.extend(leaf.iter().map(OsString::from));
        call.push(assigned(&entry.long, word));
        if let Err(why) = tree::relaxed(program, leaf, Checked::Value).try_get_matches_from(call)
            && why.use_stderr()
        {
            let why = plain(&why);
            return Err(Error::Usage(messages::config::at_line(&entry.place.file, line, &why)));
        }
    }
    Ok(())
}

/// The sentence of an error, without its heading and its advice.
fn plain(why: &clap::Error) -> String {
    let text = why.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let end = text.find("\n\nFor more information").or_else(|| text.find("\n\nUsage:")).unwrap_or(text.len());
    text[..end].trim_end().to_owned()
}
