//! Limits the length of files and functions.
//!
//! A file with more than 400 lines gives its reason in a line `//! Long because: …` at the top. A function with more than 80
//! lines must be a table. The first line of a table is `// A table: …`, and one pair of brackets has at least three quarters of
//! its lines.

use super::source::{closing, tokens};
use super::{Files, assert_no, rust_files};

const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 80;

/// A file or function that is still too long: its name, and its length, which may only shrink.
type Known = (&'static str, usize);

/// Files that are still too long. An entry that is no longer needed fails the test.
const LONG_FILES: &[Known] = &[];

/// Functions that are still too long, as file and name.
const LONG_FUNCTIONS: &[Known] = &[];

/// Complaints about files that are too long without a reason, and about unneeded entries.
fn long_files(files: &Files, known: &[Known]) -> Vec<String> {
    let has_reason = |text: &str| {
        let mut head = text.lines().take_while(|line| line.starts_with("//!"));
        head.any(|line| {
            line.strip_prefix("//! Long because: ").is_some_and(|reason| !reason.trim().is_empty())
        })
    };
    let long = files.iter().map(|(name, text)| (name.clone(), text.lines().count(), has_reason(text)));
    let long = long.filter(|(_, lines, reason)| *lines > LONGEST_FILE && !reason);
    let what = "divide it, or give the reason at the top: `//! Long because: …`";
    complaints(long.map(|(name, lines, _)| (name, lines)), known, what)
}

/// Complaints about functions that are too long and not tables, and about unneeded entries.
fn long_functions(files: &Files, known: &[Known]) -> Vec<String> {
    let long = files.iter().flat_map(|(name, text)| {
        let functions =
            functions(text).into_iter().filter(|(_, lines, is_table)| *lines > LONGEST_FUNCTION && !is_table);
        functions.map(move |(function, lines, _)| (format!("{name} {function}"), lines))
    });
    complaints(long, known, "divide it; a table begins with `// A table: …`")
}

fn complaints(found: impl Iterator<Item = (String, usize)>, known: &[Known], what: &str) -> Vec<String> {
    let found: Vec<(String, usize)> = found.collect();
    let too_long = found
        .iter()
        .filter(|(name, lines)| !known.iter().any(|(other, most)| name == other && lines <= most));
    let mut complaints: Vec<String> =
        too_long.map(|(name, lines)| format!("{name} has {lines} lines; {what}")).collect();
    let unneeded = known.iter().filter(|(name, _)| !found.iter().any(|(other, _)| name == other));
    complaints
        .extend(unneeded.map(|(name, _)| format!("{name} is no longer too long; remove it from the list")));
    complaints
}

/// The functions of a file: name, number of lines, and whether it is a table.
fn functions(text: &str) -> Vec<(String, usize, bool)> {
    let tokens = tokens(text);
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        // `fn(…)` is a type, not a function.
        if tokens[at].text != "fn" || tokens.get(at + 1).is_none_or(|next| next.text == "(") {
            continue;
        }
        let mut open = at + 2;
        while tokens.get(open).is_some_and(|token| !["{", ";"].contains(&token.text)) {
            open = if ["(", "["].contains(&tokens[open].text) { closing(&tokens, open) } else { open } + 1;
        }
        if tokens.get(open).is_none_or(|token| token.text == ";") {
            continue;
        }
        let end = closing(&tokens, open).min(tokens.len() - 1);
        let length = tokens[end].line - tokens[at].line + 1;
        let is_declared =
            lines.get(tokens[open].line).is_some_and(|line| line.trim().starts_with("// A table: "));
        let is_table = is_declared && longest_group(&tokens[open + 1..end]) * 4 >= length * 3;
        found.push((tokens[at + 1].text.to_owned(), length, is_table));
    }
    found
}

/// The number of lines of the longest top-level pair of brackets.
fn longest_group(tokens: &[super::source::Token<'_>]) -> usize {
    let (mut at, mut longest) = (0, 0);
    while at < tokens.len() {
        if ["(", "[", "{"].contains(&tokens[at].text) {
            let end = closing(tokens, at).min(tokens.len() - 1);
            longest = longest.max(tokens[end].line - tokens[at].line + 1);
            at = end;
        }
        at += 1;
    }
    longest
}

#[test]
fn long_files_give_their_reason() {
    assert_no(long_files(&rust_files("harness"), LONG_FILES), "files with more than 400 lines give a reason");
}

#[test]
fn long_functions_are_tables() {
    assert_no(
        long_functions(&rust_files("harness"), LONG_FUNCTIONS),
        "functions with more than 80 lines are tables",
    );
}

#[test]
fn long_file_without_a_reason_is_named() {
    let lines = |count: usize| "\n".repeat(count);
    let files = vec![
        ("fits.rs".to_owned(), lines(400)),
        ("long.rs".to_owned(), lines(401)),
        ("reason.rs".to_owned(), format!("//! A file.\n//! Long because: one list.\n{}", lines(500))),
        ("empty.rs".to_owned(), format!("//! Long because: \n{}", lines(500))),
        ("known.rs".to_owned(), lines(450)),
        ("grown.rs".to_owned(), lines(451)),
    ];
    let known = [("known.rs", 450), ("grown.rs", 450), ("fits.rs", 410), ("gone.rs", 500)];
    let what = "divide it, or give the reason at the top: `//! Long because: …`";
    let expected = [
        format!("long.rs has 401 lines; {what}"),
        format!("empty.rs has 501 lines; {what}"),
        format!("grown.rs has 451 lines; {what}"),
        "fits.rs is no longer too long; remove it from the list".to_owned(),
        "gone.rs is no longer too long; remove it from the list".to_owned(),
    ];
    assert_eq!(long_files(&files, &known), expected);
}

#[test]
fn long_function_that_is_not_a_table_is_named() {
    let body = |count: usize| "    f();\n".repeat(count);
    let text = [
        format!("fn fits(f: fn(u8) -> u8) {{\n{}}}", body(78)),
        format!("fn long<const N: usize>(a: [u8; N]) {{\n{}}}", body(79)),
        format!("fn table() {{\n    // A table: one row for each.\n    match x {{\n{}}}\n}}", body(90)),
        format!("fn silent_table() {{\n    match x {{\n{}}}\n}}", body(90)),
        format!("fn no_table() {{\n    // A table: so it says.\n{}}}", body(90)),
        format!("fn known() {{\n{}}}", body(90)),
        "trait T { fn declared(&self); }".to_owned(),
    ];
    let files = vec![("a.rs".to_owned(), text.join("\n"))];
    let what = "divide it; a table begins with `// A table: …`";
    let expected = [
        format!("a.rs long has 81 lines; {what}"),
        format!("a.rs silent_table has 94 lines; {what}"),
        format!("a.rs no_table has 93 lines; {what}"),
        "a.rs gone is no longer too long; remove it from the list".to_owned(),
    ];
    assert_eq!(long_functions(&files, &[("a.rs known", 92), ("a.rs gone", 100)]), expected);
}
