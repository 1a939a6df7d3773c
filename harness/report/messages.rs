//! What reports say, in the order of a report: notes, the heading, findings, the last lines. Then follow the words of `listen`
//! and of replays, and the errors about files.

use std::fmt;
use std::io;
use std::path::Path;

use crate::plural::counted;
use crate::wire::exchange::Outcome;

// Notes.

pub(super) fn incomplete() -> String {
    "the run was interrupted, so this report is incomplete".to_owned()
}

pub(super) fn certificate_unchecked() -> String {
    "the receiver's certificate was not checked (--insecure)".to_owned()
}

pub(super) fn additional_members(names: &[String]) -> String {
    format!("the payload has additional top-level members: {}", names.join(", "))
}

/// The receiver exited. `exchanges` are the numbers of the exchanges after which it did, such as `#7`.
pub(super) fn exited_after(exchanges: &[String], how: &str) -> String {
    format!("after exchange {}: {how}", exchanges.join(", "))
}

/// Why a run fails although every gated requirement passed.
pub(super) fn ended_fails_the_run() -> String {
    "the receiver ended or stopped answering during the run, which fails the run at every --fail-on"
        .to_owned()
}

pub(super) fn answers_cut(count: usize) -> String {
    let answers = counted(count, "long answer", "long answers");
    format!("of {answers}, only a part was kept; exchanges.jsonl has how much is missing")
}

/// A file of the evidence could not be written.
pub(super) fn evidence_incomplete(failure: &str) -> String {
    format!("the evidence is incomplete: {failure}")
}

// The heading of the text report.

pub(super) fn payloads(dialect: &str) -> String {
    format!("{dialect} payloads")
}

/// Why these payloads were chosen, in the first line.
pub(super) fn chosen(refused: Option<(&str, &str)>) -> String {
    refused.map_or_else(
        || " (auto)".to_owned(),
        |(dialect, answer)| format!(" (auto: {dialect} ones are {answer})"),
    )
}

/// How a delivery in the other dialect was refused.
pub(super) fn refused_with(status: Option<u16>) -> String {
    status.map_or_else(|| "not answered".to_owned(), |status| format!("answered {status}"))
}

/// What Twenty sends, where a receiver accepts one dialect alone.
pub(super) fn why_this_dialect(chosen: &str, refused: &str, answer: &str) -> String {
    format!(
        "Twenty sends shipped payloads today, while its documentation shows documented ones. This receiver accepts \
         {chosen} payloads; {refused} ones were {answer}."
    )
}

pub(super) fn rejects_every_valid_delivery() -> &'static str {
    "Your receiver rejects every valid delivery"
}

/// Other causes that also explain a failure, after the first.
pub(super) fn alternative_causes(causes: &[String]) -> String {
    causes.iter().map(|cause| format!("; or {cause}")).collect()
}

/// The beginning of a line about requirements that are open for the same reason.
pub(super) fn not_judged(count: usize) -> String {
    counted(count, "requirement", "requirements")
}

// Findings.

pub(super) fn cases(count: usize) -> String {
    format!("({})", counted(count, "case", "cases"))
}

/// Causes that explain what was seen as well as the first one does.
pub(super) fn also_explained_by(causes: &[String]) -> String {
    format!("{}, which would also explain this", causes.join(", or "))
}

/// The numbers of the requests that show a failure, at most `most` of them.
pub(super) fn shown_by(exchanges: &[usize], most: usize) -> String {
    let shown: Vec<String> = exchanges.iter().take(most).map(|id| format!("#{id}")).collect();
    let name = if exchanges.len() == 1 { "exchange" } else { "exchanges" };
    match exchanges.len().saturating_sub(shown.len()) {
        0 => format!("{name} {}", shown.join(" ")),
        more => format!("{name} {} and {more} more", shown.join(" ")),
    }
}

pub(super) fn long_command() -> &'static str {
    "(a long command; -v or the JSON report shows it)"
}

