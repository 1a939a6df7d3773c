//! What the HTML report says, in its order.

use std::time::Duration;

use crate::page::parts::word;
use crate::plural::counted;
use crate::report::{Latency, Report, VerdictName};
use crate::suite::requirement::{Level, sources_in_words};
use crate::terminal::{clean, clipped};
use crate::wire::exchange::{Abort, ExchangeId, Outcome, Transfer};

pub(super) use crate::report::messages::{also_explained_by as or, no_curl_command};

/// How many characters of a reason are shown next to a title.
const SHORT: usize = 140;

/// The groups of checks in words.
const ROLES: [(&str, &str); 2] = [("receiver", "Your receiver"), ("sender", "Your sender")];

pub(super) fn title(result: &str, role: &str, subject: &str) -> String {
    format!("{result} · {role} {subject} · {}", env!("CARGO_PKG_NAME"))
}

pub(super) fn kind() -> &'static str {
    "conformance report"
}

pub(super) fn role(role: &str) -> &'static str {
    match role {
        "receiver" => "Receiver",
        "sender" => "Sender",
        _ => "Subject",
    }
}

/// What the run came to, in a sentence.
pub(super) fn summary(report: &Report) -> String {
    let total = report.requirements.len();
    let (passed, failed) = (report.count(VerdictName::Pass), report.count(VerdictName::Fail));
    let not_applicable = report.count(VerdictName::NotApplicable);
    let of =
        counted(total - not_applicable.min(total), "requirement that applies", "requirements that apply");
    if total == 0 {
        return "No requirement was selected.".to_owned();
    }
    let mut sentence = format!("{passed} of {of} passed");
    if failed > 0 {
        let by_level: Vec<String> = Level::ALL
            .into_iter()
            .filter_map(|level| {
                let count = report.counts.get(&level)?.get(&VerdictName::Fail)?;
                (*count > 0).then(|| format!("{count} {level}"))
            })
            .collect();
        sentence.push_str(&format!(", {failed} failed ({})", by_level.join(", ")));
    }
    let open = report.count(VerdictName::Inconclusive);
    if open > 0 {
        sentence.push_str(&format!(", {open} inconclusive"));
    }
    sentence + "."
}

pub(super) fn payloads(report: &Report) -> String {
    let auto = report.dialect_chosen_by == "auto";
    format!("{}{}", report.dialect, if auto { " (chosen by auto)" } else { "" })
}

pub(super) fn run(report: &Report) -> String {
    let took = time(Duration::from_millis(report.duration_ms));
    format!("{} in {took}", counted(report.exchanges, "request", "requests"))
}

pub(super) fn exit(report: &Report) -> String {
    format!("{}; a failed {} fails the run", report.exit.code(), gating(report.fail_on))
}

/// The levels that fail a run.
fn gating(fail_on: Level) -> &'static str {
    match fail_on {
        Level::Must => "must",
        Level::Should => "must or should",
        Level::Advice => "requirement of any level",
    }
}

pub(super) fn counts() -> &'static str {
    "Requirements by level and verdict"
}

/// What a number in the table does.
pub(super) fn show(count: usize, level: &str, verdict: &str) -> String {
    format!("{count} {level} {}, show them", word(verdict).to_lowercase())
}

pub(super) fn not_started() -> &'static str {
    "Nothing was tested"
}

pub(super) fn findings(count: usize) -> String {
    match count {
        1 => "What is wrong".to_owned(),
        _ => format!("What is wrong: {count} findings"),
    }
}

pub(super) fn line_of_code() -> &'static str {
    "line of code"
}

pub(super) fn rerun() -> &'static str {
    "command that runs it again"
}

pub(super) fn repeat(is_emit: bool) -> &'static str {
    if is_emit { "emit request" } else { "curl command" }
}

pub(super) fn documentation_of(name: &str) -> String {
    format!("documentation of {}", clean(name))
}

pub(super) fn explain_command(name: &str) -> String {
    format!("{} explain {name}", env!("CARGO_PKG_NAME"))
}

pub(super) fn after_fix() -> &'static str {
    "After this fix, these would fail too"
}

