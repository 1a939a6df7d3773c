//! What `init` asks and says, and the texts of the files that it writes, except those for CI.

use std::fmt::Display;
use std::path::Path;

use super::alternatives;

/// The title of options that have none.
pub(in crate::cli) const OTHER: &str = "Other";

// Help.

pub(crate) const INIT: &str = "\
Examples:
  # Answer a few questions on a terminal
  $ twenty-conform init
  # Write the configuration for a receiver, and a workflow that checks it
  $ twenty-conform init --exec 'node server.mjs' --path /webhooks/twenty --ci github
  # Keep known failures in a file, and fail on shoulds too
  $ twenty-conform init --yes --fail-on should --known-failures known-failures.toml
  # Check a sender that CI starts in the background
  $ twenty-conform init sender --control http://127.0.0.1:4010/ --ci gitlab --ci-start './sender'";

/// The statuses of `init`.
pub(crate) const OF_INIT: &str = "\
Exit status:
    0  every file was written
    2  usage error, an invalid answer, a file that exists, or a folder that cannot be written
   70  a file could not be written; none was changed
  130  interrupted; nothing was written";

// Questions.

/// A question with the answer of an empty line.
pub(in crate::cli) fn asked(text: &str, default: Option<&str>) -> String {
    match default {
        Some(default) => format!("{text} [{default}]\n> "),
        None => format!("{text}\n> "),
    }
}

pub(in crate::cli) fn what() -> &'static str {
    "What do you check: receiver or sender?"
}

pub(in crate::cli) fn started(role: &str) -> String {
    match role {
        "sender" => "How is your sender started? Give a command, or the control URL of one that already runs.".to_owned(),
        _ => "How is your receiver started? Give a command, which gets its port in PORT or as {port}, or the URL of one that already runs."
            .to_owned(),
    }
}

pub(in crate::cli) fn allow_remote(address: &str) -> String {
    format!("{address} is not this machine. Do you allow tests there: yes or no?")
}

pub(in crate::cli) fn path() -> &'static str {
    "To which path are deliveries sent?"
}

pub(in crate::cli) fn dialect() -> &'static str {
    "Which form do the payloads have: auto, documented or shipped?"
}

pub(in crate::cli) fn level() -> &'static str {
    "Which failures fail a run: must (musts only) or should (shoulds too)?"
}

pub(in crate::cli) fn known() -> &'static str {
    "Which file has known failures? It is created if missing."
}

pub(in crate::cli) fn service() -> &'static str {
    "For which CI is a file written: github, gitlab or none?"
}

pub(in crate::cli) fn start(role: &str) -> String {
    format!("Which command starts the {role} in CI?")
}

// Answers.

pub(in crate::cli) fn again(why: &str) -> String {
    format!("{why}; try again")
}

pub(in crate::cli) fn wrong_answer(option: &str, why: &str) -> String {
    if why.contains(option) { why.to_owned() } else { format!("{option}: {why}") }
}

pub(in crate::cli) fn no_choice(text: &str, names: &[String]) -> String {
    format!("{text:?} is no answer; write {}", alternatives(names))
}

pub(in crate::cli) fn is_folder(text: &str) -> String {
    format!("{text} is a folder; give the path of a file")
}

pub(in crate::cli) fn empty_path() -> &'static str {
    "the path is empty; give the path of a file, or none"
}

pub(in crate::cli) fn not_printable() -> &'static str {
    "a line break or another control character cannot be in it"
}

pub(in crate::cli) fn empty_command() -> &'static str {
    "the command is empty"
}

pub(in crate::cli) fn open_quote() -> &'static str {
    "a quotation mark is not closed"
}

pub(in crate::cli) fn line_too_long() -> &'static str {
    "the line is too long; try again"
}

pub(in crate::cli) fn input_ended() -> &'static str {
    "the input ended before every question was answered; nothing was written"
}

