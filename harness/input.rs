//! Reads what the user names, up to a limit: files, devices, pipes and stdin.
//!
//! Invariant: memory is bounded by the limit, and a pipe that nothing is written to is an error, not a hang.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long to wait for a program to open a named pipe for writing.
const WRITER_WAIT: Duration = Duration::from_secs(10);
/// How long to wait for the program at the other end of a pipe to write. It may ask a person for a password.
const BYTES_WAIT: Duration = Duration::from_secs(60);
/// The pause between two attempts to read from a pipe.
const PACE: Duration = Duration::from_millis(5);

/// Why something was not read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("it is larger than {}", size(*.limit))]
    TooLong {
        /// In bytes.
        limit: u64,
    },
    #[error("it is not UTF-8 after byte {0}")]
    NotText(usize),
    #[error("it is a pipe, and nothing was written to it within {} s", .0.as_secs())]
    Silent(Duration),
}

/// Reads a whole file of at most `limit` bytes.
pub fn file(path: &Path, limit: u64) -> Result<Vec<u8>, Unread> {
    at_most(&mut opened(path)?, limit)
}

/// The same for a file that must be UTF-8.
pub fn text(path: &Path, limit: u64) -> Result<String, Unread> {
    String::from_utf8(file(path, limit)?).map_err(|why| Unread::NotText(why.utf8_error().valid_up_to()))
}

/// Reads everything, at most `limit` bytes.
pub fn at_most(reader: &mut impl Read, limit: u64) -> Result<Vec<u8>, Unread> {
    let mut bytes = Vec::new();
    // One byte more shows that it is too long.
    reader.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(Unread::TooLong { limit }) } else { Ok(bytes) }
}

/// Opens a file to read it piece by piece. A pipe that nothing is written to ends with an error.
pub fn open(path: &Path) -> Result<impl Read + use<>, Unread> {
    opened(path)
}

/// A file, or the reading end of a pipe.
#[derive(Debug)]
struct Opened {
    file: File,
    is_pipe: bool,
    /// Whether something was read.
    begun: bool,
}

#[cfg(unix)]
fn opened(path: &Path) -> Result<Opened, Unread> {
    use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
    // Without it, opening a pipe waits for a writer.
    let nonblocking = nix::fcntl::OFlag::O_NONBLOCK.bits();
    let file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
    let is_pipe = file.metadata()?.file_type().is_fifo();
    Ok(Opened { file, is_pipe, begun: false })
}

#[cfg(not(unix))]
fn opened(path: &Path) -> Result<Opened, Unread> {
    Ok(Opened { file: OpenOptions::new().read(true).open(path)?, is_pipe: false, begun: false })
}

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let began = Instant::now();
        loop {
            let wait = match self.file.read(buffer) {
                // No program has opened the pipe for writing yet.
                Ok(0) if self.is_pipe && !self.begun => WRITER_WAIT,
                Err(why) if why.kind() == ErrorKind::WouldBlock => BYTES_WAIT,
                read => {
                    self.begun = true;
                    return read;
                }
            };
            if self.is_pipe && began.elapsed() >= wait {
                return Err(io::Error::new(ErrorKind::TimedOut, Unread::Silent(wait)));
            }
            std::thread::sleep(PACE);
        }
    }
}

/// A limit in words.
fn size(bytes: u64) -> String {
    match (bytes % (1 << 20), bytes % (1 << 10)) {
        (0, _) => format!("{} MiB", bytes >> 20),
        (_, 0) => format!("{} KiB", bytes >> 10),
        _ => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::io::Write as _;

    use super::{Unread, at_most, file, text};

    #[test]
    fn reads_up_to_the_limit() {
        let mut named = tempfile::NamedTempFile::new().unwrap();
        named.write_all(b"abc\xff").unwrap();
        assert_eq!(file(named.path(), 4).unwrap(), b"abc\xff");
        assert_eq!(file(named.path(), 3).unwrap_err().to_string(), "it is larger than 3 bytes");
        assert!(matches!(text(named.path(), 4), Err(Unread::NotText(3))));
        assert!(matches!(file(&named.path().join("x"), 4), Err(Unread::Io(_))));
        assert_eq!(at_most(&mut &[0; 2048][..], 1024).unwrap_err().to_string(), "it is larger than 1 KiB");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn device_without_an_end_is_too_long() {
        let why = file(std::path::Path::new("/dev/zero"), 1 << 20).unwrap_err();
        assert_eq!(why.to_string(), "it is larger than 1 MiB");
    }
}
