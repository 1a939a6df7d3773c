//! One connection of the intake: answers all complete requests in the buffer together, then reads more.
//!
//! Invariant: every wait ends, and a buffer grows only as far as its request needs and the memory for long bodies allows. A long
//! body keeps this memory until its request is answered.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::SemaphorePermit;
use tokio::time::{Sleep, sleep_until, timeout_at};

use super::incoming::{End, Incoming};
use super::places::{Place, Waiting};
use super::{Broken, Intake, Later, Request, Shared, Underway};
use crate::wire::codec::{LONGEST_HEAD, RequestFacts, Side, encode_response, head_end, parse_request, slots};
use crate::wire::endpoint::{drain, refusal};

/// The initial length of a buffer.
const USUAL: usize = 8 * 1024;
/// The length up to which a buffer grows without reserving memory for long bodies.
const COMMON: usize = LONGEST_HEAD + USUAL;
/// How long a long body may make no progress: it keeps memory that others wait for.
const STALL: Duration = Duration::from_secs(10);
/// How long a rejected request is still read.
const DRAIN_WAIT: Duration = Duration::from_secs(5);
/// How many bytes of answers are collected before they are sent.
const TOGETHER: usize = 16 * 1024;

/// `Err` if a connection ends by a fault.
type Ended = Result<(), Broken>;

struct Served<'a, I> {
    stream: TcpStream,
    shared: &'a Shared<I>,
    arrived: Vec<u8>,
    /// How many bytes of `arrived` belong to handled requests.
    used: usize,
    answers: Vec<u8>,
    /// The chunk lengths of the current request.
    sizes: Vec<usize>,
    /// Fires at a deadline or before it: checking again is cheaper than setting it for each request.
    alarm: Pin<Box<Sleep>>,
    room: Option<SemaphorePermit<'a>>,
    place: &'a Place,
    /// Whether no byte has arrived.
    silent: bool,
}

enum Step<'a> {
    IntakeAnswer(Ready<'a>),
    Begun(Incoming),
    Nothing,
}

struct Ready<'a> {
    whole: usize,
    persists: bool,
    /// The future of its answer, if the answer is not ready.
    later: Option<(Later<'a>, Underway<'a>)>,
}

fn request<'a>(parsed: &'a httparse::Request<'_, 'a>, head: &'a [u8], body: &'a [u8]) -> Request<'a> {
    Request {
        method: parsed.method.unwrap_or_default(),
        target: parsed.path.unwrap_or_default(),
        headers: parsed.headers,
        head,
        body,
        chunks: None,
    }
}

pub(super) async fn serve<I: Intake>(stream: TcpStream, shared: &Shared<I>, place: &Place) {
    let alarm = Box::pin(sleep_until((Instant::now() + shared.limits.patience).into()));
    let (arrived, answers) = (Vec::with_capacity(USUAL), Vec::with_capacity(64));
    let sizes = Vec::new();
    let room = None;
    let mut connection =
        Served { stream, shared, arrived, used: 0, answers, sizes, alarm, room, place, silent: true };
    if let Err(broken) = connection.run().await {
        connection.refuse(broken).await;
    }
}

impl<'a, I: Intake> Served<'a, I> {
    fn deadline(&self) -> Instant {
        Instant::now() + self.shared.limits.patience
    }

    /// Serves until either side closes the connection.
    async fn run(&mut self) -> Ended {
        loop {
            let Some(Ready { whole, persists, later }) = self.next().await? else { return Ok(()) };
            self.used += whole;
            self.sizes.clear();
            // A load would otherwise never end.
            let persists = persists && !self.shared.is_ending();
            if let Some((later, _underway)) = later {
                if !self.flush(self.deadline()).await {
                    return Ok(());
                }
                self.discard_used();
                self.place.answers();
                let Some(answer) = later.await else { return Ok(()) };
                self.place.waits(Waiting::Partial, Instant::now());
                self.answers.extend_from_slice(&answer);
                if !self.flush(self.deadline()).await {
                    return Ok(());
                }
            }
            // The reservation is for one request.
            self.room = None;
            let due = self.answers.len() > TOGETHER || !persists;
            if due && (!self.flush(self.deadline()).await || !persists) {
                return Ok(());
            }
        }
    }