pub(in crate::cli) fn interrupted() -> &'static str {
    "interrupted; nothing was written"
}

// Options that do not fit.

pub(in crate::cli) fn no_command(role: &str) -> String {
    let url = if role == "sender" { "--control" } else { "--url" };
    format!(
        "no file here shows how the {role} is started; give --exec 'COMMAND', or {url} URL for one that already runs"
    )
}

pub(in crate::cli) fn no_start() -> &'static str {
    "no file here shows how CI starts it; give --ci-start 'COMMAND'"
}

pub(in crate::cli) fn control_of_sender() -> &'static str {
    "--control is for senders; give --url for a receiver that already runs"
}

pub(in crate::cli) fn url_of_receiver() -> &'static str {
    "--url is for receivers; give --control for a sender that already runs"
}

pub(in crate::cli) fn path_of_receiver() -> &'static str {
    "--path is for receivers; leave it out"
}

pub(in crate::cli) fn start_without_ci() -> &'static str {
    "--ci-start is for a file for CI; add --ci github or --ci gitlab"
}

pub(in crate::cli) fn start_without_url() -> &'static str {
    "--ci-start is for a program that already runs at a URL on this machine; leave it out"
}

// Files.

pub(in crate::cli) fn exists(path: &Path) -> String {
    format!("{} exists; nothing was written; give --force to replace it", path.display())
}

pub(in crate::cli) fn same_file(path: &Path) -> String {
    format!("{} is written by `init` already; give the known failures another path", path.display())
}

pub(in crate::cli) fn pipe(path: &Path) -> String {
    format!("{} is a pipe or a socket; remove it", path.display())
}

pub(in crate::cli) fn wrote(path: &Path) -> String {
    format!("wrote {}\n", path.display())
}

/// How a job in a file of its own is used.
pub(in crate::cli) fn include(path: &str) -> String {
    format!(".gitlab-ci.yml exists and is not changed; add to it:\n  include:\n    - local: {path}\n")
}

/// The file for CI builds the program.
pub(in crate::cli) fn needs_source() -> String {
    "CI builds twenty-conform from its repository: add that as the Git submodule twenty-conform\n".to_owned()
}

pub(in crate::cli) fn secret_first() -> &'static str {
    "set TWENTY_WEBHOOK_SECRET to the secret of the receiver; it is in no file\n"
}

pub(in crate::cli) fn next(role: &str) -> String {
    format!("next: twenty-conform {role}\n")
}

/// The beginning of the configuration file.
pub(in crate::cli) fn heading(role: &str) -> String {
    format!(
        "\
# The configuration of twenty-conform, written by `twenty-conform init`.
#
# It gives the options of `twenty-conform {role}`, which can be run without any then. A line that begins
# with # is not used: remove the # to set that option. The command line and variables count before this
# file, and `twenty-conform {role} --print-config` shows each value and where it comes from.
#
# The secret is not in this file, which others may read. It is the variable TWENTY_WEBHOOK_SECRET, or in
# the file that secret-file names.

"
    )
}

/// The comment of an option: what it does, its values, its default.
pub(in crate::cli) fn option(help: &str, values: &[String], default: Option<&str>) -> String {
    let mut text = help.replace('\n', " ");
    for more in
        [(!values.is_empty()).then(|| format!("One of {}", values.join(", "))), default.map(str::to_owned)]
            .into_iter()
            .flatten()
    {
        text.push_str(". ");
        text.push_str(&more);
    }
    text + "."
}

pub(in crate::cli) fn default_is(value: impl Display) -> String {
    format!("Default: {value}")
}

pub(in crate::cli) fn not_set() -> &'static str {
    "Not set by default"
}

/// An empty file of known failures.
pub(in crate::cli) fn known_failures(role: &str) -> String {
    format!(
        "\
# Known failures of `twenty-conform {role}`: what may fail, why, and until when.
# Each is a table [[known]]; docs/known-failures.md of twenty-conform describes its names.
"
    )
}
