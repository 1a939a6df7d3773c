//! What the checks of receivers say, in reading order: findings, details of causes, reasons for an inconclusive verdict, notes
//! of a run.
//!
//! A finding begins with what the receiver did, and then names what was sent.

use std::time::Duration;

use crate::suite::messages::times_in_words;
use crate::webhook::signature::FRESH_MS;
use crate::wire::exchange::{ExchangeId, Outcome, Response};

// Findings.

pub(super) fn accepted(outcome: &Outcome, what: &str) -> String {
    format!("accepted ({outcome}) {what}")
}

pub(super) fn rejected(outcome: &Outcome, took: Duration, what: &str) -> String {
    match outcome {
        Outcome::Answered(answer) => format!("rejected ({}) {what}", answer.status),
        _ => did_not_answer(outcome, took, what),
    }
}

/// An answer that is neither an acceptance nor the expected rejection.
pub(super) fn answered(outcome: &Outcome, took: Duration, what: &str) -> String {
    match outcome {
        Outcome::Answered(answer) => format!("answered {} to {what}", answer.status),
        _ => did_not_answer(outcome, took, what),
    }
}

pub(super) fn did_not_answer(outcome: &Outcome, took: Duration, what: &str) -> String {
    match outcome {
        Outcome::TimedOut => format!("did not answer {what}: timed out after {}", seconds(took)),
        _ => format!("did not answer {what}: {outcome}"),
    }
}

/// A finding whose delivery ended the receiver's process.
pub(super) fn ended(finding: &str, how: &str) -> String {
    format!("{finding}; {how}")
}

/// A delivery that is cut off; `how` says where.
pub(super) fn cut_off(how: &str) -> String {
    format!("a valid delivery that was {how}")
}

/// A delivery after which the receiver ended.
pub(super) fn ended_at(what: &str, how: &str) -> String {
    format!("ended after {what}; {how}")
}

/// The same for an exchange that no check is about.
pub(super) fn ended_after(exchange: ExchangeId, how: &str) -> String {
    format!("ended during the run, after exchange {exchange}; {how}")
}

/// How a receiver ended whose process cannot be seen.
pub(super) fn next_not_answered(outcome: &Outcome) -> String {
    format!("the next valid delivery was not answered: {outcome}")
}

/// What is expected of a receiver that ended, and what happened.
pub(super) fn keeps_running() -> &'static str {
    "the process keeps running"
}

pub(super) fn process_ended() -> &'static str {
    "it ended or no longer answers"
}

/// How many cases show it: ` (4 of 12 cases; 7 of 64 generated cases)`. One alone is the case that the finding names.
pub(super) fn others((found, fixed): (usize, usize), (deviating, generated): (usize, usize)) -> String {
    let mut parts = Vec::new();
    if found > 1 {
        parts.push(format!("{found} of {fixed} cases"));
    }
    if deviating > 0 {
        parts.push(format!("{deviating} of {generated} generated cases"));
    }
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join("; ")) }
}

pub(super) fn shrunk(what: &str) -> String {
    format!("{what} (shrunk from a generated case)")
}

pub(crate) fn accepted_late(took: Duration, what: &str) -> String {
    format!("accepted {what} only after {}", seconds(took))
}

pub(super) fn parsed_before_verifying(
    outcome: &Outcome,
    took: Duration,
    what: &str,
    well_formed: &Outcome,
) -> String {
    let answered = answered(outcome, took, what);
    match well_formed.status() {
        Some(status) => format!("{answered}, but {status} to a well-formed one"),
        None => format!("{answered}; to a well-formed one: {well_formed}"),
    }
}

pub(super) fn secret() -> &'static str {
    "the secret"
}

pub(super) fn accepted_signature() -> &'static str {
    "the signature that would have been accepted"
}

/// What is expected of the answer to a forged delivery.
pub(super) fn reveals_nothing() -> &'static str {
    "neither the secret nor a valid signature in the answer"
}

/// What such an answer contained.
pub(super) fn contains(secret: &str) -> String {
    format!("{secret} in the answer")
}

pub(super) fn revealed(secret: &str, what: &str) -> String {
    format!("revealed {secret} in its answer to {what}")
}

pub(super) fn compared_digit_by_digit(difference: Duration, each: usize) -> String {
    format!(
        "rejected signatures with a wrong last digit {difference:.0?} later than those with a wrong first digit (medians of \
         {each} each); compare all digits in constant time"
    )
}

