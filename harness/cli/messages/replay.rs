//! What `replay` says, and what its help ends with.

use std::fmt::Display;
use std::path::Path;

use crate::wire::exchange::Outcome;

pub(crate) const REPLAY: &str = "\
Examples:
  # Send the failures of the last run again, to the same receiver
  $ twenty-conform replay
  # Send one saved failure again, or all of a run
  $ twenty-conform replay evidence/cases/VER-1.json --exec 'node server.mjs'
  $ twenty-conform replay evidence --exec 'node server.mjs'
  # Send a captured request again, signed for now
  $ twenty-conform replay captured.http --exec 'node server.mjs' --secret-file secret.txt
  # Write it as a test for pytest, Vitest, Go or sh, which needs no part of this program
  $ twenty-conform replay evidence/cases/VER-1.json --as pytest > test_ver_1.py";

/// The statuses of `replay`.
pub(crate) const OF_REPLAY: &str = "\
Exit status:
    0  every failure is fixed, or with --as written
    1  a failure is still there, or the receiver fails in another way
    2  usage error, a file that is neither a case nor a captured request, or no run is kept
    3  inconclusive: a valid delivery was rejected, or the receiver was not reached; with --as, some could not be written
    4  nothing to replay: nothing failed in that run
  130  interrupted";

// Written tests.

/// A case that no test can send.
pub(crate) fn cannot_be_a_test(name: &str, why: &str) -> String {
    format!("{name} cannot be written as a test: {why}")
}

/// Headers that a written test does not have.
pub(crate) fn without_credentials(name: &str, headers: &[String]) -> String {
    let headers = headers.join(", ");
    format!(
        "note: {name} is written without {headers}, because others may read the test; add what the receiver needs"
    )
}

pub(crate) fn several_tests(count: usize) -> String {
    format!("there are {count} failures to write; give a folder for the tests with --into DIR")
}

pub(crate) fn other_file(path: &Path) -> String {
    format!(
        "{} exists and is another file, or was edited, so it is not replaced; remove it, or give another folder",
        path.display()
    )
}

pub(crate) fn url_has_the_secret() -> &'static str {
    "its URL has the secret, or a part of it"
}

pub(crate) fn cannot_replay(file: &Path, why: &str) -> String {
    format!("cannot replay {}: {why}", file.display())
}

pub(crate) fn not_a_file() -> &'static str {
    "it is not a file or a folder"
}

pub(crate) fn not_a_receiver_requirement(id: &str) -> String {
    format!("{id:?} is not a requirement on receivers")
}

pub(crate) fn interrupted_while_sending() -> &'static str {
    "interrupted before every delivery was sent"
}

// Folders.

pub(crate) fn no_cases_in_folder() -> &'static str {
    "it has no cases; give the folder that a run with --out made, or its folder `cases`"
}

pub(crate) fn folder_of_a_sender() -> &'static str {
    "it is of a sender's run, which has no cases; cases are of receivers"
}

pub(crate) fn too_many_cases(most: usize) -> String {
    format!("it has more than {most} JSON files; give a folder of cases")
}

pub(crate) fn cases_are_too_large(mib: u64) -> String {
    format!("its cases are larger than {mib} MiB; replay them one by one")
}

pub(crate) fn no_case_is_usable(file: &str, why: &str) -> String {
    format!("no file in it is a case; {file}: {why}")
}

pub(crate) fn nothing_saved(folder: &Path) -> String {
    format!(
        "nothing to replay: the run in {} has no case, so nothing failed, or no single delivery shows what failed",
        folder.display()
    )
}

// The last run.

/// How a replay of the last run is named, and how long ago that was.
pub(crate) fn last_run(ago: &str) -> String {
    format!("the last run, {ago}")
}

