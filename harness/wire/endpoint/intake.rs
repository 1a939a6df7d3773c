//! A server for high request rates: each request is handled in place, in its connection's buffer, and answered with prepared
//! bytes.
//!
//! The usual request allocates nothing. If its answer needs time (`listen` queues and forwards), the request is copied and its
//! connection waits.
//!
//! Invariant: bounded in connections, bytes and time. Every accepted request is answered before the server ends, unless its
//! peer does not read.

mod connection;
mod incoming;
mod places;

use std::borrow::Cow;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use places::{Place, Places};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{sleep, timeout};

use super::{ACCEPT_PAUSE, Server};
use crate::wire::codec::{FramingFault, collect};
use crate::wire::exchange::{Delivery, Transfer};

/// A complete request, in its buffer.
#[derive(Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    pub target: &'a str,
    /// The headers in their order and case.
    pub headers: &'a [httparse::Header<'a>],
    pub head: &'a [u8],
    /// The body without its chunks.
    pub body: &'a [u8],
    /// The lengths of its chunks, if it was chunked.
    pub chunks: Option<&'a [usize]>,
}

impl Request<'_> {
    pub fn to_delivery(&self) -> Delivery {
        Delivery {
            method: self.method.to_owned(),
            target: self.target.to_owned(),
            headers: collect(self.headers),
            body: Bytes::copy_from_slice(self.body),
            transfer: self.chunks.map_or(Transfer::Whole, |sizes| Transfer::Chunks(sizes.to_vec())),
        }
    }
}

/// Why bytes are not a complete request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("invalid HTTP request: {0}")]
    Malformed(FramingFault),
    #[error("request body too large")]
    TooLarge,
    #[error("request not complete in time")]
    Slow,
    #[error("connection closed in the middle of a request")]
    CutOff,
}

impl From<FramingFault> for Broken {
    fn from(fault: FramingFault) -> Self {
        Self::Malformed(fault)
    }
}

pub(crate) type AnswerBytes = Cow<'static, [u8]>;

/// An answer that needs time; `None` closes the connection without one.
pub(crate) type Later<'a> = BoxFuture<'a, Option<Vec<u8>>>;

/// The answer to a request: ready, or a future.
pub enum IntakeAnswer<'a> {
    Now(AnswerBytes),
    /// Until the answer is ready, nothing else is read on the connection.
    Later(Later<'a>),
}

/// Answers requests.
pub trait Intake: Send + Sync + 'static {
    /// Returns the answer to a request. It must not block.
    fn handle(&self, request: &Request<'_>) -> IntakeAnswer<'_>;

    /// Handles an incomplete or invalid request, which begins with `arrived`. The server waits for the returned future, sends an
    /// error status, and closes the connection.
    fn broken(&self, what: Broken, arrived: &[u8]) -> Option<BoxFuture<'_, ()>>;

    /// A peer has closed its connection without a request.
    fn unused(&self) {}
}

/// The limits of a server.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub threads: usize,
    /// How many connections are open at the same time. If more arrive, some that wait for their peers are closed, and the others
    /// wait.
    pub connections: usize,
    pub body: usize,
    /// How many bytes all long bodies may take together, unless a single body may be longer. Long bodies exceed a connection's
    /// usual buffer.
    pub long_bodies: usize,
    /// The time limit for a request from its first byte to its last, for reading an answer, and for an idle connection.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            threads: 1,
            connections: 1024,
            body: 8 * 1024 * 1024,
            long_bodies: 64 * 1024 * 1024,
            patience: Duration::from_secs(30),
        }
    }
}

/// A running server. It stops when its value is dropped.
#[derive(Debug)]
pub struct Service {
    address: SocketAddr,
    phase: watch::Sender<Phase>,
    ending: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    underway: watch::Sender<usize>,
}

/// How far the end of a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    /// Nothing new is accepted, and each connection ends after an answer.
    Ending,
    Ended,
}

/// An accepted connection on its way to its thread.
type Accepted = (std::net::TcpStream, Arc<Place>);

struct Shared<I> {
    intake: Arc<I>,
    limits: Limits,
    /// The memory for long bodies, in KiB.
    room: Arc<Semaphore>,
    most_room: usize,
    /// How many requests are waiting for their answer.
    underway: watch::Sender<usize>,
    /// Whether each connection ends after its next answer.
    ending: Arc<AtomicBool>,
}

impl<I> Shared<I> {
    fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    /// Adds an answer to those that go out together, or returns the future that gives it.
    fn answer<'a>(
        &'a self,
        taken: IntakeAnswer<'a>,
        answers: &mut Vec<u8>,
    ) -> Option<(Later<'a>, Underway<'a>)> {
        match taken {
            IntakeAnswer::Now(answer) => {
                answers.extend_from_slice(&answer);
                None
            }
            IntakeAnswer::Later(later) => Some((later, Underway::new(&self.underway))),
        }
    }
}

