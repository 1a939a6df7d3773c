//! What is wrong with saved runs that are judged again.

use std::fmt;
use std::path::Path;

use crate::plural::counted;

/// A file of a saved run that cannot be used.
pub(in crate::report) fn damaged(path: &Path, why: &dyn fmt::Display) -> String {
    format!(
        "{}: {why}; it was changed or cut after the run, so run the check again with --out",
        path.display()
    )
}

pub(in crate::report) fn damaged_line(path: &Path, line: usize, why: &dyn fmt::Display) -> String {
    format!(
        "{}:{line}: {why}; it was changed or cut after the run, so run the check again with --out",
        path.display()
    )
}

/// The folder of a run without a transcript.
pub(in crate::report) fn no_transcript(folder: &Path) -> String {
    format!(
        "{}: it has no transcript.json, because the run did not end, the file was removed, or an earlier version made it; run the check \
         again with --out",
        folder.display()
    )
}

/// Generated cases that are missing at the end of their file, or too many.
pub(in crate::report) fn other_count(found: usize, wanted: usize) -> String {
    format!("it has {} instead of {wanted}", counted(found, "case", "cases"))
}

/// Exchanges that are missing at the end of their file, or too many.
pub(in crate::report) fn other_number(found: usize, wanted: usize) -> String {
    format!("it has {} instead of {wanted}", counted(found, "exchange", "exchanges"))
}

pub(in crate::report) fn other_transcript_format(path: &Path, format: &str, wanted: &str) -> String {
    format!(
        "{}: its `format` is {format:?}, but this version reads {wanted:?}; use the version of twenty-conform that wrote it, or a newer one",
        path.display()
    )
}

pub(in crate::report) fn no_format() -> &'static str {
    "it has no `format`"
}

pub(in crate::report) fn no_file() -> &'static str {
    "it is not a file"
}

pub(in crate::report) fn cut_off() -> &'static str {
    "the line is cut off"
}

pub(in crate::report) fn other_seed() -> &'static str {
    "its secrets were made with another seed"
}

pub(in crate::report) fn out_of_order(number: usize, wanted: usize) -> String {
    format!("the exchange has number {number}, not {wanted}")
}

pub(in crate::report) fn no_such_exchange(number: usize) -> String {
    format!("it names exchange #{number}, which is not in exchanges.jsonl")
}

pub(in crate::report) fn missing_exchange(number: usize) -> String {
    format!("exchange #{number} is missing, which transcript.json names")
}

pub(in crate::report) fn secret_needed(folder: &Path) -> String {
    format!(
        "{} has recorded traffic, whose secret is not kept; give it with --secret-file or TWENTY_WEBHOOK_SECRET",
        folder.display()
    )
}

/// Generated cases whose answers in the file are not those that the run counted.
pub(in crate::report) fn generated_differ(count: usize) -> String {
    let cases = counted(count, "generated case", "generated cases");
    format!("{cases} came to something else than in the run: the answers in exchanges.jsonl were changed")
}

pub(in crate::report) fn unknown_requirements(ids: &[&str]) -> String {
    format!("this version does not have {}, which the run judged", ids.join(", "))
}
