//! A scripted endpoint's side of a connection: reads requests, records them, and answers by the script.
//!
//! Invariant: whatever is sent, a conversation ends.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::log::{Log, Progress};
use super::script::{Answer, Before, IdleEnd, Manner};
use crate::wire::codec::{FramingFault, ReadError, Reader, RequestHead, encode_response};
use crate::wire::endpoint::refusal;
use crate::wire::exchange::Response;
use crate::wire::messages;

/// A part of an endless body, and the pause after it.
const ENDLESS_PART: [u8; 4096] = [b' '; 4096];
const ENDLESS_PAUSE: Duration = Duration::from_millis(5);
/// How long to wait for the beginning of a body before a connection is reset in the middle of a request.
const RESET_PAUSE: Duration = Duration::from_millis(50);
/// How long a connection is idle before an endpoint that ends such connections does so.
const IDLE: Duration = Duration::from_millis(30);
/// How long a closed connection is still read, so that it does not end with a reset.
pub(super) const CLOSE_WAIT: Duration = Duration::from_secs(1);
/// How many bytes of a status line are sent before the cut, and how many bytes of a header.
const CUT_STATUS_LINE: usize = "HTTP/1.1 2".len();
const CUT_HEADERS: usize = "Content-L".len();

/// The other side of a connection, secured or not.
pub(super) trait Peer: AsyncRead + AsyncWrite + Unpin + Send {
    /// Makes the connection end with a reset.
    fn reset(&self);
}

impl Peer for TcpStream {
    fn reset(&self) {
        // If this fails, the connection is closed, which is the next best.
        let _ = self.set_zero_linger();
    }
}

/// Reads from a connection and updates the progress of the current request.
struct Tap<'a, S> {
    stream: &'a mut S,
    progress: &'a Progress,
}

