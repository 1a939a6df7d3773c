//! Sends a delivery exactly as it stands, byte for byte, and says what came of it.
//!
//! Invariant: header names keep their case and order, bodies are never touched, and whatever the peer does is an
//! `Outcome`: this never fails.

pub mod careless;
pub mod pooled;

use std::collections::HashMap;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncWrite, AsyncWriteExt, split};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use crate::clock::Clock;
use crate::exchange::{Delivery, Exchange, ExchangeId, Outcome, Response};
use crate::wire::{ReadError, Reader, encode_request};

/// How many bytes of an answer's body are kept.
const KEPT_BODY: usize = 64 * 1024;
/// How many bytes of an answer's body are read at all before the connection is given up.
const READ_BODY: usize = 1024 * 1024;
/// Between two segments of a body, so that they do not arrive as one.
const SEGMENT_PAUSE: Duration = Duration::from_millis(5);
/// How long an answer's body may take behind its head.
const BODY_WAIT: Duration = Duration::from_secs(1);

/// A client with kept-alive connections.
#[derive(Debug)]
pub struct Client {
    timeout: Duration,
    clock: Clock,
    idle: Mutex<HashMap<String, Vec<TcpStream>>>,
}

/// Where deliveries go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Host name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path and query.
    pub path: String,
}

impl Target {
    /// Reads an `http` URL. Errors: a fragment of a sentence that says what is wrong with it.
    pub fn parse(url: &str) -> Result<Self, String> {
        let parsed = Url::parse(url).map_err(|why| format!("{url:?} is no URL: {why}"))?;
        if parsed.scheme() != "http" {
            return Err(format!(
                "{url:?} has the scheme {:?}; only http can be tested so far",
                parsed.scheme()
            ));
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(
                "the URL holds a user name or a password, which deliveries do not carry; leave it out"
                    .to_owned(),
            );
        }
        let host = parsed.host_str().ok_or_else(|| format!("{url:?} has no host"))?;
        let path = parsed
            .query()
            .map_or_else(|| parsed.path().to_owned(), |query| format!("{}?{query}", parsed.path()));
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: parsed.port_or_known_default().unwrap_or(80),
            path,
        })
    }

    /// What goes into `Host`: the host, with brackets where it is an IPv6 address, and the port.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Whether it is this machine: `localhost` or a loopback address.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost"
            || self.host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
    }

    /// Whether it may be sent to. Errors: it is not this machine, and that was not allowed.
    pub fn check_allowed(&self, allow_remote: bool) -> Result<(), String> {
        if allow_remote || self.is_loopback() {
            return Ok(());
        }
        Err(format!("{} is not this machine; --allow-remote allows sending to it", self.authority()))
    }

    /// The whole URL.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.authority(), self.path)
    }
}

impl Client {
    /// A client that waits that long for an answer.
    pub fn new(timeout: Duration, clock: Clock) -> Self {
        Self { timeout, clock, idle: Mutex::default() }
    }

    /// Sends one delivery. The exchange has no number yet: the transcript gives it one.
    pub async fn send(&self, target: &Target, delivery: &Delivery) -> Exchange {
        let segments = encode_request(delivery, &target.authority());
        let at_ms = self.clock.now_ms();
        let began = Instant::now();
        let (outcome, took) = self.attempt(target, &segments, began).await;
        Exchange { id: ExchangeId(0), delivery: delivery.clone(), outcome, at_ms, took }
    }

    async fn attempt(&self, target: &Target, segments: &[Vec<u8>], began: Instant) -> (Outcome, Duration) {
        let deadline = began + self.timeout;
        if let Some(stream) = self.idle(target) {
            match self.converse(stream, target, segments, deadline).await {
                // A peer may close an idle connection at any moment. No byte of an answer came, so the request is sent
                // again, on a fresh connection, where an end without an answer does mean something.
                (Outcome::ClosedEarly | Outcome::Reset, false) => {}
                (outcome, _) => return (outcome, began.elapsed()),
            }
        }
        match timeout_at(deadline, TcpStream::connect((target.host.as_str(), target.port))).await {
            Err(_) => (Outcome::TimedOut, began.elapsed()),
            Ok(Err(why)) => (ended(&why), began.elapsed()),
            Ok(Ok(stream)) => {
                // Without it a small request may wait for the acknowledgement of the one before it.
                let _ = stream.set_nodelay(true);
                let outcome = self.converse(stream, target, segments, deadline).await.0;
                (outcome, began.elapsed())
            }
        }
    }