/// A time that has passed.
pub(crate) fn ago(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

pub(crate) fn nothing_failed(ago: &str, subject: &str) -> String {
    format!("nothing to replay: no requirement failed in the last run ({ago}, receiver {subject})")
}

/// `elsewhere` is the folder of the newest run, and how long ago that was.
pub(crate) fn no_last_run(elsewhere: Option<(&Path, String)>) -> String {
    let fix = "test a receiver with `twenty-conform receiver` first, or name a case, a folder of cases or a captured request";
    match elsewhere {
        Some((folder, ago)) => format!(
            "no run from this folder is kept; the last run was started in {} ({ago}): replay it there, or {fix}",
            folder.display()
        ),
        None => format!("no run is kept; {fix}"),
    }
}

pub(crate) fn last_run_is_unreadable(path: &Path, why: &str) -> String {
    format!("cannot read {}, where the last run is kept: {why}; test the receiver again", path.display())
}

pub(crate) fn no_cache_folder(why: impl Display) -> String {
    format!(
        "cannot find the folder of kept runs: {why}; set HOME or XDG_CACHE_HOME, or name a case or a folder of cases"
    )
}

pub(crate) fn no_current_folder(why: impl Display) -> String {
    format!("cannot find the current folder: {why}; name a case, a folder of cases or a captured request")
}

/// The run had a secret that is not kept.
pub(crate) fn give_the_secret_again() -> &'static str {
    "the secret of the last run is not kept; give it again with --secret, --secret-file or TWENTY_WEBHOOK_SECRET"
}

/// A note after a run.
pub(crate) fn not_kept(folder: Option<&Path>, why: impl Display) -> String {
    let place = folder.map(|folder| format!(" in {}", folder.display())).unwrap_or_default();
    format!("the failures of this run are not kept{place} for `replay`: {why}; --no-cache turns this off")
}

pub(crate) fn shown_by_more(id: &str) -> String {
    format!("no single delivery shows it; check it with `twenty-conform receiver` and --run {id}")
}

pub(crate) fn too_large_to_keep(id: &str) -> String {
    format!("its deliveries are too large to be kept; save them with --out, or check it with --run {id}")
}

// Lines.

/// What a receiver did with a captured request, which was right.
pub(crate) fn answered(what: &str, outcome: &Outcome) -> String {
    match outcome.status() {
        Some(status) if outcome.acknowledges() => format!("accepted ({status}) {what}"),
        Some(status) => format!("rejected ({status}) {what}"),
        None => format!("did not accept {what}: {outcome}"),
    }
}

pub(crate) fn fixed(name: &str) -> String {
    format!("{name} fixed")
}

pub(crate) fn still_there(name: &str, message: &str) -> String {
    format!("{name} still there: {message}")
}

pub(crate) fn changed(name: &str, message: &str) -> String {
    format!("{name} changed: {message}")
}

pub(crate) fn not_judged(name: &str, why: &str) -> String {
    format!("{name} not judged: {why}")
}

/// A captured request was answered as it should be, or not.
pub(crate) fn as_expected(name: &str, answered: &str) -> String {
    format!("{name} as expected: {answered}")
}

pub(crate) fn not_as_expected(name: &str, answered: &str, expected: &str) -> String {
    format!("{name} wrong: {answered}; expected {expected}")
}

/// Cases that were not sent because the receiver was not there.
pub(crate) fn receiver_is_gone(why: &str) -> String {
    format!("the receiver is not there: {why}")
}

/// How many cases came to what.
pub(crate) struct Counts {
    pub(crate) fixed: usize,
    pub(crate) still_there: usize,
    pub(crate) changed: usize,
    pub(crate) not_judged: usize,
}

/// The last line.
pub(crate) fn result(word: &str, counts: &Counts, of_captured: bool) -> String {
    let Counts { fixed, still_there, changed, not_judged } = counts;
    if of_captured {
        format!("RESULT: {word} as expected {fixed} wrong {still_there} not judged {not_judged}\n")
    } else {
        format!(
            "RESULT: {word} fixed {fixed} still there {still_there} changed {changed} not judged {not_judged}\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{ago, cannot_replay, no_last_run, not_a_file};
    use std::path::Path;

    #[test]
    fn messages_adapt_to_their_arguments() {
        let elsewhere = no_last_run(Some((Path::new("b"), ago(61))));
        for (said, expected) in [
            (
                cannot_replay(Path::new("a.json"), not_a_file()),
                "cannot replay a.json: it is not a file or a folder",
            ),
            (ago(59), "59 s ago"),
            (ago(7200), "2 h ago"),
            (ago(172_800), "2 days ago"),
        ] {
            assert_eq!(said, expected);
        }
        assert!(elsewhere.contains("started in b (1 min ago)"), "{elsewhere}");
        assert!(no_last_run(None).starts_with("no run is kept; test a receiver"));
    }
}
