//! Reads `twenty-conform.toml`: which value stands where.
//!
//! Invariant: an unknown name and a value of a form that no option takes are errors with the file and the line.

use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::Command;
use clap::CommandFactory as _;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{OWN, SECRET, syntax, tree};
use crate::budget::SMALL_FILE;
use crate::cli::{Arguments, messages};
use crate::error::Error;
use crate::{input, nearest};

/// The table of profiles.
const PROFILE: &str = "profile";

/// A file that was read.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) entries: Vec<Entry>,
    /// The names of the profiles.
    pub(super) profiles: Vec<String>,
}

/// An option's value in the file.
#[derive(Debug)]
pub(super) struct Entry {
    /// The profile in which it stands.
    pub(super) profile: Option<String>,
    /// The command whose table has it; empty for all commands.
    pub(super) command: Vec<String>,
    pub(super) long: String,
    pub(super) place: Place,
    pub(super) given: Given,
}

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: PathBuf,
    pub(super) line: usize,
}

/// A value, or several, each with its line.
#[derive(Debug)]
pub(super) enum Given {
    One(String),
    Several(Vec<(String, usize)>),
}

struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
    program: Command,
    entries: Vec<Entry>,
    profiles: Vec<String>,
}

/// Where a table stands.
#[derive(Clone, Default)]
struct Scope {
    profile: Option<String>,
    command: Vec<String>,
}

impl File {
    /// Errors: it cannot be read, or is wrong.
    pub(super) fn read(path: PathBuf) -> Result<Self, Error> {
        let text = input::text(&path, SMALL_FILE)
            .map_err(|why| Error::Usage(messages::cannot_read(path.display(), why)))?;
        let table = DeTable::parse(&text).map_err(|why| {
            let at = why.span().map_or(0, |span| span.start);
            Error::Usage(syntax::error(&path, &text, at, why.message()))
        })?;
        let program = Arguments::command();
        let mut reader =
            Reader { text: &text, path: &path, program, entries: Vec::new(), profiles: Vec::new() };
        reader.table(table.get_ref(), &Scope::default())?;
        let Reader { entries, profiles, .. } = reader;
        Ok(Self { path, entries, profiles })
    }

    /// The folder to which its paths are relative.
    pub(super) fn folder(path: &Path) -> &Path {
        path.parent().unwrap_or_else(|| Path::new(""))
    }
}

