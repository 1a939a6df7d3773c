//! An option means the same wherever it is set. The options and their values come from clap's own tree.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory as _, FromArgMatches as _};
use tempfile::TempDir;

use super::{FILE, Line, Surroundings, tree};
use crate::cli::{Arguments, environment};

/// Values, one of which every option takes.
const VALUES: [&str; 13] = [
    "1",
    "3",
    "300",
    "10s",
    "http://127.0.0.1:1/",
    "https://127.0.0.1:1/",
    "A=b",
    "json=-",
    "5%",
    "p99<50ms",
    "/path",
    "127.0.0.2",
    "text",
];

fn program() -> Command {
    environment::with_variables(Arguments::command())
}

/// The arguments of a command line in a folder with these variables, as the command gets them, or what is wrong.
fn parsed(
    folder: &Path,
    line: &[String],
    variables: &BTreeMap<String, String>,
) -> Result<String, clap::Error> {
    let given = line.iter().map(OsString::from).collect();
    let variable = |name: &str| variables.get(name).map(OsString::from);
    let complete = Line::complete(given, &program(), &Surroundings { variable: &variable, folder });
    let line = complete.unwrap_or_else(|why| panic!("{line:?} {variables:?}: {why}"));
    let matches = program().try_get_matches_from(line.arguments)?;
    Ok(format!("{:?}", Arguments::from_arg_matches(&matches)?))
}

/// The options without which a command is not complete, with values.
fn required(folder: &Path, line: &[String]) -> Option<Vec<String>> {
    let mut line = line.to_vec();
    for _ in 0..4 {
        let why = match parsed(folder, &line, &BTreeMap::new()) {
            Ok(_) => return Some(line),
            Err(why) if why.kind() == ErrorKind::MissingRequiredArgument => why,
            Err(_) => return None,
        };
        let Some(ContextValue::Strings(missing)) = why.get(ContextKind::InvalidArg) else { return None };
        for one in missing {
            match one.strip_prefix("--").and_then(|one| one.split([' ', '=']).next()) {
                Some(long) => line.push(format!("--{long}=http://127.0.0.1:1/")),
                None => line.push("VER-1".to_owned()),
            }
        }
    }
    None
}

/// A command line with this option that parses, and the option's value.
fn with_option(folder: &Path, call: &[String], arg: &Arg) -> (Vec<String>, String) {
    let long = arg.get_long().unwrap();
    let possible = arg.get_possible_values();
    let default = |value: &str| arg.get_default_values().iter().any(|default| default == value);
    let named = possible.iter().map(|value| value.get_name().to_owned());
    // A path in the file is seen from its folder, and an absolute one is the same everywhere.
    let is_path = arg.get_value_parser().type_id() == ValueParser::path_buf().type_id();
    let path = is_path.then(|| folder.join("path").display().to_string());
    let values = named.chain(path).chain(VALUES.map(str::to_owned)).filter(|value| !default(value));
    for value in values {
        let option = if tree::takes_value(arg) { format!("--{long}={value}") } else { format!("--{long}") };
        // What an option needs is given with it.
        for more in [
            &[][..],
            &["--exec=x"],
            &["--url=https://127.0.0.1:1/"],
            &["--transcript=x"],
            &["--control=https://127.0.0.1:1/"],
            &["--forward=https://127.0.0.1:1/"],
        ] {
            let more: Vec<String> = more.iter().map(|&one| one.to_owned()).collect();
            let Some(line) = required(folder, &[call, &[option.clone()], &more].concat()) else { continue };
            // Without the option on the command line, it is taken from elsewhere only if it fits.
            let rest: Vec<String> = line.iter().filter(|word| **word != option).cloned().collect();
            if fits(folder, &rest, long, &value) {
                return (rest, value);
            }
        }
    }
    panic!("no value for {call:?} --{long}")
}

/// Whether a value in the file's table of the command is used.
fn fits(folder: &Path, rest: &[String], long: &str, value: &str) -> bool {
    let line = |more: Option<String>| {
        let mut given: Vec<OsString> = rest.iter().map(OsString::from).collect();
        given.extend(more.map(OsString::from));
        given
    };
    let around = Surroundings { variable: &|_| None, folder };
    let used = |given| {
        let line = Line::complete(given, &program(), &around).unwrap();
        line.resolved.iter().any(|one| one.long == long && one.is_used)
    };
    if long == "secret" {
        return used(line(None));
    }
    let path: Vec<&str> =
        rest[1..].iter().map(String::as_str).filter(|word| !word.starts_with("--")).collect();
    let text = in_file(&path, long, value);
    fs::write(folder.join(FILE), text).unwrap();
    let is = used(line(Some(format!("--config={}", folder.join(FILE).display()))));
    fs::write(folder.join(FILE), "").unwrap();
    is
}

/// The option in the table of its command. Words of a command line that are no names of commands are passed over.
fn in_file(path: &[&str], long: &str, value: &str) -> String {
    let mut command = &Arguments::command();
    let mut table = Vec::new();
    for name in path {
        match command.find_subcommand(name) {
            Some(inner) => {
                table.push(*name);
                command = inner;
            }
            None => break,
        }
    }
    format!("[{}]\n{long} = {value:?}\n", table.join("."))
}

#[test]
fn options_by_flag_variable_profile_and_file_give_the_same_run() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let file = folder.join(FILE);
    fs::write(&file, "").unwrap();
    let program = program();
    let mut tried = 0;
    for path in tree::leaves(&program, &[]) {
        for arg in tree::options(&program, &path) {
            let long = arg.get_long().unwrap();
            let config = format!("--config={}", file.display());
            let call = [&[program.get_name().to_owned()][..], &path, &[config]].concat();
            let (rest, value) = with_option(folder, &call, arg);
            let value = if tree::takes_value(arg) { value } else { "true".to_owned() };
            let option =
                if tree::takes_value(arg) { format!("--{long}={value}") } else { format!("--{long}") };
            let same = |name: &str, line: &[String], variables: &[(String, &str)], text: &str| {
                fs::write(&file, text).unwrap();
                let variables = variables.iter().map(|(name, value)| (name.clone(), (*value).to_owned()));
                let found = parsed(folder, line, &variables.collect());
                fs::write(&file, "").unwrap();
                let by_flag = parsed(folder, &[&rest[..], &[option.clone()]].concat(), &BTreeMap::new());
                assert_eq!(found.unwrap(), by_flag.unwrap(), "{path:?} --{long} by {name}");
            };
            let without = parsed(folder, &rest, &BTreeMap::new());
            let with = parsed(folder, &[&rest[..], &[option.clone()]].concat(), &BTreeMap::new());
            assert!(
                without.is_err() || without.unwrap() != with.unwrap(),
                "{path:?} --{long} changes nothing"
            );
            if !environment::is_of_other_commands(&program, &path, long) && long != "env" {
                same("variable", &rest, &[(environment::name_of(long), &value)], "");
            }
            if long == "secret" {
                continue;
            }
            let table = path.join(".");
            let value = if tree::takes_value(arg) { format!("{value:?}") } else { value };
            same("file", &rest, &[], &format!("[{table}]\n{long} = {value}\n"));
            let profile = format!("[profile.ci.{table}]\n{long} = {value}\n");
            same("profile", &[&rest[..], &["--profile=ci".to_owned()]].concat(), &[], &profile);
            if !environment::is_of_other_commands(&program, &path, long) {
                same("top of the file", &rest, &[], &format!("{long} = {value}\n"));
            }
            tried += 1;
        }
    }
    assert!(tried > 150, "{tried}");
}
