//! The commands and their options, as clap declares them.

use std::ffi::OsString;

use clap::builder::{OsStringValueParser, Resettable};
use clap::{Arg, ArgAction, Command, Id};

use super::OWN;

/// What of an option's declaration is still checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checked {
    Value,
    Nothing,
}

/// The program, which takes each option of the command of this path alone: none is required, and none conflicts with another.
pub(super) fn relaxed(program: &Command, path: &[String], checked: Checked) -> Command {
    fn along(command: Command, path: &[String], checked: Checked) -> Command {
        let command = command.mut_args(|arg| {
            let arg = arg
                .required(false)
                .required_unless_present(Resettable::<Id>::Reset)
                .conflicts_with(Resettable::<Id>::Reset)
                .requires(Resettable::<Id>::Reset);
            let is_free = checked == Checked::Nothing && takes_value(&arg);
            if is_free { arg.value_parser(OsStringValueParser::new()) } else { arg }
        });
        match path.split_first() {
            Some((name, rest)) => command.mut_subcommand(name, |inner| along(inner, rest, checked)),
            None => command,
        }
    }
    along(program.clone(), path, checked)
}

pub(in crate::cli) fn takes_value(arg: &Arg) -> bool {
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
pub(in crate::cli) fn options<'a>(program: &'a Command, path: &[String]) -> Vec<&'a Arg> {
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

/// The path of the command that a command line names, and the place after its last name. `None` if it names none that does
/// something itself.
pub(super) fn named(program: &Command, given: &[OsString]) -> Option<(Vec<String>, usize)> {
    let (mut command, mut path, mut at) = (program, Vec::new(), 1);
    while command.has_subcommands() {
        let word = given.get(at)?.to_str()?;
        if let Some(inner) = command.find_subcommand(word) {
            path.push(word.to_owned());
            command = inner;
        } else if let Some(long) = word.strip_prefix("--") {
            // Only options of the program can stand before the name of a command.
            let is = |arg: &Arg| arg.get_long() == Some(long) && takes_value(arg);
            at += usize::from(program.get_arguments().any(is));
        } else if !word.starts_with('-') {
            return None;
        }
        at += 1;
    }
    Some((path, at))
}