impl Reader<'_> {
    fn line(&self, span: &Range<usize>) -> usize {
        syntax::line_at(self.text, span.start)
    }

    fn wrong(&self, span: &Range<usize>, why: &str) -> Error {
        Error::Usage(messages::config::at_line(self.path, self.line(span), why))
    }

    fn table(&mut self, table: &DeTable<'_>, scope: &Scope) -> Result<(), Error> {
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if SECRET.contains(&name) {
                return Err(self.wrong(&key.span(), messages::config::secret_in_file(name)));
            }
            let is_top = scope.command.is_empty() && scope.profile.is_none();
            match value.get_ref() {
                DeValue::Table(profiles) if is_top && name == PROFILE => self.profiles(profiles)?,
                DeValue::Table(inner)
                    if self.is_command(scope, name) && !self.is_value(scope, name, inner) =>
                {
                    let command = [&scope.command[..], &[name.to_owned()]].concat();
                    self.table(inner, &Scope { command, ..scope.clone() })?;
                }
                _ if self.is_option(scope, name) => {
                    let place = Place { file: self.path.to_owned(), line: self.line(&key.span()) };
                    let given = self.given(value)?;
                    let Scope { profile, command } = scope.clone();
                    self.entries.push(Entry { profile, command, long: name.to_owned(), place, given });
                }
                _ => return Err(self.wrong(&key.span(), &self.unknown(scope, name))),
            }
        }
        Ok(())
    }

    fn profiles(&mut self, profiles: &DeTable<'_>) -> Result<(), Error> {
        for (name, value) in profiles {
            let DeValue::Table(table) = value.get_ref() else {
                let why = messages::config::not_a_profile(name.get_ref());
                return Err(self.wrong(&name.span(), &why));
            };
            let profile = name.get_ref().to_string();
            self.profiles.push(profile.clone());
            self.table(table, &Scope { profile: Some(profile), command: Vec::new() })?;
        }
        Ok(())
    }

    fn is_command(&self, scope: &Scope, name: &str) -> bool {
        tree::at(&self.program, &scope.command).is_some_and(|at| at.find_subcommand(name).is_some())
    }

    /// Whether a table under the name of a command is the value of the option of that name: none of its keys belongs to the command.
    fn is_value(&self, scope: &Scope, name: &str, table: &DeTable<'_>) -> bool {
        let command = [&scope.command[..], &[name.to_owned()]].concat();
        let of_command = self.options(&command);
        let is_of_command = |key: &str| {
            SECRET.contains(&key) || OWN.contains(&key) || of_command.iter().any(|long| long == key)
        };
        self.is_option(scope, name)
            && !table.is_empty()
            && !table.keys().any(|key| is_of_command(key.get_ref().as_ref()))
    }

    fn options(&self, command: &[String]) -> Vec<String> {
        let leaves = tree::leaves(&self.program, command);
        let of = |path: &Vec<String>| {
            let options = tree::options(&self.program, path);
            options.into_iter().filter_map(|arg| arg.get_long().map(str::to_owned)).collect::<Vec<_>>()
        };
        leaves.iter().flat_map(of).collect()
    }

    fn is_option(&self, scope: &Scope, name: &str) -> bool {
        self.options(&scope.command).iter().any(|long| long == name)
    }

    /// What is wrong with a name that is neither an option nor a command here.
    fn unknown(&self, scope: &Scope, name: &str) -> String {
        if OWN.contains(&name) {
            return messages::config::sets_itself(name);
        }
        let whose = scope.command.join(" ");
        let mut others = tree::leaves(&self.program, &[]);
        others.retain(|path| self.options(path).iter().any(|long| long == name));
        if let Some(other) = others.first() {
            return messages::config::option_of_another(name, &whose, &other.join("."));
        }
        let mut known = self.options(&scope.command);
        known.retain(|long| !SECRET.contains(&&**long));
        let commands: Vec<&Command> =
            tree::at(&self.program, &scope.command).into_iter().flat_map(Command::get_subcommands).collect();
        if commands.iter().any(|one| one.get_name() == name) {
            return messages::config::is_a_table(
                &[&scope.command[..], &[name.to_owned()]].concat().join("."),
            );
        }
        known.extend(commands.iter().map(|one| one.get_name().to_owned()));
        if scope.command.is_empty() && scope.profile.is_none() {
            known.push(PROFILE.to_owned());
        }
        messages::config::unknown_key(name, &whose, nearest::to(name, known.iter().map(String::as_str)))
    }

    fn given(&self, value: &Spanned<DeValue<'_>>) -> Result<Given, Error> {
        let line = |value: &Spanned<DeValue<'_>>| self.line(&value.span());
        let several = match value.get_ref() {
            DeValue::Array(values) => {
                let of = |value: &Spanned<_>| Ok((self.scalar(value)?, line(value)));
                values.iter().map(of).collect::<Result<_, Error>>()?
            }
            DeValue::Table(table) => {
                let of = |(key, value): (&Spanned<_>, &Spanned<_>)| {
                    Ok((format!("{}={}", key.get_ref(), self.scalar(value)?), self.line(&key.span())))
                };
                table.iter().map(of).collect::<Result<_, Error>>()?
            }
            _ => return self.scalar(value).map(Given::One),
        };
        Ok(Given::Several(several))
    }

    /// A value as a word of a command line.
    fn scalar(&self, value: &Spanned<DeValue<'_>>) -> Result<String, Error> {
        Ok(match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            DeValue::Boolean(is) => is.to_string(),
            DeValue::Datetime(time) => time.to_string(),
            DeValue::Array(_) | DeValue::Table(_) => {
                return Err(self.wrong(&value.span(), messages::config::nested_value()));
            }
        })
    }
}