/// Accepted, but never processed.
pub(super) fn dropped(what: &str, observed_nothing: bool) -> String {
    let note = if observed_nothing { " (nothing was observed in the whole run)" } else { "" };
    format!("accepted {what}, but never processed it{note}")
}

pub(super) fn processed_rejected(what: &str) -> String {
    format!("rejected {what}, but processed it; verify a delivery before doing anything with it")
}

pub(super) fn processed_wrong_count(what: &str, times: usize, wanted: usize) -> String {
    match times {
        0 => format!("did not process {what}"),
        _ => format!("processed {} instead of {}: {what}", times_in_words(times), times_in_words(wanted)),
    }
}

pub(super) fn signed_with_another_key() -> &'static str {
    "a delivery signed with another secret"
}

pub(super) fn without_headers() -> &'static str {
    "a delivery without signature and timestamp"
}

/// A delivery whose timestamp is off by this much.
pub(super) fn dated(how_far: &str) -> String {
    format!("a correctly signed delivery whose timestamp is {how_far}")
}

// Details of causes.

/// What a receiver rejects that allows a difference of clocks in one direction only.
pub(super) fn rejects_only(what: &str) -> String {
    format!("deliveries {what} are rejected")
}

pub(super) fn small_window() -> &'static str {
    "a window of less than a minute"
}

pub(super) fn crashing_timestamp() -> &'static str {
    "a timestamp that is not a number crashes the receiver"
}

// Why a verdict is inconclusive, or a requirement not applicable.

pub(crate) fn control_rejected(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Answered(answer) => format!("the valid control delivery was rejected ({})", answer.status),
        _ => format!("the valid control delivery was not answered: {outcome}"),
    }
}

/// The end of such a reason: why the receiver rejects valid deliveries.
pub(super) fn because(cause: &str) -> String {
    format!("; cause: {cause}")
}

pub(in crate::suite) fn rate_limited(answer: &Response) -> String {
    let later = answer.headers.all("retry-after").next().map(|value| String::from_utf8_lossy(value));
    let later = later.map_or_else(String::new, |value| {
        let shown: String = value.chars().filter(char::is_ascii_graphic).take(16).collect();
        format!(", Retry-After: {shown}")
    });
    format!(
        "a rate limit answered ({}{later}), so what was sent cannot be judged; lift the limit for the test, or lower --jobs and \
         --cases",
        answer.status
    )
}

/// Why nothing more is sent to a receiver that no delivery reaches.
pub(super) fn not_reached(cause: &str, status: u16) -> String {
    format!("not tried: everything was answered {status}, and no delivery reached the receiver ({cause})")
}

pub(super) fn nothing_tried() -> &'static str {
    "no case could be tried"
}

pub(super) fn no_valid_accepted() -> &'static str {
    "no valid delivery was accepted"
}

pub(super) fn no_forged_rejected() -> &'static str {
    "no forged delivery was rejected"
}

pub(super) fn no_rejection_with_controls() -> &'static str {
    "no forged delivery was rejected while valid ones were accepted"
}

pub(super) fn no_limit_found() -> &'static str {
    "no limit was found up to 16 MiB"
}

pub(super) fn secret_unknown() -> &'static str {
    "the receiver's secret is unknown"
}

pub(super) fn unsigned_accepted() -> &'static str {
    "unsigned requests are accepted, so the order cannot be judged"
}

pub(super) fn comparison_not_rejected() -> &'static str {
    "not all of the compared signatures were answered 4xx"
}

pub(super) fn nothing_observed() -> &'static str {
    "nothing was observed in the whole run"
}

pub(super) fn no_valid_observed() -> &'static str {
    "no valid delivery was observed"
}

pub(super) fn not_accepted(what: &str) -> String {
    format!("the receiver did not accept {what}")
}

pub(super) fn not_answered_as_expected(what: &str) -> String {
    format!("the receiver did not answer {what} as expected")
}

pub(super) fn never_observed(what: &str) -> String {
    format!("never observed: {what}")
}

pub(super) fn rejected_was_processed() -> &'static str {
    "a rejected delivery was processed; see PRC-2"
}

// Notes of a run.

pub(super) fn observations_cut(cut: u64, count: u64) -> String {
    format!(
        "{cut} of {count} observations are too long or too many to be kept, so they were not matched with deliveries"
    )
}

pub(super) fn concurrency_lowered() -> &'static str {
    "the receiver did not accept all of several concurrent deliveries, so cases were sent one at a time"
}

