//! The endpoints of the sender's scenarios, on plain sockets: they keep every request as it came, answer by a script, and
//! do what no well-made server does: refuse, reset, break off, drip, hang.
//!
//! Invariant: whatever is sent, an endpoint stays up and bounded in memory, and what was no request is told apart from what
//! was one.

mod log;
mod script;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{Server, listen};
use crate::clock::Clock;
use crate::exchange::{Delivery, Response};
use crate::wire::{ReadError, Reader, RequestHead, encode_response};
use log::{Log, Progress};

pub use log::{Broken, Budget, MOST_REQUESTS, Received, Seen};
pub use script::{Answer, Before, Manner, Script};

/// How many connections an endpoint has at the same time; each may hold a head and a read buffer.
const MOST_CONNECTIONS: usize = 256;
/// How much of a body without end is sent at once, and the pause behind it.
const ENDLESS_PART: [u8; 4096] = [b' '; 4096];
const ENDLESS_PAUSE: Duration = Duration::from_millis(5);
/// How long the first of the body is waited for before a connection is reset in the middle of a request.
const RESET_PAUSE: Duration = Duration::from_millis(50);
/// How long a connection that is closed at once is read on, so that it does not end with a reset.
const CLOSE_WAIT: Duration = Duration::from_secs(1);
/// How many bytes of a status line come before it is cut off, and how many behind it before a header is.
const CUT_STATUS_LINE: usize = "HTTP/1.1 2".len();
const CUT_HEADERS: usize = "Content-L".len();

/// An endpoint of ours.
#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
    log: Arc<Log>,
    _standing: Standing,
}

/// What holds an endpoint's address.
#[derive(Debug)]
enum Standing {
    Listening {
        _server: Server,
    },
    /// Bound, so that nobody else gets the port, and not listening, so that connections are refused.
    Refusing {
        _socket: TcpSocket,
    },
}

/// What endpoints have in common.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The time of day.
    pub clock: Clock,
    /// What all of them may keep.
    pub budget: Budget,
    /// Within which a request that was begun must be whole.
    pub patience: Duration,
}

impl Endpoint {
    /// Starts an endpoint that answers 200 to everything until it is given a script.
    ///
    /// Errors: no port can be listened on.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let log = Arc::new(Log::new(settings.clock, settings.budget));
        let (patience, shared) = (settings.patience, log.clone());
        let connect = move |stream| connection(stream, shared.clone(), patience);
        let server = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), MOST_CONNECTIONS, connect).await?;
        Ok(Self { address: server.address(), log, _standing: Standing::Listening { _server: server } })
    }

    /// An address at which every connection is refused, for as long as this value lives.
    ///
    /// Errors: no port can be had.
    pub fn refusing(settings: Settings) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let log = Arc::new(Log::new(settings.clock, settings.budget));
        Ok(Self { address: socket.local_addr()?, log, _standing: Standing::Refusing { _socket: socket } })
    }

    /// Its URL with path and query.
    pub fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    /// Its URL under another host name than in [`Endpoint::url`], where this machine has one.
    pub async fn url_by_name(&self, target: &str) -> String {
        let name = ("localhost", self.address.port());
        let found = lookup_host(name).await.is_ok_and(|mut found| found.any(|one| one == self.address));
        if found { format!("http://localhost:{}{target}", name.1) } else { self.url(target) }
    }

    /// Sets what it answers from now on.
    pub fn follow(&self, script: Script) {
        self.log.follow(script);
    }

    /// From now on it answers 200 to everything and keeps nothing: for senders that cannot delete a webhook.
    pub fn retire(&self) {
        self.log.retire();
    }

    /// Everything that reached it so far. A request that is still on its way counts as broken once it has been so for
    /// that long.
    pub fn seen(&self, unfinished_after: Duration) -> Seen {
        self.log.seen(unfinished_after)
    }

    /// The requests that arrived so far and were kept.
    pub fn received(&self) -> Vec<Received> {
        self.log.seen(Duration::MAX).received
    }

    /// Looks at the requests that arrived so far and were kept.
    pub fn look<T>(&self, look: impl FnOnce(&[Received]) -> T) -> T {
        self.log.look(look)
    }

    /// How many requests arrived so far, whether they were kept or not.
    pub fn count(&self) -> u64 {
        self.log.count()
    }

    /// Waits until `enough` holds of what was kept, or `wait` is over. Returns whether it held.
    pub async fn wait(&self, wait: Duration, mut enough: impl FnMut(&[Received]) -> bool) -> bool {
        let deadline = Instant::now() + wait;
        loop {
            // Asked for before looking, so that nothing that arrives in between is missed.
            let changed = self.log.changed();
            if self.log.look(&mut enough) {
                return true;
            }
            if timeout_at(deadline, changed).await.is_err() {
                return self.log.look(&mut enough);
            }
        }
    }
}

