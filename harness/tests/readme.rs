//! README, CONTRIBUTING and the pages of `docs/`. Their commands are run, and the parts that depend on the code are generated.

mod examples;
mod generated;
pub(crate) mod pages;
mod requirements;
#[cfg(unix)]
mod running;

use std::collections::BTreeSet;

use tempfile::TempDir;

use self::pages::{arguments, blocks, calls, commands, page, pages, prose};
use crate::cli::program::run;
use crate::goldens::subcommands;

const REWRITE: &str = "UPDATE_README=1 cargo test --test conform readme";

/// README can be read in ten minutes.
const README_LINES: usize = 150;
const SENTENCE_WORDS: usize = 30;

/// A test for each page with commands.
macro_rules! pages_to_run {
    ($($test:ident = $page:literal,)*) => {
        const RUN: &[&str] = &[$($page,)*];

        $(
            #[cfg(unix)]
            #[test]
            fn $test() {
                running::run_page($page);
            }
        )*
    };
}

pages_to_run! {
    commands_of_contributing_run = "CONTRIBUTING.md",
    commands_of_readme_run = "README.md",
    commands_of_attach_a_sender_run = "docs/attach-a-sender.md",
    commands_of_benchmarks_run = "docs/benchmarks.md",
    commands_of_captures_run = "docs/captures.md",
    commands_of_check_a_receiver_run = "docs/check-a-receiver.md",
    commands_of_ci_run = "docs/ci.md",
    commands_of_configuration_run = "docs/configuration.md",
    commands_of_doctor_run = "docs/doctor.md",
    commands_of_install_run = "docs/install.md",
    commands_of_known_failures_run = "docs/known-failures.md",
    commands_of_library_run = "docs/library.md",
    commands_of_real_twenty_run = "docs/real-twenty.md",
    commands_of_receivers_run = "docs/receivers.md",
    commands_of_saved_runs_run = "docs/saved-runs.md",
    commands_of_test_suites_run = "docs/test-suites.md",
    commands_of_twenty_applications_run = "docs/twenty-applications.md",
    commands_of_watch_twenty_run = "docs/watch-twenty.md",
}

#[test]
fn every_page_with_commands_is_run() {
    let with_commands = pages().into_iter().filter(|page| !commands(&page.text).is_empty());
    let names: Vec<String> = with_commands.map(|page| page.name).collect();
    assert_eq!(names, RUN);
}

#[test]
fn readme_is_short() {
    let lines = page("README.md").text.lines().count();
    assert!(lines <= README_LINES, "README.md has {lines} lines; {README_LINES} are allowed");
}

/// The sentences of a page's paragraphs, list items and table cells.
fn sentences(text: &str) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for line in prose(text).lines() {
        let begins =
            line.trim().is_empty() || ["#", "|", "- ", "<"].iter().any(|mark| line.starts_with(mark));
        if begins {
            paragraphs.extend(line.split('|').map(str::to_owned));
        } else if let Some(last) = paragraphs.last_mut() {
            *last = format!("{last} {line}");
        }
    }
    let ends = |paragraph: String| {
        let marked = paragraph.replace(". ", ".\n").replace("? ", "?\n");
        marked.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    paragraphs.into_iter().flat_map(ends).collect()
}

#[test]
fn sentences_of_readme_are_short() {
    let words = |sentence: &String| sentence.split_whitespace().count();
    let long: Vec<String> =
        sentences(&page("README.md").text).into_iter().filter(|one| words(one) > SENTENCE_WORDS).collect();
    assert!(long.is_empty(), "more than {SENTENCE_WORDS} words: {long:#?}");
}

