//! Workers that are lost, late or there twice: what the locustfile says of each, without locust.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::exports::export;
use crate::implementations::is_missing;

/// The name of a case, the states of its workers by their ids, the reasons, the exit status, and how many deliveries were sent.
type Said = (String, BTreeMap<String, String>, Vec<String>, u8, u64);

/// What happens to the second worker, the state of the worker that is named, its id, and how many deliveries are counted.
const CASES: [(&str, &str, &str, u64); 14] = [
    ("both_report", "reported", "two", 3),
    ("is_killed", "lost", "two", 3),
    ("is_killed_at_once", "silent", "two", 1),
    ("hangs", "overdue", "two", 3),
    ("leaves", "left", "two", 3),
    ("joins_late", "late", "late", 6),
    ("joins_after_the_end", "reported", "two", 3),
    ("reports_twice", "doubled", "two", 3),
    // Both processes sent something, so both count.
    ("is_two_processes", "doubled", "two", 5),
    ("is_restarted", "doubled", "two", 5),
    // One process under two ids counts once.
    ("has_two_ids", "doubled", "two", 3),
    ("connects_again", "reported", "two", 3),
    ("reports_an_earlier_test", "reported", "two", 3),
    ("reports_after_its_end", "reported", "two", 3),
];

#[test]
fn lost_late_or_doubled_worker_is_named_and_fails_the_run() {
    if is_missing("python3") {
        return;
    }
    let folder = TempDir::new().unwrap();
    assert_eq!(export(&["locust"], folder.path()).status, Some(0));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/tests/load_locust/workers.py");
    let output =
        Command::new("python3").arg(script).arg(folder.path().join("locustfile.py")).output().unwrap();
    let (stdout, stderr) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{stderr}");
    assert_eq!(stdout.lines().count(), CASES.len());
    for ((case, state, id, count), line) in CASES.iter().zip(stdout.lines()) {
        let (name, states, reasons, status, sent): Said = serde_json::from_str(line).unwrap();
        assert_eq!((name.as_str(), states[*id].as_str(), sent), (*case, *state, *count), "{line}");
        assert_eq!(states["one"], "reported", "{line}");
        let is_whole = *state == "reported";
        assert_eq!((reasons.is_empty(), status), (is_whole, u8::from(!is_whole)), "{line}");
        let is_named = reasons.iter().any(|reason| reason.contains(&format!("({id}) ")));
        assert!(is_whole || is_named, "{line}");
    }
}
