//! What the generator says: about the corpus, the limit on open files, and the receiver's address.

use std::fmt::Display;
use std::path::Path;

pub(super) fn corpus_unreadable(path: &Path, why: &std::io::Error) -> String {
    format!("the corpus {} cannot be read: {why}", path.display())
}

pub(super) fn corpus_empty(path: &Path) -> String {
    format!("the corpus {} is empty; give a file or a folder with JSON texts", path.display())
}

pub(super) fn corpus_too_large(path: &Path, most_mib: usize) -> String {
    format!("the corpus {} is too large: the limit is {most_mib} MiB", path.display())
}

pub(super) fn body_too_long(source: &impl Display, bytes: usize, most_mib: usize) -> String {
    format!("the corpus is too large: {source} has {bytes} bytes, and the limit for a body is {most_mib} MiB")
}

pub(super) fn body_not_json(source: &impl Display, why: &str, column: usize) -> String {
    format!("the corpus is broken: {source} is not JSON: {why} (column {column})")
}

#[cfg(unix)]
pub(super) fn too_many_files(needed: u64, soft: u64, hard: u64) -> String {
    let root = if needed > hard { " as root" } else { "" };
    format!(
        "the load needs {needed} open files, and this process may have {soft}; lower --concurrency, or raise the limit{root} \
         with ulimit -n {needed}"
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn names_root_only_above_the_hard_limit() {
        assert!(!too_many_files(2000, 1024, 4096).contains("root"));
        assert!(too_many_files(8000, 1024, 4096).contains("raise the limit as root with ulimit -n 8000"));
    }
}
