//! Rooms import only rooms that come earlier in the list below. Checks, causes and data import nothing that does I/O.

use std::collections::BTreeSet;

use super::imports::{self, Import};
use super::{Files, assert_no, library, tree};

/// Small files that every room may use. They use only each other, `webhook`, and the exchange.
const GROUND_FLOOR: [&str; 17] = [
    "budget",
    "clock",
    "constant",
    "described",
    "duration",
    "error",
    "exit",
    "files",
    "input",
    "nearest",
    "page",
    "plural",
    "random",
    "redaction",
    "shell",
    "statistics",
    "terminal",
];

/// The rooms. Each may use those before it.
const ROOMS: [&str; 10] =
    ["webhook", "wire", "capture", "subject", "peers", "suite", "report", "bench", "api", "cli"];

/// The roots of the library and the binary, which may use every room.
const ROOTS: [&str; 2] = ["lib", "main"];

/// What the ground floor may use of the rooms.
const DATA: [&str; 2] = ["harness/webhook/", "harness/wire/exchange"];

/// Rooms that do not use each other, although the order would allow it.
const APART: [(&str, &str); 1] = [("bench", "report")];

/// A known import that violates the order.
struct Exception {
    /// The prefix of the importing files.
    from: &'static str,
    /// The prefix of the imported paths.
    path: &'static str,
    reason: &'static str,
}

/// Exceptions from the order. An exception that is no longer needed fails the test.
const EXCEPTIONS: &[Exception] = &[];

/// The room of a file: `wire` for `harness/wire/client.rs`, `clock` for `harness/clock.rs`.
fn room(name: &str) -> &str {
    name.strip_prefix("harness/").and_then(|rest| rest.split(['/', '.']).next()).unwrap_or_default()
}

/// The position of a room in the order; `None` if it is in no list.
fn height(room: &str) -> Option<usize> {
    if GROUND_FLOOR.contains(&room) {
        return Some(0);
    }
    ROOMS.iter().chain(&ROOTS).position(|other| *other == room).map(|at| at + 1)
}

/// Complaints about imports that violate the order, and about unneeded exceptions.
fn upward(files: &Files, exceptions: &[Exception]) -> Vec<String> {
    let mut complaints: Vec<String> = files
        .iter()
        .filter(|(name, _)| height(room(name)).is_none())
        .map(|(name, _)| {
            format!("{name} is in no room; move it into one, or add its room to the list in order")
        })
        .collect();
    let mut needed = BTreeSet::new();
    for import in imports::imports(files) {
        let Some(what) = wrong(&import) else { continue };
        let excepted =
            |one: &Exception| import.from.starts_with(one.from) && import.path.starts_with(one.path);
        match exceptions.iter().position(excepted) {
            Some(at) => {
                needed.insert(at);
            }
            None => {
                complaints.push(format!("{}:{} imports {}: {what}", import.from, import.line, import.path))
            }
        }
    }
    let unused = exceptions.iter().enumerate().filter(|(at, _)| !needed.contains(at));
    complaints.extend(unused.map(|(_, one)| {
        format!("the exception {} -> {} ({}) is no longer needed; remove it", one.from, one.path, one.reason)
    }));
    complaints
}

/// What is wrong with an import between rooms, if anything, and how to fix it.
fn wrong(import: &Import) -> Option<String> {
    let (from, to) = (room(&import.from), room(&import.to));
    let (Some(own), Some(other)) = (height(from), height(to)) else { return None };
    if APART.contains(&(from, to)) {
        return Some(format!("`{from}` and `{to}` do not use each other; move what both need below both"));
    }
    let is_data = own == 0 && DATA.iter().any(|data| import.to.starts_with(data));
    (other > own && !is_data).then(|| {
        let own = if own == 0 { "the ground floor" } else { from };
        format!("`{to}` is above {own}; move what is needed down, or pass it in from above")
    })
}

