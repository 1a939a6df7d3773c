//! What the generator says about the corpus, the limit on open files, the receiver's address, and probes.

use std::fmt::Display;
use std::path::Path;

pub(super) fn corpus_unreadable(path: &Path, why: impl Display) -> String {
    format!("cannot read the corpus {}: {why}", path.display())
}

pub(super) fn corpus_empty(path: &Path) -> String {
    format!("the corpus {} is empty; give a file or a folder with JSON texts", path.display())
}

pub(super) fn corpus_too_large(path: &Path, most_mib: usize) -> String {
    format!("the corpus {} is larger than {most_mib} MiB", path.display())
}

pub(super) fn body_too_long(source: &impl Display, bytes: usize, most_mib: usize) -> String {
    format!("the corpus is too large: {source} has {bytes} bytes, and the limit for a body is {most_mib} MiB")
}

pub(super) fn body_not_json(source: &impl Display, why: &str, column: usize) -> String {
    format!("the corpus is broken: {source} is not JSON: {why} (column {column})")
}

pub(super) fn unreachable(host: &str, port: u16, why: &str) -> String {
    format!("the receiver cannot be reached: connecting to {host} port {port} failed: {why}")
}

pub(super) fn no_address() -> &'static str {
    "the name has no address"
}

pub(super) fn connect_timed_out(seconds: u64) -> String {
    format!("timed out after {seconds} s")
}

/// Several deliveries, from a noun phrase for one.
pub(super) fn several(one: &str) -> String {
    let forms = [
        ("a delivery", "deliveries"),
        ("a correctly signed delivery", "correctly signed deliveries"),
        ("a signed body that is", "signed bodies that are"),
        ("an unsigned ping", "unsigned pings"),
    ];
    let mut said =
        forms.iter().filter_map(|(one_of, all)| Some(format!("{all}{}", one.strip_prefix(one_of)?)));
    said.next().unwrap_or_else(|| one.to_owned())
}
