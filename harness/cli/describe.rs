//! `help`: the help of a command, or the whole command line as JSON for programs.

use clap::{Args, Command};
use serde_json::{Value, json};

use super::console::Console;
use super::headings::OUTPUT;
use super::messages::help as messages;
use super::{environment, grammar, usage};
use crate::error::Error;
use crate::exit::ExitStatus;

/// The format of the JSON. Members are only added within a version.
const FORMAT: &str = "twenty-conform-help/1";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Print the help of this command, such as `bench receiver` [default: of the program]
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
    /// Print JSON for programs: the commands with their options, values, defaults, examples and exit statuses
    #[arg(long, help_heading = OUTPUT)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    let mut program = grammar::declared();
    // Gives each command the options that all have.
    program.build();
    let mut found = &program;
    for name in &arguments.command {
        let names: Vec<String> = grammar::commands(found).map(|one| one.get_name().to_owned()).collect();
        let next = grammar::commands(found).find(|one| one.get_name() == name);
        found = next.ok_or_else(|| Error::Usage(messages::no_such_command(name, &names)))?;
    }
    if arguments.json {
        let mut described = described(&program, found, &arguments.command);
        described["format"] = FORMAT.into();
        described["version"] = env!("CARGO_PKG_VERSION").into();
        console.print_unredacted(&described)?;
        return Ok(ExitStatus::Passed);
    }
    let words = std::iter::once("twenty-conform").chain(arguments.command.iter().map(String::as_str));
    // Asking for help is an error of the parser.
    if let Err(help) = grammar::parsed().try_get_matches_from(words.chain(["--help"])) {
        usage::print(&help, &[]);
    }
    Ok(ExitStatus::Passed)
}

/// A command of the program, by its path, with those below it.
fn described(program: &Command, command: &Command, path: &[String]) -> Value {
    let below = |one: &Command| {
        let path = [path, &[one.get_name().to_owned()]].concat();
        described(program, one, &path)
    };
    let text = |styled: Option<&clap::builder::StyledStr>| styled.map(ToString::to_string);
    let after = text(command.get_after_long_help().or_else(|| command.get_after_help()));
    let mut arguments: Vec<&clap::Arg> = command.get_arguments().filter(|one| !one.is_hide_set()).collect();
    arguments.sort_by_key(|one| one.get_index().unwrap_or(usize::MAX));
    json!({
        "name": command.get_name(),
        "usage": command.clone().render_usage().to_string().trim_start_matches("Usage: "),
        "about": text(command.get_about()),
        "arguments": arguments.into_iter().map(|one| argument(program, path, one)).collect::<Vec<_>>(),
        "examples": after.as_deref().map(examples).unwrap_or_default(),
        "exit_statuses": after.as_deref().map(statuses).unwrap_or_default(),
        "commands": grammar::commands(command).map(below).collect::<Vec<_>>(),
    })
}

fn argument(program: &Command, path: &[String], arg: &clap::Arg) -> Value {
    let variable = arg.get_long().and_then(|long| environment::variable_of(program, path, long));
    let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string);
    let takes_value =
        arg.get_num_args().is_none_or(|range| range.takes_values()) && arg.get_action().takes_values();
    let names = arg.get_value_names().unwrap_or_default();
    let values: Vec<Value> = arg
        .get_possible_values()
        .iter()
        .filter(|value| takes_value && !value.is_hide_set())
        .map(|value| json!({ "name": value.get_name(), "help": value.get_help().map(ToString::to_string) }))
        .collect();
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    json!({
        "long": arg.get_long().map(|long| format!("--{long}")),
        "short": arg.get_short().map(|short| format!("-{short}")),
        "value": takes_value.then(|| names.first().map(ToString::to_string)).flatten(),
        "help": help,
        "group": arg.get_help_heading().filter(|_| !arg.is_positional()),
        "required": arg.is_required_set(),
        "repeatable": matches!(arg.get_action(), clap::ArgAction::Append),
        "values": values,
        "default": takes_value.then(|| defaults.first()).flatten(),
        "variable": variable,
    })
}

/// The commands after "Examples:", with what each is for.
fn examples(after: &str) -> Vec<Value> {
    let mut what = "";
    let mut found = Vec::new();
    for line in after.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("# ") {
            what = text;
        } else if let Some(command) = line.strip_prefix("$ ") {
            found.push(json!({ "what": what, "command": command }));
        }
    }
    found
}

/// The numbers after "Exit status:", with what each means.
fn statuses(after: &str) -> Vec<Value> {
    let listed = after.lines().skip_while(|line| *line != "Exit status:").skip(1);
    let split = |line: &str| {
        let (number, meaning) = line.trim_start().split_once("  ")?;
        Some(json!({ "status": number.parse::<u8>().ok()?, "meaning": meaning.trim() }))
    };
    listed.map_while(split).collect()
}
