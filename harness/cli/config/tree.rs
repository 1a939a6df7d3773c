//! The commands and their options, as clap declares them.

use std::ffi::{OsStr, OsString};

use clap::builder::{OsStringValueParser, Resettable};
use clap::{Arg, ArgAction, Command, Id};

use super::OWN;

/// A command whose options can be given alone: none is required, and none conflicts with another.
pub(super) fn relaxed(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        arg.required(false).conflicts_with(Resettable::<Id>::Reset).requires(Resettable::<Id>::Reset)
    });
    command.subcommand_required(false).arg_required_else_help(false).mut_subcommands(relaxed)
}

/// The same, which takes every value.
pub(super) fn without_values(command: Command) -> Command {
    let any = |command: Command| {
        command.mut_args(
            |arg| if takes_value(&arg) { arg.value_parser(OsStringValueParser::new()) } else { arg },
        )
    };
    fn all(command: Command, change: fn(Command) -> Command) -> Command {
        change(command).mut_subcommands(|one| all(one, change))
    }
    all(relaxed(command), any)
}

pub(super) fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

/// Whether an option can be given several times.
pub(super) fn is_list(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

/// The command of a path of names, without the program's.
pub(super) fn at<'a>(command: &'a Command, path: &[String]) -> Option<&'a Command> {
    path.iter().try_fold(command, |at, name| at.find_subcommand(name))
}

/// The options of a command that a configuration can set, with the global ones of the program.
pub(super) fn options<'a>(program: &'a Command, path: &[String]) -> Vec<&'a Arg> {
    let own = at(program, path).into_iter().flat_map(Command::get_arguments);
    let global = program.get_arguments().filter(|arg| arg.is_global_set());
    let is_option = |arg: &&Arg| {
        let is_set = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append | ArgAction::SetTrue);
        is_set && arg.get_long().is_some_and(|long| !OWN.contains(&long))
    };
    let mut found: Vec<&Arg> = Vec::new();
    for arg in own.chain(global).filter(is_option) {
        if !found.iter().any(|other| other.get_id() == arg.get_id()) {
            found.push(arg);
        }
    }
    found
}

/// The paths of the commands at and below a path that do something themselves.
pub(super) fn leaves(program: &Command, path: &[String]) -> Vec<Vec<String>> {
    let Some(command) = at(program, path) else { return Vec::new() };
    if !command.has_subcommands() {
        return vec![path.to_vec()];
    }
    let below = command.get_subcommands().filter(|one| one.get_name() != "help");
    below.flat_map(|one| leaves(program, &[path, &[one.get_name().to_owned()]].concat())).collect()
}

/// The place in a command line after the last name of a path.
pub(super) fn end_of_path(program: &Command, given: &[OsString], path: &[String]) -> Option<usize> {
    let (mut at, mut names) = (1, path.iter().peekable());
    while let Some(name) = names.peek() {
        let word = given.get(at)?;
        if word.as_os_str() == OsStr::new(name) {
            names.next();
        } else if let Some(long) = word.to_str().and_then(|word| word.strip_prefix("--"))
            && program.get_arguments().any(|arg| arg.get_long() == Some(long) && takes_value(arg))
        {
            // Only options of the program can stand before the name of a command.
            at += 1;
        }
        at += 1;
    }
    Some(at)
}
