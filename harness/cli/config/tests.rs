//! An option means the same wherever it is set. The options and their values come from clap's own tree.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory as _, FromArgMatches as _};
use tempfile::TempDir;

use super::{FILE, Line, SECRET, Surroundings, tree};
use crate::cli::{Arguments, environment};

/// Values, one of which every option takes.
const VALUES: [&str; 13] = [
    "3",
    "10%",
    "300",
    "7s",
    "https://127.0.0.1:1/",
    "A=b",
    "json=-",
    "p99<50ms",
    "/path",
    "127.0.0.2",
    "event=person.updated",
    "1/2",
    "text",
];

/// What options need.
const NEEDED: [&str; 7] = [
    "",
    "--exec=x",
    "--url=https://127.0.0.1:1/",
    "--transcript=-",
    "--control=https://127.0.0.1:1/",
    "--twenty=https://127.0.0.1:1/",
    "--forward=https://127.0.0.1:1/",
];

/// Options with their values.
type Set = BTreeMap<String, Option<String>>;

/// A folder with a configuration file.
struct Place {
    folder: TempDir,
    program: Command,
}

impl Place {
    fn new() -> Self {
        let program = environment::with_variables(Arguments::command());
        let place = Self { folder: TempDir::new().unwrap(), program };
        place.write("");
        place
    }

    fn write(&self, text: &str) {
        fs::write(self.folder.path().join(FILE), text).unwrap();
    }

    fn completed(&self, line: &[String], variables: &BTreeMap<String, String>) -> Line {
        let given = line.iter().map(OsString::from).collect();
        let variable = |name: &str| variables.get(name).map(OsString::from);
        let around = Surroundings { variable: &variable, folder: self.folder.path() };
        let line = Line::complete(given, &self.program, &around);
        line.unwrap_or_else(|why| panic!("{variables:?}: {why}"))
    }

    /// What a command gets, or what is wrong.
    fn parsed(&self, line: &[OsString]) -> Result<String, clap::Error> {
        let mut arguments = Arguments::from_arg_matches(&self.program.clone().try_get_matches_from(line)?)?;
        arguments.profile = None;
        Ok(format!("{arguments:?}"))
    }

    /// The same of a command line alone.
    fn plain(&self, line: &[String]) -> Result<String, clap::Error> {
        self.parsed(&line.iter().map(OsString::from).collect::<Vec<_>>())
    }

    /// A command line with what the command cannot do without; `None` if it does not parse then.
    fn complete(&self, path: &[String], needed: &str) -> Option<Vec<String>> {
        let config = format!("--config={}", self.folder.path().join(FILE).display());
        let mut line = [&[self.program.get_name().to_owned()][..], path, &[config]].concat();
        let command = tree::at(&self.program, path).unwrap();
        let long = needed.trim_start_matches("--").split('=').next().unwrap();
        if !needed.is_empty() && !command.get_arguments().any(|arg| arg.get_long() == Some(long)) {
            return None;
        }
        for arg in command.get_positionals().filter(|arg| arg.is_required_set()) {
            let named = arg.get_possible_values().first().map(|value| value.get_name().to_owned());
            line.push(named.unwrap_or_else(|| "VER-1".to_owned()));
        }
        line.extend((!needed.is_empty()).then(|| needed.to_owned()));
        for _ in 0..3 {
            let why = match self.plain(&line) {
                Ok(_) => return Some(line),
                Err(why) if why.kind() == ErrorKind::MissingRequiredArgument => why,
                Err(_) => return None,
            };
            let Some(ContextValue::Strings(missing)) = why.get(ContextKind::InvalidArg) else { return None };
            for one in missing {
                let long = one.strip_prefix("--")?.split([' ', '=']).next()?;
                let arg = command.get_arguments().find(|arg| arg.get_long() == Some(long))?;
                line.push(self.words(arg).into_iter().find(|word| self.is_value(&line, word))?);
            }
        }
        None
    }

    /// Whether the command takes a word, although it may lack others.
    fn is_value(&self, line: &[String], word: &str) -> bool {
        let parsed = self.plain(&[line, &[word.to_owned()]].concat());
        parsed.err().is_none_or(|why| why.kind() == ErrorKind::MissingRequiredArgument)
    }

