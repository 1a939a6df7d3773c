//! Words to avoid, in README, docs, help, snapshots, comments, names and messages.

use std::fs;
use std::path::Path;

use aho_corasick::AhoCorasick;

use super::{Files, assert_no, root, tree};

/// Words to avoid, and what to say instead. They are found in names too, where `_` separates words.
const WORDS: &[(&str, &str)] = &[
    ("behind", "after, past or following"),
    ("beside", "with or next to"),
    ("mend", "fix"),
    ("mends", "fixes"),
    ("mended", "fixed"),
    ("untestable", "inconclusive"),
    ("twin", "control"),
    ("twins", "controls"),
    ("genuine", "valid"),
    ("taken in", "processed"),
    ("takes in", "processes"),
    ("take in", "process"),
    ("let in", "accepted"),
    ("lets in", "accepts"),
    ("made smaller", "shrunk"),
    ("in the place of", "instead of"),
    ("further attempt", "retry"),
    ("further attempts", "retries"),
    ("whoever", "who does it"),
    ("respelled", "reformatted"),
    ("anybody", "anyone, or who does it"),
    ("as it stands", "unchanged"),
    ("bears", "has"),
    ("broken off", "cut off"),
    ("by and by", "gradually"),
    ("came of", "the outcome of"),
    ("comes out as", "ends as"),
    ("fares", "ends"),
    ("for good", "for ever, or permanently"),
    ("gone on", "continued"),
    ("is had", "is available"),
    ("kept out", "rejected"),
    ("let go", "released"),
    ("lets go", "releases"),
    ("made of", "made from, or has"),
    ("nobody", "no one, or what happens"),
    ("of ours", "our"),
    ("the course of", "during"),
    ("untold", "unknown"),
    ("what became", "what happened"),
    ("what came", "what arrived"),
];

/// Exceptions: the prefix of a path, and the text around the word; an empty text excepts whole lines.
const RIGHT: &[(&str, &str)] = &[
    // This list.
    ("harness/tests/tidy/words.rs", ""),
    // Fields that were renamed.
    ("CHANGELOG.md", "`mend`"),
    ("CHANGELOG.md", "`twins`"),
    ("CHANGELOG.md", "`untestable`"),
    // The contract's sentences.
    ("", "(a valid one beside a bogus one, in both orders)"),
    ("", "A rejected delivery left nothing behind."),
    ("", "deliveries broken off in head or body"),
    ("", "nobody answers, but which must not end the process"),
    // Ids of checks are never changed.
    ("", "receiver/reception/genuine"),
    ("", "sender/signing/genuine"),
    ("harness/tests/cli/runs.rs", "**/reception/genuine"),
    ("", "receiver/intake/left-behind"),
    ("", "receiver/intake/taken-in"),
    ("", "receiver/verification/respelled"),
    ("", "sender/acknowledgement/further-attempts"),
    ("", "sender/signing/further-attempts"),
];

const FOLDERS: &[&str] = &["harness", "benches", "docs", "fixtures", "snapshots", ".ci"];
const FILES: &[&str] =
    &["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "llms.txt", "Cargo.toml", "deny.toml"];
/// Folders of third-party or generated files.
const FOREIGN: &[&str] = &["node_modules", ".venv", "target", "vectors", "__pycache__"];

/// Every file that people read, as path and text.
fn texts() -> Files {
    let mut found = Files::new();
    let mut open: Vec<_> = FOLDERS.iter().chain(FILES).map(|name| root().join(name)).collect();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
            open.extend(entries.filter(|path| !FOREIGN.iter().any(|name| path.ends_with(name))));
        } else if let Ok(text) = fs::read_to_string(&path) {
            found.push((name(&path), text));
        }
    }
    found.retain(|(name, _)| !name.ends_with(".lock") && !name.ends_with("package-lock.json"));
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()
}

/// The words of a line in lower case, with one space around each. `CamelCase` is two words.
fn plain(line: &str) -> String {
    let mut apart = String::new();
    for character in line.chars() {
        if character.is_uppercase() && apart.ends_with(char::is_lowercase) {
            apart.push(' ');
        }
        apart.push(character);
    }
    let words = apart.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_lowercase).collect();
    format!(" {} ", words.join(" "))
}

/// The plain words of a line, without its exceptions.
fn without_exceptions(name: &str, line: &str) -> String {
    let right = RIGHT.iter().filter(|(place, _)| name.starts_with(place));
    plain(&right.fold(
        line.to_owned(),
        |line, (_, text)| {
            if text.is_empty() { String::new() } else { line.replace(text, "") }
        },
    ))
}

fn complaints(files: &Files) -> Vec<String> {
    // Most lines are far from any of the words, and dividing a line into words takes long.
    let longest = WORDS.iter().filter_map(|(words, _)| words.split(' ').max_by_key(|word| word.len()));
    let search = AhoCorasick::builder().ascii_case_insensitive(true).build(longest).unwrap();
    let mut found = Vec::new();
    for (name, text) in files {
        let hits: Vec<bool> = text.lines().map(|line| search.is_match(line)).collect();
        let is_near = |at: usize| hits[at.saturating_sub(1)..hits.len().min(at + 2)].contains(&true);
        let plain = |(at, line)| if is_near(at) { without_exceptions(name, line) } else { String::new() };
        let plain: Vec<String> = text.lines().enumerate().map(plain).collect();
        for (at, line) in text.lines().enumerate().filter(|(at, _)| is_near(*at)) {
            let next = plain.get(at + 1).map_or("", String::as_str);
            // A line break may split words. A comment's marker is not a word, so it does not matter.
            let both = format!("{}{next}", plain[at].trim_end());
            let says = |word: &str| {
                let word = format!(" {word} ");
                plain[at].contains(&word) || (both.contains(&word) && !next.contains(&word))
            };
            found.extend(WORDS.iter().filter(|(word, _)| says(word)).map(|(word, better)| {
                format!("{name}:{} says `{word}`; say {better}: {}", at + 1, line.trim())
            }));
        }
    }
    found
}

#[test]
fn texts_use_plain_words() {
    assert_no(complaints(&texts()), "plain words");
}

#[test]
fn word_to_avoid_is_named() {
    let files = tree(&[
        (
            "a.md",
            "It waits Behind the line.\nThe check receiver/reception/genuine stays.\nWhat is left, is fine.",
        ),
        ("b.rs", "fn a_twin_is_taken_in() {}\nstruct SentBehind;\n"),
    ]);
    let found = complaints(&files);
    let expected = [
        "a.md:1 says `behind`; say after, past or following: It waits Behind the line.",
        "b.rs:1 says `twin`; say control: fn a_twin_is_taken_in() {}",
        "b.rs:1 says `taken in`; say processed: fn a_twin_is_taken_in() {}",
        "b.rs:2 says `behind`; say after, past or following: struct SentBehind;",
    ];
    assert_eq!(found, expected);
}

#[test]
fn words_to_avoid_are_found_across_a_line_break() {
    let files = tree(&[
        ("a.rs", "    /// Deliveries that are taken\n    /// in are counted.\nlet x = 1;\n"),
        ("b.md", "It was taken.\n\nIn the end it was\nmade\nsmaller\n"),
        ("c.rs", "// taken\n// taken in\n"),
    ]);
    let found = complaints(&files);
    let expected = [
        "a.rs:1 says `taken in`; say processed: /// Deliveries that are taken",
        "b.md:4 says `made smaller`; say shrunk: made",
        "c.rs:2 says `taken in`; say processed: // taken in",
    ];
    assert_eq!(found, expected);
}
