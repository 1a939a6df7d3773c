//! One connection of the intake: whatever whole requests have come are taken and answered together, then more is read.
//!
//! Invariant: every wait has an end, and a buffer grows no further than its request needs and the room for long bodies allows.

use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::SemaphorePermit;
use tokio::time::{Sleep, sleep_until, timeout, timeout_at};

use super::framing::{End, Incoming, LONGEST_HEAD, MOST_HEADERS, Slots, head_end, parse};
use super::{Broken, Intake, Request, Shared};

/// How long a buffer is at first.
const USUAL: usize = 8 * 1024;
/// How long it may become without asking for room.
const COMMON: usize = LONGEST_HEAD + USUAL;
/// How much of what is refused is read and thrown away, so that its sender sees the answer and not a reset.
const DRAINED: u64 = 32 * 1024 * 1024;
/// How long that may take at most.
const DRAIN_WAIT: Duration = Duration::from_secs(5);
/// How many bytes of answers are held back for those of further requests that have come.
const TOGETHER: usize = 16 * 1024;

/// Why a connection ends, where that is anybody's fault.
type Ended = Result<(), Broken>;

struct Connection<'a, I> {
    stream: TcpStream,
    shared: &'a Shared<I>,
    came: Vec<u8>,
    answers: Vec<u8>,
    /// Goes off at some deadline or before it: setting it anew for each request would cost more than looking again.
    alarm: Pin<Box<Sleep>>,
    room: Option<SemaphorePermit<'a>>,
}

/// What has come of a request.
enum Step {
    /// All of it, and it was taken.
    Taken { whole: usize, persists: bool },
    /// Its head.
    Begun(Incoming),
    /// Less.
    Nothing,
}

fn request<'a>(parsed: &'a httparse::Request<'_, 'a>, head: &'a [u8], body: &'a [u8]) -> Request<'a> {
    Request {
        method: parsed.method.unwrap_or_default(),
        target: parsed.path.unwrap_or_default(),
        headers: parsed.headers,
        head,
        body,
    }
}

/// Serves a connection to its end.
pub(super) async fn serve<I: Intake>(stream: TcpStream, shared: &Shared<I>) {
    let alarm = Box::pin(sleep_until((Instant::now() + shared.limits.patience).into()));
    let (came, answers) = (Vec::with_capacity(USUAL), Vec::with_capacity(64));
    let mut connection = Connection { stream, shared, came, answers, alarm, room: None };
    if let Err(broken) = connection.run().await {
        connection.refuse(broken).await;
    }
}

