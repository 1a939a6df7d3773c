//! Options from everywhere: the command line, the environment, a profile and `twenty-conform.toml`, in this order of precedence.
//!
//! Invariant: what is not on the command line is added to it before it is parsed, so an option means the same wherever it stands.
//! A value from elsewhere never conflicts with one of higher precedence: it is left out.

mod apply;
mod file;
mod print;
mod syntax;
#[cfg(test)]
mod tests;
mod tree;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use super::{environment, messages};
use crate::error::Error;
use apply::{Known, Origin, Resolved};
use file::File;
pub(super) use print::quoted;
use tree::Checked;
pub(super) use tree::{options, takes_value};

/// The name of the file.
pub(super) const FILE: &str = "twenty-conform.toml";

/// The value of `--config` that reads no file.
const NONE: &str = "none";

/// Options that say which configuration is read, so no configuration can set them.
const OWN: [&str; 3] = ["config", "profile", "print-config"];

/// Options whose value is secret, so that no file has it.
pub(super) const SECRET: [&str; 2] = ["secret", "api-key"];

/// A command line with what the configuration adds.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) arguments: Vec<OsString>,
    /// What `--print-config` prints, if it was asked for.
    pub(super) printed: Option<String>,
    /// The secrets that are known here.
    pub(super) secrets: Vec<String>,
    resolved: Vec<Resolved>,
}

/// Where options can come from, other than the command line.
pub(super) struct Surroundings<'a> {
    pub(super) variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// The folder from which the file is searched.
    pub(super) folder: &'a Path,
}

impl Line {
    /// The command line with the options of the environment and the configuration; as it is, if it is no command or wrong.
    ///
    /// Errors: the configuration or a variable is wrong.
    pub(super) fn complete(
        given: Vec<OsString>,
        command: &Command,
        around: &Surroundings<'_>,
    ) -> Result<Self, Error> {
        let unchanged =
            |arguments| Self { arguments, printed: None, secrets: Vec::new(), resolved: Vec::new() };
        let Some((path, place)) = tree::named(command, &given) else { return Ok(unchanged(given)) };
        let relaxed = tree::relaxed(command, &path, Checked::Nothing).try_get_matches_from(&given);
        let Some(matches) = relaxed.ok().map(innermost) else { return Ok(unchanged(given)) };
        if let Some(name) = environment::not_utf8(command, around.variable) {
            return Err(Error::Usage(messages::variable_not_utf8(&name)));
        }
        let word = |long: &str| match matches.get_raw(long).and_then(|mut values| values.next_back()) {
            Some(value) => Some((value.to_owned(), Origin::Flag)),
            None => variable(around, environment::name_of(long)),
        };
        let (config, profile) = (word("config"), word("profile"));
        let file = match &config {
            Some((value, _)) if value == NONE => None,
            Some((value, _)) => Some(File::read(PathBuf::from(value))?),
            None => found(around.folder).map(File::read).transpose()?,
        };
        let entries = file.iter().flat_map(|file| &file.entries);
        entries.clone().try_for_each(|entry| apply::check(entry, command, &path))?;
        let profile = match profile {
            Some((name, origin)) => Some(known_profile(&name.to_string_lossy(), &origin, file.as_ref())?),
            None => None,
        };
        let known = Known { command, path: &path, matches: &matches, around, profile: profile.as_deref() };
        let resolved = known.resolve(&entries.collect::<Vec<_>>())?;
        let mut arguments = given;
        let mut added: Vec<OsString> = resolved.iter().flat_map(Resolved::arguments).collect();
        if matches.value_source("config") != Some(ValueSource::CommandLine)
            && let Some(file) = &file
        {
            let mut option = OsString::from("--config=");
            option.push(&file.path);
            added.push(option);
        }
        arguments.splice(place..place, added);
        let prints = match variable(around, environment::name_of("print-config")) {
            Some((word, origin)) => apply::is_on("print-config", &word, &origin)?,
            None => false,
        };
        let printed = (prints || matches.get_flag("print_config"))
            .then(|| print::text(&path, &resolved, file.as_ref(), profile.as_deref()));
        let secrets = resolved.iter().filter(|one| SECRET.contains(&&*one.long));
        let secrets = secrets.filter_map(Resolved::single).collect();
        Ok(Self { arguments, printed, secrets, resolved })
    }

    /// Where the options that a text names were set, if not on the command line; one line each.
    pub(super) fn origins(&self, text: &str) -> Vec<String> {
        let is_named = |long: &str| {
            let option = format!("--{long}");
            let ends =
                |rest: &str| !rest.starts_with(|next: char| next == '-' || next.is_ascii_alphanumeric());
            text.match_indices(&option).any(|(at, _)| ends(&text[at + option.len()..]))
        };
        let of = |one: &Resolved| Some(messages::config::set_in(&one.long, &one.origin.elsewhere()?));
        self.resolved.iter().filter(|one| one.is_used && is_named(&one.long)).filter_map(of).collect()
    }
}

/// The matches of the innermost command.
fn innermost(mut matches: ArgMatches) -> ArgMatches {
    while let Some((_, inner)) = matches.remove_subcommand() {
        matches = inner;
    }
    matches
}

/// The value of a variable, if it is set and not empty.
fn variable(around: &Surroundings<'_>, name: String) -> Option<(OsString, Origin)> {
    let value = (around.variable)(&name).filter(|value| !value.is_empty())?;
    Some((value, Origin::Variable(name)))
}

/// The file in this folder or the nearest one above, as a path from this folder.
fn found(folder: &Path) -> Option<PathBuf> {
    let depth = folder.ancestors().position(|folder| folder.join(FILE).is_file())?;
    let up: PathBuf = (0..depth).map(|_| "..").collect();
    Some(up.join(FILE))
}

/// Errors: no file has the profile.
fn known_profile(name: &str, origin: &Origin, file: Option<&File>) -> Result<String, Error> {
    let profiles = file.map(|file| file.profiles.as_slice()).unwrap_or_default();
    if profiles.iter().any(|profile| profile == name) {
        return Ok(name.to_owned());
    }
    let by = origin.elsewhere().unwrap_or_else(|| "--profile".to_owned());
    Err(Error::Usage(messages::config::unknown_profile(name, &by, file.map(|file| &*file.path), profiles)))
}