impl<S: Peer> AsyncRead for Tap<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut *self.stream).poll_read(context, buffer))?;
        self.progress.note(&buffer.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

/// What happens to a connection after a request.
enum Then {
    /// Another request may come.
    Persist,
    Close,
    Reset,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// By the peer, before its first request.
    WithoutRequest,
    Closed,
    Reset,
}

pub(super) async fn converse<S: Peer>(stream: &mut S, log: &Log, patience: Duration) -> Ended {
    let mut reader = Reader::default();
    let mut ended = Ended::WithoutRequest;
    let mut before = None;
    loop {
        if matches!(log.before(), Before::Closes) {
            close(&mut reader, stream).await;
            return Ended::Closed;
        }
        if let Some(end) = idle(&mut reader, stream, log, ended).await {
            return end;
        }
        ended = Ended::Closed;
        // The script may have changed since.
        if matches!(log.before(), Before::Closes) {
            close(&mut reader, stream).await;
            return ended;
        }
        // A few bytes may be all that follows, so that nothing else shows that they are no request.
        if before.is_some() && !begins_request(reader.unused()) {
            log.followed_by(before, reader.unused());
        }
        let (number, progress) = log.begin(reader.unused());
        let request = request(&mut reader, stream, log, number, &progress);
        let (place, answer, persists) = match timeout(patience, request).await {
            Ok(Ok(Some(request))) => request,
            Ok(Ok(None)) => {
                log.abandon(number, None);
                stream.reset();
                return Ended::Reset;
            }
            Ok(Err(why)) => {
                let is_none = matches!(why, ReadError::Malformed { fault: FramingFault::NotHttp, .. });
                if before.is_some() && (is_none || !begins_request(reader.unused())) {
                    // More of it may be under way.
                    let _ = timeout(RESET_PAUSE, reader.ended(stream)).await;
                    log.followed_by(before, reader.unused());
                }
                log.abandon(number, Some(flaw(&why)));
                refuse(stream, messages::not_a_request()).await;
                return ended;
            }
            Err(_) => {
                let waited = format!("{:.1} s", patience.as_secs_f64());
                log.abandon(number, Some((None, messages::incomplete_after(waited))));
                refuse(stream, messages::not_a_request()).await;
                return ended;
            }
        };
        let answered = match answer {
            Some(answer) => self::answer(&mut reader, stream, log, place, &answer).await,
            None => Ok(Then::Persist),
        };
        match answered {
            Ok(Then::Persist) if persists => before = place,
            Ok(Then::Reset) => {
                stream.reset();
                return Ended::Reset;
            }
            // A sender may close the connection at any time.
            _ => {
                log.connection_ended();
                if !persists {
                    log.followed_by(place, reader.unused());
                }
                return ended;
            }
        }
    }
}

/// Waits for the first byte of a request. Returns how the connection ended if there is none: an idle one may be ended here.
async fn idle<S: Peer>(reader: &mut Reader, stream: &mut S, log: &Log, ended: Ended) -> Option<Ended> {
    let begins = match log.idle().filter(|_| ended != Ended::WithoutRequest) {
        Some(_) => timeout(IDLE, reader.begins(stream)).await.ok(),
        None => Some(reader.begins(stream).await),
    };
    match (begins, log.idle()) {
        (Some(Ok(true)), _) => None,
        (None, Some(IdleEnd::Reset)) => {
            stream.reset();
            log.connection_ended();
            Some(Ended::Reset)
        }
        (None, _) => {
            log.connection_ended();
            close(reader, stream).await;
            Some(ended)
        }
        (Some(_), _) => {
            if ended != Ended::WithoutRequest {
                log.connection_ended();
            }
            Some(ended)
        }
    }
}

/// Whether bytes are the beginning of a request, or could be.
fn begins_request(bytes: &[u8]) -> bool {
    let method = bytes.split(|&byte| byte == b' ').next().unwrap_or_default();
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    method.iter().all(is_token)
}

/// Reads and records a request. Returns its place, the answer that is still to be sent, and whether another request may follow;
/// `None` if the connection must be reset in the middle of the request.
async fn request<S: Peer>(
    reader: &mut Reader,
    stream: &mut S,
    log: &Log,
    number: u64,
    progress: &Progress,
) -> Result<Option<(Option<usize>, Option<Answer>, bool)>, ReadError> {
    let head = reader.request_head(&mut Tap { stream, progress }).await?;
    let RequestHead { mut delivery, facts } = head;
    let mut arriving = log.arriving();
    let mut at_head = None;
    // A probe is answered at its end, whatever happens to deliveries.
    let before = if delivery.is_stray() { Before::Nothing } else { log.before() };
    // Also before an end or an answer at the head: who waits for it would else send no body.
    if facts.expects && reader.unused().is_empty() {
        send(stream, &interim(100)).await.map_err(ReadError::Io)?;
    }
    match before {
        Before::Resets => {
            // The body that arrives with the head: it shows which event was sent.
            let _ = timeout(RESET_PAUSE, reader.begins(&mut Tap { stream, progress })).await;
            arriving.part(reader.unused());
            let answer = Some(Answer::with_manner(Manner::Resets));
            log.receive(number, delivery, arriving, answer, None);
            return Ok(None);
        }
        Before::Answers(answer) => {
            send(stream, &encode_response(&answer.response)).await.map_err(ReadError::Io)?;
            at_head = Some(answer);
        }
        Before::Nothing | Before::Closes => {}
    }
    let mut tap = Tap { stream, progress };
    reader.request_body(&mut tap, facts.framing, &mut |part| arriving.part(part)).await?;
    delivery.transfer = reader.transfer(facts.framing);
    let answered = at_head.is_some();
    // Before the request can be seen.
    let followed_by = Some(reader.unused()).filter(|bytes| !begins_request(bytes));
    let (place, answer) = log.receive(number, delivery, arriving, at_head, followed_by);
    Ok(Some((place, (!answered).then_some(answer), facts.persists)))
}

async fn answer<S: Peer>(
    reader: &mut Reader,
    stream: &mut S,
    log: &Log,
    place: Option<usize>,
    answer: &Answer,
) -> io::Result<Then> {
    let begun = Instant::now();
    let gives_up_within = async |reader: &mut Reader, stream: &mut S, pause: Duration| {
        timeout(pause, reader.ended(stream)).await.is_ok()
    };
    if !answer.delay.is_zero() && gives_up_within(reader, stream, answer.delay).await {
        log.given_up(place, begun.elapsed());
        return Ok(Then::Close);
    }
    for &status in &answer.interim {
        send(stream, &interim(status)).await?;
    }
    let bytes = encode_response(&answer.response);
    match answer.manner {
        Manner::Whole => {
            send(stream, &bytes).await?;
            let says_close = |value: &bytes::Bytes| value.eq_ignore_ascii_case(b"close");
            let closes = answer.response.headers.all("connection").any(says_close);
            return Ok(if closes { Then::Close } else { Then::Persist });
        }
        Manner::Dripped(over) => {
            let began = Instant::now();
            // A sender that has the head has its answer, and need not wait for the body.
            let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
            for (at, byte) in bytes.iter().enumerate() {
                send(stream, &[*byte]).await?;
                // Each byte has a planned time, so that delays of a busy machine do not add up.
                let next = began + over * u32::try_from(at + 1).unwrap_or(u32::MAX) / most(bytes.len());
                let pause = next.saturating_duration_since(Instant::now());
                if !pause.is_zero() && gives_up_within(reader, stream, pause).await {
                    if at + 1 < head {
                        log.given_up(place, begun.elapsed());
                    }
                    return Ok(Then::Close);
                }
            }
            return Ok(Then::Persist);
        }
        Manner::Endless => {
            // Without a length and without chunks a body ends with the connection (RFC 9112, section 6.3).
            let head = format!("HTTP/1.1 {} OK\r\nContent-Type: text/plain\r\n\r\n", answer.response.status);
            send(stream, head.as_bytes()).await?;
            while send(stream, &ENDLESS_PART).await.is_ok()
                && !gives_up_within(reader, stream, ENDLESS_PAUSE).await
            {}
            log.given_up(place, begun.elapsed());
        }
        Manner::CutInStatusLine => send(stream, &bytes[..CUT_STATUS_LINE.min(bytes.len())]).await?,
        Manner::CutInHeaders => {
            let line = bytes.iter().position(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            send(stream, &bytes[..(line + CUT_HEADERS).min(bytes.len())]).await?;
        }
        Manner::Closes => {}
        Manner::Resets => return Ok(Then::Reset),
        Manner::Hangs => {
            reader.ended(stream).await;
            log.given_up(place, begun.elapsed());
        }
    }
    Ok(Then::Close)
}

/// Sends bytes, and flushes them through TLS.
async fn send<S: Peer>(stream: &mut S, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

fn most(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX).max(1)
}

fn interim(status: u16) -> Vec<u8> {
    encode_response(&Response { status, ..Response::default() })
}

/// Closes a connection so that the peer sees its end and not a reset: bytes that are still sent are read first.
async fn close<S: Peer>(reader: &mut Reader, stream: &mut S) {
    // If the peer is gone, there is nothing to close.
    let _ = stream.shutdown().await;
    let _ = timeout(CLOSE_WAIT, reader.ended(stream)).await;
}

/// Rejects bytes that are not a request.
pub(super) async fn refuse<S: Peer>(stream: &mut S, why: &'static str) {
    let refusal = refusal(400, why);
    // A peer that does not speak HTTP may not read the answer either.
    let _ = timeout(Duration::from_secs(1), send(stream, &encode_response(&refusal))).await;
}

/// What is wrong with a request that could not be read, as data and as text.
fn flaw(why: &ReadError) -> (Option<FramingFault>, String) {
    match why {
        ReadError::Closed { .. } => (None, messages::closed_within_request()),
        ReadError::Io(why) => (None, messages::failed_within_request(why)),
        ReadError::Malformed { fault, quoted } => {
            let words = match fault {
                FramingFault::ChunkSize | FramingFault::ChunkEnd => messages::invalid_http_at(fault, quoted),
                // The beginning of the request, which is quoted anyway, shows the fault.
                _ => messages::invalid_http(fault),
            };
            (Some(*fault), words)
        }
    }
}
