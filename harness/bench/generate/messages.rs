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

/// The deliveries of a kind of probe, by its name.
pub(in crate::bench) fn probe(name: &str) -> Option<&'static str> {
    Some(match name {
        "body-altered" => "deliveries with a body changed after signing",
        "body-cut" => "deliveries with a body cut after signing",
        "timestamp-altered" => "deliveries with a timestamp changed after signing",
        "other-key" => "deliveries signed with another key",
        "empty-key" => "deliveries signed with an empty key",
        "signature-missing" => "deliveries without a signature header",
        "signature-empty" => "deliveries with an empty signature header",
        "timestamp-missing" => "deliveries without a timestamp header",
        "body-alone" => "deliveries with a signature of the body alone",
        "timestamp-alone" => "deliveries with a signature of the timestamp alone",
        "other-separator" => "deliveries signed with a dot instead of the colon",
        "double-stringified" => "deliveries with a signature of the body stringified twice",
        "other-delivery" => "deliveries with the signature of another delivery",
        "sha1" => "deliveries signed with HMAC-SHA-1",
        "sha512" => "deliveries signed with HMAC-SHA-512",
        "unkeyed" => "deliveries signed with SHA-256 without a key",
        "base64" => "deliveries with a signature in Base64",
        "truncated" => "deliveries with a truncated signature",
        "zeros" => "deliveries with a signature of zeros",
        "line-feed-signed" => "deliveries with a signature of the body and a line feed",
        "stale" => "correctly signed deliveries with a timestamp of a day ago",
        "future" => "correctly signed deliveries with a timestamp of a day from now",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::generate::probe::ALL;

    #[test]
    fn describes_every_probe() {
        assert!(ALL.iter().all(|kind| probe(kind.name).is_some_and(|what| what.contains("deliveries"))));
    }
}
