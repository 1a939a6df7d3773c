//! Skips tests that cannot run on this machine. Each skip is printed and counted; on CI it is a failure.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many tests were skipped in this run.
static SKIPPED: AtomicUsize = AtomicUsize::new(0);

/// Prints that a test is skipped, and why; the test then returns. Fails if `CI` is set.
#[track_caller]
pub(crate) fn skip(what: &str, why: &str) {
    let is_ci = std::env::var_os("CI").is_some();
    assert!(!is_ci, "{}", line(0, what, why));
    skip_for_rights(what, why);
}

/// The same for a test that needs rights, such as to mount a file system, which CI may not have either. A test that needs none
/// covers the same code.
pub(crate) fn skip_for_rights(what: &str, why: &str) {
    let count = SKIPPED.fetch_add(1, Ordering::SeqCst) + 1;
    // Not with `eprintln!`: libtest hides its output if the test passes.
    let _ = writeln!(std::io::stderr(), "{}", line(count, what, why));
}

fn line(count: usize, what: &str, why: &str) -> String {
    match count {
        0 => format!("skipped on CI: {what}: {why}"),
        count => format!("skipped ({count} so far): {what}: {why}"),
    }
}

#[test]
fn skip_names_the_test_and_the_count() {
    assert_eq!(line(2, "/dev/full", "not here"), "skipped (2 so far): /dev/full: not here");
    assert_eq!(line(0, "/dev/full", "not here"), "skipped on CI: /dev/full: not here");
}
