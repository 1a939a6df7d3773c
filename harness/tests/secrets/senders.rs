//! Senders that write their secrets into deliveries, replies and output.

use std::fs;
use std::path::Path;
use std::thread;

use tempfile::TempDir;

use super::scan::Windows;
use crate::cli::program::{Report, finish, twenty};
use crate::implementations::is_missing;

/// Each mode, and whether SIG-8 finds it.
const MODES: [(&str, bool); 18] = [
    ("method", true),
    ("target", true),
    ("header-name", true),
    ("lower-name", true),
    ("header-value", true),
    ("body", true),
    ("member-name", true),
    ("event-name", true),
    ("start-line", false),
    ("chunk-extension", false),
    ("trailer", false),
    ("error", false),
    ("unsupported", false),
    ("webhook", false),
    ("death", false),
    ("not-json", false),
    ("other-id", false),
    ("second", false),
];

fn leaks_nowhere(mode: &str, is_found: bool) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hostile/leaking_sender.py");
    let folder = TempDir::new().unwrap();
    let notes = TempDir::new().unwrap();
    let note = notes.path().join("secrets");
    let exec = format!("python3 '{}' {mode} '{}'", script.display(), note.display());
    let windows = || {
        // Nothing is noted if the sender got no secret.
        let noted = fs::read_to_string(&note).unwrap_or_default();
        let secrets: Vec<String> = noted.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        Windows::of(secrets.iter().map(String::as_str))
    };
    let mut command =
        twenty(["sender", "--seed", "1", "--cases", "2", "--deadline", "2s", "--run", "SIG-8", "-v"]);
    command.args(["--exec", &exec]);
    for format in ["text", "json", "junit", "html", "tap", "sarif", "markdown"] {
        command.arg("--report").arg(format!("{format}={}", folder.path().join(format).display()));
    }
    command.arg("--out").arg(folder.path().join("out"));
    let ran = finish(command);
    assert!(!windows().is_empty(), "{ran:#?}");
    windows().assert_not_in(&ran, mode);
    windows().assert_not_under(folder.path(), mode);
    let report = Report::read(&folder.path().join("json")).unwrap();
    assert_eq!(report.with("fail").contains("SIG-8"), is_found || mode == "death", "{mode}: {ran:#?}");
    let mut load = twenty(["bench", "sender", "--events", "4", "--webhooks", "2"]);
    load.args(["--exec", &exec, "--report", &format!("json={}", folder.path().join("bench").display())]);
    let ran = finish(load);
    windows().assert_not_in(&ran, mode);
    windows().assert_not_under(folder.path(), mode);
}

#[test]
fn senders_that_write_their_secret_leak_it_nowhere() {
    if is_missing("python3") {
        return;
    }
    thread::scope(|scope| {
        for part in MODES.chunks(6) {
            scope.spawn(move || part.iter().for_each(|(mode, is_found)| leaks_nowhere(mode, *is_found)));
        }
    });
}
