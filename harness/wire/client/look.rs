//! Looks at what is at an address: which addresses a name has and which of them accept, which certificate is shown, what the
//! port speaks, and each exchange with what a run does not need: the version, an interim answer, whether the connection is kept.
//!
//! Invariant: every look is bounded in time and in memory, and what is found is data.

mod secured;

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};

use super::bodies::BodyLimits;
use super::connection::Connection;
use super::conversation::{Reading, converse};
use super::target::Target;
use super::{KEPT_BODY, address};
use crate::wire::codec::{Step, collect, encode_request, head_end, parse_request, slots};
use crate::wire::exchange::{Delivery, Headers, Outcome};

pub use secured::{Dated, Rejected, Shown, secured};

/// How many addresses of a name are tried.
const MOST_ADDRESSES: usize = 8;
/// The pause within a body that is sent slowly, in pauses of the client.
const SLOW_PAUSES: usize = 120;
/// The least time that those take.
pub const SLOW_PAUSE: Duration = Duration::from_millis(600);
/// How much of an answer without TLS is read at most, and how much tells what it is.
const BEGINNING: u64 = 256;
const STATUS_LINE: usize = 12;

/// An address of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub ip: IpAddr,
    pub accepts: Accepts,
}

/// What an attempt to connect came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepts {
    Yes(Duration),
    Refused,
    TimedOut,
    No(String),
}

/// What a host is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// An address: nothing is looked up.
    Literal,
    /// `localhost` or a name below it; the loopback addresses that the system's resolver has for it.
    Localhost(Vec<IpAddr>),
    /// A name that was looked up, in this time.
    Name(Duration),
    /// A name that is not known: why.
    Unknown(String),
}

/// A host and its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub host: Host,
    pub addresses: Vec<Address>,
    /// How many more there are, which were not tried.
    pub more: usize,
}

/// Looks up a host and connects to each of its addresses, to all at the same time.
pub async fn place(target: &Target, wait: Duration) -> Place {
    let began = Instant::now();
    let found = timeout(wait, address::addresses(&target.host, target.port)).await;
    let took = began.elapsed();
    let found = match found {
        Ok(Ok(found)) => found,
        Ok(Err(why)) => return unknown(why.to_string()),
        Err(_) => return unknown(Outcome::TimedOut.to_string()),
    };
    let host = match target.host.parse::<IpAddr>() {
        Ok(_) => Host::Literal,
        Err(_) if address::is_loopback(&target.host) => Host::Localhost(of_system(target, wait).await),
        Err(_) => Host::Name(took),
    };
    let more = found.len().saturating_sub(MOST_ADDRESSES);
    let tried = found
        .into_iter()
        .take(MOST_ADDRESSES)
        .map(|address| async move { Address { ip: address.ip(), accepts: accepts(address, wait).await } });
    Place { host, addresses: join_all(tried).await, more }
}

fn unknown(why: String) -> Place {
    Place { host: Host::Unknown(why), addresses: Vec::new(), more: 0 }
}

async fn of_system(target: &Target, wait: Duration) -> Vec<IpAddr> {
    match timeout(wait, lookup_host((target.host.as_str(), target.port))).await {
        Ok(Ok(found)) => found.map(|address| address.ip()).take(MOST_ADDRESSES).collect(),
        _ => Vec::new(),
    }
}

async fn accepts(address: SocketAddr, wait: Duration) -> Accepts {
    let began = Instant::now();
    match timeout(wait, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Accepts::Yes(began.elapsed()),
        Ok(Err(why)) if why.kind() == ErrorKind::ConnectionRefused => Accepts::Refused,
        Ok(Err(why)) if why.kind() == ErrorKind::TimedOut => Accepts::TimedOut,
        Ok(Err(why)) => Accepts::No(why.to_string()),
        Err(_) => Accepts::TimedOut,
    }
}

/// What an address answers to a GET without TLS: its first bytes, none if there is no answer in time.
pub async fn unsecured(target: &Target, wait: Duration) -> Vec<u8> {
    let mut begin = Vec::new();
    let asking = async {
        let mut stream = address::connect(&target.host, target.port).await?;
        let request = format!("GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", target.authority());
        stream.write_all(request.as_bytes()).await?;
        let mut stream = stream.take(BEGINNING);
        while begin.len() < STATUS_LINE && stream.read_buf(&mut begin).await? > 0 {}
        std::io::Result::Ok(())
    };
    // What arrived until then counts.
    let _ = timeout(wait, asking).await;
    begin
}

