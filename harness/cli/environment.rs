//! Gives every option its environment variable.
//!
//! Invariant: the variable is `TWENTY_CONFORM_` and the option's long name in upper case, except for `PORT` and
//! `TWENTY_WEBHOOK_SECRET`.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{BoolishValueParser, ValueParser};
use clap::{Arg, ArgAction, Command};

use super::messages;
use crate::terminal::text;

/// Options that exclude each other. Their variables are read after parsing, so an option on the command line overrides the
/// variable of another instead of conflicting with it.
const ALTERNATIVES: [&[&str]; 4] =
    [&["url", "exec"], &["exec", "control", "transcript"], &["secret", "secret-file"], &["ca", "insecure"]];

/// Commands and options without a variable, since another command uses the variable of that name.
const WITHOUT: [(&str, &str); 1] = [("pair", "threshold")];

/// Options that a command has but never uses; its help does not show them.
const UNUSED: [(&str, &str); 2] = [("sender", "jobs"), ("receiver", "deadline")];

const PREFIX: &str = "TWENTY_CONFORM_";

/// Variables that are of no option: the locustfile's, and the one that marks processes of a program under test.
const OF_OTHERS: [&str; 2] = ["TWENTY_CONFORM_RESULTS", "TWENTY_CONFORM_SUBJECT"];

/// How like a name must be to be named in a warning, up to 1.
const LIKE: f64 = 0.5;

/// Adds a variable to each option of the command and its subcommands. Commas separate several values in a variable, and a
/// flag's variable is a word such as `true` or `off`.
pub(super) fn with_variables(command: Command) -> Command {
    let name = command.get_name().to_owned();
    let options: Vec<String> = command.get_arguments().filter_map(Arg::get_long).map(str::to_owned).collect();
    let has = |option: &&str| options.iter().any(|other| other == option);
    let is_read_later = |long: &str| {
        let others = ALTERNATIVES.iter().filter(|set| set.contains(&long));
        others.flat_map(|set| set.iter()).filter(|other| **other != long).any(has)
    };
    let command = command.mut_args(|arg| {
        let arg = match arg.get_action() {
            ArgAction::SetTrue => arg.value_parser(BoolishValueParser::new()),
            // A value of --env may have commas.
            ArgAction::Append if arg.get_id() != "env" => arg.value_delimiter(','),
            _ => arg,
        };
        match arg.get_long().map(str::to_owned) {
            // The variable would ask for help in every run.
            Some(_) if matches!(arg.get_action(), ArgAction::Help | ArgAction::Version) => arg,
            // PORT is the variable of commands that listen; a program that is started gets its own.
            Some(long) if long == "env" || long == "port" && has(&"exec") => arg,
            Some(long) if !is_read_later(&long) && !WITHOUT.contains(&(name.as_str(), long.as_str())) => {
                let variable = name_of(&long);
                let is_hidden = variable.starts_with("TWENTY_");
                let is_unused = UNUSED.contains(&(name.as_str(), long.as_str()));
                arg.env(variable).hide_env(is_hidden).hide_env_values(true).hide(is_unused)
            }
            _ => arg,
        }
    });
    command.mut_subcommands(with_variables)
}

pub(super) fn name_of(long: &str) -> String {
    match long {
        "port" => "PORT".to_owned(),
        "secret" => "TWENTY_WEBHOOK_SECRET".to_owned(),
        _ => format!("{PREFIX}{}", long.to_uppercase().replace('-', "_")),
    }
}

/// Variables by which coding agents say that they run a command. A variable that is also set in the terminals of people is not
/// one of them.
pub const OF_AGENTS: [&str; 13] = [
    "AI_AGENT",
    "AGENT",
    "CLAUDECODE",
    "CLAUDE_CODE",
    "CURSOR_AGENT",
    "GEMINI_CLI",
    "CODEX_SANDBOX",
    "CODEX_THREAD_ID",
    "CLINE_ACTIVE",
    "OPENCODE",
    "AUGMENT_AGENT",
    "COPILOT_CLI",
    "GOOSE_TERMINAL",
];

/// Whether a coding agent runs this program.
pub(super) fn has_agent() -> bool {
    let is_off = |value: &OsString| value.is_empty() || value == "0" || value == "false";
    OF_AGENTS.iter().any(|name| env::var_os(name).is_some_and(|value| !is_off(&value)))
}

/// A warning for each variable that begins like those of options, but belongs to none.
pub(super) fn warnings(command: &Command) -> Vec<String> {
    let known = names(command);
    let is_ours = |name: &String| name.starts_with(PREFIX) && !known.contains(name);
    let mut unknown: Vec<String> =
        env::vars_os().map(|(name, _)| text(name.as_encoded_bytes()).into_owned()).filter(is_ours).collect();
    unknown.sort();
    unknown.iter().map(|name| messages::unknown_variable(name, nearest(name, &known))).collect()
}

