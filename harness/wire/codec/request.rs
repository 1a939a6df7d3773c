//! Splits a request into the steps of sending it: which bytes go out together, and what to wait for in between.
//!
//! Invariant: the bytes of all steps, in order, are the request. A body is sliced, not copied, except for short chunks.

use bytes::{BufMut, Bytes, BytesMut};

use super::push_headers;
use crate::wire::exchange::{Abort, Delivery, Transfer};

/// The longest chunk that is copied next to its size. Longer chunks are sent as slices, to avoid a second copy of a large
/// body.
const COPIED: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Bytes that go out together, in as few segments as possible.
    Write(Vec<Bytes>),
    /// A pause in which the peer can read what was written, before more arrives.
    Pause,
    /// Wait for `100 Continue`, for a bounded time.
    AwaitContinue,
    /// Close the connection without waiting for the answer.
    Close,
    /// Reset the connection without waiting for the answer.
    Reset,
}

/// The steps of sending a delivery, with `Host` added after the request line and the framing after the headers.
pub fn encode_request(delivery: &Delivery, authority: &str) -> Vec<Step> {
    let body = &delivery.body;
    let mut head = BytesMut::with_capacity(512);
    for part in [&delivery.method, " ", &delivery.target, " HTTP/1.1\r\nHost: ", authority, "\r\n"] {
        head.put_slice(part.as_bytes());
    }
    push_headers(&mut head, &delivery.headers);
    let framing = match delivery.transfer {
        Transfer::Chunks(_) | Transfer::Aborted(Abort::InChunk) => {
            "Transfer-Encoding: chunked\r\n\r\n".to_owned()
        }
        Transfer::Expecting => format!("Content-Length: {}\r\nExpect: 100-continue\r\n\r\n", body.len()),
        Transfer::Whole | Transfer::Segments(_) | Transfer::Broken(_) | Transfer::Aborted(_) => {
            format!("Content-Length: {}\r\n\r\n", body.len())
        }
    };
    head.put_slice(framing.as_bytes());
    match &delivery.transfer {
        Transfer::Whole => vec![write([head.freeze(), body.clone()])],
        Transfer::Segments(starts) => {
            let mut steps = vec![write([head.freeze()])];
            let mut from = 0;
            for &to in starts.iter().chain([&body.len()]) {
                let to = to.clamp(from, body.len());
                steps.extend([Step::Pause, write([body.slice(from..to)])]);
                from = to;
            }
            steps
        }
        Transfer::Chunks(lengths) => vec![chunked(head, body, lengths)],
        Transfer::Expecting => {
            vec![write([head.freeze()]), Step::AwaitContinue, write([body.clone()])]
        }
        Transfer::Broken(sent) => {
            vec![write([head.freeze(), body.slice(..body.len().min(*sent))]), Step::Close]
        }
        Transfer::Aborted(abort) => cut_off(head, body, *abort),
    }
}

fn write<const N: usize>(parts: [Bytes; N]) -> Step {
    Step::Write(parts.into_iter().filter(|part| !part.is_empty()).collect())
}

/// The beginning of the request. The peer can read it before the connection ends.
fn cut_off(mut head: BytesMut, body: &Bytes, abort: Abort) -> Vec<Step> {
    match abort {
        Abort::InHead => {
            head.truncate(head.len() / 2);
            vec![write([head.freeze()]), Step::Pause, Step::Close]
        }
        Abort::InChunk => {
            head.put_slice(format!("{:x}\r\n", body.len()).as_bytes());
            vec![write([head.freeze(), body.slice(..body.len() / 2)]), Step::Pause, Step::Close]
        }
        Abort::Reset(sent) => {
            vec![write([head.freeze(), body.slice(..body.len().min(sent))]), Step::Pause, Step::Reset]
        }
    }
}