impl<I: Intake> Connection<'_, I> {
    /// Until either side ends it.
    async fn run(&mut self) -> Ended {
        let mut used = 0;
        loop {
            let mut deadline = Instant::now() + self.shared.limits.patience;
            let (mut searched, mut begun) = (0, None::<Incoming>);
            let (whole, persists) = loop {
                if begun.is_none() {
                    match self.begin(used, searched)? {
                        Step::Taken { whole, persists } => break (whole, persists),
                        Step::Begun(incoming) => begun = Some(incoming),
                        Step::Nothing => searched = self.came.len() - used,
                    }
                }
                if let Some(incoming) = &mut begun
                    && let Some(end) = incoming.end(&mut self.came[used..], self.shared.limits.body)?
                {
                    self.take(used, incoming.head, end)?;
                    break (end.whole, incoming.persists);
                }
                // More has to come. What was answered so far goes out first, and what was used makes room.
                if !self.flush(deadline).await {
                    return Ok(());
                }
                self.came.drain(..used);
                used = 0;
                if let Some(incoming) = &mut begun {
                    incoming.slack(&mut self.came);
                    self.make_room(incoming, deadline).await?;
                    if std::mem::take(&mut incoming.expects) && self.came.len() == incoming.head {
                        self.answers.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
                        if !self.flush(deadline).await {
                            return Ok(());
                        }
                    }
                } else if self.came.is_empty() {
                    self.shrink();
                }
                let idle = self.came.is_empty();
                match self.read(deadline).await {
                    Some(1..) if idle => deadline = Instant::now() + self.shared.limits.patience,
                    Some(1..) => {}
                    // An idle connection that ends is nobody's fault.
                    _ if idle => return Ok(()),
                    Some(_) => return Err(Broken::CutOff),
                    None => return Err(Broken::Slow),
                }
            };
            used += whole;
            let due = self.answers.len() > TOGETHER || !persists;
            if due && (!self.flush(deadline).await || !persists) {
                return Ok(());
            }
            // It counts for one request.
            self.room = None;
        }
    }

    /// Looks at what has come, and takes the request where all of it is there, which it usually is: its head is parsed once.
    fn begin(&mut self, from: usize, searched: usize) -> Result<Step, Broken> {
        let came = &self.came[from..];
        let Some(head) = head_end(came, searched)? else { return Ok(Step::Nothing) };
        let mut slots: Slots<'_> = [const { MaybeUninit::uninit() }; MOST_HEADERS];
        let parsed = parse(&came[..head], &mut slots)?;
        let incoming = Incoming::of(&parsed, head)?;
        match incoming.length() {
            Some(whole) if whole <= came.len() && whole - head <= self.shared.limits.body => {
                let answer = self.shared.intake.take(&request(&parsed, &came[..head], &came[head..whole]));
                self.answers.extend_from_slice(&answer);
                Ok(Step::Taken { whole, persists: incoming.persists })
            }
            _ => Ok(Step::Begun(incoming)),
        }
    }

    /// Hands a request on that has come in pieces, and keeps its answer to be sent.
    fn take(&mut self, from: usize, head: usize, end: End) -> Ended {
        let (head, body) = (&self.came[from..from + head], &self.came[from + head..from + end.body]);
        let mut slots: Slots<'_> = [const { MaybeUninit::uninit() }; MOST_HEADERS];
        let answer = self.shared.intake.take(&request(&parse(head, &mut slots)?, head, body));
        self.answers.extend_from_slice(&answer);
        Ok(())
    }

    /// Makes sure that the buffer may grow as far as the request needs.
    ///
    /// Errors: others take all the room, for as long as a request may take.
    async fn make_room(&mut self, incoming: &Incoming, deadline: Instant) -> Ended {
        let needed = incoming.length().unwrap_or(self.came.len() + USUAL);
        if needed > COMMON && self.room.is_none() {
            // A body in chunks does not say how long it will be.
            let most = self.shared.limits.body.saturating_add(COMMON);
            let bytes = incoming.length().unwrap_or(most).min(most);
            let kib = u32::try_from((bytes / 1024 + 1).min(self.shared.most_room)).unwrap_or(u32::MAX);
            let room = timeout_at(deadline.into(), self.shared.room.acquire_many(kib)).await;
            // Never closed.
            self.room = room.map_err(|_| Broken::Slow)?.ok();
        }
        match incoming.length() {
            Some(length) if length > self.came.capacity() => {
                self.came.reserve_exact(length - self.came.len());
            }
            _ => {}
        }
        Ok(())
    }

    /// Gives the memory of a long request back.
    fn shrink(&mut self) {
        if self.came.capacity() > COMMON {
            self.came = Vec::with_capacity(USUAL);
        }
        if self.answers.capacity() > TOGETHER {
            self.answers = Vec::with_capacity(64);
        }
    }

    /// Reads what has come; `None` where nothing did in time.
    async fn read(&mut self, deadline: Instant) -> Option<usize> {
        let (stream, came, alarm) = (&mut self.stream, &mut self.came, &mut self.alarm);
        if came.len() == came.capacity() {
            came.reserve(USUAL);
        }
        let mut reading = pin!(stream.read_buf(came));
        poll_fn(|cx| match reading.as_mut().poll(cx) {
            // A connection that breaks off has ended.
            Poll::Ready(read) => Poll::Ready(Some(read.unwrap_or(0))),
            Poll::Pending => late(alarm, deadline, cx).map(|()| None),
        })
        .await
    }

    /// Sends the answers that were held back. Returns whether they went out in time.
    async fn flush(&mut self, deadline: Instant) -> bool {
        let (stream, answers, alarm) = (&mut self.stream, &self.answers, &mut self.alarm);
        let mut sent = 0;
        let went = poll_fn(|cx| {
            while sent < answers.len() {
                match Pin::new(&mut *stream).poll_write(cx, &answers[sent..]) {
                    Poll::Ready(Ok(count @ 1..)) => sent += count,
                    Poll::Ready(_) => return Poll::Ready(false),
                    Poll::Pending => return late(alarm, deadline, cx).map(|()| false),
                }
            }
            Poll::Ready(true)
        });
        let went = went.await;
        self.answers.clear();
        went
    }

    /// Answers what is no whole request.
    async fn refuse(&mut self, broken: Broken) {
        self.shared.intake.broken(broken, &self.came);
        let status = match broken {
            Broken::Malformed | Broken::CutOff => "400 Bad Request",
            Broken::TooLarge => "413 Content Too Large",
            Broken::Slow => "408 Request Timeout",
        };
        let answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        self.answers.extend_from_slice(answer.as_bytes());
        // What was kept of it is of no more use.
        (self.came, self.room) = (Vec::new(), None);
        let wait = DRAIN_WAIT.min(self.shared.limits.patience);
        if self.flush(Instant::now() + wait).await {
            let _ = self.stream.shutdown().await;
            let mut rest = (&mut self.stream).take(DRAINED);
            let rest = async { tokio::io::copy(&mut rest, &mut tokio::io::sink()).await };
            let _ = timeout(wait, rest).await;
        }
    }
}

/// Whether the deadline is over; wakes the task then.
fn late(alarm: &mut Pin<Box<Sleep>>, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
    while alarm.as_mut().poll(cx).is_ready() {
        if Instant::now() >= deadline {
            return Poll::Ready(());
        }
        alarm.as_mut().reset(deadline.into());
    }
    Poll::Pending
}
