//! What reports say, in the order of a report: notes, the heading, findings, the last lines. Then follow the words of `listen`
//! and of replays, and the errors about files.

use std::fmt;
use std::io;
use std::path::Path;

use crate::plural::counted;
use crate::webhook::dialect::SHIPPED;
use crate::wire::exchange::Outcome;

pub(super) mod formats;
pub(super) mod known;
pub(super) mod rejudge;
pub(super) mod written;

// Notes.

pub(super) fn incomplete() -> String {
    "the run was interrupted, so this report is incomplete".to_owned()
}

/// The report is of one shard of several, with this many of all requirements.
pub(super) fn is_shard((index, of): (usize, usize), (count, selected): (usize, usize)) -> String {
    let all = counted(selected, "requirement", "requirements");
    let rest = "`twenty-conform merge` joins the folders of all shards, which --out makes";
    match count {
        0 if selected > 0 => {
            format!(
                "shard {index} of {of} has nothing to do: there are more shards than requirements ({selected}); {rest}"
            )
        }
        _ => format!("this is shard {index} of {of}, with {count} of {all}; {rest}"),
    }
}

pub(super) fn certificate_unchecked() -> String {
    "the receiver's certificate was not checked (--insecure)".to_owned()
}

pub(super) fn additional_members(names: &[String]) -> String {
    format!("the payload has additional members: {}", names.join(", "))
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

/// How a delivery in the other dialect was refused.
pub(super) fn refused_with(status: Option<u16>) -> String {
    status.map_or_else(|| "not answered".to_owned(), |status| format!("answered {status}"))
}

/// What Twenty sends, where a receiver accepts one dialect alone: one line of a report.
pub(super) fn why_this_dialect(chosen: &str, refused: &str, answer: &str) -> String {
    if chosen == SHIPPED.name {
        format!("It accepts {chosen} payloads, which Twenty sends today; {refused} ones were {answer}.")
    } else {
        format!("It accepts {chosen} payloads, but Twenty sends {refused} ones today; they were {answer}.")
    }
}

// Findings.

/// Causes that explain what was seen as well as the first one does.
pub(super) fn also_explained_by(causes: &[String]) -> String {
    format!("{}, which would also explain this", causes.join(", or "))
}

/// What was sent: `POST /hook with a valid delivery (1.2 KB)`.
pub(super) fn sent(method: &str, path: &str, what: &str, bytes: usize) -> String {
    let size = match bytes {
        0..1000 => format!("{bytes} bytes"),
        1000..1_000_000 => format!("{}.{} KB", bytes / 1000, bytes % 1000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    };
    format!("{method} {path} with {what} ({size})")
}

/// Why a cause is known.
pub(super) fn it_accepted(what: &str) -> String {
    format!("it accepted {what}")
}

/// Said instead of the command if curl would change the delivery.
pub(super) fn no_curl_command() -> &'static str {
    "no curl command can send this; save the case with --out DIR and use `twenty-conform replay DIR/cases/ID.json`"
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

/// A request to `listen` that is no delivery.
pub(super) fn passed_over(method: &str, target: &str) -> String {
    format!("{method} {target}, no delivery: passed over")
}

pub(super) fn passed_over_in_all(count: u64) -> String {
    let requests = counted(count, "request that was no delivery", "requests that were no deliveries");
    format!("passed over: {requests}")
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

/// The receiver fails in another way than in the run, where the outcome was `then`.
pub(super) fn otherwise(message: &str, then: &str) -> String {
    format!("{message}; in the run: {then}")
}

// Captured requests, as noun phrases.

pub(super) fn signature_matches() -> &'static str {
    "the captured request, whose signature matches"
}

pub(super) fn signature_differs() -> &'static str {
    "the captured request, whose signature does not match"
}

pub(super) fn signature_missing() -> &'static str {
    "the captured request, which has no single signature and timestamp"
}

pub(super) fn signature_without_time() -> &'static str {
    "the captured request, whose timestamp is not in milliseconds"
}

/// A hint at the end of the reason why a replay is inconclusive.
pub(super) fn stale(minutes: u64) -> String {
    format!(
        "; it was signed {minutes} min ago, so its timestamp is probably too old: replay without --as-saved to sign it again"
    )
}

/// Why a case cannot be signed again.
pub(super) fn other_secret() -> &'static str {
    "the case was recorded with another secret, so it cannot be signed again; give the secret of that run, or none, also not in \
     TWENTY_WEBHOOK_SECRET, if that run made one"
}

/// Why a rejection of a case that was signed again shows nothing.
pub(super) fn unknown_signature() -> &'static str {
    "the saved signature matches no known way of signing, so it was not renewed and a rejection shows nothing; use --as-saved \
     soon after the run to send it unchanged"
}

/// Requirements of `--require` that `--run`, `--skip` or `--level` leaves out.
pub(super) fn required_not_selected(ids: &[&str]) -> String {
    let (is, was) = if ids.len() == 1 { ("is", "was") } else { ("are", "were") };
    format!("{} {is} required (--require), but {was} not selected to run", ids.join(", "))
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

/// The last line of an examination; the counts are those of problems, warnings and what is not known.
pub(super) fn result_of_doctor(
    word: &str,
    [problems, warnings, not_known]: [usize; 3],
    requests: usize,
) -> String {
    format!(
        "RESULT: {word} problems {problems} warnings {warnings} not-known {not_known} requests {requests}"
    )
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
        assert_eq!(some_failed(2, 5, Some(3)), "2 of 5 failed, first #3");
        assert_eq!(sent("POST", "/", "x", 1250), "POST / with x (1.2 KB)");
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
