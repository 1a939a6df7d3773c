//! `completions`: the completions of the command line for a shell.
//!
//! Invariant: the values that a shell completes are only offered; which values an option takes is not changed.

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, Args, Command, ValueHint};
use clap_complete::Shell;

use super::console::Console;
use super::grammar;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::suite::cause::Code;
use crate::suite::requirement::{Requirement, Role, group_of};
use crate::suite::requirements;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Complete for this shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> Result<ExitStatus, Error> {
    console.print(&script(arguments.shell, grammar::declared()))?;
    Ok(ExitStatus::Passed)
}

/// The script for a shell.
fn script(shell: Shell, program: Command) -> String {
    let name = program.get_name().to_owned();
    let mut program = offering(grammar::visible(&program), None);
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program, &name, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    match shell {
        // clap_complete 4.6 separates the words of a program's name in two ways, so no command would be found.
        Shell::Bash => script.replace(&name.replace('-', "__subcmd__"), &name.replace('-', "__")),
        _ => script,
    }
}

/// The same command, with the values that options could have. A pattern of a command with a role names a requirement of that role.
fn offering(command: Command, role: Option<Role>) -> Command {
    let role = match command.get_name() {
        "receiver" => Some(Role::Receiver),
        "sender" | "listen" => Some(Role::Sender),
        _ => role,
    };
    command.mut_args(|arg| offered(arg, role)).mut_subcommands(|one| offering(one, role))
}

fn offered(arg: Arg, role: Option<Role>) -> Arg {
    if !matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
        || !arg.get_possible_values().is_empty()
    {
        return arg;
    }
    let name = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let of_role = move |one: &&Requirement| role.is_none_or(|role| one.role() == role);
    match name.as_deref() {
        Some("PATTERN") => arg.value_parser(parser(patterns(&of_role))),
        Some("ID|CHECK|CODE") => arg.value_parser(parser(explained())),
        // The path of a request.
        _ if arg.get_long() == Some("path") => arg.value_hint(ValueHint::Other),
        Some(name) if has(name, "FILE") || has(name, "DIR") || has(name, "PATH") => {
            arg.value_hint(match (has(name, "DIR"), name.contains('|') || name.contains('=')) {
                (true, false) => ValueHint::DirPath,
                (false, false) if has(name, "FILE") => ValueHint::FilePath,
                _ => ValueHint::AnyPath,
            })
        }
        Some("COMMAND") => arg.value_hint(ValueHint::CommandString),
        Some("URL") => arg.value_hint(ValueHint::Url),
        // Without a hint, shells offer files.
        _ if arg.get_value_hint() == ValueHint::Unknown => arg.value_hint(ValueHint::Other),
        _ => arg,
    }
}

/// Whether the name of a value has this word, alone or in an alternative, such as `FILE|DIR` and `FILE[:LINE]`.
fn has(name: &str, word: &str) -> bool {
    name.split(|one: char| !one.is_ascii_alphanumeric()).any(|part| part == word)
}

fn parser(values: Vec<PossibleValue>) -> PossibleValuesParser {
    PossibleValuesParser::new(values)
}

/// The ids of requirements, and their groups.
fn patterns(of_role: &dyn Fn(&&Requirement) -> bool) -> Vec<PossibleValue> {
    let ids = requirements::all().filter(of_role).map(|one| PossibleValue::new(one.id).help(one.title));
    let mut groups: Vec<&str> =
        requirements::all().filter(of_role).map(|one| group_of(one.check_id)).collect();
    groups.sort_unstable();
    groups.dedup();
    ids.chain(groups.into_iter().map(PossibleValue::new)).collect()
}

/// All that `explain` explains.
fn explained() -> Vec<PossibleValue> {
    let ids = requirements::all().map(|one| PossibleValue::new(one.id).help(one.title));
    let checks = requirements::all().map(|one| PossibleValue::new(one.check_id).help(one.title));
    let codes = Code::ALL.iter().map(|code| PossibleValue::new(code.as_str()).help(code.text()));
    ids.chain(checks).chain(codes).collect()
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command, ValueEnum as _};
    use clap_complete::Shell;

    use super::script;
    use crate::cli::grammar;

    #[test]
    fn scripts_have_every_command_and_no_hidden_one() {
        let program = grammar::declared()
            .subcommand(Command::new("internal-command").hide(true))
            .arg(Arg::new("internal").long("internal-option").hide(true));
        for shell in Shell::value_variants() {
            let script = script(*shell, program.clone());
            assert!(!script.contains("internal"), "{shell}");
            // A sender has no use for --jobs, but a receiver does.
            assert!(script.contains("jobs"), "{shell}");
            for command in grammar::commands(&program) {
                assert!(script.contains(command.get_name()), "{shell}: {}", command.get_name());
            }
            if matches!(shell, Shell::Elvish | Shell::PowerShell) {
                // Their scripts have no values of options.
                continue;
            }
            for value in ["documented", "advice", "always", "VER-16"] {
                assert!(script.contains(value), "{shell}: {value}");
            }
            // fish completes values of options only.
            assert_eq!(script.contains("message.body-alone"), *shell != Shell::Fish, "{shell}");
        }
    }
}
