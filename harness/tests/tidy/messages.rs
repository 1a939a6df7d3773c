//! The sentences that users read are in one module per room: `messages.rs`, with one function per event.
//!
//! This test names sentences elsewhere. Tables of words may have sentences too: requirements with their cases, causes, faults,
//! `described!` enums, `#[error]` attributes and clap's help.

use super::source::{Token, is, tokens};
use super::{Files, assert_no, library, tree};

/// A text with this many words is a sentence.
const SENTENCE: usize = 4;

/// Files and folders that are tables of words, each with the reason.
const TABLES: &[&str] = &[
    // The codes of causes, with sentence and fix.
    "harness/suite/cause.rs",
    // Lines of code, by cause and framework.
    "harness/report/framework/signing.rs",
    "harness/report/framework/serving.rs",
    // What the answers of each framework have.
    "harness/report/framework/signs.rs",
    // Code of other languages.
    "harness/report/case/written/curl.rs",
    "harness/report/case/written/golang.rs",
    "harness/report/case/written/vitest.rs",
    // The faults, each with what it does.
    "harness/peers/fault.rs",
];

/// Folders of requirements: a file has its literal and names what is sent. What its check says is in messages.rs.
const BLOCKS: &[&str] = &["harness/suite/receiver/", "harness/suite/sender/"];

/// Calls with which a check says something.
const SAID: &[&str] = &["Inconclusive", "NotApplicable", "Evidence", "of_all", "detailed"];

/// Files of requirements whose functions list cases by name.
const CASE_LISTS: &[&str] = &[
    "receiver/formatting/generated.rs",
    "receiver/formatting/javascript.rs",
    "receiver/freshness.rs",
    "receiver/pace.rs",
    "receiver/size.rs",
    "receiver/timestamp.rs",
    "receiver/transport.rs",
    "receiver/valid.rs",
    "receiver/ways_in.rs",
    "sender/scenario/",
];

/// Calls and types that name what is sent, in a file of requirements.
const CASES: &[&str] = &["Case", "Property", "of", "valid", "forged", "forged_by", "with"];

/// Calls and macros whose sentences are for developers, or in a table.
const EXEMPT: &[&str] = &["unreachable", "described", "json", "#"];

fn is_exempt(name: &str) -> bool {
    let is_messages = name.ends_with("/messages.rs") || name.contains("/messages/");
    is_messages || TABLES.contains(&name)
}

/// The number of plain words in a literal.
fn words(literal: &str) -> usize {
    let is_plain = |word: &&str| {
        let word = word.trim_matches(|character: char| !character.is_alphanumeric());
        !word.is_empty()
            && word.chars().all(|character| character.is_alphabetic() || "'-’".contains(character))
    };
    literal.split_whitespace().filter(is_plain).count()
}

/// The name before an opening bracket: a function, a macro, the type of a called function, or `#` of an attribute.
fn name_before<'a>(tokens: &[Token<'a>], open: usize) -> &'a str {
    let before = |back: usize| open.checked_sub(back).map_or("", |at| tokens[at].text);
    match (before(1), before(2)) {
        ("!", name) => name,
        ("new", "::") => before(3),
        (name, _) => name,
    }
}

/// Whether a literal belongs to `let what = …;`, the name of a case.
fn is_let_what(before: &[Token<'_>]) -> bool {
    let statement =
        before.iter().rposition(|token| [";", "{", "}"].contains(&token.text)).map_or(0, |at| at + 1);
    is(&before[statement..], &["let", "what", "="])
}

fn complaints(files: &Files) -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in files.iter().filter(|(name, _)| !is_exempt(name)) {
        let tokens = tokens(text);
        let mut open: Vec<&str> = Vec::new();
        let lists_cases = CASE_LISTS.iter().any(|file| name.contains(file));
        let mut constant = None;
        let is_block = BLOCKS.iter().any(|block| name.starts_with(block));
        for (at, token) in tokens.iter().enumerate() {
            match token.text {
                "(" | "[" | "{" => open.push(name_before(&tokens, at)),
                ")" | "]" | "}" => {
                    open.pop();
                }
                _ => {}
            }
            if token.text == "const" && tokens.get(at + 1).is_some_and(|next| next.text != "fn") {
                constant = Some(open.len());
            } else if token.text == ";" && constant == Some(open.len()) {
                constant = None;
            }
            let names_a_case = is_block && (lists_cases || constant.is_some() || is_let_what(&tokens[..at]));
            let wrong = if names_a_case {
                open.iter().any(|name| SAID.contains(name))
            } else {
                !open.iter().any(|name| EXEMPT.contains(name) || is_block && CASES.contains(name))
            };
            if wrong && words(token.literal) >= SENTENCE {
                let line = token.line;
                found
                    .push(format!("{name}:{line} has a sentence; move it to messages.rs: {}", token.literal));
            }
        }
    }
    found
}

#[test]
fn sentences_are_in_messages() {
    assert_no(complaints(&library()), "sentences that users read are in the messages.rs of their room");
}

#[test]
fn sentence_outside_messages_is_named() {
    let files = tree(&[
        ("harness/room/messages.rs", r#"fn f() -> &'static str { "the port is in use" }"#),
        (
            "harness/room/code.rs",
            r#"fn f() { g("the port is in use"); h(format!("{a} is no port number: {b}")) }"#,
        ),
        (
            "harness/room/fine.rs",
            r#"#[error("the port is in use")] enum E { A } fn f() { unreachable!("the port is in use") }"#,
        ),
        (
            "harness/room/short.rs",
            r#"fn f() { g("application/json; charset=utf-8", "GET / HTTP/1.1", "not yet") }"#,
        ),
    ]);
    let found = complaints(&files);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|one| one.starts_with("harness/room/code.rs:1 ")), "{found:?}");
    let block = r#"const A: R = R { why: "four words are here" };
        fn f() { Evidence::new("a", "b", format!("it is said right here")) }
        fn g() { Cause::detailed(Code::A, "so is this detail") }"#;
    assert_eq!(words("it is said right here"), 5);
    let of_block = complaints(&tree(&[("harness/suite/receiver/a.rs", block)]));
    assert_eq!(of_block.len(), 2, "{of_block:?}");
}