/// Reads of a connection, and what they tell about the request under way.
struct Tap<'a> {
    stream: &'a mut TcpStream,
    progress: &'a Progress,
}

impl AsyncRead for Tap<'_> {
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

/// How it goes on with a connection behind a request.
enum Then {
    /// Another request may come.
    Persist,
    /// It is closed.
    Close,
    /// It is reset.
    Reset,
}

async fn connection(mut stream: TcpStream, log: Arc<Log>, patience: Duration) {
    let mut reader = Reader::default();
    loop {
        if matches!(log.before(), Before::Closes) {
            return close(&mut reader, &mut stream).await;
        }
        let begun = matches!(reader.begins(&mut stream).await, Ok(true));
        if !begun {
            return;
        }
        // The script may have changed since.
        if matches!(log.before(), Before::Closes) {
            return close(&mut reader, &mut stream).await;
        }
        let (number, progress) = log.begin(reader.unused());
        let request = request(&mut reader, &mut stream, &log, number, &progress);
        let (place, answer, persists) = match timeout(patience, request).await {
            Ok(Ok(Some(request))) => request,
            Ok(Ok(None)) => {
                log.abandon(number, None);
                return reset(&stream);
            }
            Ok(Err(why)) => {
                log.abandon(number, Some(&words(&why)));
                return refuse(&mut stream).await;
            }
            Err(_) => {
                let waited = patience.as_secs_f64();
                log.abandon(number, Some(&format!("it was not whole {waited:.1} s after its first byte")));
                return refuse(&mut stream).await;
            }
        };
        let answered = match answer {
            Some(answer) => self::answer(&mut reader, &mut stream, &log, place, &answer).await,
            None => Ok(Then::Persist),
        };
        match answered {
            Ok(Then::Persist) if persists => {}
            Ok(Then::Reset) => return reset(&stream),
            // A sender that breaks off has its own reasons.
            _ => return,
        }
    }
}

/// Reads a request and takes it in. Returns its place, what is still to be answered, and whether another may follow on the
/// connection; `None` where the connection is to be reset in its middle.
async fn request(
    reader: &mut Reader,
    stream: &mut TcpStream,
    log: &Log,
    number: u64,
    progress: &Progress,
) -> Result<Option<(Option<usize>, Option<Answer>, bool)>, ReadError> {
    let head = reader.request_head(&mut Tap { stream, progress }).await?;
    let RequestHead { mut delivery, framing, persists } = head;
    let mut intake = log.intake();
    let mut at_head = None;
    match log.before() {
        Before::Resets => {
            // As much of the body as comes along with the head: it tells which event was sent.
            let _ = timeout(RESET_PAUSE, reader.begins(&mut Tap { stream, progress })).await;
            intake.part(reader.unused());
            log.receive(number, delivery, intake, Some(Answer::with_manner(Manner::Resets)));
            return Ok(None);
        }
        Before::Answers(answer) => {
            stream.write_all(&encode_response(&answer.response)).await.map_err(ReadError::Io)?;
            at_head = Some(answer);
        }
        Before::Nothing | Before::Closes => {
            if waits_to_go_on(&delivery) && reader.unused().is_empty() {
                stream.write_all(&interim(100)).await.map_err(ReadError::Io)?;
            }
        }
    }
    let mut tap = Tap { stream, progress };
    reader.body_in_parts(&mut tap, framing, u64::MAX, &mut |part| intake.part(part)).await?;
    delivery.transfer = reader.transfer(framing);
    let answered = at_head.is_some();
    let (place, answer) = log.receive(number, delivery, intake, at_head);
    Ok(Some((place, (!answered).then_some(answer), persists)))
}

/// Whether the sender holds the body back until it hears that it may go on (RFC 9110, section 10.1.1).
fn waits_to_go_on(delivery: &Delivery) -> bool {
    delivery.headers.all("expect").any(|value| value.eq_ignore_ascii_case(b"100-continue"))
}

