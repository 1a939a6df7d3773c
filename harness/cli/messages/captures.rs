//! Captures of requests: how they were read, and what `verify` says of each.

use std::fmt::Display;
use std::path::Path;

use crate::plural::counted;

pub(in crate::cli) fn taken_for(form: &str) -> String {
    format!("taken for: {form}")
}

pub(in crate::cli) fn note(text: &str) -> String {
    format!("note: {text}")
}

/// A file in no known form. `nearest` is the form that it is most like.
pub(in crate::cli) fn not_taken(name: &str, why: &str, nearest: Option<&str>, forms: &[&str]) -> String {
    let nearest = nearest.map(|nearest| format!("\nnearest: {nearest}")).unwrap_or_default();
    format!("{name} is not a captured request in a known form: {why}{nearest}\nforms: {}", forms.join(", "))
}

pub(in crate::cli) fn too_long(name: &str, why: impl Display) -> String {
    format!(
        "cannot read {name}: {why}; take the request out of it, or export the traffic as HAR, which may be longer; \
         sender --transcript judges longer files of deliveries"
    )
}

/// Follows the entry of a HAR file that is too much.
pub(in crate::cli) fn too_many(before: usize, most: usize) -> String {
    format!("the {before} deliveries before this entry take {most} MiB of memory; choose one with --entry")
}

pub(in crate::cli) fn no_such_request(name: &str, number: usize, count: usize) -> String {
    format!("{name} has {}, so there is none with the number {number}", counted(count, "request", "requests"))
}

pub(in crate::cli) fn none_is_signed(name: &str, count: usize) -> String {
    format!("none of {} in {name} has a header of Twenty's webhooks", counted(count, "request", "requests"))
}

pub(in crate::cli) fn left_out(count: usize, of: usize) -> String {
    format!("left out {count} of {of} requests, which have no header of Twenty's webhooks")
}

/// `form` is the command that sends the file.
pub(in crate::cli) fn file_of_a_command(
    path: &Path,
    form: &str,
    why: impl Display,
    is_absent: bool,
) -> String {
    let fix = match is_absent {
        true => "put the file next to the capture",
        false => "name a file with the body of one delivery",
    };
    format!("cannot read {}, which {form} sends as its body: {why}; {fix}", path.display())
}

/// The place of a request among several.
pub(in crate::cli) fn place(number: usize, line: usize) -> String {
    format!("request {number} (line {line}): ")
}

/// A verdict of one request that has no verdict on its signature.
pub(in crate::cli) fn not_judged(why: &str) -> String {
    format!("cannot be judged: {why}\n")
}

pub(in crate::cli) fn or_the_body_alone() -> &'static str {
    "; or the body alone, with --timestamp and --signature"
}

/// The fix for `verify`.
pub(in crate::cli) fn give_the_body() -> &'static str {
    "; give the body with --timestamp and --signature"
}

/// The fix for commands that send it again.
pub(in crate::cli) fn capture_the_body() -> &'static str {
    "; capture it again with its body"
}

/// The end of the verdicts on several requests.
pub(in crate::cli) fn summary(matching: usize, of: usize) -> String {
    format!("{matching} of {of} requests match\n")
}

/// A request whose cause is not searched for, because there were enough.
pub(in crate::cli) fn differs_too() -> &'static str {
    "the signature does not match\n"
}

/// `coding` is the one that the header names.
pub(in crate::cli) fn matches_decoded() -> &'static str {
    "  the signature covers the body before it was compressed\n"
}

/// The cause of a mismatch where the bytes of the body are not known.
pub(in crate::cli) fn parsed_cause() -> &'static str {
    "capture.decoded: the capture has the body as parsed JSON, and not the bytes that were signed"
}

pub(in crate::cli) fn parsed_fix() -> &'static str {
    "record the body as text, before it is parsed"
}

/// More bytes follow the body.
pub(in crate::cli) fn matches_length(length: usize, more: usize) -> String {
    format!("  the body has {length} bytes, as Content-Length says; {more} more were recorded after them\n")
}

// The age.

pub(in crate::cli) fn is_fresh(age: &str) -> String {
    format!("  age       {age}: fresh\n")
}

pub(in crate::cli) fn is_stale(age: &str, window: &str) -> String {
    format!("  age       {age}: outside of the window of {window}, so a receiver rejects it\n")
}

pub(in crate::cli) fn has_no_age(timestamp: &str) -> String {
    format!("  age       unknown: the timestamp {timestamp} is not a number of milliseconds\n")
}

pub(in crate::cli) fn old(time: &str) -> String {
    format!("{time} old")
}

pub(in crate::cli) fn ahead(time: &str) -> String {
    format!("{time} ahead")
}

pub(in crate::cli) fn not_a_time(text: &str) -> String {
    format!("{text:?} is not a time; give now, milliseconds such as 1735066639761, or 2026-01-02T03:04:05Z")
}