/// Complaints about files of a group that import what the group must not.
fn forbidden(
    files: &Files,
    is_in_group: impl Fn(&str) -> bool,
    is_forbidden: impl Fn(&Import) -> bool,
    rule: &str,
) -> Vec<String> {
    assert!(files.iter().any(|(name, _)| is_in_group(name)), "{rule}: there is no such file");
    imports::imports(files)
        .into_iter()
        .filter(|import| is_in_group(&import.from) && is_forbidden(import))
        .map(|import| format!("{}:{} imports {}: {rule}", import.from, import.line, import.path))
        .collect()
}

/// Files that do I/O or run things, which pure files must not use.
fn is_machinery(import: &Import) -> bool {
    let machinery = [
        "wire/client",
        "wire/endpoint",
        "subject/",
        "suite/run",
        "suite/selection",
        "error",
        "exit",
        "report/",
    ];
    let stages = ["suite/receiver/stage", "suite/sender/stage"];
    let data = ["subject/capability.rs", "subject/observed.rs"];
    let to = &import.to["harness/".len()..];
    machinery.iter().chain(&stages).any(|start| to.starts_with(start)) && !data.contains(&to)
}

/// Files that open sockets or run things. A requirement's file says what to send and how to judge it; the stage does the rest.
fn is_run(import: &Import) -> bool {
    let running = ["wire/client", "wire/endpoint", "suite/run", "suite/selection", "report/"];
    running.iter().any(|start| import.to["harness/".len()..].starts_with(start))
}

/// The reference peers and the mutants, except the list of faults.
fn is_peer(import: &Import) -> bool {
    import.to.starts_with("harness/peers/") && import.to != "harness/peers/fault.rs"
}

/// Causes, and the rules that checks share. By its type, a check depends only on a transcript.
fn is_judge(name: &str) -> bool {
    let rest = name.strip_prefix("harness/suite/").unwrap_or("-");
    ["cause", "judge", "verdict"].iter().any(|start| rest.starts_with(start)) || rest.ends_with("/judge.rs")
}

/// The files of the requirements, without the stages that run them.
fn is_requirement(name: &str) -> bool {
    let rest = name.strip_prefix("harness/suite/").unwrap_or("-");
    let starts = ["receiver/", "sender/"].iter().any(|start| rest.starts_with(start));
    starts && !rest.contains("/stage") && !rest.contains("/scenario")
}

fn is_transcript(name: &str) -> bool {
    name.starts_with("harness/suite/transcript") || name.starts_with("harness/wire/exchange")
}

#[test]
fn imports_follow_the_order_of_rooms() {
    assert_no(upward(&library(), EXCEPTIONS), "imports follow the order of the rooms");
}

#[test]
fn judges_and_data_import_no_machinery() {
    let rule = "checks and causes judge nothing but a transcript";
    assert_no(forbidden(&library(), is_judge, is_machinery, rule), rule);
    let rule = "a requirement's file opens and runs nothing";
    assert_no(forbidden(&library(), is_requirement, is_run, rule), rule);
    let rule = "the exchange and the transcript are data";
    assert_no(forbidden(&library(), is_transcript, is_machinery, rule), rule);
    let judging = |import: &Import| is_judge(&import.to) || is_requirement(&import.to);
    assert_no(forbidden(&library(), is_transcript, judging, rule), rule);
}

#[test]
fn judges_and_data_import_no_peers() {
    let rule = "checks and causes never import the reference peers or the mutants";
    let group = |name: &str| is_judge(name) || is_requirement(name) || is_transcript(name);
    assert_no(forbidden(&library(), group, is_peer, rule), rule);
}

#[test]
fn leaves_import_nothing() {
    let leaves = ["harness/webhook/signature", "harness/webhook/json", "harness/peers/fault"];
    let stem = |name: &str| leaves.iter().find(|leaf| name.starts_with(**leaf)).copied();
    let rule = "`signature`, `json` and `fault` import nothing of the crate";
    let is_other = |import: &Import| stem(&import.from) != stem(&import.to);
    assert_no(forbidden(&library(), |name| stem(name).is_some(), is_other, rule), rule);
}

