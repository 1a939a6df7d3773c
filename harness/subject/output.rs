//! The end of what a process wrote to stdout or stderr.
//!
//! Invariant: bounded. What is kept begins with `…` if something before it was dropped: redaction looks for the end of a secret
//! there.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::budget::shortened;
use crate::terminal;

/// How many bytes are kept.
const KEPT: usize = 16 * 1024;
/// How many bytes of a line are shown.
const SHOWN_BYTES: usize = 500;
/// How many of the last lines are shown.
const SHOWN_LINES: usize = 12;

/// The last bytes of a stream.
#[derive(Debug, Clone, Default)]
pub(super) struct LastOutput(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    bytes: VecDeque<u8>,
    is_cut: bool,
}

impl LastOutput {
    /// Reads the stream to its end.
    pub(super) async fn keep<R: AsyncRead + Unpin>(self, mut stream: R) {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut buffer).await {
            self.push(&buffer[..count]);
        }
    }

    pub(super) fn push(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes.extend(bytes);
        let surplus = kept.bytes.len().saturating_sub(KEPT);
        kept.bytes.drain(..surplus);
        kept.is_cut |= surplus > 0;
    }

    fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = kept.bytes.iter().copied().collect();
        // A character that was cut is not shown.
        let cut = bytes.iter().take(3).take_while(|&&byte| kept.is_cut && byte & 0xc0 == 0x80).count();
        let mark = if kept.is_cut { "…" } else { "" };
        format!("{mark}{}", terminal::text(&bytes[cut..]))
    }

    /// The last lines.
    pub(super) fn last_lines(&self) -> Vec<String> {
        let text = self.text();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(SHOWN_LINES)..]
            .iter()
            .map(|line| shortened(line, SHOWN_BYTES))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, LastOutput};

    #[test]
    fn marks_what_was_cut() {
        let output = LastOutput::default();
        output.push("é".repeat(KEPT / 2).as_bytes());
        assert_eq!(output.text(), "é".repeat(KEPT / 2));
        output.push(b"x");
        assert_eq!(output.text(), format!("…{}x", "é".repeat(KEPT / 2 - 1)));
    }
}
