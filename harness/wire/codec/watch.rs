//! Checks requests on their way to another HTTP parser.
//!
//! Invariant: bounded. An incomplete head is kept, a body is not.

use super::FramingFault;
use super::chunks::Chunks;
use super::head::{Framing, RequestFacts, Side, head_end, parse_request, slots};

/// The position in the requests of one connection.
#[derive(Debug, Default)]
pub struct Watch {
    /// The first part of an incomplete head.
    head: Vec<u8>,
    rest: Rest,
}

#[derive(Debug, Default)]
enum Rest {
    #[default]
    Head,
    Bytes(u64),
    Chunks(Chunks),
}

impl Watch {
    /// Checks the next bytes.
    pub(crate) fn check(&mut self, mut piece: &[u8]) -> Result<(), FramingFault> {
        while !piece.is_empty() {
            match &mut self.rest {
                Rest::Head => {
                    let before = self.head.len();
                    if before > 0 {
                        self.head.extend_from_slice(piece);
                    }
                    let arrived = if before > 0 { &self.head[..] } else { piece };
                    let Some(end) = head_end(arrived, before, Side::Request)? else {
                        if before == 0 {
                            self.head.extend_from_slice(piece);
                        }
                        return Ok(());
                    };
                    let mut slots = slots();
                    self.rest = match RequestFacts::of(&parse_request(&arrived[..end], &mut slots)?)?.framing
                    {
                        Framing::Chunked => Rest::Chunks(Chunks::new(Side::Request)),
                        Framing::Length(length) => Rest::Bytes(length),
                        Framing::UntilClose => Rest::Bytes(u64::MAX),
                    };
                    piece = &piece[end - before..];
                    self.head.clear();
                }
                Rest::Bytes(left) => {
                    let passed = usize::try_from(*left).unwrap_or(usize::MAX).min(piece.len());
                    *left -= passed as u64;
                    piece = &piece[passed..];
                }
                Rest::Chunks(chunks) => {
                    let part = chunks.next(piece)?;
                    piece = &piece[part.skip + part.data..];
                    if part.ends {
                        self.rest = Rest::Head;
                    }
                }
            }
            if matches!(self.rest, Rest::Bytes(0)) {
                self.rest = Rest::Head;
            }
        }
        Ok(())
    }
}
