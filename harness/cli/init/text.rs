//! The text of the configuration file: every option of the command, with what it does and its default.
//!
//! Invariant: the options come from clap's declaration, so that a new option is in the file too. An option that is not set is a
//! comment that the configuration reader would accept.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, ValueEnum};

use super::answers::{Answers, Attached};
use crate::cli::config::{SECRET, options, quoted, takes_value};
use crate::cli::grammar::{self, wrapped};
use crate::cli::messages::init as messages;

/// The widest line of a comment.
const WIDTH: usize = 100;

/// The values that the answers set.
fn set(answers: &Answers) -> BTreeMap<&'static str, String> {
    let name = |value: Option<clap::builder::PossibleValue>| value.map(|one| one.get_name().to_owned());
    let mut set = BTreeMap::new();
    match &answers.attached {
        Attached::Exec(command) => {
            set.insert("exec", quoted(command));
            // Also from a folder below.
            set.insert("cwd", quoted("."));
        }
        Attached::Url(target) => drop(set.insert("url", quoted(&target.url()))),
        Attached::Control(target) => drop(set.insert("control", quoted(&target.url()))),
    }
    if answers.allow_remote {
        set.insert("allow-remote", "true".to_owned());
    }
    let path = answers.path.as_ref().map(|path| ("path", quoted(path)));
    let dialect = name(answers.dialect.to_possible_value()).map(|value| ("dialect", quoted(&value)));
    let level = name(answers.fail_on.to_possible_value()).map(|value| ("fail-on", quoted(&value)));
    let known = answers.known_failures.as_ref().map(|path| ("known-failures", quoted(path)));
    set.extend([path, dialect, level, known].into_iter().flatten());
    set
}

/// The whole file.
pub(super) fn configuration(answers: &Answers) -> String {
    let role = answers.role.as_str();
    let program = grammar::declared();
    let set = set(answers);
    let mut options = options(&program, &[role.to_owned()]);
    options.retain(|arg| !arg.is_hide_set() && arg.get_long().is_none_or(|long| !SECRET.contains(&long)));
    let mut headings: Vec<&str> = options.iter().filter_map(|arg| arg.get_help_heading()).collect();
    let mut known = Vec::new();
    headings.retain(|heading| {
        !known.contains(heading) && {
            known.push(*heading);
            true
        }
    });
    let mut text = messages::heading(role);
    text.push_str(&format!("[{role}]\n"));
    for heading in headings.into_iter().map(Some).chain([None]) {
        let of = options.iter().filter(|arg| arg.get_help_heading() == heading);
        for (at, arg) in of.enumerate() {
            if at == 0 {
                text.push_str(&format!("\n## {}\n", heading.unwrap_or(messages::OTHER)));
            }
            text.push_str(&option(arg, &set));
        }
    }
    text
}

/// An option with its comment.
fn option(arg: &Arg, set: &BTreeMap<&'static str, String>) -> String {
    let long = arg.get_long().unwrap_or_default();
    let comment: String = wrapped(&said(arg), WIDTH).iter().map(|line| format!("# {line}\n")).collect();
    match set.get(long) {
        Some(value) => format!("\n{comment}{long} = {value}\n"),
        None => format!("\n{comment}#{long} = {}\n", example(arg)),
    }
}

/// What an option does, its values and its default, in one line.
fn said(arg: &Arg) -> String {
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let names: Vec<String> = if takes_value(arg) {
        let values = arg.get_possible_values();
        values.iter().filter(|one| !one.is_hide_set()).map(|one| one.get_name().to_owned()).collect()
    } else {
        Vec::new()
    };
    let default = match defaults(arg).as_slice() {
        [] if help.contains("[default: ") => None,
        [] if takes_value(arg) => Some(messages::not_set().to_owned()),
        [] => Some(messages::default_is("false")),
        values => Some(messages::default_is(values.join(", "))),
    };
    messages::option(&help, &names, default.as_deref())
}

fn defaults(arg: &Arg) -> Vec<String> {
    if !takes_value(arg) {
        return Vec::new();
    }
    arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect()
}

