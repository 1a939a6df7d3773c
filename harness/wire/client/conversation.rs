//! One request and its answer on a connection.
//!
//! Invariant: reading begins before writing ends, because a peer may reject a body before it has read all of it. An answer
//! that arrived is the outcome, whatever happens to the rest.

use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::io::{AsyncWrite, AsyncWriteExt, split};
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::bodies::BodyLimits;
use super::connection::{Connection, ended};
use crate::wire::codec::{AnswerHead, FramingFault, ReadError, Step};
use crate::wire::exchange::Outcome;
use crate::wire::messages;

/// The pause between two segments of a body, so that they do not arrive as one.
const SEGMENT_PAUSE: Duration = Duration::from_millis(5);
/// How long to wait for `100 Continue`: some servers never send it.
const CONTINUE_WAIT: Duration = Duration::from_secs(1);

pub(crate) struct Conversation {
    pub(crate) outcome: Outcome,
    /// From the first byte sent to the head of the answer, if one arrived.
    pub(crate) took: Option<Duration>,
    /// Whether no byte arrived.
    pub(crate) silent: bool,
    /// Whether the connection can carry another exchange.
    pub(crate) reusable: bool,
    /// The minor version of HTTP/1 in the answer.
    pub(crate) minor: Option<u8>,
    /// Whether `100 Continue` arrived.
    pub(crate) continued: bool,
}

/// How the body of an answer is read.
pub(crate) struct Reading<'a> {
    /// The longest wait.
    pub(crate) wait: Duration,
    /// How many bytes are kept.
    pub(crate) kept: usize,
    pub(super) bodies: &'a BodyLimits,
}

/// How far a request was written.
enum Written {
    Whole,
    /// As far as intended, without waiting for an answer. The connection is then closed, or reset.
    Aborted {
        reset: bool,
    },
}

/// How an exchange ended.
enum Ended {
    /// With a head, and whether the request was written completely.
    Head(AnswerHead, bool),
    /// Without an answer, as intended. The connection is then closed, or reset.
    Abandoned { reset: bool },
}

/// Sends a request and reads its answer: the head until the deadline, then the body.
pub(crate) async fn converse(
    connection: &mut Connection,
    steps: &[Step],
    deadline: Instant,
    reading: &Reading<'_>,
) -> Conversation {
    let Connection { stream, reader, .. } = connection;
    let (began, received_before) = (Instant::now(), reader.received());
    let (mut incoming, mut outgoing) = split(&mut *stream);
    let (continued, was_continued) = (Notify::new(), AtomicBool::new(false));
    let exchange = async {
        let answer = reader.answer_head(&mut incoming, |status| {
            if status == 100 {
                was_continued.store(true, Ordering::Relaxed);
                continued.notify_one();
            }
        });
        tokio::pin!(answer);
        let written = tokio::select! {
            biased;
            head = &mut answer => return Ok(Ended::Head(head?, false)),
            written = write(&mut outgoing, steps, &continued) => written,
        };
        match written {
            Ok(Written::Whole) => Ok(Ended::Head(answer.await?, true)),
            Ok(Written::Aborted { reset }) => after_abort(answer, reset).await,
            // The peer stopped reading; an answer that it sent before still counts.
            Err(why) => match answer.await {
                Err(ReadError::Closed { empty: true }) => Err(ReadError::Io(why)),
                other => Ok(Ended::Head(other?, false)),
            },
        }
    };
    let ended = timeout_at(deadline, exchange).await;
    let took = began.elapsed();
    let lost = |outcome, received: u64| Conversation {
        outcome,
        took: None,
        silent: received == received_before,
        reusable: false,
        minor: None,
        continued: was_continued.load(Ordering::Relaxed),
    };
    let (head, written) = match ended {
        Err(_) => return lost(Outcome::TimedOut, reader.received()),
        Ok(Err(why)) => return lost(unanswered(why), reader.received()),
        Ok(Ok(Ended::Abandoned { reset: true })) => {
            drop((incoming, outgoing));
            // The reset is sent when the connection is dropped. If the peer closed first, nothing is left to reset.
            let _ = stream.tcp().set_zero_linger();
            return lost(Outcome::Abandoned, reader.received());
        }
        Ok(Ok(Ended::Abandoned { reset: false })) => {
            // If the peer closed first, the connection is closed as intended.
            let _ = timeout_at(deadline, outgoing.shutdown()).await;
            return lost(Outcome::Abandoned, reader.received());
        }
        Ok(Ok(Ended::Head(head, written))) => (head, written),
    };
    let AnswerHead { mut response, framing, persists, minor } = head;
    // The status is the answer, whatever happens to the body after it.
    let body = reader.answer_body(&mut incoming, framing, reading.kept, reading.bodies.length(reading.kept));
    let body = timeout(reading.bodies.wait(reading.wait), body).await;
    let whole = matches!(body, Ok(Ok((_, _, true))));
    reading.bodies.note(&body);
    if let Ok(Ok((body, cut, _))) = body {
        (response.body, response.cut) = (body, cut);
    }
    Conversation {
        outcome: Outcome::Answered(response),
        took: Some(took),
        silent: false,
        reusable: written && whole && persists && reader.is_empty(),
        minor: Some(minor),
        continued: was_continued.load(Ordering::Relaxed),
    }
}

/// How an exchange ended whose request was cut off: an answer that has arrived counts.
async fn after_abort(
    answer: impl Future<Output = Result<AnswerHead, ReadError>>,
    reset: bool,
) -> Result<Ended, ReadError> {
    // The runtime may not have looked yet for what arrived.
    yield_now().await;
    Ok(match answer.now_or_never() {
        Some(head) => Ended::Head(head?, false),
        None => Ended::Abandoned { reset },
    })
}

fn unanswered(why: ReadError) -> Outcome {
    match why {
        ReadError::Closed { .. } => Outcome::ClosedEarly,
        ReadError::Io(why) => ended(&why),
        ReadError::Malformed { fault, quoted } => {
            Outcome::Malformed(messages::no_http_response(&match fault {
                FramingFault::NotHttp => messages::begins_with(&quoted),
                FramingFault::HeadTooLong => fault.to_string(),
                _ => format!("{fault}: {quoted}"),
            }))
        }
    }
}

async fn write<W: AsyncWrite + Unpin>(
    outgoing: &mut W,
    steps: &[Step],
    continued: &Notify,
) -> io::Result<Written> {
    for step in steps {
        match step {
            Step::Write(parts) => write_together(outgoing, parts).await?,
            Step::Pause => sleep(SEGMENT_PAUSE).await,
            Step::AwaitContinue => {
                // A peer that sends nothing may still want the body.
                let _ = timeout(CONTINUE_WAIT, continued.notified()).await;
            }
            Step::Close => return Ok(Written::Aborted { reset: false }),
            Step::Reset => return Ok(Written::Aborted { reset: true }),
        }
    }
    Ok(Written::Whole)
}

/// Writes several parts without joining them in memory, in as few segments as possible.
async fn write_together<W: AsyncWrite + Unpin>(outgoing: &mut W, parts: &[Bytes]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut rest = &mut slices[..];
    while !rest.is_empty() {
        match outgoing.write_vectored(rest).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => IoSlice::advance_slices(&mut rest, written),
        }
    }
    outgoing.flush().await
}
