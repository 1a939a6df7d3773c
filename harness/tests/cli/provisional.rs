//! What a report says of faults that the first one hides, in every format and in the evidence.

use std::fs;
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use twenty_conform::clock::Clock;
use twenty_conform::peers::fault::ReceiverFault;
use twenty_conform::peers::mutant::receiver::{Mutant, manner};
use twenty_conform::peers::receiver::Settings;
use twenty_conform::webhook::signature::Secret;
use twenty_conform::wire::endpoint::Server;

use super::program::{Ran, Report, finish, twenty};
use crate::peers::plain;
use crate::snapshot::assert_snapshot;

const SECRET: &str = "d1F2a3B4c5D6e7F8a9B0c1D2e3F4a5B6";

/// A receiver that signs the body alone, and ignores what follows the digits of a signature.
fn two_faults(runtime: &Runtime) -> Server {
    let settings = Settings::new(Secret::new(SECRET));
    let late = std::time::Duration::ZERO;
    let observer = Arc::new(|_| {});
    let mutant = Mutant::new(ReceiverFault::AcceptsTrailing, settings, Clock::system(), late, observer);
    let first = manner(ReceiverFault::VerifiesBodyAlone).unwrap();
    runtime.block_on(plain::serve(Arc::new(mutant.wanting(first)))).unwrap()
}

fn checked(server: &Server, more: &[&str]) -> Command {
    let url = format!("http://{}/", server.address());
    let mut command = twenty(["receiver", "--url", &url, "--secret", SECRET, "--seed", "7", "--cases", "8"]);
    command.args(["--skip", "RCV-11", "--skip", "VER-15"]).args(more);
    command
}

#[test]
fn second_fault_is_told_and_changes_neither_verdict_nor_status() {
    let runtime = Runtime::new().unwrap();
    let server = two_faults(&runtime);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("evidence");
    let ran: Ran = finish(checked(&server, &["--out", path.to_str().unwrap()])).expect(1);
    let report = Report::read(&path.join("report.json")).unwrap();
    let check = report.check("VER-7");
    assert_eq!((&check["verdict"], &check["provisional"]), (&"inconclusive".into(), &"fail".into()));
    assert_eq!(check["after_fix"]["answer"]["status"], 200, "{check:#}");
    assert!(check["cause"].is_null() && check["curl"].is_null(), "{check:#}");
    let cause = &check["after_fix"]["cause"];
    assert!(cause["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{cause:#}");
    let of = |wanted: &str| {
        let all = report.0["requirements"].as_array().unwrap().iter();
        all.filter(|one| one["provisional"] == wanted)
            .map(|one| one["id"].as_str().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(of("fail"), ["VER-7"]);
    assert!(of("pass").len() > 24, "{:?}", of("pass"));
    let counts = &report.0["counts"];
    assert_eq!(counts["should"]["fail"], 0, "{counts:#}");
    let (before, after) = ran.stdout.split_once("After this fix, these would fail too:").unwrap();
    assert!(before.contains("the signature covers the body alone"), "{before}");
    let (block, _) = after.trim_start_matches('\n').split_once("\n\n").unwrap();
    assert_snapshot("report-after-fix", block);

    // The evidence has the exchanges of both passes, each once, and says which trials belong to the second.
    let lines = |name: &str| -> Vec<Value> {
        let text = fs::read_to_string(path.join(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let exchanges = lines("exchanges.jsonl");
    let numbers = exchanges.iter().map(|line| line["number"].as_u64().unwrap());
    assert!(numbers.eq(1..=report.0["exchanges"].as_u64().unwrap()));
    let shown = check["after_fix"]["exchanges"][0].as_u64().unwrap();
    let trials = lines("trials.jsonl");
    let trial = trials.iter().find(|line| line["exchange"] == shown).unwrap();
    assert_eq!((&trial["scenario"], &trial["provisional"]), (&"surrounded".into(), &true.into()));
    assert!(trials.iter().any(|line| line["scenario"] == "surrounded" && line["provisional"].is_null()));
}

#[test]
fn short_report_tells_the_second_fault_in_a_line() {
    let runtime = Runtime::new().unwrap();
    let server = two_faults(&runtime);
    let ran = finish(checked(&server, &["--run", "RCV-1", "--run", "VER-7", "-q"])).expect(1);
    let told: Vec<&str> = ran.stdout.lines().filter(|line| line.contains("would fail too")).collect();
    assert!(
        matches!(told[..], [line] if line.contains("should VER-7") && line.contains("digest.trailing")),
        "{ran:#?}"
    );
}