/// The variables of all options of a command and its subcommands, and those of other programs that we export.
fn names(command: &Command) -> BTreeSet<String> {
    let mut known: BTreeSet<String> =
        command.get_arguments().filter_map(Arg::get_long).map(name_of).collect();
    known.extend(OF_OTHERS.map(str::to_owned));
    command.get_subcommands().for_each(|one| known.extend(names(one)));
    known
}

/// The known name that is most like this one, if one is.
fn nearest<'a>(name: &str, known: &'a BTreeSet<String>) -> Option<&'a str> {
    let likeness = |other: &&String| {
        let [name, other] = [name, other.as_str()].map(|one| one.strip_prefix(PREFIX).unwrap_or(one));
        strsim::normalized_damerau_levenshtein(name, other)
    };
    let near = known.iter().filter(|other| other.starts_with(PREFIX) && likeness(other) >= LIKE);
    near.max_by(|one, other| likeness(one).total_cmp(&likeness(other))).map(String::as_str)
}

/// The value of an option's variable, if it is set and not empty.
pub(super) fn variable(long: &str) -> Option<OsString> {
    env::var_os(name_of(long)).filter(|value| !value.is_empty())
}

/// Nothing to say: the system ends what programs under test leave.
#[cfg(not(unix))]
pub(super) fn own_processes() {}

/// Says that this process is the command-line program, which adopts what programs under test leave.
#[cfg(unix)]
pub(super) fn own_processes() {
    use crate::subject::process;
    // A deleted or replaced file is still this program there.
    let this = PathBuf::from("/proc/self/exe");
    let program = if this.exists() { Some(this) } else { env::current_exe().ok() };
    if let Some(program) = program {
        process::own(program, env::var(process::MARK).ok());
    }
}

/// The first variable of an option that must be text and is not UTF-8. Paths need not be.
pub(super) fn not_utf8(command: &Command) -> Option<String> {
    let is_text = |arg: &&Arg| arg.get_value_parser().type_id() != ValueParser::path_buf().type_id();
    let names = command.get_arguments().filter(is_text).filter_map(Arg::get_long).map(name_of);
    let is_wrong = |name: &String| env::var_os(name).is_some_and(|value| value.to_str().is_none());
    { names }.find(is_wrong).or_else(|| command.get_subcommands().find_map(not_utf8))
}

/// The value of one of several options that exclude each other: from the command line, and from its variable.
pub(super) struct Choice<T>(Option<T>, Option<T>);

pub(super) fn word<T>(long: &str, given: Option<&String>, make: fn(String) -> T) -> Choice<T> {
    let variable = variable(long).map(|value| value.to_string_lossy().into_owned());
    Choice(given.cloned().map(make), variable.map(make))
}

pub(super) fn file<T>(long: &str, given: Option<&PathBuf>, make: fn(PathBuf) -> T) -> Choice<T> {
    Choice(given.cloned().map(make), variable(long).map(PathBuf::from).map(make))
}

/// The first that the command line has, or the first whose variable is set.
pub(super) fn first_given<T, const N: usize>(choices: [Choice<T>; N]) -> Option<T> {
    let (given, variables): (Vec<_>, Vec<_>) =
        choices.into_iter().map(|Choice(given, variable)| (given, variable)).unzip();
    given.into_iter().chain(variables).flatten().next()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::collections::BTreeMap;

    use clap::{Command, CommandFactory as _};

    use super::with_variables;
    use crate::cli::Arguments;

    /// The variable of each option of a command, by the option's long name.
    fn variables(command: &Command) -> BTreeMap<String, Option<String>> {
        let of = |arg: &clap::Arg| {
            let variable = arg.get_env().map(|name| name.to_str().unwrap().to_owned());
            arg.get_long().map(|long| (long.to_owned(), variable))
        };
        command.get_arguments().filter_map(of).collect()
    }

    #[test]
    fn options_get_the_variable_of_their_name() {
        let command = with_variables(Arguments::command());
        let of = |path: &[&str]| {
            let found = path.iter().fold(&command, |at, name| at.find_subcommand(name).unwrap());
            variables(found)
        };
        let receiver = of(&["receiver"]);
        assert_eq!(receiver["ready-timeout"].as_deref(), Some("TWENTY_CONFORM_READY_TIMEOUT"));
        assert_eq!(of(&["listen"])["port"].as_deref(), Some("PORT"));
        assert_eq!(
            of(&["send"])["url"].as_deref(),
            Some("TWENTY_CONFORM_URL"),
            "it excludes no other option there"
        );
        assert_eq!(of(&["bench", "receiver"])["threshold"].as_deref(), Some("TWENTY_CONFORM_THRESHOLD"));
        // Options that exclude each other are read after parsing.
        for long in ["url", "exec", "secret", "secret-file", "ca", "insecure"] {
            assert_eq!(receiver[long], None, "{long}");
        }
        assert_eq!(of(&["bench", "pair"])["threshold"], None);
    }
}
