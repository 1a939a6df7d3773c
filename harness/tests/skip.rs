//! Tests that cannot run on this machine: each is named and counted where it is skipped, and on CI it fails.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many were skipped in this run of the tests.
static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// Says that a test is skipped, and why; the test then returns. Fails where `CI` is set.
#[track_caller]
pub(crate) fn skip(what: &str, why: &str) {
    let is_ci = std::env::var_os("CI").is_some();
    assert!(!is_ci, "{}", line(0, what, why));
    let count = SKIPPED.fetch_add(1, Ordering::SeqCst) + 1;
    // Not through `eprintln!`, whose output libtest does not show where a test passes.
    let _ = writeln!(std::io::stderr(), "{}", line(count, what, why));
}

fn line(count: usize, what: &str, why: &str) -> String {
    match count {
        0 => format!("skipped on CI: {what}: {why}"),
        count => format!("skipped ({count} so far): {what}: {why}"),
    }
}

#[test]
fn a_skip_names_the_test_and_the_count() {
    assert_eq!(line(2, "/dev/full", "not here"), "skipped (2 so far): /dev/full: not here");
    assert_eq!(line(0, "/dev/full", "not here"), "skipped on CI: /dev/full: not here");
}
