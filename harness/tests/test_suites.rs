//! The helper for tests in Go, with its example and its own tests. Those for Python and npm are tried with their packages, by
//! `packaging/try`.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::cli::program::{Ran, finish};
use crate::implementations::is_missing;

/// How long the musts of the example may take; much longer where tests share the machine.
const LONGEST: Duration = Duration::from_secs(60);

/// `go test` in a folder, with the binary that was built.
fn go(folder: &str, arguments: &[&str]) -> Ran {
    let mut command = Command::new("go");
    command.args(["test", "-count=1"]).args(arguments);
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    command.env("TWENTY_CONFORM", assert_cmd::cargo::cargo_bin!("twenty-conform"));
    // Whatever the machine sets.
    command.env_remove("GOFLAGS").env("GOPROXY", "off");
    finish(command)
}

#[test]
fn example_in_go_passes_and_its_faulty_receiver_fails_with_cause_and_fix() {
    if is_missing("go") {
        return;
    }
    let begun = Instant::now();
    let passed = go("fixtures/test-suites/go", &["-v", "./..."]).expect(0);
    assert!(passed.stdout.contains("--- PASS: TestConforms/VER-1"), "{passed:?}");
    assert!(begun.elapsed() < LONGEST, "{:?}", begun.elapsed());
    let failed = go("fixtures/test-suites/go", &["-tags", "faulty", "-run", "Faulty", "."]).expect(1);
    let first: Vec<&str> = failed.stdout.lines().take(10).collect();
    let first = first.join("\n");
    assert!(first.contains("[message.body-alone]") && first.contains("fix  "), "{failed:?}");
}

#[test]
fn helper_for_go_passes_its_own_tests() {
    if is_missing("go") {
        return;
    }
    go("packaging/go", &["."]).expect(0);
}
