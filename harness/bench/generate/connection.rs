//! One connection of a load: plain TCP that is kept alive, one request under way at most, opened anew where it was closed.
//!
//! Invariant: every wait has an end, and an answer that came is an answer, though the request could not be written to its end.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Sleep, sleep_until, timeout, timeout_at};

use crate::bench::generate::answer::{Answer, Wrong};
use crate::bench::generate::failure::DeliveryFailure;
use crate::subject::SubjectError;

/// How long the first connection to an address may take.
const CONNECT_WAIT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(in crate::bench) struct LoadConnection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    /// The answer that is read, or was read last.
    pub(in crate::bench) answer: Answer,
    /// Goes off at some deadline or before it: setting it anew for each exchange would cost more than looking again.
    alarm: Pin<Box<Sleep>>,
}

impl LoadConnection {
    /// To that address, and not yet open.
    pub(in crate::bench) fn new(address: SocketAddr) -> Self {
        let alarm = Box::pin(sleep_until(tokio::time::Instant::now()));
        Self { address, stream: None, answer: Answer::default(), alarm }
    }

    /// Whether it is open, as far as is known without looking.
    pub(in crate::bench) fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    /// Looks whether the peer has closed it, or sent what was not asked for, while it was idle. It is closed then.
    pub(in crate::bench) fn look(&mut self) {
        let Some(stream) = &self.stream else { return };
        let idle = matches!(stream.try_read(&mut [0]), Err(why) if why.kind() == io::ErrorKind::WouldBlock);
        if !idle {
            self.stream = None;
        }
    }

    /// Opens it anew.
    ///
    /// Errors: no connection came about until the deadline.
    pub(in crate::bench) async fn open(&mut self, deadline: Instant) -> Result<(), DeliveryFailure> {
        self.stream = None;
        let stream = match timeout_at(deadline.into(), TcpStream::connect(self.address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(why)) if why.kind() == io::ErrorKind::ConnectionRefused => {
                return Err(DeliveryFailure::Refused);
            }
            Ok(Err(_)) => return Err(DeliveryFailure::Unconnected),
            Err(_) => return Err(DeliveryFailure::TimedOut),
        };
        // Without it a request may wait for the acknowledgement of the one before it.
        let _ = stream.set_nodelay(true);
        self.stream = Some(stream);
        Ok(())
    }

    /// Sends a request and reads the answer to its end.
    ///
    /// Errors: why there is no whole answer; its status is known where its head came.
    pub(in crate::bench) async fn exchange(
        &mut self,
        request: &[u8],
        deadline: Instant,
    ) -> Result<u16, DeliveryFailure> {
        self.answer.begin();
        let Some(stream) = &mut self.stream else { return Err(DeliveryFailure::Closed) };
        let (answer, alarm) = (&mut self.answer, &mut self.alarm);
        let mut exchange = ExchangeUnderWay { stream, answer, alarm, request, written: 0, deadline };
        let ended = poll_fn(|cx| exchange.poll(cx)).await;
        // What was not written is still owed, and what comes next would be taken for the rest of it.
        if exchange.written < request.len() || ended.is_err() || !self.answer.persists() {
            self.stream = None;
        }
        ended.map(|()| self.answer.status().unwrap_or_default())
    }
}

struct ExchangeUnderWay<'a> {
    stream: &'a mut TcpStream,
    answer: &'a mut Answer,
    alarm: &'a mut Pin<Box<Sleep>>,
    request: &'a [u8],
    written: usize,
    deadline: Instant,
}

impl ExchangeUnderWay<'_> {
    /// Writes and reads as far as it goes: an answer may come before the request is out.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), DeliveryFailure>> {
        let broken = self.write(cx).err();
        // Even where writing failed: the reason may stand in the answer.
        match self.read(cx) {
            Poll::Ready(ended) => return Poll::Ready(ended),
            Poll::Pending => {
                if let Some(why) = broken {
                    return Poll::Ready(Err(why));
                }
            }
        }
        while self.alarm.as_mut().poll(cx).is_ready() {
            if Instant::now() >= self.deadline {
                return Poll::Ready(Err(DeliveryFailure::TimedOut));
            }
            self.alarm.as_mut().reset(self.deadline.into());
        }
        // Where reading has used up all that the runtime lets a task do at once, the alarm is not looked at.
        if self.answer.is_begun() && Instant::now() >= self.deadline {
            return Poll::Ready(Err(DeliveryFailure::TimedOut));
        }
        Poll::Pending
    }

    fn write(&mut self, cx: &mut Context<'_>) -> Result<(), DeliveryFailure> {
        while self.written < self.request.len() {
            match Pin::new(&mut *self.stream).poll_write(cx, &self.request[self.written..]) {
                Poll::Ready(Ok(0)) => return Err(DeliveryFailure::Closed),
                Poll::Ready(Ok(count)) => self.written += count,
                Poll::Ready(Err(why)) => return Err(failure(&why)),
                Poll::Pending => return Ok(()),
            }
        }
        Ok(())
    }

    fn read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), DeliveryFailure>> {
        loop {
            let mut room = ReadBuf::new(self.answer.room());
            let count = match Pin::new(&mut *self.stream).poll_read(cx, &mut room) {
                Poll::Ready(Ok(())) => room.filled().len(),
                Poll::Ready(Err(why)) => return Poll::Ready(Err(failure(&why))),
                Poll::Pending => return Poll::Pending,
            };
            if count == 0 {
                let whole = self.answer.ends_with_the_connection();
                return Poll::Ready(if whole { Ok(()) } else { Err(DeliveryFailure::Closed) });
            }
            match self.answer.take(count) {
                Ok(true) => return Poll::Ready(Ok(())),
                Ok(false) => {}
                Err(Wrong::Malformed) => return Poll::Ready(Err(DeliveryFailure::Malformed)),
                Err(Wrong::TooLong) => return Poll::Ready(Err(DeliveryFailure::TooLong)),
            }
        }
    }
}

fn failure(why: &io::Error) -> DeliveryFailure {
    match why.kind() {
        io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => DeliveryFailure::Closed,
        _ => DeliveryFailure::Reset,
    }
}

/// The address of a host's name: of several the first that takes a connection.
///
/// Errors: there is none.
pub(in crate::bench) async fn reachable(host: &str, port: u16) -> Result<SocketAddr, SubjectError> {
    let unreachable = |why: String| {
        SubjectError::Unreachable(format!(
            "the receiver cannot be reached: connecting to {host} port {port} failed: {why}"
        ))
    };
    let mut failed = "the name has no address".to_owned();
    for address in lookup_host((host, port)).await.map_err(|why| unreachable(why.to_string()))? {
        match timeout(CONNECT_WAIT, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Ok(address),
            Ok(Err(why)) => failed = why.to_string(),
            Err(_) => failed = format!("no answer within {} s", CONNECT_WAIT.as_secs()),
        }
    }
    Err(unreachable(failed))
}