async fn answer(
    reader: &mut Reader,
    stream: &mut TcpStream,
    log: &Log,
    place: Option<usize>,
    answer: &Answer,
) -> io::Result<Then> {
    let whole = Instant::now();
    let goes = async |reader: &mut Reader, stream: &mut TcpStream, pause: Duration| {
        timeout(pause, reader.ended(stream)).await.is_ok()
    };
    if !answer.delay.is_zero() && goes(reader, stream, answer.delay).await {
        log.let_go(place, whole.elapsed());
        return Ok(Then::Close);
    }
    for &status in &answer.interim {
        stream.write_all(&interim(status)).await?;
    }
    let bytes = encode_response(&answer.response);
    match answer.manner {
        Manner::Whole => {
            stream.write_all(&bytes).await?;
            let says_close = |value: &bytes::Bytes| value.eq_ignore_ascii_case(b"close");
            let closes = answer.response.headers.all("connection").any(says_close);
            return Ok(if closes { Then::Close } else { Then::Persist });
        }
        Manner::Dripped(over) => {
            let began = Instant::now();
            // Whoever has the status and the headers has its answer, and need not wait for the rest of it.
            let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
            for (at, byte) in bytes.iter().enumerate() {
                stream.write_all(&[*byte]).await?;
                // Each byte has its time, so that what a busy machine is late with does not add up.
                let next = began + over * u32::try_from(at + 1).unwrap_or(u32::MAX) / most(bytes.len());
                let pause = next.saturating_duration_since(Instant::now());
                if !pause.is_zero() && goes(reader, stream, pause).await {
                    if at + 1 < head {
                        log.let_go(place, whole.elapsed());
                    }
                    return Ok(Then::Close);
                }
            }
            return Ok(Then::Persist);
        }
        Manner::Endless => {
            // Without a length and without chunks a body ends with the connection (RFC 9112, section 6.3).
            let head = format!("HTTP/1.1 {} OK\r\nContent-Type: text/plain\r\n\r\n", answer.response.status);
            stream.write_all(head.as_bytes()).await?;
            loop {
                stream.write_all(&ENDLESS_PART).await?;
                sleep(ENDLESS_PAUSE).await;
            }
        }
        Manner::CutInStatusLine => stream.write_all(&bytes[..CUT_STATUS_LINE.min(bytes.len())]).await?,
        Manner::CutInHeaders => {
            let line = bytes.iter().position(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            stream.write_all(&bytes[..(line + CUT_HEADERS).min(bytes.len())]).await?;
        }
        Manner::Closes => {}
        Manner::Resets => return Ok(Then::Reset),
        Manner::Hangs => {
            reader.ended(stream).await;
            log.let_go(place, whole.elapsed());
        }
    }
    Ok(Then::Close)
}

fn most(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX).max(1)
}

fn interim(status: u16) -> Vec<u8> {
    let response =
        Response { status, headers: crate::exchange::Headers::default(), body: bytes::Bytes::new() };
    encode_response(&response)
}

/// Ends a connection so that its other side sees its end and no reset: what is still sent is read first.
async fn close(reader: &mut Reader, stream: &mut TcpStream) {
    // Where the other side is gone already there is nothing to close.
    let _ = stream.shutdown().await;
    let _ = timeout(CLOSE_WAIT, reader.ended(stream)).await;
}

/// Ends a connection so that its other side sees a reset.
fn reset(stream: &TcpStream) {
    // Where it cannot be set the connection is closed, which is the next best.
    let _ = stream.set_zero_linger();
}

/// Answers what is no request, as far as anybody listens.
async fn refuse(stream: &mut TcpStream) {
    let mut refusal = Response::text(400, "this is no HTTP request\n");
    refusal.headers.add("Connection", "close");
    // Whoever sends what is no request may not take an answer either.
    let _ = timeout(Duration::from_secs(1), stream.write_all(&encode_response(&refusal))).await;
}

fn words(why: &ReadError) -> String {
    match why {
        ReadError::Closed { .. } => "the connection ended in the middle of it".to_owned(),
        ReadError::Io(why) => format!("the connection broke in the middle of it ({why})"),
        ReadError::Malformed(why) => format!("it is no HTTP ({why})"),
        ReadError::TooLarge => "it is too large".to_owned(),
    }
}