#[test]
fn import_against_the_order_is_named_in_every_form() {
    let files = tree(&[
        ("harness/clock.rs", "use crate::webhook::event::Event;\nuse crate::wire::exchange::Exchange;\n"),
        ("harness/error.rs", "use crate::subject::Why;"),
        ("harness/extra/mod.rs", ""),
        ("harness/webhook/mod.rs", "pub mod event;"),
        (
            "harness/webhook/event.rs",
            "// use crate::suite::run;\n#[cfg(test)]\nmod tests { use crate::suite::run; }",
        ),
        ("harness/wire/mod.rs", "mod client;\npub mod exchange;\nuse super::suite::run;"),
        (
            "harness/wire/client.rs",
            "fn f() {\n  let _ = \"crate::suite::run\";\n  super::super::suite::run();\n}",
        ),
        (
            "harness/wire/exchange.rs",
            "use crate::{clock, error::Error,\n  suite::{self as judges, run::{Run, go as go_on}}};",
        ),
        ("harness/subject/mod.rs", "use crate::suite::Run;"),
        ("harness/suite/mod.rs", "pub mod run;\npub use run::Run;\nuse crate::bench;"),
        ("harness/suite/run.rs", "use self::super::super::report;"),
        ("harness/report/mod.rs", "use crate::bench::load;\nuse crate::suite::run;"),
        (
            "harness/bench/mod.rs",
            "use crate::report;\nfn f() { suite::run::f(); report::f() }\nuse crate::suite;",
        ),
        ("harness/main.rs", "use twenty_conform::cli;"),
        ("harness/cli/mod.rs", "pub(in crate::main) fn f() {}"),
    ]);
    let excepted = [
        Exception { from: "harness/subject/", path: "crate::suite::run::Run", reason: "a test" },
        Exception { from: "harness/subject/", path: "crate::report", reason: "another" },
    ];
    let above = |own: &str, other: &str| {
        format!("`{other}` is above {own}; move what is needed down, or pass it in from above")
    };
    let apart = "`bench` and `report` do not use each other; move what both need below both";
    let expected = [
        "harness/extra/mod.rs is in no room; move it into one, or add its room to the list in order"
            .to_owned(),
        format!("harness/bench/mod.rs:1 imports crate::report: {apart}"),
        format!("harness/bench/mod.rs:2 imports crate::report::f: {apart}"),
        format!("harness/error.rs:1 imports crate::subject::Why: {}", above("the ground floor", "subject")),
        format!("harness/report/mod.rs:1 imports crate::bench::load: {}", above("report", "bench")),
        format!("harness/suite/mod.rs:3 imports crate::bench: {}", above("suite", "bench")),
        format!("harness/suite/run.rs:1 imports crate::report: {}", above("suite", "report")),
        format!("harness/wire/client.rs:3 imports crate::suite::run: {}", above("wire", "suite")),
        format!("harness/wire/exchange.rs:2 imports crate::suite: {}", above("wire", "suite")),
        format!("harness/wire/exchange.rs:2 imports crate::suite::run::Run: {}", above("wire", "suite")),
        format!("harness/wire/exchange.rs:2 imports crate::suite::run::go: {}", above("wire", "suite")),
        format!("harness/wire/mod.rs:3 imports crate::suite::run: {}", above("wire", "suite")),
        "the exception harness/subject/ -> crate::report (another) is no longer needed; remove it".to_owned(),
    ];
    assert_eq!(upward(&files, &excepted), expected);
}

#[test]
fn forbidden_import_of_a_judge_is_named() {
    let files = tree(&[
        ("harness/suite/cause.rs", "use crate::peers::fault::Fault;\nuse crate::wire::client::Client;"),
        ("harness/suite/sender/judge.rs", "use crate::peers::mutant;\nuse crate::wire::exchange::Exchange;"),
        ("harness/suite/sender/scenario.rs", "use crate::wire::client::Client;"),
        ("harness/wire/client.rs", ""),
        ("harness/wire/exchange.rs", ""),
        ("harness/peers/fault.rs", ""),
        ("harness/peers/mutant.rs", ""),
    ]);
    let complaint = ["harness/suite/cause.rs:2 imports crate::wire::client::Client: pure"];
    assert_eq!(forbidden(&files, is_judge, is_machinery, "pure"), complaint);
    let complaint = ["harness/suite/sender/judge.rs:1 imports crate::peers::mutant: pure"];
    assert_eq!(forbidden(&files, is_judge, is_peer, "pure"), complaint);
}
