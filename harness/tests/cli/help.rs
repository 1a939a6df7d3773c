//! The help of every command: groups, headings, examples and short sentences. The commands come from clap's own tree.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use clap::Command;
use twenty_conform::cli;

use super::program::{finish, twenty};
use crate::goldens::subcommands;

/// The headings of options, in the order of every command.
const HEADINGS: [&str; 14] = [
    "Endpoint:",
    "Target:",
    "Secret:",
    "TLS:",
    "Payload:",
    "Selection:",
    "Generated cases:",
    "Load:",
    "Verdict:",
    "Limits:",
    "Comparison:",
    "Reports:",
    "Output:",
    "Configuration:",
];

/// Other lines that are not indented.
const OTHER_HEADINGS: [&str; 5] =
    ["Commands:", "Arguments:", "Examples:", "Exit status:", "Environment and configuration:"];

/// The groups of commands. Help shows those that have one.
const GROUPS: [&str; 6] = ["Check:", "Send and watch:", "Understand:", "Saved runs:", "Speed:", "Set-up:"];

/// Commands that only print, write or serve: the statuses are the usual ones.
const WITHOUT_STATUSES: &[&str] = &[
    "list",
    "explain",
    "sign",
    "bench",
    "bench export",
    "known",
    "vectors",
    "serve",
    "serve receiver",
    "serve sender",
    "completions",
    "help",
    "skills",
    "skills show",
];

const LONGEST_SENTENCE: usize = 30;

/// The commands with their help, as the binary prints it.
fn pages() -> &'static [(String, String)] {
    static PAGES: OnceLock<Vec<(String, String)>> = OnceLock::new();
    PAGES.get_or_init(|| {
        let mut paths = vec![Vec::new()];
        collect(&cli::declared(), &[], &mut paths);
        assert!(paths.len() > 20, "{paths:?}");
        paths.into_iter().map(|path| (path.join(" "), help(&path, "--help"))).collect()
    })
}

/// The paths of the commands that help shows.
fn collect(command: &Command, path: &[String], paths: &mut Vec<Vec<String>>) {
    for one in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        let path = [path, &[one.get_name().to_owned()]].concat();
        paths.push(path.clone());
        collect(one, &path, paths);
    }
}

/// What the binary prints, in the default width.
fn help(path: &[String], option: &str) -> String {
    let mut call = twenty(path.iter().map(String::as_str).chain([option]));
    call.env_remove("COLUMNS").env_remove("LINES");
    let text = finish(call).expect(0).stdout;
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The lines of a page that begin with a heading's indentation, without the description and the usage.
fn headings(page: &str) -> Vec<&str> {
    let is_heading = |line: &&str| !line.starts_with(' ') && line.ends_with(':');
    page.lines().filter(is_heading).collect()
}

fn examples(page: &str) -> Vec<&str> {
    page.lines().filter_map(|line| line.strip_prefix("  $ ")).collect()
}

#[test]
fn options_are_grouped_under_the_same_headings_in_the_same_order() {
    for (command, page) in pages() {
        let given: Vec<&str> =
            headings(page).into_iter().filter(|line| !OTHER_HEADINGS.contains(line)).collect();
        let is_group = |line: &&str| GROUPS.contains(line);
        let given: Vec<&str> =
            given.into_iter().filter(|line| !(command.is_empty() && is_group(line))).collect();
        let mut expected = HEADINGS.to_vec();
        expected.retain(|heading| given.contains(heading));
        assert_eq!(given, expected, "{command}");
        assert_eq!(given.last(), Some(&"Configuration:"), "{command}");
    }
}

#[test]
fn help_ends_with_examples_and_exit_statuses() {
    for (command, page) in pages() {
        let count = examples(page).len();
        assert!((2..=5).contains(&count), "{command} has {count} examples");
        let headings = headings(page);
        let after = headings.iter().skip_while(|line| **line != "Examples:").skip(1).copied();
        let after: Vec<&str> = after.collect();
        let expected: &[&str] = match &**command {
            "" => &["Exit status:", "Environment and configuration:"],
            command if WITHOUT_STATUSES.contains(&command) => &[],
            _ => &["Exit status:"],
        };
        assert_eq!(after, expected, "{command}");
    }
}

#[test]
fn commands_are_listed_in_groups_in_short_and_complete_help() {
    let known: BTreeSet<String> = cli::declared()
        .get_subcommands()
        .filter(|one| !one.is_hide_set())
        .map(|one| one.get_name().to_owned())
        .collect();
    for option in ["-h", "--help"] {
        let page = help(&[], option);
        let listed: Vec<&str> = subcommands(&page).collect();
        assert_eq!(listed.len(), known.len(), "{option}: {listed:?}");
        assert_eq!(listed.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), known, "{option}");
        let mut group = None;
        for line in page.lines().take_while(|line| *line != "Output:") {
            if line.ends_with(':') && !line.starts_with(' ') {
                group = Some(line);
                assert!(
                    GROUPS.contains(&line),
                    "{option}: `{line}` is no group; GROUPS has the commands of each"
                );
            }
            if subcommands(&format!("Usage:\n{line}")).next().is_some() {
                assert!(group.is_some(), "{option}: {line}");
            }
        }
    }
}

#[test]
fn examples_in_help_parse() {
    for (command, page) in pages() {
        for example in examples(page) {
            // The shell writes what follows to a file.
            let call = example.split(" > ").next().unwrap_or(example);
            let words = shlex::split(call).unwrap_or_else(|| {
                panic!("{command}: a quote is open, or a line of more than 100 is wrapped: {example}")
            });
            assert_eq!(words[0], "twenty-conform", "{command}");
            let parsed = cli::parse(words.into_iter().map(Into::into));
            assert!(
                parsed.is_ok(),
                "{command}: it does not parse, or a line of more than 100 is wrapped: {example}"
            );
        }
    }
}

/// Whether a line begins a text of its own, instead of continuing the line before it.
fn begins_text(line: &str) -> bool {
    let text = line.trim_start();
    let is_row = text.split_once("  ").is_some_and(|(first, _)| !first.contains(' '));
    !line.starts_with(' ') || is_row || text.starts_with(['-', '#', '$'])
}

/// The sentences of a page, without `[default: …]` and the like.
fn sentences(page: &str) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut previous_is_empty = true;
    for line in page.lines() {
        match texts.last_mut() {
            Some(text) if !previous_is_empty && !begins_text(line) => {
                text.push(' ');
                text.push_str(line.trim());
            }
            _ => texts.push(line.trim().to_owned()),
        }
        previous_is_empty = line.is_empty();
    }
    let prose = texts.iter().map(|text| text.split(" [").next().unwrap_or_default());
    prose.flat_map(|text| text.split(". ")).map(str::to_owned).collect()
}

#[test]
fn sentences_in_help_are_short() {
    for (command, page) in pages() {
        for sentence in sentences(page) {
            let words = sentence.split_whitespace().filter(|word| word.contains(char::is_alphanumeric));
            let count = words.count();
            assert!(count <= LONGEST_SENTENCE, "{command}: {count} words: {sentence}");
        }
    }
}

#[test]
fn sentences_span_wrapped_lines() {
    let page = "Options:\n  -a  Do this and\n      that. Then stop [default: 1]\n\n  --b\n      Go on\n      and on\n";
    assert_eq!(
        sentences(page),
        ["Options:", "-a  Do this and that", "Then stop", "", "--b Go on and on"].map(str::to_owned)
    );
}