pub(super) fn fewer_cases(took: Duration, cases: u32, usual: u32) -> String {
    format!(
        "an answer took {} ms, so each property generated only {cases} cases instead of {usual}",
        took.as_millis()
    )
}

pub(super) fn unanswered_sent_alone() -> &'static str {
    "the receiver did not answer all of several concurrent deliveries; those were sent again one at a time"
}

pub(super) fn forged_not_answered() -> &'static str {
    "the receiver does not answer forged deliveries, so none were generated"
}

/// The end of the remark if the window is so wide that a captured delivery can be repeated for long.
pub(crate) const WIDE_WINDOW: &str =
    "; 5 minutes are enough, and a captured delivery can be repeated for as long";

/// The bounds of the receiver's window; `None` if there is no bound.
pub(super) fn window(old_ms: Option<u64>, ahead_ms: Option<u64>) -> String {
    let old = old_ms.map_or("of any age".to_owned(), |ms| format!("up to about {} old", rounded(ms)));
    let ahead =
        ahead_ms.map_or("any time ahead".to_owned(), |ms| format!("up to about {} ahead", rounded(ms)));
    let is_wide = old_ms.max(ahead_ms).is_some_and(|ms| ms > 3 * FRESH_MS);
    format!("the receiver accepts deliveries {old} and {ahead}{}", if is_wide { WIDE_WINDOW } else { "" })
}

/// Why a run stops.
pub(super) fn ends_at_every_delivery(count: usize) -> String {
    format!("the receiver ended {count} times in a row without an answer, so no more was sent")
}

pub(super) fn ended_too_often(times: usize) -> String {
    format!("the receiver's process ended {times} times, so no more was sent")
}

/// Why a scenario stops.
pub(super) fn stopped_answering(count: usize) -> String {
    format!("the receiver did not answer {count} valid deliveries in a row, so no more were sent")
}

fn rounded(ms: u64) -> String {
    let seconds = ms.div_ceil(1000);
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds.div_ceil(60)),
        7200..=172_799 => format!("{} h", seconds.div_ceil(3600)),
        _ => format!("{} days", seconds.div_ceil(86_400)),
    }
}

/// Seconds with one decimal, or none if it is zero.
fn seconds(took: Duration) -> String {
    let seconds = format!("{:.1}", took.as_secs_f64());
    format!("{} s", seconds.strip_suffix(".0").unwrap_or(&seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::exchange::Response;

    #[test]
    fn findings_name_the_answer_then_the_delivery() {
        let status = |status| Outcome::Answered(Response::text(status, ""));
        let took = Duration::from_millis(10_004);
        let what = "a delivery of 1 MiB";
        for (message, expected) in [
            (accepted(&status(200), what), "accepted (200) a delivery of 1 MiB"),
            (rejected(&status(401), took, what), "rejected (401) a delivery of 1 MiB"),
            (answered(&status(500), took, what), "answered 500 to a delivery of 1 MiB"),
            (
                answered(&Outcome::TimedOut, took, what),
                "did not answer a delivery of 1 MiB: timed out after 10 s",
            ),
            (
                accepted_late(Duration::from_millis(6_120), what),
                "accepted a delivery of 1 MiB only after 6.1 s",
            ),
            (
                control_rejected(&status(401)) + &because("message.body-alone"),
                "the valid control delivery was rejected (401); cause: message.body-alone",
            ),
            (control_rejected(&Outcome::TimedOut), "the valid control delivery was not answered: timed out"),
            (processed_wrong_count("one delivery", 2, 1), "processed twice instead of once: one delivery"),
            (processed_wrong_count("one delivery", 0, 1), "did not process one delivery"),
        ] {
            assert_eq!(message, expected);
        }
    }

    #[test]
    fn others_are_counted_only_if_there_are_any() {
        assert_eq!(others((1, 5), (0, 64)), "");
        assert_eq!(others((3, 12), (0, 64)), " (3 of 12 cases)");
        assert_eq!(others((1, 5), (7, 64)), " (7 of 64 generated cases)");
        assert_eq!(others((3, 12), (7, 64)), " (3 of 12 cases; 7 of 64 generated cases)");
    }

    #[test]
    fn window_names_each_bound() {
        assert_eq!(
            window(Some(300_000), None),
            "the receiver accepts deliveries up to about 5 min old and any time ahead"
        );
        assert_eq!(
            window(None, Some(59_000)),
            "the receiver accepts deliveries of any age and up to about 59 s ahead"
        );
        assert!(window(Some(86_400_000), Some(300_000)).ends_with(WIDE_WINDOW));
    }
}