pub(super) fn how_after_fix_is_known() -> &'static str {
    "The suite also sent deliveries made in the way that this receiver wants. These verdicts are provisional."
}

// Requirements.

pub(super) fn nothing_selected() -> &'static str {
    "No requirement was selected."
}

pub(super) fn nothing_matches() -> &'static str {
    "No requirement matches the search and the filters."
}

/// A group of checks, such as `receiver/verification`.
pub(super) fn group(name: &str) -> String {
    let (role, area) = name.split_once('/').unwrap_or(("", name));
    let role = ROLES.iter().find(|(known, _)| *known == role).map_or(role, |(_, words)| words);
    clean(&format!("{role}: {}", area.replace('-', " "))).into_owned()
}

pub(super) fn short(reason: &str) -> String {
    clipped(reason, SHORT)
}

/// The source of a requirement, which is in letters.
pub(super) fn source(letters: &str) -> String {
    format!("Source: {}", sources_in_words(letters))
}

pub(super) fn cases(count: usize) -> String {
    counted(count, "case", "cases")
}

pub(super) fn provisional(verdict: &str) -> String {
    format!("{verdict}, with deliveries made in the way that the receiver wants")
}

/// Which parts of a generated case matter.
pub(super) fn what_matters() -> &'static str {
    "What matters"
}

// Exchanges.

pub(super) fn minimal_pair() -> &'static str {
    "Accepted delivery and failing delivery"
}

pub(super) fn control(id: ExchangeId, outcome: &Outcome) -> String {
    format!("Accepted {id}: {}", clean(&outcome.to_string()))
}

pub(super) fn failing(id: ExchangeId, outcome: &Outcome) -> String {
    format!("Failing {id}: {}", clean(&outcome.to_string()))
}

/// Where a cell belongs, where columns are rows.
pub(super) fn in_control() -> &'static str {
    "accepted"
}

pub(super) fn in_failing() -> &'static str {
    "failing"
}

pub(super) fn absent() -> &'static str {
    "absent"
}

pub(super) fn empty_body() -> &'static str {
    "empty"
}

pub(super) fn own_values() -> &'static str {
    "Every delivery has its own timestamp, nonce and signature, so their differences are not marked."
}

pub(super) fn sent_whole() -> &'static str {
    "with its length, all at once"
}

/// How a body is transferred, if not with its length all at once.
pub(super) fn transfer(transfer: &Transfer) -> Option<String> {
    Some(match transfer {
        Transfer::Whole => return None,
        Transfer::Segments(at) => format!("in {}", counted(at.len() + 1, "segment", "segments")),
        Transfer::Chunks(lengths) => format!("in {}", counted(lengths.len(), "chunk", "chunks")),
        Transfer::Expecting => "with Expect: 100-continue".to_owned(),
        Transfer::Broken(at) => format!("cut off after {at} bytes of the body"),
        Transfer::Aborted(Abort::InHead) => "cut off in the headers".to_owned(),
        Transfer::Aborted(Abort::InChunk) => "cut off in the first chunk".to_owned(),
        Transfer::Aborted(Abort::Reset(at)) => format!("reset after {at} bytes of the body"),
    })
}

pub(super) fn exchange(id: ExchangeId, outcome: &Outcome, took: Duration) -> String {
    let after = if took.is_zero() { String::new() } else { format!(" after {}", time(took)) };
    format!("Exchange {id}: {}{after}", clean(&outcome.to_string()))
}

pub(super) fn request(is_receiver: bool) -> &'static str {
    if is_receiver { "Sent to your receiver" } else { "Received from your sender" }
}

pub(super) fn bytes(what: &str, count: usize) -> String {
    format!("{what} ({})", counted(count, "byte", "bytes"))
}

// The names of what scrolls, for screen readers.

pub(super) fn sent_text() -> &'static str {
    "request as text"
}

pub(super) fn sent_digits() -> &'static str {
    "request as hexadecimal digits"
}

pub(super) fn answer_text() -> &'static str {
    "answer as text"
}

pub(super) fn answered_text() -> &'static str {
    "whole answer as text"
}