    /// The option with each value that it may take.
    fn words(&self, arg: &Arg) -> Vec<String> {
        let long = arg.get_long().unwrap();
        if !tree::takes_value(arg) {
            return vec![format!("--{long}")];
        }
        // A path in the file is seen from its folder, and an absolute one is the same everywhere.
        let is_path = arg.get_value_parser().type_id() == ValueParser::path_buf().type_id();
        let is_named =
            arg.get_value_names().is_some_and(|names| names.iter().any(|name| name == "FILE|NAME"));
        let path = (is_path || is_named).then(|| self.folder.path().join("path").display().to_string());
        let named = arg.get_possible_values().into_iter().map(|value| value.get_name().to_owned());
        let is_default = |value: &String| arg.get_default_values().iter().any(|one| one == value.as_str());
        let values = named.chain(path).chain(VALUES.map(str::to_owned)).filter(|value| !is_default(value));
        values.map(|value| format!("--{long}={value}")).collect()
    }

    /// The option's value, with which the command line still parses.
    fn value(&self, line: &[String], arg: &Arg) -> Option<Option<String>> {
        let fits = |word: &String| self.plain(&[line, std::slice::from_ref(word)].concat()).is_ok();
        let word = self.words(arg).into_iter().find(fits)?;
        Some(word.split_once('=').map(|(_, value)| value.to_owned()))
    }
}

fn flags(set: &Set) -> Vec<String> {
    let of = |(long, value): (&String, &Option<String>)| match value {
        Some(value) => format!("--{long}={value}"),
        None => format!("--{long}"),
    };
    set.iter().map(of).collect()
}

/// The options as lines of a table.
fn lines(set: &Set) -> String {
    let of = |(long, value): (&String, &Option<String>)| match value {
        Some(value) => format!("{long} = {value:?}\n"),
        None => format!("{long} = true\n"),
    };
    set.iter().map(of).collect()
}

/// Options of a command that can be given together.
fn together(place: &Place, line: &[String], options: &[&Arg], path: &[String]) -> Set {
    let mut set = Set::new();
    for arg in options {
        if let Some(value) = place.value(&[line, &flags(&set)].concat(), arg) {
            set.insert(arg.get_long().unwrap().to_owned(), value);
        }
    }
    // One that needs another is only used with it. A secret stands in no file.
    let secrets: Set = set.iter().filter(|(long, _)| SECRET.contains(&&***long)).map(owned).collect();
    set.retain(|long, _| !secrets.contains_key(long));
    place.write(&format!("[{}]\n{}", path.join("."), lines(&set)));
    let variables =
        secrets.iter().filter_map(|(long, value)| Some((environment::name_of(long), value.clone()?)));
    let completed = place.completed(line, &variables.collect());
    place.write("");
    set.extend(secrets);
    let is_used = |long: &String| completed.resolved.iter().any(|one| one.long == *long && one.is_used);
    set.retain(|long, _| is_used(long));
    set
}

/// Fails unless these options mean the same on the command line and everywhere else.
fn compare(place: &Place, path: &[String], line: &[String], set: &Set) {
    let by_flag = place.plain(&[line, &flags(set)].concat()).unwrap();
    assert_ne!(by_flag, place.plain(line).unwrap_or_default(), "{set:?} change nothing");
    let is_secret = |long: &str| SECRET.contains(&long);
    let of_file: Set = set.iter().filter(|(long, _)| !is_secret(long)).map(owned).collect();
    let only_flags: Set = set.iter().filter(|(long, _)| is_secret(long)).map(owned).collect();
    let variable = |long: &str| environment::variable_of(&place.program, path, long);
    // In TOML, `report` is either a value or the table of the command of that name.
    let is_general =
        |long: &str| path[0] != long && !environment::is_of_other_commands(&place.program, path, long);
    let own: Set = set.iter().filter(|(long, _)| variable(long).is_none()).map(owned).collect();
    let variables = set.iter().filter_map(|(long, value)| {
        Some((variable(long)?, value.clone().unwrap_or_else(|| "true".to_owned())))
    });
    let table = path.join(".");
    let top: Set = of_file.iter().filter(|(long, _)| is_general(long)).map(owned).collect();
    let rest: Set = of_file.iter().filter(|(long, _)| !is_general(long)).map(owned).collect();
    for (name, line, variables, text) in [
        ("variable", [line, &flags(&own)].concat(), variables.collect(), String::new()),
        (
            "file",
            [line, &flags(&only_flags)].concat(),
            BTreeMap::new(),
            format!("[{table}]\n{}", lines(&of_file)),
        ),
        (
            "top of the file",
            [line, &flags(&only_flags)].concat(),
            BTreeMap::new(),
            format!("{}[{table}]\n{}", lines(&top), lines(&rest)),
        ),
        (
            "profile",
            [line, &flags(&only_flags), &["--profile=ci".to_owned()]].concat(),
            BTreeMap::new(),
            format!("[profile.ci]\n{}[profile.ci.{table}]\n{}", lines(&top), lines(&rest)),
        ),
    ] {
        place.write(&text);
        let completed = place.completed(&line, &variables);
        let found = place.parsed(&completed.arguments);
        place.write("");
        assert_eq!(found.unwrap(), by_flag, "{path:?} by {name}: {set:?}");
    }
}