/// Counts a request while this value lives.
struct Underway<'a>(&'a watch::Sender<usize>);

impl<'a> Underway<'a> {
    fn new(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Service {
    /// Serves on an address, with its own threads. Port 0 lets the system choose.
    ///
    /// Errors: the address cannot be listened on, or a thread cannot be started.
    pub async fn start<I: Intake>(address: SocketAddr, limits: Limits, intake: Arc<I>) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let listener = listener.into_std()?;
        let (phase, _) = watch::channel(Phase::Serving);
        let most_room = (limits.long_bodies / 1024).max(limits.body / 1024 + 2);
        let room = Arc::new(Semaphore::new(most_room));
        let (underway, _) = watch::channel(0);
        let ending = Arc::new(AtomicBool::new(false));
        let (threads, counted) = (Vec::new(), underway.clone());
        let mut service = Self { address, phase, ending: ending.clone(), threads, underway: counted };
        let shared = Arc::new(Shared { intake, limits, room, most_room, underway, ending });
        let mut lines = Vec::new();
        for number in 0..limits.threads.max(1) {
            let (line, accepted) = mpsc::unbounded_channel();
            lines.push(line);
            let served = serve(shared.clone(), accepted, service.phase.subscribe());
            service.run(format!("intake-{number}"), served)?;
        }
        let accepting = accept(listener, lines, limits.connections, service.phase.subscribe());
        service.run("intake-accept".to_owned(), accepting)?;
        Ok(service)
    }

    /// Runs a future on its own thread.
    fn run(&mut self, name: String, future: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        // Unfinished tasks end with the runtime.
        self.threads.push(thread::Builder::new().name(name).spawn(move || runtime.block_on(future))?);
        Ok(())
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Ends the server once every accepted request is answered, or after `within`.
    pub(crate) async fn end_answered(self, within: Duration) {
        self.ending.store(true, Ordering::Relaxed);
        self.phase.send_replace(Phase::Ending);
        let mut underway = self.underway.subscribe();
        // In both cases, the server ends here.
        let _ = timeout(within, underway.wait_for(|count| *count == 0)).await;
        self.end().await;
    }

    /// Ends the server, and waits until it handles no more requests.
    pub async fn end(mut self) {
        self.phase.send_replace(Phase::Ended);
        let threads = std::mem::take(&mut self.threads);
        let joined = tokio::task::spawn_blocking(move || {
            // A thread that panicked has ended too.
            threads.into_iter().for_each(|thread| drop(thread.join()));
        });
        let _ = joined.await;
    }
}

impl From<Service> for Server {
    fn from(service: Service) -> Self {
        let address = service.address;
        let held = async move {
            let _service = service;
            std::future::pending().await
        };
        Self::new(address, tokio::spawn(held))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.phase.send_replace(Phase::Ended);
    }
}

/// Accepts connections and gives them to the threads in turn.
async fn accept(
    listener: std::net::TcpListener,
    lines: Vec<mpsc::UnboundedSender<Accepted>>,
    most: usize,
    mut phase: watch::Receiver<Phase>,
) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let mut ends = phase.clone();
    let mut places = Places::new(most);
    let dealing = async {
        for line in lines.iter().cycle() {
            let stream = loop {
                match listener.accept().await.and_then(|(stream, _)| stream.into_std()) {
                    Ok(stream) => break stream,
                    // The system is out of file descriptors, or the peer is gone.
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                }
            };
            // One connection beyond the places has been accepted: so it is known that a place is needed.
            if line.send((stream, places.next().await)).is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = dealing => {}
        _ = ends.wait_for(|phase| *phase >= Phase::Ending) => {}
    }
    drop(listener);
    // Without its line, a thread would end with its connections.
    let _ = phase.wait_for(|phase| *phase == Phase::Ended).await;
    drop(lines);
}

async fn serve<I: Intake>(
    shared: Arc<Shared<I>>,
    mut accepted: mpsc::UnboundedReceiver<Accepted>,
    mut phase: watch::Receiver<Phase>,
) {
    let serving = async {
        while let Some((stream, place)) = accepted.recv().await {
            let Ok(stream) = TcpStream::from_std(stream) else { continue };
            // Nagle's algorithm would delay a small answer until the previous one is acknowledged.
            let _ = stream.set_nodelay(true);
            let shared = shared.clone();
            tokio::spawn(async move {
                connection::serve(stream, &shared, &place).await;
            });
        }
    };
    tokio::select! {
        () = serving => {}
        _ = phase.wait_for(|phase| *phase == Phase::Ended) => {}
    }
}