#[test]
fn links_between_pages_resolve() {
    let mut broken = Vec::new();
    for page in pages() {
        let folder = pages::root().join(&page.name).parent().unwrap().to_owned();
        for link in prose(&page.text).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap();
            if !link.contains("://") && !path.is_empty() && !folder.join(path).exists() {
                broken.push(format!("{}: {link}", page.name));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Every long option of a help text, without those in its examples.
fn options(help: &str) -> BTreeSet<String> {
    let help = help.split("\nExamples:\n").next().unwrap_or(help);
    let words = help.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter(|word| word.len() > 2 && word.starts_with("--")).map(str::to_owned).collect()
}

/// The long options of a command and its subcommands; `None` if there is no such command.
fn options_of(command: &[&str]) -> Option<BTreeSet<String>> {
    let ran = run(command.iter().chain(&["--help"]));
    (ran.status == Some(0)).then(|| options(&ran.stdout))
}

/// Calls of the binary in running text: code that begins with its name, or with one of its commands.
fn mentioned(text: &str, names: &BTreeSet<String>) -> Vec<String> {
    let text = prose(text);
    let code = text.split('`').skip(1).step_by(2);
    let call = |code: &str| {
        let (first, _) = code.split_once(' ')?;
        if names.contains(first) {
            return Some(format!("twenty-conform {code}"));
        }
        (first == "twenty-conform").then(|| code.to_owned())
    };
    code.filter_map(call).collect()
}

/// What is wrong with the arguments of a call as a page shows it; `…` in it means more arguments.
fn complaint(arguments: &[String]) -> Option<String> {
    let command: Vec<&str> =
        arguments.iter().map(String::as_str).take_while(|word| !word.starts_with('-')).collect();
    // The words after the command's name may be its arguments.
    let named = (0..=command.len()).rev().find_map(|length| Some((length, options_of(&command[..length])?)));
    let (length, known) = named.unwrap();
    if length == 0 {
        return Some(format!("there is no command {}", command.join(" ")));
    }
    let given =
        arguments.iter().filter(|word| word.starts_with("--")).map(|word| word.split('=').next().unwrap());
    let unknown: Vec<&str> = given.filter(|option| !known.contains(*option)).collect();
    if !unknown.is_empty() {
        return Some(format!("{} has no {}", command.join(" "), unknown.join(", ")));
    }
    // An option at the end may lack its value.
    if arguments.iter().any(|word| word == "…") || arguments.last().is_some_and(|word| word.starts_with("--"))
    {
        return None;
    }
    // `--help` after all arguments: they are parsed, and nothing is run. A missing argument is not noticed.
    let ran = run(arguments.iter().map(String::as_str).chain(["--help"]));
    (ran.status != Some(0)).then(|| ran.stderr.trim().to_owned())
}

#[test]
fn commands_in_running_text_are_parsed() {
    let help = run(["--help"]).expect(0).stdout;
    let names: BTreeSet<String> = subcommands(&help).map(str::to_owned).collect();
    let mut wrong = Vec::new();
    for page in pages() {
        for line in mentioned(&page.text, &names) {
            for call in calls(&line) {
                let Some(arguments) = arguments(&call) else { continue };
                wrong.extend(complaint(arguments).map(|why| format!("{}: {line}: {why}", page.name)));
            }
        }
    }
    assert!(wrong.is_empty(), "pages show commands that do not parse:\n{}", wrong.join("\n"));
}

#[test]
fn commands_in_running_text_are_found_without_the_program() {
    let names = BTreeSet::from(["bench".to_owned(), "send".to_owned()]);
    let text = "`twenty-conform list`, `bench export wrk DIR`, `send`, `sent --url` and\n```console\n$ send --url x\n```\n";
    assert_eq!(mentioned(text, &names), ["twenty-conform list", "twenty-conform bench export wrk DIR"]);
}

#[test]
fn configuration_in_a_page_is_accepted() {
    let text = page("docs/benchmarks.md").text;
    let shown: Vec<&str> = blocks(&text)
        .into_iter()
        .filter(|(language, _)| *language == "toml")
        .map(|(_, block)| block)
        .collect();
    let [shown] = shown[..] else { panic!("not one configuration: {shown:?}") };
    // A comment shows the other form of a value.
    let (before, rest) = shown.split_once("\"5%\"").unwrap();
    let table = rest.split_once("or a table: ").unwrap().1.lines().next().unwrap();
    let other = format!("{before}{table}{}", rest.split_once('\n').map_or("", |(_, rest)| rest).trim_start());
    let other = other.replacen(table, &format!("{table}\n"), 1);
    for text in [shown, &*other] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("twenty-conform.toml");
        std::fs::write(&path, text).unwrap();
        let call = ["bench", "receiver", "--duration", "100ms", "--warm-up", "0ms", "--config"];
        let ran = run(call.into_iter().chain(path.to_str()));
        // 6: slower than the bounds in the file.
        assert!(matches!(ran.status, Some(0 | 6)), "{text}: {ran:#?}");
    }
}

#[test]
fn wrong_commands_in_a_page_are_named() {
    let complaint = |line: &str| complaint(&shlex::split(line).unwrap());
    assert_eq!(complaint("receiver --exec 'node server.mjs' --seed 7"), None);
    assert_eq!(complaint("bench sender --exec …"), None);
    for (line, words) in [
        ("receive --exec x", "there is no command receive"),
        ("receiver --excc x", "receiver has no --excc"),
        ("bench receivers --exec x", "bench receivers has no --exec"),
        ("receiver --exec x --seed many", "many"),
        ("receiver --exec x y", "'y'"),
    ] {
        let why = complaint(line).unwrap_or_else(|| panic!("{line} was accepted"));
        assert!(why.contains(words), "{line}: {why}");
    }
}

/// The options of every command, found through the help texts.
fn all_options() -> BTreeSet<String> {
    let (mut known, mut open) = (BTreeSet::new(), vec![Vec::new()]);
    while let Some(command) = open.pop() {
        let help = run(command.iter().map(String::as_str).chain(["--help"])).expect(0).stdout;
        known.extend(options(&help));
        open.extend(subcommands(&help).map(|name| [&command[..], &[name.to_owned()]].concat()));
    }
    known
}

#[test]
fn options_named_in_pages_exist() {
    let mut known = all_options();
    // Of cargo.
    known.insert("--profile".to_owned());
    let mut wrong = Vec::new();
    for page in pages() {
        let text = prose(&page.text);
        let code = text.split('`').skip(1).step_by(2);
        let named = code.filter(|code| code.starts_with("--")).flat_map(options);
        let unknown = named.filter(|option| !known.contains(option));
        wrong.extend(unknown.map(|option| format!("{}: {option}", page.name)));
    }
    assert!(wrong.is_empty(), "pages name options that do not exist: {}", wrong.join(", "));
}