    /// One request and its answer on a connection. Returns whether any byte of an answer had come.
    async fn converse(
        &self,
        stream: TcpStream,
        target: &Target,
        segments: &[Vec<u8>],
        deadline: Instant,
    ) -> (Outcome, bool) {
        let mut reader = Reader::default();
        let (mut incoming, mut outgoing) = split(stream);
        let exchange = async {
            let answer = reader.response_head(&mut incoming);
            tokio::pin!(answer);
            // Reading begins before writing ends: a peer may refuse a body that it has not read to its end.
            let (answer, written) = tokio::select! {
                biased;
                answer = &mut answer => (answer, false),
                written = write(&mut outgoing, segments) => (answer.await, written.is_ok()),
            };
            answer.map(|(response, framing)| (response, framing, written))
        };
        let (mut response, framing, written) = match timeout_at(deadline, exchange).await {
            Err(_) => return (Outcome::TimedOut, true),
            Ok(Err(ReadError::Closed { empty })) => return (Outcome::ClosedEarly, !empty),
            Ok(Err(ReadError::Io(why))) => return (ended(&why), false),
            Ok(Err(ReadError::Malformed(why))) => return (Outcome::Malformed(why), true),
            Ok(Err(ReadError::TooLarge)) => return (Outcome::Malformed("too large".to_owned()), true),
            Ok(Ok(answer)) => answer,
        };
        // The status is the answer, whatever becomes of the body behind it.
        let body = reader.body(&mut incoming, framing, KEPT_BODY, READ_BODY);
        let body_deadline = Instant::now() + BODY_WAIT.min(self.timeout);
        let whole = match timeout_at(body_deadline, body).await {
            Ok(Ok((body, whole))) => {
                response.body = body;
                whole
            }
            _ => false,
        };
        if written && whole && framing != crate::wire::Framing::UntilClose && keeps_alive(&response) {
            self.put_back(target, incoming.unsplit(outgoing));
        }
        (Outcome::Answered(response), true)
    }

    fn idle(&self, target: &Target) -> Option<TcpStream> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let streams = idle.get_mut(&target.authority())?;
        while let Some(stream) = streams.pop() {
            // Still open, and nothing came that nobody asked for.
            let mut probe = [0; 1];
            if matches!(stream.try_read(&mut probe), Err(why) if why.kind() == io::ErrorKind::WouldBlock) {
                return Some(stream);
            }
        }
        None
    }

    fn put_back(&self, target: &Target, stream: TcpStream) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.entry(target.authority()).or_default().push(stream);
    }
}

/// Writes each segment by itself, with a pause that lets the peer read it before the next.
async fn write<W: AsyncWrite + Unpin>(outgoing: &mut W, segments: &[Vec<u8>]) -> io::Result<()> {
    for (at, segment) in segments.iter().enumerate() {
        if at > 0 {
            sleep(SEGMENT_PAUSE).await;
        }
        outgoing.write_all(segment).await?;
    }
    Ok(())
}

fn keeps_alive(response: &Response) -> bool {
    let closes = |value: &Bytes| value.to_ascii_lowercase().windows(5).any(|word| word == b"close");
    !response.headers.all("connection").any(closes)
}

fn ended(why: &io::Error) -> Outcome {
    match why.kind() {
        io::ErrorKind::ConnectionRefused => Outcome::Refused,
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
            Outcome::Reset
        }
        io::ErrorKind::UnexpectedEof => Outcome::ClosedEarly,
        _ => Outcome::Malformed(why.to_string()),
    }
}
