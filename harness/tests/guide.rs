//! The guide to attaching a sender, `docs/attach-a-sender.md`.
//!
//! Invariant: its programs are run unchanged, and each line of its conversations follows the protocol.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;
use twenty_conform::subject::protocol::{Op, Reply};

use crate::cli::program::{Running, run};
use crate::implementations::is_missing;
use crate::readme::pages;

/// How many lines of code the adapter has, according to the guide.
const LINES: usize = 30;

fn guide() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/attach-a-sender.md")).unwrap()
}

/// The contents of the blocks in a language.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let blocks = pages::blocks(text).into_iter();
    blocks.filter(|(name, _)| *name == language).map(|(_, block)| block).collect()
}

/// Writes the guide's programs under the names that the guide gives them.
pub(crate) fn write_programs(folder: &Path) {
    let text = guide();
    let names = ["adapter.py", "control.py"];
    let programs = blocks(&text, "python");
    assert_eq!(programs.len(), names.len());
    for (name, program) in names.into_iter().zip(programs) {
        fs::write(folder.join(name), program).unwrap();
    }
}

/// The guide's programs in a new folder.
fn programs() -> TempDir {
    let folder = TempDir::new().unwrap();
    write_programs(folder.path());
    folder
}

#[test]
fn adapter_on_stdin_conforms() {
    if is_missing("python3") {
        return;
    }
    let folder = programs();
    let path = folder.path().join("adapter.py");
    let code = fs::read_to_string(&path).unwrap().lines().filter(|line| !line.trim().is_empty()).count();
    assert!(code <= LINES, "{code} lines");
    run(["sender", "--exec", &format!("python3 '{}'", path.display()), "--seed", "42"]).expect(0);
}

#[test]
fn adapter_over_http_conforms() {
    if is_missing("python3") {
        return;
    }
    let folder = programs();
    let mut command = Command::new("python3");
    command.args(["control.py", "0"]).current_dir(folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut control = Running(command.spawn().unwrap());
    let mut url = String::new();
    BufReader::new(control.0.stdout.take().unwrap()).read_line(&mut url).unwrap();
    run(["sender", "--control", url.trim(), "--seed", "42"]).expect(0);
}

#[test]
fn conversations_follow_the_protocol() {
    let text = guide();
    let mut asked = BTreeSet::new();
    for line in blocks(&text, "text").into_iter().flat_map(str::lines) {
        if let Some(request) = line.strip_prefix("→ ") {
            let (id, op) = Op::decode(request);
            assert!(id.is_u64(), "{line}");
            asked.insert(op.unwrap_or_else(|refusal| panic!("{line}: {refusal:?}")).name());
        } else {
            let reply = line.strip_prefix("← ").unwrap_or_else(|| panic!("no arrow: {line}"));
            Reply::decode(reply.as_bytes()).unwrap_or_else(|why| panic!("{line}: {why}"));
        }
    }
    let all = ["create_webhook", "delete_webhook", "emit", "hello", "outcomes", "shutdown"];
    assert_eq!(asked, BTreeSet::from(all), "the guide shows every operation");
}