    /// Reads and handles the next request. `None` if the connection is over.
    async fn next(&mut self) -> Result<Option<Ready<'a>>, Broken> {
        let mut deadline = self.deadline();
        let (mut searched, mut begun) = (0, None::<Incoming>);
        loop {
            if begun.is_none() {
                match self.begin(searched)? {
                    Step::IntakeAnswer(ready) => return Ok(Some(ready)),
                    Step::Begun(incoming) => begun = Some(incoming),
                    Step::Nothing => searched = self.arrived.len() - self.used,
                }
            }
            if let Some(incoming) = &mut begun {
                let (arrived, most) = (&mut self.arrived[self.used..], self.shared.limits.body);
                if let Some(end) = incoming.end(arrived, most, &mut self.sizes)? {
                    return self.take(incoming, end).map(Some);
                }
            }
            // The request is not complete: send the answers so far, free the used bytes, and read more.
            let waiting = if self.used == self.arrived.len() { Waiting::Idle } else { Waiting::Partial };
            self.place.waits(waiting, deadline.checked_sub(self.shared.limits.patience).unwrap_or(deadline));
            if !self.flush(deadline).await {
                return Ok(None);
            }
            self.discard_used();
            if let Some(incoming) = &mut begun {
                incoming.remove_framing(&mut self.arrived);
                self.make_room(incoming, deadline).await?;
                if std::mem::take(&mut incoming.expects) && self.arrived.len() == incoming.head {
                    self.answers.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
                    if !self.flush(deadline).await {
                        return Ok(None);
                    }
                }
            }
            let idle = self.arrived.is_empty();
            let read = self.read(deadline).await;
            if read == Some(0) && self.silent {
                self.shared.intake.unused();
            }
            self.silent &= !matches!(read, Some(1..));
            match read {
                Some(1..) if idle => deadline = self.deadline(),
                Some(1..) => {}
                // The end of an idle connection is not a fault.
                _ if idle => return Ok(None),
                Some(_) => return Err(Broken::CutOff),
                None => return Err(Broken::Slow),
            }
        }
    }

    /// Handles the request if all of it arrived, which is the usual case. Then its head is parsed only once.
    fn begin(&mut self, searched: usize) -> Result<Step<'a>, Broken> {
        let arrived = &self.arrived[self.used..];
        let Some(head) = head_end(arrived, searched, Side::Request)? else { return Ok(Step::Nothing) };
        let mut slots = slots();
        let parsed = parse_request(&arrived[..head], &mut slots)?;
        let incoming = Incoming::new(RequestFacts::of(&parsed)?, head);
        match incoming.length() {
            Some(whole) if whole <= arrived.len() && whole - head <= self.shared.limits.body => {
                let taken =
                    self.shared.intake.handle(&request(&parsed, &arrived[..head], &arrived[head..whole]));
                let later = self.shared.answer(taken, &mut self.answers);
                Ok(Step::IntakeAnswer(Ready { whole, persists: incoming.persists, later }))
            }
            _ => Ok(Step::Begun(incoming)),
        }
    }

    fn take(&mut self, incoming: &Incoming, end: End) -> Result<Ready<'a>, Broken> {
        let arrived = &self.arrived[self.used..];
        let (head, body) = (&arrived[..incoming.head], &arrived[incoming.head..end.body]);
        let mut slots = slots();
        let parsed = parse_request(head, &mut slots)?;
        let chunks = incoming.length().is_none().then_some(&self.sizes[..]);
        let taken = self.shared.intake.handle(&Request { chunks, ..request(&parsed, head, body) });
        let later = self.shared.answer(taken, &mut self.answers);
        Ok(Ready { whole: end.whole, persists: incoming.persists, later })
    }

    fn discard_used(&mut self) {
        self.arrived.drain(..self.used);
        self.used = 0;
        if self.arrived.len() <= USUAL {
            self.shrink();
        }
    }

    /// Reserves as much memory as the request needs.
    ///
    /// Errors: other requests hold the memory for longer than a request may take.
    async fn make_room(&mut self, incoming: &Incoming, deadline: Instant) -> Ended {
        let needed = incoming.length().unwrap_or(self.arrived.len() + USUAL);
        if needed > COMMON && self.room.is_none() {
            // The length of a chunked body is unknown.
            let most = self.shared.limits.body.saturating_add(COMMON);
            let bytes = incoming.length().unwrap_or(most).min(most);
            let kib = u32::try_from((bytes / 1024 + 1).min(self.shared.most_room)).unwrap_or(u32::MAX);
            let room = tokio::select! {
                room = timeout_at(deadline.into(), self.shared.room.acquire_many(kib)) => room,
                () = self.place.given_up() => return Err(Broken::Slow),
            };
            // Never closed.
            self.room = room.map_err(|_| Broken::Slow)?.ok();
            // Its reads have an earlier deadline.
            self.alarm.as_mut().reset((Instant::now() + STALL).into());
        }
        match incoming.length() {
            Some(length) if length > self.arrived.capacity() => {
                self.arrived.reserve_exact(length - self.arrived.len());
            }
            _ => {}
        }
        Ok(())
    }

    /// Frees the memory of a long request.
    fn shrink(&mut self) {
        if self.arrived.capacity() > COMMON {
            self.arrived.shrink_to(USUAL);
        }
        if self.answers.capacity() > TOGETHER {
            self.answers = Vec::with_capacity(64);
        }
    }

    /// Reads the next bytes; `None` if none arrived in time.
    async fn read(&mut self, deadline: Instant) -> Option<usize> {
        let deadline = if self.room.is_some() { deadline.min(Instant::now() + STALL) } else { deadline };
        let (stream, arrived, alarm) = (&mut self.stream, &mut self.arrived, &mut self.alarm);
        if arrived.len() == arrived.capacity() {
            // Doubled, a long chunked body would take twice its memory.
            arrived.reserve_exact(USUAL.max(arrived.len() / 4));
        }
        let mut reading = pin!(stream.read_buf(arrived));
        poll_fn(|cx| match reading.as_mut().poll(cx) {
            // A failed connection has ended.
            Poll::Ready(read) => Poll::Ready(Some(read.unwrap_or(0))),
            Poll::Pending => late(alarm, deadline, self.place, cx).map(|()| None),
        })
        .await
    }

    /// Sends the collected answers. Returns whether they were sent in time.
    async fn flush(&mut self, deadline: Instant) -> bool {
        let (stream, answers, alarm) = (&mut self.stream, &self.answers, &mut self.alarm);
        let mut sent = 0;
        let sent_in_time = poll_fn(|cx| {
            while sent < answers.len() {
                match Pin::new(&mut *stream).poll_write(cx, &answers[sent..]) {
                    Poll::Ready(Ok(count @ 1..)) => sent += count,
                    Poll::Ready(_) => return Poll::Ready(false),
                    Poll::Pending => return late(alarm, deadline, self.place, cx).map(|()| false),
                }
            }
            Poll::Ready(true)
        });
        let sent_in_time = sent_in_time.await;
        self.answers.clear();
        sent_in_time
    }

    async fn refuse(&mut self, broken: Broken) {
        let _underway = Underway::new(&self.shared.underway);
        if let Some(handled) = self.shared.intake.broken(broken, &self.arrived[self.used..]) {
            handled.await;
        }
        let status = match broken {
            Broken::Malformed(_) | Broken::CutOff => 400,
            Broken::TooLarge => 413,
            Broken::Slow => 408,
        };
        let refusal = refusal(status, format!("{broken}\n"));
        self.answers.extend_from_slice(&encode_response(&refusal));
        // Its bytes are no longer needed.
        (self.arrived, self.used, self.room) = (Vec::new(), 0, None);
        let wait = DRAIN_WAIT.min(self.shared.limits.patience);
        self.place.waits(Waiting::Partial, Instant::now());
        if self.flush(Instant::now() + wait).await {
            let _ = self.stream.shutdown().await;
            tokio::select! {
                () = drain(&mut self.stream, wait) => {}
                () = self.place.given_up() => {}
            }
        }
    }
}

/// Whether the deadline has passed or the place is given up; if not, wakes the task then.
fn late(alarm: &mut Pin<Box<Sleep>>, deadline: Instant, place: &Place, cx: &mut Context<'_>) -> Poll<()> {
    if place.poll_given_up(cx).is_ready() {
        return Poll::Ready(());
    }
    while alarm.as_mut().poll(cx).is_ready() {
        if Instant::now() >= deadline {
            return Poll::Ready(());
        }
        alarm.as_mut().reset(deadline.into());
    }
    Poll::Pending
}