/// Said instead of the command if curl would change the delivery.
pub(super) fn no_curl_command() -> &'static str {
    "no curl command can send this; save the case with --out DIR and use `twenty-conform replay DIR/cases/ID.json`"
}

/// The last line but one.
pub(super) fn requests_in(requests: usize, took_ms: u64, waited_ms: u64, per_s: f64) -> String {
    match waited_ms {
        0 => format!("{requests} requests in {took_ms} ms; {per_s:.1} per second"),
        _ => format!(
            "{requests} requests in {took_ms} ms, including {waited_ms} ms of waiting; {per_s:.1} per second otherwise"
        ),
    }
}

/// The last line. `levels` says for each level how many of its requirements passed.
pub(super) fn result(
    result: &str,
    levels: &[String],
    inconclusive: usize,
    not_applicable: usize,
    seed: u64,
) -> String {
    let levels = levels.join(" ");
    format!("RESULT: {result} {levels} inconclusive {inconclusive} n/a {not_applicable} seed {seed}")
}

// What `listen` says.

/// The requirements that a delivery leaves open.
pub(super) fn inconclusive(requirements: &[&str]) -> String {
    format!("inconclusive: {}", requirements.join(", "))
}

pub(super) fn all_passed(passed: u64, of: u64) -> String {
    format!("{passed} of {of} passed")
}

/// How many deliveries failed, and the number of the first.
pub(super) fn some_failed(failed: u64, of: u64, first: Option<usize>) -> String {
    let first = first.map(|first| format!(", first #{first}")).unwrap_or_default();
    format!("{failed} of {of} failed{first}")
}

pub(super) fn no_delivery() -> &'static str {
    "no delivery arrived"
}

/// The last line of `listen`.
pub(super) fn listen_result(
    result: &str,
    received: u64,
    [judged, failed, broken]: [u64; 3],
    not_judged: u64,
    stored: Option<[u64; 2]>,
) -> String {
    let mut line =
        format!("RESULT: {result} received {received} judged {judged} failed {failed} malformed {broken}");
    if let Some([stored, failed]) = stored {
        line += &format!(" stored {stored}");
        if failed > 0 {
            line += &format!(" not stored {failed}");
        }
    }
    if not_judged > 0 {
        line += &format!(" not judged {not_judged}");
    }
    line
}

/// A delivery that could not be stored.
pub(super) fn not_stored() -> &'static str {
    "not stored"
}

// What a replay finds.

/// What the receiver did with a delivery.
pub(super) fn answered(what: &str, outcome: &Outcome) -> String {
    match outcome.status() {
        Some(status) if outcome.acknowledges() => format!("accepted ({status}) {what}"),
        Some(status @ 300..=499) => format!("rejected ({status}) {what}"),
        Some(status) => format!("answered {status} to {what}"),
        None => format!("did not answer {what}: {outcome}"),
    }
}

pub(super) fn answered_and_exited(what: &str, outcome: &Outcome, how: &str) -> String {
    format!("{}; {how}", answered(what, outcome))
}

/// The receiver answered a delivery, but not the control after it.
pub(super) fn answered_and_gone(what: &str, outcome: &Outcome, next: &Outcome) -> String {
    format!("{}, and then did not answer the next delivery: {next}", answered(what, outcome))
}

/// A hint at the end of the reason why a replay is inconclusive.
pub(super) fn stale(minutes: u64) -> String {
    format!(
        "; it was signed {minutes} min ago, so its timestamp is probably too old: replay without --as-saved to sign it again"
    )
}

/// Why a case cannot be signed again.
pub(super) fn other_secret() -> &'static str {
    "the case was recorded with another secret, so it cannot be signed again; give the secret of that run"
}

/// Why a rejection of a case that was signed again shows nothing.
pub(super) fn unknown_signature() -> &'static str {
    "the saved signature matches no known way of signing, so it was not renewed and a rejection shows nothing; use --as-saved \
     soon after the run to send it unchanged"
}

// Files of cases. `wanted` is the format that this version reads.

pub(super) fn not_json(why: &dyn fmt::Display) -> String {
    format!("it is not JSON: {why}")
}

