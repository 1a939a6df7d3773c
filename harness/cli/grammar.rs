//! The grammar of the command line, as it is parsed, shown in help, and given to shells and manual pages.
//!
//! Invariant: all of it is generated from clap's declaration, so that a new command is in each.

use std::fmt::Write as _;

use clap::builder::{Resettable, StyledStr};
use clap::{Arg, Command, CommandFactory as _, Id};

use super::messages::help;
use super::{Arguments, environment};

/// The widest line of help.
pub(super) const WIDEST: usize = 100;
/// The narrowest text next to the name of a command.
const NARROWEST: usize = 20;

/// The program with every command and option, as clap declares it.
pub(super) fn declared() -> Command {
    environment::with_variables(Arguments::command())
}

/// The program as it is parsed. Its help lists the commands in groups.
pub(super) fn parsed() -> Command {
    let command = declared();
    let template = template(&command, width());
    // The groups have the list, which would be there again.
    let usage = format!("{} [OPTIONS] <COMMAND>", command.get_name());
    command.mut_subcommands(|one| one.hide(true)).override_usage(usage).help_template(template)
}

/// The program without what help does not show. What options exclude and need is left out, so it parses more than the program.
pub(super) fn visible(command: &Command) -> Command {
    let mut shown = Command::new(command.get_name().to_owned())
        .disable_help_flag(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true)
        .args(command.get_arguments().filter(|arg| !arg.is_hide_set()).map(free))
        .subcommands(commands(command).map(visible))
        .subcommand_required(command.is_subcommand_required_set());
    if let Some(version) = command.get_version() {
        shown = shown.version(version.to_owned());
    }
    if let Some(about) = command.get_about() {
        shown = shown.about(about.clone());
    }
    if let Some(about) = command.get_long_about() {
        shown = shown.long_about(about.clone());
    }
    if let Some(after) = command.get_after_help() {
        shown = shown.after_help(after.clone());
    }
    if let Some(after) = command.get_after_long_help() {
        shown = shown.after_long_help(after.clone());
    }
    shown
}

/// The argument without its relations to others, which may be hidden.
fn free(arg: &Arg) -> Arg {
    let arg = arg.clone().conflicts_with(Resettable::<Id>::Reset).requires(Resettable::<Id>::Reset);
    arg.required_unless_present(Resettable::<Id>::Reset).overrides_with(Resettable::<Id>::Reset)
}

/// The commands that help shows, without the `help` that clap adds to a command with commands.
pub(super) fn commands(command: &Command) -> impl Iterator<Item = &Command> {
    let is_added =
        |one: &Command| one.get_name() == "help" && one.get_arguments().all(|arg| arg.get_id() != "json");
    command.get_subcommands().filter(move |one| !one.is_hide_set() && !is_added(one))
}

/// The groups of commands with what is in each, in order. A command of no group is in the last one.
pub(super) fn groups(program: &Command) -> Vec<(&'static str, Vec<&Command>)> {
    let named = |name: &str| commands(program).find(|one| one.get_name() == name);
    let mut groups: Vec<(&str, Vec<&Command>)> = help::GROUPS
        .iter()
        .map(|(title, names)| (*title, names.iter().filter_map(|name| named(name)).collect()))
        .collect();
    let is_in_group = |one: &&Command| help::GROUPS.iter().any(|(_, names)| names.contains(&one.get_name()));
    groups.push((help::OTHERS, commands(program).filter(|one| !is_in_group(one)).collect()));
    groups.retain(|(_, commands)| !commands.is_empty());
    groups
}

/// The first line of what a command says about itself.
pub(super) fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

/// The layout of the program's help, with the groups.
fn template(program: &Command, width: usize) -> StyledStr {
    let styles = program.get_styles();
    let (header, literal) = (styles.get_header(), styles.get_literal());
    let rows: Vec<(&str, Vec<(String, String)>)> = groups(program)
        .into_iter()
        .map(|(title, commands)| {
            (title, commands.iter().map(|one| (one.get_name().to_owned(), about(one))).collect())
        })
        .collect();
    let column = rows.iter().flat_map(|(_, rows)| rows).map(|(name, _)| name.len()).max().unwrap_or_default();
    let mut text = String::from("{before-help}{about-with-newline}\n{usage-heading} {usage}\n\n");
    for (title, rows) in rows {
        // The result of writing to a string is always a success.
        let _ = writeln!(text, "{header}{title}:{header:#}");
        for (name, about) in rows {
            let room = width.saturating_sub(column + 4).max(NARROWEST);
            let about = wrapped(&about, room).join(&format!("\n{:1$}", "", column + 4));
            let _ = writeln!(text, "  {literal}{name}{literal:#}{:1$}  {about}", "", column - name.len());
        }
        text.push('\n');
    }
    text.push_str("{all-args}{after-help}");
    StyledStr::from(text)
}

/// A text in lines of at most this many characters, unless a word is longer.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The width of help, as clap takes it for the options.
fn width() -> usize {
    let columns = || std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    terminal.or_else(columns).unwrap_or(WIDEST).min(WIDEST)
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command};

    use super::{commands, declared, groups, template, visible, wrapped};
    use crate::cli::messages::help;

    #[test]
    fn every_command_is_in_one_group() {
        let program = declared();
        let others = groups(&program).into_iter().find(|(title, _)| *title == help::OTHERS);
        let names: Vec<&str> =
            others.iter().flat_map(|(_, commands)| commands.iter().map(|one| one.get_name())).collect();
        assert!(names.is_empty(), "add {names:?} to GROUPS in cli/messages/help.rs");
        for command in commands(&program) {
            let groups = help::GROUPS.iter().filter(|(_, names)| names.contains(&command.get_name()));
            assert_eq!(groups.count(), 1, "{}", command.get_name());
        }
    }

    #[test]
    fn command_of_no_group_is_shown_and_long_texts_are_wrapped() {
        let program = Command::new("p")
            .subcommand(Command::new("demo").about("one two three four five six seven eight"))
            .subcommand(Command::new("new").about("New"))
            .subcommand(Command::new("inner").hide(true));
        let shown = template(&program, 28).to_string();
        assert!(shown.contains("\n  demo  one two three four\n        five six seven eight\n"), "{shown}");
        let (_, others) = shown.split_once(help::OTHERS).unwrap_or_default();
        assert!(others.contains("  new   New\n") && !shown.contains("inner"), "{shown}");
        assert_eq!(wrapped("a bb averylongword c", 4), ["a bb", "averylongword", "c"]);
    }

    #[test]
    fn hidden_commands_and_options_are_not_visible() {
        let shown = visible(
            &Command::new("p")
                .arg(Arg::new("a").long("a").conflicts_with("inner"))
                .arg(Arg::new("inner").long("inner").hide(true))
                .subcommand(Command::new("b"))
                .subcommand(Command::new("hidden").hide(true)),
        );
        let names: Vec<&str> = shown.get_subcommands().map(Command::get_name).collect();
        assert_eq!((names, shown.get_arguments().count()), (vec!["b"], 1));
        shown.debug_assert();
    }
}
