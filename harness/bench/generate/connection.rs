//! One connection of a load: plain TCP, kept alive, with at most one request in flight, and reopened after it was closed.
//!
//! Every wait has a deadline. An answer counts even if the request was not written completely.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep_until, timeout, timeout_at};

use crate::bench::generate::answer::{Answer, AnswerFault};
use crate::bench::generate::failure::DeliveryFailure;
use crate::bench::generate::messages;
use crate::subject::SubjectError;
use crate::wire::client::address::addresses;

/// Servers close connections that are idle for some seconds, Node after five. A request on its way at that moment would be lost.
const LONGEST_IDLE: Duration = Duration::from_secs(1);
/// How long the first connection to an address may take.
const CONNECT_WAIT: Duration = Duration::from_secs(5);

/// Open connections to one address that no load uses, so that the next load need not open them again.
#[derive(Debug, Default)]
pub struct IdleConnections(Mutex<Vec<(std::net::TcpStream, Instant)>>);

impl IdleConnections {
    /// Their address, if there is one.
    pub(in crate::bench) fn address(&self) -> Option<SocketAddr> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).first()?.0.peer_addr().ok()
    }

    /// Leaves an open connection here.
    pub(in crate::bench) fn add(&self, connection: LoadConnection) {
        // Without its runtime: the next load has another. On an error it is closed.
        if let Some(Ok(stream)) = connection.stream.map(TcpStream::into_std) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push((stream, Instant::now()));
        }
    }

    /// A connection that is open, if there is one.
    pub(in crate::bench) fn take(&self) -> Option<LoadConnection> {
        let (stream, since) = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        if since.elapsed() > LONGEST_IDLE {
            return None;
        }
        let address = stream.peer_addr().ok()?;
        let mut connection = LoadConnection::new(address);
        connection.stream = TcpStream::from_std(stream).ok();
        connection.close_if_stale();
        connection.is_open().then_some(connection)
    }
}

#[derive(Debug)]
pub(in crate::bench) struct LoadConnection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    /// The answer being read, or the last one.
    pub(in crate::bench) answer: Answer,
    /// Fires at the deadline or before it: a check costs less than a reset for each exchange.
    alarm: Pin<Box<Sleep>>,
}

impl LoadConnection {
    /// A connection to an address, not yet open.
    pub(in crate::bench) fn new(address: SocketAddr) -> Self {
        let alarm = Box::pin(sleep_until(tokio::time::Instant::now()));
        Self { address, stream: None, answer: Answer::default(), alarm }
    }

    /// Whether it is open, as far as is known without a check of the socket.
    pub(in crate::bench) fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    /// Closes the connection if, while it was idle, the peer closed it or sent something.
    pub(in crate::bench) fn close_if_stale(&mut self) {
        let Some(stream) = &self.stream else { return };
        let idle = matches!(stream.try_read(&mut [0]), Err(why) if why.kind() == io::ErrorKind::WouldBlock);
        if !idle {
            self.stream = None;
        }
    }

    /// Opens a new connection.
    ///
    /// Errors: it could not be opened before the deadline.
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
        // Nagle's algorithm would delay a request until the previous one is acknowledged.
        let _ = stream.set_nodelay(true);
        self.stream = Some(stream);
        Ok(())
    }

    /// Sends a request and reads the complete answer.
    ///
    /// Errors: why there is no complete answer; its status is known if its head arrived.
    pub(in crate::bench) async fn exchange(
        &mut self,
        request: &[u8],
        deadline: Instant,
    ) -> Result<u16, DeliveryFailure> {
        self.answer.begin();
        let Some(stream) = &mut self.stream else { return Err(DeliveryFailure::Closed) };
        let (answer, alarm) = (&mut self.answer, &mut self.alarm);
        let mut exchange = ExchangeInFlight { stream, answer, alarm, request, written: 0, deadline };
        let ended = poll_fn(|cx| exchange.poll(cx)).await;
        // The peer would read the next request as the rest of one that is incomplete.
        if exchange.written < request.len() || ended.is_err() || !self.answer.persists() {
            self.stream = None;
        }
        ended.map(|()| self.answer.status().unwrap_or_default())
    }
}

struct ExchangeInFlight<'a> {
    stream: &'a mut TcpStream,
    answer: &'a mut Answer,
    alarm: &'a mut Pin<Box<Sleep>>,
    request: &'a [u8],
    written: usize,
    deadline: Instant,
}

impl ExchangeInFlight<'_> {
    /// Writes and reads as far as possible: an answer may arrive before the request is written.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), DeliveryFailure>> {
        let broken = self.write(cx).err();
        // Even if writing failed: the answer may give the reason.
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
        // The alarm never fires for a task that has used up its budget of the runtime.
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
            match self.answer.read(count) {
                Ok(true) => return Poll::Ready(Ok(())),
                Ok(false) => {}
                Err(AnswerFault::Malformed) => return Poll::Ready(Err(DeliveryFailure::Malformed)),
                Err(AnswerFault::TooLong) => return Poll::Ready(Err(DeliveryFailure::TooLong)),
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

/// The first address of a host that accepts a connection.
///
/// Errors: none does.
pub(in crate::bench) async fn reachable(host: &str, port: u16) -> Result<SocketAddr, SubjectError> {
    let unreachable = |why: String| SubjectError::Unreachable(messages::unreachable(host, port, &why));
    let mut failed = messages::no_address().to_owned();
    for address in addresses(host, port).await.map_err(|why| unreachable(why.to_string()))? {
        match timeout(CONNECT_WAIT, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Ok(address),
            Ok(Err(why)) => failed = why.to_string(),
            Err(_) => failed = messages::connect_timed_out(CONNECT_WAIT.as_secs()),
        }
    }
    Err(unreachable(failed))
}