pub(super) fn answered_digits() -> &'static str {
    "answer as hexadecimal digits"
}

pub(super) fn as_digits() -> &'static str {
    "As hexadecimal digits"
}

pub(super) fn without_connection_headers() -> &'static str {
    "Without Host, Content-Length and Transfer-Encoding, which belong to the connection."
}

/// What the details of an exchange have.
pub(super) fn whole_exchange(id: ExchangeId) -> String {
    format!("Exchange {id} as text and as hexadecimal digits")
}

pub(super) fn answer_after(took: Duration) -> String {
    format!("Answer after {}", time(took))
}

pub(super) fn answer() -> &'static str {
    "Answered"
}

/// Bytes of an answer that the run did not keep.
pub(super) fn not_kept(bytes: u64) -> String {
    format!("The run did not keep {} of this answer.", counted(bytes, "further byte", "further bytes"))
}

/// The end of something that was cut.
pub(super) fn more_bytes(count: usize) -> String {
    format!(" … {} not shown", counted(count, "more byte", "more bytes"))
}

pub(super) fn more_places(count: usize) -> String {
    format!(", {}", counted(count, "more difference", "more differences"))
}

pub(super) fn equal_bytes(count: usize) -> String {
    format!(" … {} … ", counted(count, "equal byte", "equal bytes"))
}

/// The numbers of the exchanges that show a failure.
pub(super) fn shown_by(exchanges: &[usize], hidden: usize) -> String {
    const MOST: usize = 12;
    let mut shown: Vec<String> = exchanges.iter().take(MOST).map(|id| format!("#{id}")).collect();
    if exchanges.len() > MOST {
        shown.push(format!("and {} more", exchanges.len() - MOST));
    }
    let hidden = if hidden > 0 { "; the folder of --out has those that are not shown here" } else { "" };
    format!("Shown by {}{hidden}.", shown.join(" "))
}

pub(super) fn long_command() -> &'static str {
    "The command is too long for this page; the JSON report has it."
}

// Latency.

pub(super) fn latency() -> &'static str {
    "Response times"
}

pub(super) fn latency_of(count: u64) -> String {
    format!("From the first byte sent to the head of the answer, of {}.", counted(count, "answer", "answers"))
}

pub(super) fn latency_chart(latency: &Latency) -> String {
    let of = |us: u64| time(Duration::from_micros(us));
    format!(
        "Histogram of response times on a logarithmic axis: half took at most {}, 99% at most {}, the longest {}",
        of(latency.p50),
        of(latency.p99),
        of(latency.max)
    )
}

/// The end of a bar in round numbers.
pub(super) fn tick(us: f64) -> String {
    match us {
        ..1e3 => format!("{us:.0} µs"),
        ..1e6 => format!("{:.0} ms", us / 1e3),
        _ => format!("{:.0} s", us / 1e6),
    }
}

pub(super) fn bar(count: u64, until_us: f64) -> String {
    format!("{} of up to {}", counted(count, "answer", "answers"), time_of(until_us))
}

/// A time of so many microseconds.
pub(super) fn time_of(us: f64) -> String {
    time(Duration::from_secs_f64((us / 1e6).clamp(0.0, 1e9)))
}

/// A time in the unit that suits it.
pub(super) fn time(time: Duration) -> String {
    let us = time.as_secs_f64() * 1e6;
    match us {
        ..1e3 => format!("{us:.0} µs"),
        ..1e4 => format!("{:.1} ms", us / 1e3),
        ..1e6 => format!("{:.0} ms", us / 1e3),
        _ => format!("{:.1} s", us / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{group, shown_by, time};

    #[test]
    fn words_depend_on_what_they_are_about() {
        assert_eq!(group("receiver/verification"), "Your receiver: verification");
        assert_eq!(shown_by(&[3, 4], 0), "Shown by #3 #4.");
        let shown = [120, 1_234, 45_600, 2_340_000].map(|us| time(Duration::from_micros(us)));
        assert_eq!(shown, ["120 µs", "1.2 ms", "46 ms", "2.3 s"]);
    }
}
