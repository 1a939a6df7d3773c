//! What is said of recorded and watched traffic: files that cannot be read, and requirements that traffic does not show.

use crate::plural::counted;

/// Why recorded traffic does not show a requirement for signatures.
pub(super) fn secret_missing() -> &'static str {
    "the webhook's secret is unknown; give it with --secret"
}

/// Why deliveries of a sender do not show a requirement.
pub(super) fn for_receivers() -> &'static str {
    "the requirement is for receivers"
}

/// Bytes at an endpoint that are not a whole request.
pub(super) fn broken_request(what: &str, quoted: &str) -> String {
    format!("{what}; it begins {quoted}")
}

/// The answer to a delivery that could not be stored.
pub(super) fn not_stored(why: &str) -> String {
    format!("the delivery could not be saved: {why}\n")
}

/// The answer to a request that was forwarded from here and came back.
pub(super) fn came_back() -> &'static str {
    "this request was forwarded from here before, so it goes round in a loop; give another URL with --forward\n"
}

/// Why a request was not passed on.
pub(super) fn ended_before_an_answer() -> &'static str {
    "no answer before the end"
}

pub(super) fn thread_not_started(why: &std::io::Error) -> String {
    format!("cannot start a thread: {why}")
}

pub(super) fn not_utf8(line: usize) -> String {
    format!("line {line}: the file is not UTF-8")
}

pub(super) fn empty_file() -> String {
    "line 1: the file is empty".to_owned()
}

pub(super) fn no_deliveries(line: usize) -> String {
    format!("line {line}: the file has no deliveries")
}

pub(super) fn not_read(why: &str) -> String {
    format!("cannot be read: {why}")
}

pub(super) fn line_too_long(line: usize, most: usize) -> String {
    format!("line {line} is longer than {most} MiB")
}

/// Follows the line or the entry of a delivery that is too many.
pub(super) fn too_many_deliveries(before: usize, most: usize) -> String {
    format!("the {before} deliveries before this line take {most} MiB of memory; split the file")
}

pub(super) fn at_line(line: usize, why: &str) -> String {
    format!("line {line}: {why}")
}

/// A remark in the report.
pub(super) fn last_line_cut(file: &str, deliveries: usize) -> String {
    let were = if deliveries == 1 { "was" } else { "were" };
    format!("the last line of {file} is cut; {} {were} read", counted(deliveries, "delivery", "deliveries"))
}

/// A line that ends too early. `why` says what is missing.
pub(super) fn line_cut_off(line: usize, bytes: usize, why: &str) -> String {
    format!("line {line} is cut off after {bytes} bytes: {why}")
}

/// A line that is JSON but not an exchange.
pub(super) fn not_an_exchange(line: usize, why: &str) -> String {
    format!("line {line} is not an exchange: {why}")
}

pub(super) fn line_not_json(line: usize, column: usize, why: &str) -> String {
    format!("line {line} is not JSON: {why} (column {column}); give JSON lines of exchanges, or a HAR file")
}

pub(super) fn har_bad_url(url: &str, why: &str) -> String {
    format!("`request.url` is {url:?}: {why}")
}

pub(super) fn har_bad_date(date: &str) -> String {
    format!("`startedDateTime` is {date:?}, which is not a date-time")
}

/// A note on requests in a HAR that are not webhook deliveries.
pub(super) fn har_skipped(skipped: usize, of: usize) -> String {
    format!("skipped {skipped} of {of} requests in the HAR file: no body and no X-Twenty-Webhook header")
}

/// A note on probes in a recording.
pub(super) fn strays_skipped(skipped: usize, of: usize) -> String {
    format!("skipped {skipped} of {of} requests: no deliveries, but probes or a browser's requests")
}

/// The answer to a request that is no delivery.
pub(super) fn only_deliveries() -> &'static str {
    "this endpoint takes deliveries by POST\n"
}