pub(super) fn not_a_case(why: &dyn fmt::Display) -> String {
    format!("it is not a case: {why}")
}

pub(super) fn case_without_format(wanted: &str) -> String {
    format!("it has no `format`, which must be {wanted:?}")
}

/// A case that another version wrote.
pub(super) fn case_of_other_version(format: &str, version: &str, wanted: &str) -> String {
    format!(
        "its `format` is {format:?}, but version {version} reads {wanted:?}; run `twenty-conform receiver` again with --out to \
         get a new case"
    )
}

/// Another file of a run's evidence.
pub(super) fn other_file_of_run(format: &str, wanted: &str) -> String {
    format!(
        "its `format` is {format:?}, not {wanted:?}; the cases of a run are in the folder `cases` of its --out"
    )
}

pub(super) fn other_format(format: &str, wanted: &str) -> String {
    format!("its `format` is {format}, not {wanted:?}")
}

pub(super) fn expectation_without_answer(words: &str) -> String {
    format!("its `expected` is {words:?}, which a single answer does not show")
}

pub(super) fn too_many_controls(count: usize) -> String {
    format!("it has {count} controls; a case has at most two")
}

pub(super) fn value_too_long(most: usize) -> String {
    format!("a value of more than {} KiB", most >> 10)
}

/// An invalid delivery in a case. `place` is the member that has it.
pub(super) fn invalid_delivery(place: &str, why: &dyn fmt::Display) -> String {
    format!("`{place}`: {why}")
}

// Folders and files that are written.

pub(super) fn folder_not_created(folder: &Path, why: &io::Error) -> String {
    format!("cannot create the folder {}: {why}", folder.display())
}

pub(super) fn folder_not_read(folder: &Path, why: &io::Error) -> String {
    format!("cannot read the folder {}: {why}", folder.display())
}

pub(super) fn folder_not_empty(folder: &Path) -> String {
    format!("the folder {} is not empty; choose another with --out, or remove it", folder.display())
}

pub(super) fn not_written(path: &Path, why: &io::Error) -> String {
    format!("cannot write {}: {why}", path.display())
}

/// The last line of a log that has grown too long.
pub(super) fn log_is_full() -> String {
    "… the program wrote more, which is not kept\n".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::exchange::Response;

    #[test]
    fn words_depend_on_the_count() {
        let ids = |count: usize| (1..=count).map(|id| format!("#{id}")).collect::<Vec<_>>();
        assert_eq!(exited_after(&ids(1), "it exited"), "after exchange #1: it exited");
        assert_eq!(exited_after(&ids(2), "it exited"), "after exchange #1, #2: it exited");
        assert_eq!([cases(1), cases(2)], ["(1 case)", "(2 cases)"]);
        assert_eq!(shown_by(&[3, 4], 2), "exchanges #3 #4");
        assert_eq!(shown_by(&[3, 4, 5], 2), "exchanges #3 #4 and 1 more");
        assert_eq!(requests_in(10, 1000, 0, 10.0), "10 requests in 1000 ms; 10.0 per second");
        assert_eq!(
            requests_in(10, 1000, 500, 20.0),
            "10 requests in 1000 ms, including 500 ms of waiting; 20.0 per second otherwise"
        );
        assert_eq!(some_failed(2, 5, Some(3)), "2 of 5 failed, first #3");
        assert_eq!(alternative_causes(&["a.b".to_owned(), "c.d".to_owned()]), "; or a.b; or c.d");
    }

    #[test]
    fn finding_begins_with_what_the_receiver_did() {
        let with = |status| Outcome::Answered(Response::text(status, ""));
        let what = "a delivery without a signature";
        for (outcome, words) in [
            (with(200), "accepted (200) a delivery without a signature"),
            (with(401), "rejected (401) a delivery without a signature"),
            (with(500), "answered 500 to a delivery without a signature"),
            (Outcome::TimedOut, "did not answer a delivery without a signature: "),
        ] {
            assert!(answered(what, &outcome).starts_with(words), "{}", answered(what, &outcome));
        }
    }
}
