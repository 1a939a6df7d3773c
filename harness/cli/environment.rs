//! Gives every option its environment variable.
//!
//! Invariant: the variable is `TWENTY_CONFORM_` and the option's long name in upper case, except for `PORT`, `TWENTY_WEBHOOK_SECRET`
//! and `TWENTY_API_KEY`.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, Command};

use super::messages;
use crate::nearest;
use crate::terminal::text;

/// Commands and options without a variable, since another command uses the variable of that name.
const WITHOUT: [(&str, &str); 1] = [("pair", "threshold")];

/// Options that a command has but never uses; its help does not show them.
const UNUSED: [(&str, &str); 2] = [("sender", "jobs"), ("receiver", "deadline")];

const PREFIX: &str = "TWENTY_CONFORM_";

/// Variables that are of no option: the locustfile's, and the one that marks processes of a program under test.
const OF_OTHERS: [&str; 2] = ["TWENTY_CONFORM_RESULTS", "TWENTY_CONFORM_SUBJECT"];

/// The variable of the port of a program that is started.
const PORT: &str = "TWENTY_CONFORM_PORT";

/// The command as it is parsed: commas separate several values, and help shows the variable of the port.
pub(super) fn with_variables(command: Command) -> Command {
    let name = command.get_name().to_owned();
    let command = command.mut_args(|arg| {
        let long = arg.get_long().unwrap_or_default().to_owned();
        let arg = arg.hide(UNUSED.contains(&(name.as_str(), long.as_str())));
        match arg.get_action() {
            // A value of --env may have commas.
            ArgAction::Append if long != "env" => arg.value_delimiter(','),
            _ => arg,
        }
    });
    command.mut_subcommands(with_variables)
}

/// The variable of an option of the command of this path, if it has one.
pub(super) fn variable_of(program: &Command, path: &[String], long: &str) -> Option<String> {
    let is_without = path.last().is_some_and(|name| WITHOUT.contains(&(name.as_str(), long)));
    match long {
        _ if is_without => None,
        // PORT is the variable of commands that listen; a program that is started gets its own.
        "port" if starts_programs(program, path) => Some(PORT.to_owned()),
        _ => Some(name_of(long)),
    }
}

/// Whether an option means something else in other commands, so that only the command's own table sets it.
pub(super) fn is_of_other_commands(program: &Command, path: &[String], long: &str) -> bool {
    long == "port" && starts_programs(program, path) || variable_of(program, path, long).is_none()
}

fn starts_programs(program: &Command, path: &[String]) -> bool {
    let command = path.iter().try_fold(program, |at, name| at.find_subcommand(name));
    command.is_some_and(|command| command.get_arguments().any(|arg| arg.get_long() == Some("exec")))
}

pub(super) fn name_of(long: &str) -> String {
    match long {
        "port" => "PORT".to_owned(),
        "secret" => "TWENTY_WEBHOOK_SECRET".to_owned(),
        "api-key" => "TWENTY_API_KEY".to_owned(),
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

/// Whether this is a step of GitHub Actions, whose runner takes some lines of output as commands.
pub(super) fn is_github() -> bool {
    env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// The file to which a step of GitHub Actions appends its summary, in Markdown.
pub(super) fn step_summary() -> Option<PathBuf> {
    env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()).map(PathBuf::from)
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
    known.extend(OF_OTHERS.into_iter().chain([PORT]).map(str::to_owned));
    command.get_subcommands().for_each(|one| known.extend(names(one)));
    known
}

/// The known name that is most like this one, if one is.
fn nearest<'a>(name: &str, known: &'a BTreeSet<String>) -> Option<&'a str> {
    let bare = |name: &'a str| name.strip_prefix(PREFIX);
    let found = nearest::to(name.strip_prefix(PREFIX)?, known.iter().filter_map(|name| bare(name)))?;
    known.iter().find(|name| bare(name) == Some(found)).map(String::as_str)
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

/// The first variable of an option that must be text and is not UTF-8, of any command. Paths need not be.
pub(super) fn not_utf8(command: &Command, variable: &dyn Fn(&str) -> Option<OsString>) -> Option<String> {
    let is_text = |arg: &&Arg| arg.get_value_parser().type_id() != ValueParser::path_buf().type_id();
    let names = command.get_arguments().filter(is_text).filter_map(Arg::get_long).map(name_of);
    let is_wrong = |name: &String| variable(name).is_some_and(|value| value.to_str().is_none());
    { names }.find(is_wrong).or_else(|| command.get_subcommands().find_map(|one| not_utf8(one, variable)))
}