fn owned((long, value): (&String, &Option<String>)) -> (String, Option<String>) {
    (long.clone(), value.clone())
}

#[test]
fn options_by_flag_variable_profile_and_file_give_the_same_run() {
    let place = Place::new();
    let mut tried = 0;
    for path in tree::leaves(&place.program, &[]) {
        let mut open = tree::options(&place.program, &path);
        tried += open.len();
        while !open.is_empty() {
            let before = open.len();
            for needed in NEEDED {
                let Some(line) = place.complete(&path, needed) else { continue };
                // What is needed is on the command line already.
                let is_given = |arg: &&Arg| {
                    let option = format!("--{}=", arg.get_long().unwrap());
                    line.iter().any(|word| word.starts_with(&option))
                };
                let options: Vec<&Arg> = open.iter().copied().filter(|arg| !is_given(arg)).collect();
                let set = together(&place, &line, &options, &path);
                if set.is_empty() {
                    continue;
                }
                compare(&place, &path, &line, &set);
                open.retain(|arg| !set.contains_key(arg.get_long().unwrap()));
            }
            // What a command cannot do without, and what only comes with another option, is compared by leaving it out.
            // One that needs another which is not in the list is tried with it, once nothing else is left.
            let is_stuck = open.len() == before;
            let own = open
                .iter()
                .filter(|_| is_stuck)
                .filter_map(|arg| place.words(arg).iter().find_map(|word| place.complete(&path, word)));
            let lines: Vec<_> =
                NEEDED.iter().filter_map(|one| place.complete(&path, one)).chain(own).collect();
            for line in lines {
                let of = |word: &String| {
                    let word = word.strip_prefix("--")?;
                    let (long, value) = word.split_once('=').map_or((word, None), |(a, b)| (a, Some(b)));
                    let is_open = open.iter().any(|arg| arg.get_long() == Some(long));
                    is_open.then(|| (long.to_owned(), value.map(str::to_owned)))
                };
                let set: Set = line.iter().filter_map(of).collect();
                if !set.is_empty() {
                    let rest: Vec<_> = line.iter().filter(|word| of(word).is_none()).cloned().collect();
                    compare(&place, &path, &rest, &set);
                    open.retain(|arg| !set.contains_key(arg.get_long().unwrap()));
                }
            }
            let names: Vec<_> = open.iter().filter_map(|arg| arg.get_long()).collect();
            assert!(open.len() < before, "{path:?}: nothing makes the command take {names:?}");
        }
    }
    assert!(tried > 150, "{tried}");
}

#[test]
fn option_with_the_name_of_a_command_is_a_table_too() {
    let place = Place::new();
    for text in ["report = { junit = \"/a.xml\" }\n", "[report]\njunit = \"/a.xml\"\n"] {
        place.write(text);
        let config = format!("--config={}", place.folder.path().join(FILE).display());
        let given = [place.program.get_name(), "demo", &config].map(str::to_owned);
        let completed = place.completed(&given, &BTreeMap::new());
        let report = completed.resolved.iter().find(|one| one.long == "report").unwrap();
        assert_eq!(report.arguments(), ["--report=junit=/a.xml"], "{text}");
    }
}