/// An exchange, and what it shows of the connection.
#[derive(Debug, Clone)]
pub struct Told {
    pub outcome: Outcome,
    /// From the first byte sent to the head of the answer.
    pub took: Duration,
    /// The minor version of HTTP/1 in the answer.
    pub minor: Option<u8>,
    /// Whether `100 Continue` arrived.
    pub continued: bool,
    /// Whether it was sent on a connection that had carried another.
    pub again: bool,
}

/// A client with one connection, which is opened when it is needed.
#[derive(Debug)]
pub struct Looker {
    target: Target,
    wait: Duration,
    kept: Option<Connection>,
    bodies: BodyLimits,
}

impl Looker {
    /// Waits `wait` for each answer.
    pub fn new(target: Target, wait: Duration) -> Self {
        Self { target, wait, kept: None, bodies: BodyLimits::default() }
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Waits this long for each answer from now on.
    pub fn wait(&mut self, wait: Duration) {
        self.wait = wait;
    }

    /// Whether the connection can carry another exchange, as far as the last answer says.
    pub fn keeps(&self) -> bool {
        self.kept.is_some()
    }

    /// Closes the connection, so that the next delivery has its own.
    pub fn close(&mut self) {
        self.kept = None;
    }

    /// Sends a delivery on the connection that is kept, or on a new one.
    pub async fn send(&mut self, delivery: &Delivery) -> Told {
        let steps = encode_request(delivery, &self.target.authority());
        self.follow(&steps, self.wait).await
    }

    /// Sends the first half of a body, and the second [`SLOW_PAUSE`] later.
    pub async fn send_slowly(&mut self, delivery: &Delivery) -> Told {
        let steps = encode_request(delivery, &self.target.authority()).into_iter();
        let slow = |step: Step| match step {
            Step::Write(parts) => halves(parts),
            other => vec![other],
        };
        let steps: Vec<Step> = steps.flat_map(slow).collect();
        self.follow(&steps, self.wait + SLOW_PAUSE * 2).await
    }

    async fn follow(&mut self, steps: &[Step], wait: Duration) -> Told {
        let began = Instant::now();
        let deadline = began + wait;
        let mut kept = self.kept.take();
        if kept.as_mut().is_some_and(|connection| !connection.is_idle()) {
            kept = None;
        }
        let again = kept.is_some();
        let opened = match kept {
            Some(connection) => Ok(connection),
            None => {
                timeout_at(deadline, Connection::open(&self.target)).await.unwrap_or(Err(Outcome::TimedOut))
            }
        };
        let mut connection = match opened {
            Ok(connection) => connection,
            Err(outcome) => {
                return Told { outcome, took: began.elapsed(), minor: None, continued: false, again };
            }
        };
        let reading = Reading { wait: self.wait, kept: KEPT_BODY, bodies: &self.bodies };
        let answer = converse(&mut connection, steps, deadline, &reading).await;
        self.kept = Some(connection).filter(|_| answer.reusable);
        let took = answer.took.unwrap_or_else(|| began.elapsed());
        Told { outcome: answer.outcome, took, minor: answer.minor, continued: answer.continued, again }
    }
}

/// The head and the first half of the body, a long pause, and the rest.
fn halves(parts: Vec<bytes::Bytes>) -> Vec<Step> {
    let [head, body] = &parts[..] else { return vec![Step::Write(parts)] };
    let middle = body.len() / 2;
    let first = Step::Write(vec![head.clone(), body.slice(..middle)]);
    let pauses = std::iter::repeat_n(Step::Pause, SLOW_PAUSES);
    std::iter::once(first).chain(pauses).chain([Step::Write(vec![body.slice(middle..)])]).collect()
}

/// The headers of a delivery as they are sent, with those of the connection.
pub fn sent_headers(delivery: &Delivery, target: &Target) -> Headers {
    let steps = encode_request(delivery, &target.authority());
    let Some(Step::Write(parts)) = steps.first() else { return delivery.headers.clone() };
    let Some(first) = parts.first() else { return delivery.headers.clone() };
    let end = head_end(first, 0, crate::wire::codec::Side::Request).ok().flatten();
    let head = &first[..end.unwrap_or(first.len())];
    let mut slots = slots();
    parse_request(head, &mut slots)
        .map_or_else(|_| delivery.headers.clone(), |parsed| collect(parsed.headers))
}