/// A value that the option takes: its default, if it has one.
fn example(arg: &Arg) -> String {
    if !takes_value(arg) {
        return "false".to_owned();
    }
    if let [default] = defaults(arg).as_slice() {
        return quoted(default);
    }
    let named = arg.get_possible_values().first().map(|value| value.get_name().to_owned());
    let name = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let value = named.unwrap_or_else(|| {
        let name = name.unwrap_or_default();
        match name.as_str() {
            "N" | "COUNT" => "1",
            "TIME" => "1m",
            "PORT" => "3000",
            "URL" => "http://127.0.0.1:3000/",
            "COMMAND" => "node server.mjs",
            "PATTERN" => "VER-*",
            "stdout|URL" => "stdout",
            "I/N" => "1/2",
            "DIR" => "twenty-conform-run",
            "FORMAT=PATH" => "junit=twenty-conform.xml",
            "NAME=VALUE" => "NODE_ENV=test",
            _ if arg.get_long() == Some("path") => "/",
            // The first of several forms.
            name => name.split(['|', '[']).next().unwrap_or_default(),
        }
        .to_owned()
    });
    match arg.get_action() {
        ArgAction::Append => format!("[{}]", quoted(&value)),
        _ => quoted(&value),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::path::Path;

    use super::super::answers::{Answers, Attached, Ci};
    use super::super::{RoleName, Service};
    use super::configuration;
    use crate::api::suite::Dialect;
    use crate::cli::config::{FILE, Line, SECRET, Surroundings};
    use crate::cli::grammar;
    use crate::cli::options::GateLevel;
    use crate::wire::client::Target;

    fn answers(role: RoleName, attached: Attached) -> Answers {
        Answers {
            role,
            path: (role == RoleName::Receiver && matches!(attached, Attached::Exec(_)))
                .then(|| "/hooks".to_owned()),
            attached,
            allow_remote: false,
            dialect: Dialect::Shipped,
            fail_on: GateLevel::Should,
            known_failures: None,
            ci: Some(Ci { service: Service::Github, start: None }),
        }
    }

    /// What `--print-config` would print with this file.
    fn printed(text: &str, role: &str, folder: &Path) -> String {
        std::fs::write(folder.join(FILE), text).unwrap();
        let config = format!("--config={}", folder.join(FILE).display());
        let given = ["twenty-conform", role, "--print-config", &config].map(Into::into).to_vec();
        let around = Surroundings { variable: &|_| None, folder };
        let line = Line::complete(given, &grammar::declared(), &around);
        line.unwrap_or_else(|why| panic!("{why}\n{text}")).printed.unwrap()
    }

    #[test]
    fn each_option_of_the_file_is_accepted_when_it_is_set() {
        let folder = tempfile::tempdir().unwrap();
        let url = || Target::parse("http://127.0.0.1:3000/hooks").unwrap();
        for (role, attached) in [
            (RoleName::Receiver, Attached::Exec("node 'a \"b\".mjs'".to_owned())),
            (RoleName::Receiver, Attached::Url(url())),
            (RoleName::Sender, Attached::Exec("python3 sender.py".to_owned())),
            (RoleName::Sender, Attached::Control(url())),
        ] {
            let answers = answers(role, attached);
            let (text, role) = (configuration(&answers), role.as_str());
            let shown = printed(&text, role, folder.path());
            assert!(
                shown.contains("dialect = \"shipped\"") && shown.contains("fail-on = \"should\""),
                "{shown}"
            );
            let is_option = |line: &&str| {
                line.len() > 1
                    && line.starts_with('#')
                    && !["# ", "##"].iter().any(|other| line.starts_with(other))
            };
            let commented: Vec<&str> = text.lines().filter(is_option).collect();
            assert!(commented.len() > 20, "{commented:#?}");
            for line in &commented {
                let set = text.replace(&format!("\n{line}\n"), &format!("\n{}\n", &line[1..]));
                assert_ne!(set, text);
                printed(&set, role, folder.path());
            }
            // Each option that the command has is there, except the secret.
            let program = grammar::declared();
            let options = crate::cli::config::options(&program, &[role.to_owned()]);
            for long in options.iter().filter(|arg| !arg.is_hide_set()).filter_map(|arg| arg.get_long()) {
                let is_there =
                    text.lines().any(|line| line.trim_start_matches('#').starts_with(&format!("{long} = ")));
                assert_eq!(is_there, !SECRET.contains(&long), "{long}");
            }
        }
    }
}
