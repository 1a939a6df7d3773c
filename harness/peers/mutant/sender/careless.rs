//! A handwritten transport, with faults that an HTTP library does not have. Mutants send with it.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use url::Url;

use crate::peers::sender::Transport;
use crate::wire::client::Target;
use crate::wire::client::address::connect;
use crate::wire::codec::{AnswerFacts, Framing, Side, Step, encode_request, head_end, parse_answer, slots};
use crate::wire::exchange::{Delivery, Headers, Outcome, Response};

/// The longest answer that is kept.
const LONGEST: usize = 16 * 1024 * 1024;

/// A client that reads something other than the head of the final answer as the answer.
#[derive(Debug, Clone, Copy)]
pub struct Careless {
    pub wait: Duration,
    pub reads: AnswerRead,
    /// Whether it declares the body's length in characters.
    pub in_characters: bool,
}

/// What a careless client reads as the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerRead {
    FirstLine,
    /// The first head, even an interim one.
    FirstHead,
    /// The head of the final answer.
    FinalHead,
    /// The final answer, after the end of its body.
    WholeBody,
}

impl Careless {
    async fn post(self, url: String, mut delivery: Delivery) -> Outcome {
        let target = match Target::parse(&url) {
            Ok(target) => target,
            Err(why) => return Outcome::Malformed(why),
        };
        delivery.target.clone_from(&target.path);
        match timeout(self.wait, self.attempt(&target, &delivery)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(why)) => match why.kind() {
                io::ErrorKind::ConnectionRefused => Outcome::Refused,
                io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Outcome::Reset,
                _ => Outcome::ClosedEarly,
            },
            Err(_) => Outcome::TimedOut,
        }
    }

    async fn attempt(self, target: &Target, delivery: &Delivery) -> io::Result<Outcome> {
        let mut stream = connect(&target.host, target.port).await?;
        for step in encode_request(delivery, &target.authority()) {
            // Deliveries that are sent whole have no other steps.
            if let Step::Write(parts) = step {
                let mut bytes = parts.concat();
                if self.in_characters {
                    count_characters(&mut bytes, &delivery.body);
                }
                stream.write_all(&bytes).await?;
            }
        }
        let mut received = Vec::new();
        loop {
            let count = stream.read_buf(&mut received).await?;
            if let Some(outcome) = self.answer(&received, count == 0) {
                return Ok(outcome);
            }
            if count == 0 || received.len() > LONGEST {
                return Ok(Outcome::ClosedEarly);
            }
        }
    }

    /// What the client reads as the answer, once it is there.
    fn answer(self, received: &[u8], ended: bool) -> Option<Outcome> {
        let answered = |status, body: &[u8]| {
            let (headers, body) = (Headers::default(), Bytes::copy_from_slice(body));
            Some(Outcome::Answered(Response { status, headers, body, cut: 0 }))
        };
        if self.reads == AnswerRead::FirstLine {
            let line = &received[..received.windows(2).position(|two| two == b"\r\n")?];
            return answered(std::str::from_utf8(line.get(9..12)?).ok()?.parse().ok()?, b"");
        }
        let mut rest = received;
        loop {
            let end = head_end(rest, 0, Side::Answer).ok()??;
            let facts = AnswerFacts::of(&parse_answer(&rest[..end], &mut slots()).ok()?).ok()?;
            let body = &rest[end..];
            if self.reads == AnswerRead::FirstHead {
                return answered(facts.status, b"");
            }
            if facts.status >= 200 && self.reads == AnswerRead::FinalHead {
                return answered(facts.status, b"");
            }
            if facts.status >= 200 {
                let whole = match facts.framing {
                    Framing::Length(length) => body.len() as u64 >= length,
                    // It waits for the end of the connection, even after the last chunk.
                    Framing::Chunked | Framing::UntilClose => ended,
                };
                return whole.then(|| answered(facts.status, body))?;
            }
            rest = body;
        }
    }
}

/// Declares the number of a body's characters as its length.
fn count_characters(request: &mut Vec<u8>, body: &[u8]) {
    let length = |length: usize| format!("Content-Length: {length}\r\n").into_bytes();
    let (own, other) = (length(body.len()), length(String::from_utf8_lossy(body).chars().count()));
    if let Some(at) = request.windows(own.len()).position(|window| window == own) {
        request.splice(at..at + own.len(), other);
    }
}

impl Transport for Careless {
    fn send(&self, url: Url, delivery: Delivery) -> BoxFuture<'_, Outcome> {
        self.post(url.into(), delivery).boxed()
    }
}
