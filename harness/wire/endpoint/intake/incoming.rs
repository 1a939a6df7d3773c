//! Finds the end of a request in a buffer: its head, and a body with a length or in chunks.
//!
//! Invariant: chunks are joined in place, and no byte is read twice.

use super::Broken;
use crate::wire::codec::{Chunks, Framing, LONGEST_CHUNK_LIST, RequestFacts, Side};

#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) head: usize,
    pub(super) persists: bool,
    /// Whether its sender waits for `100 Continue`.
    pub(super) expects: bool,
    rest: Rest,
}

#[derive(Debug)]
enum Rest {
    Length(usize),
    Chunks(Joined),
}

/// A chunked body that is being joined.
#[derive(Debug)]
struct Joined {
    chunks: Chunks,
    /// The end of the joined part.
    joined: usize,
    /// Where the unread bytes begin.
    next: usize,
}

/// Where a complete request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    pub(super) body: usize,
    /// Where the next request begins.
    pub(super) whole: usize,
}

impl Incoming {
    pub(super) fn new(facts: RequestFacts, head: usize) -> Self {
        let rest = match facts.framing {
            Framing::Chunked => {
                Rest::Chunks(Joined { chunks: Chunks::new(Side::Request), joined: head, next: head })
            }
            Framing::Length(length) => Rest::Length(usize::try_from(length).unwrap_or(usize::MAX)),
            Framing::UntilClose => Rest::Length(usize::MAX),
        };
        Self { head, persists: facts.persists, expects: facts.expects, rest }
    }

    /// The length of the whole request, if known.
    pub(super) fn length(&self) -> Option<usize> {
        match self.rest {
            Rest::Length(length) => Some(self.head.saturating_add(length)),
            Rest::Chunks(_) => None,
        }
    }

    /// Where it ends, once all of it arrived. Its chunk lengths go to `sizes`.
    ///
    /// Errors: its chunks are invalid, or its body is longer than `most`.
    pub(super) fn end(
        &mut self,
        arrived: &mut [u8],
        most: usize,
        sizes: &mut Vec<usize>,
    ) -> Result<Option<End>, Broken> {
        match &mut self.rest {
            Rest::Length(length) if *length > most => Err(Broken::TooLarge),
            Rest::Length(length) => {
                let whole = self.head + *length;
                Ok((arrived.len() >= whole).then_some(End { body: whole, whole }))
            }
            Rest::Chunks(joined) => joined.join(arrived, most - (joined.joined - self.head), sizes),
        }
    }

    /// Removes the framing between the joined part of a chunked body and the unread bytes.
    pub(super) fn remove_framing(&mut self, arrived: &mut Vec<u8>) {
        if let Rest::Chunks(joined) = &mut self.rest
            && joined.next > joined.joined
        {
            arrived.copy_within(joined.next.., joined.joined);
            arrived.truncate(arrived.len() - (joined.next - joined.joined));
            joined.next = joined.joined;
        }
    }
}

impl Joined {
    /// Joins the chunks that arrived; `room` is how many more bytes the body may have.
    fn join(
        &mut self,
        arrived: &mut [u8],
        mut room: usize,
        sizes: &mut Vec<usize>,
    ) -> Result<Option<End>, Broken> {
        loop {
            let part = self.chunks.next(&arrived[self.next..])?;
            if let Some(size) = part.opens {
                let size = usize::try_from(size).unwrap_or(usize::MAX);
                if size > room {
                    return Err(Broken::TooLarge);
                }
                if sizes.len() < LONGEST_CHUNK_LIST {
                    sizes.push(size);
                }
            }
            let data = self.next + part.skip..self.next + part.skip + part.data;
            room = room.saturating_sub(part.data);
            self.next = data.end;
            arrived.copy_within(data, self.joined);
            self.joined += part.data;
            if part.ends {
                return Ok(Some(End { body: self.joined, whole: self.next }));
            }
            if self.next == arrived.len() {
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Broken;
    use super::{End, Incoming};
    use crate::wire::codec::{
        FramingFault, LONGEST_HEAD, RequestFacts, Side, head_end, parse_request, slots,
    };

    /// Parses the request in pieces of this length. Returns its body and how many bytes were used.
    fn read(request: &str, piece: usize, most: usize) -> Result<(Vec<u8>, usize), Broken> {
        let (mut arrived, mut sizes) = (Vec::new(), Vec::new());
        let (mut incoming, mut searched) = (None::<Incoming>, 0);
        for part in request.as_bytes().chunks(piece) {
            arrived.extend_from_slice(part);
            if incoming.is_none() {
                let head = head_end(&arrived, searched, Side::Request)?;
                searched = arrived.len();
                if let Some(head) = head {
                    let facts = RequestFacts::of(&parse_request(&arrived[..head], &mut slots())?)?;
                    incoming = Some(Incoming::new(facts, head));
                }
            }
            if let Some(one) = &mut incoming
                && let Some(End { body, whole }) = one.end(&mut arrived, most, &mut sizes)?
            {
                return Ok((arrived[one.head..body].to_vec(), whole));
            }
        }
        Err(Broken::CutOff)
    }

    #[test]
    fn finds_the_end_of_a_body_in_pieces_of_any_length() {
        let length = "POST / HTTP/1.1\r\nHost: a\r\ncontent-LENGTH: 5\r\n\r\nhello";
        let chunks = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n02\r\nlo\r\n0\r\nA: b\r\n\r\n";
        for request in [length, chunks] {
            for piece in 1..=request.len() {
                let read = read(&format!("{request}{length}"), piece, 5);
                assert_eq!(read, Ok((b"hello".to_vec(), request.len())), "{request} in pieces of {piece}");
            }
            assert_eq!(read(request, 7, 4), Err(Broken::TooLarge), "{request}");
            assert_eq!(read(&request[..request.len() - 1], 7, 5), Err(Broken::CutOff), "{request}");
        }
        let long = format!("POST / HTTP/1.1\r\nA: {}\r\n", "a".repeat(LONGEST_HEAD));
        assert_eq!(read(&long, 1000, 99), Err(Broken::Malformed(FramingFault::HeadTooLong)));
    }
}
