//! How much is kept of what comes from outside: every limit in bytes, and a budget that what is kept draws from.
//!
//! Invariant: a run needs less than 200 MiB, whatever a program under test sends and however many cases there are. What is
//! cut is marked as cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// What the endpoints of a run keep of requests, together.
pub const REQUESTS: usize = 48 * MIB;
/// What a run keeps of a receiver's answers, together.
pub const ANSWERS: usize = 32 * MIB;
/// What a run keeps of a receiver's observations, together.
pub const OBSERVATIONS: usize = 4 * MIB;
/// The longest event name and the longest id that are kept of an observation.
pub const OBSERVED_NAME: usize = 256;
/// The longest answer of `--observe URL`. It is read one observation at a time.
pub const OBSERVATIONS_ANSWER: usize = 16 * MIB;
/// The longest reply of a sender, except to `outcomes`.
pub const REPLY: usize = MIB;
/// The longest reply of a sender to `outcomes`.
pub const OUTCOMES: usize = 4 * MIB;
/// What is kept of an error text, a name or a version in a reply.
pub const REPLY_TEXT: usize = 4 * KIB;
/// The longest body for which the search for a cause parses and re-serialises it.
pub const SEARCHED_BODY: usize = 256 * KIB;
/// How many bytes that search hashes with one secret.
pub const SEARCHED: usize = 96 * MIB;
/// How many values a body may have for a check to parse it. A parsed value takes up to 100 bytes.
pub const PARSED_VALUES: usize = 512 * KIB;

/// The longest file with a secret, with patterns, or with settings.
pub const SMALL_FILE: u64 = 64 * KIB as u64;
/// The longest file with certificates.
pub const CERTIFICATES: u64 = 16 * MIB as u64;
/// The longest list of known failures, which has an entry for each requirement at most.
pub const KNOWN_FAILURES: u64 = MIB as u64;
/// The longest body or request that is read from a file or from stdin.
pub const INPUT: u64 = 16 * MIB as u64;
/// The longest HAR file of which single requests are read. It is read one entry at a time.
pub const HAR: u64 = 1024 * MIB as u64;
/// What is kept of the requests of a capture, together.
pub const CAPTURES: usize = 64 * MIB;
/// The longest line that `serve sender` reads from stdin.
pub const INPUT_LINE: usize = 16 * MIB;
/// The longest file that is read whole: recorded traffic, a corpus, a report, results of another tool, a case.
pub const LARGE_FILE: u64 = 64 * MIB as u64;
/// The longest value of a case's `respect`.
pub const RESPECT: usize = 64 * KIB;
/// How many headers a saved request may have.
pub const SAVED_HEADERS: usize = 1024;
/// In how many pieces a saved body may be sent.
pub const SAVED_PIECES: usize = 1024 * KIB;

/// How many bytes may still be kept. Clones share one budget.
#[derive(Debug, Clone)]
pub struct Budget(Arc<AtomicUsize>);

impl Budget {
    pub fn of(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    /// What the endpoints of a run may keep.
    pub fn of_a_run() -> Self {
        Self::of(REQUESTS)
    }

    /// Reserves `wanted` bytes, or as many as are left.
    pub fn take(&self, wanted: usize) -> usize {
        let left = |left: usize| Some(left.saturating_sub(wanted));
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
        before.unwrap_or_default().min(wanted)
    }

    pub fn give_back(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// The first bytes of a text, up to `most`, and `…` if something is missing.
pub fn shortened(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default();
    format!("{}…", &text[..end])
}
