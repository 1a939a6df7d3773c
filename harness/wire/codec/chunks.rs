//! Parses a chunked body piece by piece.
//!
//! Invariant: bounded. It keeps a position and a count but no bytes, and every line has a maximum length.

use super::head::is_token_byte;
use super::{FramingFault, Side};

/// The maximum length of a chunk-size line, and of the whole trailer.
const LONGEST_LINE: u32 = 16 * 1024;

/// The reader's position in a chunked body.
#[derive(Debug, Clone, Copy)]
pub struct Chunks {
    side: Side,
    stage: Stage,
    /// How many bytes of the current line, or of the trailer, were read.
    line: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Size(u64),
    /// White space after the size; only an extension may follow it.
    Space(u64),
    Extension(u64),
    /// The line feed after a size.
    SizeEnd(u64),
    Data(u64),
    /// The carriage return after the data, then its line feed.
    DataReturn,
    DataFeed,
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerFeed,
    LastFeed,
    Done,
}

/// What a piece begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Bytes of framing.
    pub skip: usize,
    /// The size of the chunk that begins after the framing, if one does.
    pub opens: Option<u64>,
    /// Bytes of the body after the framing.
    pub data: usize,
    /// Whether the body ends there, trailer included.
    pub ends: bool,
}

impl Chunks {
    pub(crate) fn new(side: Side) -> Self {
        Self { side, stage: Stage::Size(0), line: 0 }
    }

    /// Parses a piece up to the end of its first run of data, or of the body.
    pub(crate) fn next(&mut self, piece: &[u8]) -> Result<Part, FramingFault> {
        let (mut skip, mut opens) = (0, None);
        loop {
            match self.stage {
                Stage::Done => return Ok(Part { skip, opens, data: 0, ends: true }),
                Stage::Data(left) => {
                    let available = piece.len() - skip;
                    let data = usize::try_from(left).unwrap_or(usize::MAX).min(available);
                    let left = left - data as u64;
                    self.stage = if left == 0 { Stage::DataReturn } else { Stage::Data(left) };
                    return Ok(Part { skip, opens, data, ends: false });
                }
                _ => {
                    let Some(&byte) = piece.get(skip) else {
                        return Ok(Part { skip, opens, data: 0, ends: false });
                    };
                    skip += 1;
                    self.stage = self.step(byte)?;
                    if let Stage::Data(size) = self.stage {
                        opens = Some(size);
                    }
                }
            }
        }
    }

    /// Parses one byte of the framing.
    fn step(&mut self, byte: u8) -> Result<Stage, FramingFault> {
        self.line += 1;
        if self.line > LONGEST_LINE {
            return Err(FramingFault::ChunkLine);
        }
        let digit = char::from(byte).to_digit(16).map(u64::from);
        Ok(match (self.stage, byte) {
            (Stage::Size(size), _) if digit.is_some() && size <= u64::MAX >> 4 => {
                Stage::Size(size << 4 | digit.unwrap_or_default())
            }
            // Without a digit there is no size.
            (Stage::Size(_), _) if self.line == 1 || digit.is_some() => return Err(FramingFault::ChunkSize),
            (Stage::Size(size) | Stage::Space(size), b' ' | b'\t') => Stage::Space(size),
            (Stage::Size(size) | Stage::Space(size), b';') => Stage::Extension(size),
            (Stage::Size(size) | Stage::Extension(size), b'\r') => Stage::SizeEnd(size),
            // Some servers pad a size with spaces; the meaning is clear, so a client accepts it.
            (Stage::Space(size), b'\r') if self.side == Side::Answer => Stage::SizeEnd(size),
            (Stage::Size(_) | Stage::Space(_), b'\n') => return Err(FramingFault::BareLineFeed),
            (Stage::Size(_) | Stage::Space(_), _) => return Err(FramingFault::ChunkSize),
            (Stage::Extension(_) | Stage::TrailerValue | Stage::TrailerName | Stage::TrailerStart, b'\n') => {
                return Err(FramingFault::BareLineFeed);
            }
            (Stage::Extension(size), _) => Stage::Extension(size),
            (Stage::SizeEnd(size), b'\n') => {
                self.line = 0;
                if size == 0 { Stage::TrailerStart } else { Stage::Data(size) }
            }
            (Stage::DataReturn, b'\r') => Stage::DataFeed,
            (Stage::DataFeed, b'\n') => {
                self.line = 0;
                Stage::Size(0)
            }
            (Stage::DataReturn | Stage::DataFeed, _) => return Err(FramingFault::ChunkEnd),
            (Stage::TrailerStart, b'\r') => Stage::LastFeed,
            (Stage::TrailerName, b':') => Stage::TrailerValue,
            (Stage::TrailerStart | Stage::TrailerName, _) if is_token_byte(byte) => Stage::TrailerName,
            (Stage::TrailerStart, b' ' | b'\t') => return Err(FramingFault::FoldedLine),
            (Stage::TrailerName, b' ' | b'\t') => return Err(FramingFault::SpaceBeforeColon),
            (Stage::TrailerStart | Stage::TrailerName, _) => return Err(FramingFault::HeaderName),
            (Stage::TrailerValue, b'\r') => Stage::TrailerFeed,
            (Stage::TrailerValue, _) => Stage::TrailerValue,
            (Stage::TrailerFeed, b'\n') => Stage::TrailerStart,
            (Stage::LastFeed, b'\n') => Stage::Done,
            (Stage::SizeEnd(_) | Stage::TrailerFeed | Stage::LastFeed, _) => {
                return Err(FramingFault::BareCarriageReturn);
            }
            // These two are not framing.
            (stage @ (Stage::Data(_) | Stage::Done), _) => stage,
        })
    }
}