/// The head, then the body in chunks. What remains after the given lengths is the last chunk. Empty chunks are left out,
/// because an empty chunk ends the body.
fn chunked(mut head: BytesMut, body: &Bytes, lengths: &[usize]) -> Step {
    let mut parts = Vec::new();
    let mut from = 0_usize;
    for &length in lengths.iter().chain([&body.len()]) {
        let chunk = body.slice(from..from.saturating_add(length).min(body.len()));
        from += chunk.len();
        if chunk.is_empty() {
            continue;
        }
        head.put_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        if chunk.len() <= COPIED {
            head.put_slice(&chunk);
        } else {
            parts.extend([head.split().freeze(), chunk]);
        }
        head.put_slice(b"\r\n");
    }
    head.put_slice(b"0\r\n\r\n");
    parts.push(head.freeze());
    Step::Write(parts)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Step, encode_request};
    use crate::wire::exchange::{Abort, Delivery, Headers, Transfer};

    fn steps(body: &'static [u8], transfer: Transfer) -> Vec<Step> {
        let headers = Headers(vec![("x-A".to_owned(), Bytes::from_static(b"\xe9"))]);
        let (method, target) = ("POST".to_owned(), "/p?q".to_owned());
        encode_request(&Delivery { method, target, headers, body: Bytes::from_static(body), transfer }, "h:1")
    }

    /// The bytes of the steps as text, with `|` for a pause, `?` for the wait, `!` for the close and `#` for the reset.
    fn shown(steps: &[Step]) -> String {
        let step = |step: &Step| match step {
            Step::Write(parts) => {
                parts.concat().iter().map(|&byte| char::from(byte)).collect::<String>().replace("\r\n", "/")
            }
            Step::Pause => "|".to_owned(),
            Step::AwaitContinue => "?".to_owned(),
            Step::Close => "!".to_owned(),
            Step::Reset => "#".to_owned(),
        };
        steps.iter().map(step).collect()
    }

    #[test]
    fn each_transfer_has_its_own_steps() {
        let head = "POST /p?q HTTP/1.1/Host: h:1/x-A: é/";
        for (transfer, rest) in [
            (Transfer::Whole, "Content-Length: 5//abcde"),
            (Transfer::Segments(vec![0, 2, 9]), "Content-Length: 5//||ab|cde|"),
            (Transfer::Chunks(vec![2, 0, 1]), "Transfer-Encoding: chunked//2/ab/1/c/2/de/0//"),
            (Transfer::Chunks(vec![]), "Transfer-Encoding: chunked//5/abcde/0//"),
            (Transfer::Chunks(vec![usize::MAX, 1]), "Transfer-Encoding: chunked//5/abcde/0//"),
            (Transfer::Expecting, "Content-Length: 5/Expect: 100-continue//?abcde"),
            (Transfer::Broken(2), "Content-Length: 5//ab!"),
            (Transfer::Broken(9), "Content-Length: 5//abcde!"),
            (Transfer::Aborted(Abort::InChunk), "Transfer-Encoding: chunked//5/ab|!"),
            (Transfer::Aborted(Abort::Reset(0)), "Content-Length: 5//|#"),
            (Transfer::Aborted(Abort::Reset(2)), "Content-Length: 5//ab|#"),
        ] {
            assert_eq!(shown(&steps(b"abcde", transfer.clone())), format!("{head}{rest}"), "{transfer:?}");
        }
        assert!(shown(&steps(b"", Transfer::Chunks(vec![3]))).ends_with("chunked//0//"));
        let cut = shown(&steps(b"abcde", Transfer::Aborted(Abort::InHead)));
        assert!(cut.starts_with("POST /p?q HTTP/1.1/Host") && cut.ends_with("|!"), "{cut}");
        assert!(!cut.contains("//"), "{cut}");
    }

    #[test]
    fn does_not_copy_large_bodies() {
        static BODY: [u8; 100_000] = [b'x'; 100_000];
        let within = |part: &Bytes| BODY.as_ptr_range().contains(&part.as_ptr());
        for transfer in [
            Transfer::Whole,
            Transfer::Segments(vec![1]),
            Transfer::Chunks(vec![50_000]),
            Transfer::Expecting,
            Transfer::Broken(99_999),
        ] {
            let steps = steps(&BODY, transfer);
            let parts =
                steps.iter().flat_map(|step| if let Step::Write(parts) = step { &parts[..] } else { &[] });
            let shared: usize = parts.filter(|part| within(part)).map(Bytes::len).sum();
            assert!(shared >= 99_999, "{shared}");
        }
    }
}
