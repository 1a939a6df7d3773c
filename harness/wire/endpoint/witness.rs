//! An endpoint that records what arrives, exactly: the spelling and the order of headers, how the body is framed, when each part
//! came, and over which connection.
//!
//! Invariant: bounded. Requests past [`MOST`] are not kept, and of bodies what fits [`LONGEST`] and `KEPT`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Server, drain, listen, refusal};
use crate::budget::Budget;
use crate::wire::codec::{ReadError, Reader, RequestHead, encode_response};
use crate::wire::exchange::{Delivery, Response};

/// How many requests are kept.
pub const MOST: usize = 64;
/// How many bytes of a body are kept.
pub const LONGEST: usize = 2 * 1024 * 1024;
/// How many bytes of all bodies are kept.
const KEPT: usize = 16 * 1024 * 1024;
/// How many connections it has at the same time.
const MOST_CONNECTIONS: usize = 64;
/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the rest of a rejected request is read.
const DRAIN_WAIT: Duration = Duration::from_secs(1);

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Witnessed {
    /// Its head, with its body as far as it is kept, and how that was framed.
    pub delivery: Delivery,
    /// The length of the whole body.
    pub length: u64,
    /// Whether the body arrived completely.
    pub whole: bool,
    /// Whether it waits for `100 Continue`.
    pub expects: bool,
    pub from: IpAddr,
    /// The number of its connection, and whether that had carried another.
    pub connection: usize,
    pub again: bool,
    pub began: Instant,
    /// When the first byte of the body arrived.
    pub body_began: Option<Instant>,
}

#[derive(Debug, Default)]
struct Log {
    arrived: Vec<Witnessed>,
    /// Bytes that are not a request: why.
    malformed: Vec<String>,
    connections: usize,
}

#[derive(Debug)]
pub struct Witness {
    server: Server,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    log: Mutex<Log>,
    answer: Mutex<Response>,
    changed: Notify,
    /// What is left of [`KEPT`].
    budget: Budget,
}

impl Witness {
    /// Listens on an address. It answers 200 until another answer is set.
    ///
    /// Errors: the address cannot be listened on.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            log: Mutex::default(),
            answer: Mutex::new(Response::text(200, "")),
            changed: Notify::new(),
            budget: Budget::of(KEPT),
        });
        let own = shared.clone();
        let server = listen(address, MOST_CONNECTIONS, move |stream| connection(stream, own.clone())).await?;
        Ok(Self { server, shared })
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Answers like this from now on.
    pub fn answer(&self, answer: Response) {
        *self.shared.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }

    /// What has arrived, and what was no request, from these numbers on.
    fn after(&self, (requests, malformed): (usize, usize)) -> (Vec<Witnessed>, Vec<String>) {
        let log = self.shared.log.lock().unwrap_or_else(PoisonError::into_inner);
        let arrived = log.arrived.get(requests..).unwrap_or_default().to_vec();
        (arrived, log.malformed.get(malformed..).unwrap_or_default().to_vec())
    }

    /// How much has arrived.
    pub fn count(&self) -> (usize, usize) {
        let log = self.shared.log.lock().unwrap_or_else(PoisonError::into_inner);
        (log.arrived.len(), log.malformed.len())
    }

    /// Waits until what has arrived from these numbers on is `enough`, or `wait` is over. Returns all of it.
    pub async fn wait(
        &self,
        from: (usize, usize),
        wait: Duration,
        enough: impl Fn(&[Witnessed], &[String]) -> bool,
    ) -> (Vec<Witnessed>, Vec<String>) {
        let deadline = Instant::now() + wait;
        loop {
            let changed = self.shared.changed.notified();
            let (arrived, malformed) = self.after(from);
            if enough(&arrived, &malformed) || timeout_at(deadline, changed).await.is_err() {
                return self.after(from);
            }
        }
    }
}

impl Shared {
    fn log(&self, note: impl FnOnce(&mut Log)) {
        note(&mut self.log.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_waiters();
    }
}

async fn connection(mut stream: TcpStream, shared: Arc<Shared>) {
    let Ok(from) = stream.peer_addr() else { return };
    let mut number = 0;
    shared.log(|log| {
        log.connections += 1;
        number = log.connections;
    });
    let (mut reader, mut again) = (Reader::default(), false);
    while let Ok(read) = timeout(PATIENCE, request(&mut reader, &mut stream, &shared.budget)).await {
        let (mut witnessed, persists) = match read {
            Ok(Some(read)) => read,
            Ok(None) => return,
            Err(why) => return refuse(stream, &shared, why).await,
        };
        (witnessed.from, witnessed.connection, witnessed.again) = (from.ip(), number, again);
        again = true;
        let goes_on = witnessed.whole && persists;
        shared.log(|log| {
            if log.arrived.len() < MOST {
                log.arrived.push(witnessed);
            }
        });
        let answer = shared.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let written = timeout(PATIENCE, stream.write_all(&encode_response(&answer))).await;
        if !goes_on || !matches!(written, Ok(Ok(()))) {
            return;
        }
    }
}

/// Reads a request and its body; `None` if the connection ended before it. The flag says whether another may follow.
async fn request(
    reader: &mut Reader,
    stream: &mut TcpStream,
    budget: &Budget,
) -> Result<Option<(Witnessed, bool)>, ReadError> {
    if !reader.begins(stream).await? {
        return Ok(None);
    }
    let began = Instant::now();
    let RequestHead { mut delivery, facts } = reader.request_head(stream).await?;
    if facts.expects {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.map_err(ReadError::Io)?;
    }
    let (mut body, mut length, mut body_began) = (Vec::new(), 0, None);
    let mut keep = |part: &[u8]| {
        body_began.get_or_insert_with(Instant::now);
        length += part.len() as u64;
        let room = budget.take(part.len().min(LONGEST - body.len()));
        body.extend_from_slice(&part[..room]);
    };
    let whole = match reader.request_body(stream, facts.framing, &mut keep).await {
        Ok(()) => true,
        Err(ReadError::Closed { .. } | ReadError::Io(_)) => false,
        Err(why) => return Err(why),
    };
    delivery.transfer = reader.transfer(facts.framing);
    delivery.body = body.into();
    let witnessed = Witnessed {
        delivery,
        length,
        whole,
        expects: facts.expects,
        from: Ipv4Addr::UNSPECIFIED.into(),
        connection: 0,
        again: false,
        began,
        body_began,
    };
    Ok(Some((witnessed, facts.persists)))
}

/// Records bytes that are no request, and rejects them.
async fn refuse(mut stream: TcpStream, shared: &Shared, why: ReadError) {
    let ReadError::Malformed { fault, quoted } = why else { return };
    shared.log(|log| {
        if log.malformed.len() < MOST {
            log.malformed.push(format!("{fault}: {quoted}"));
        }
    });
    let refusal = refusal(400, format!("{fault}\n"));
    let _ = timeout(PATIENCE, stream.write_all(&encode_response(&refusal))).await;
    drain(&mut stream, DRAIN_WAIT).await;
}
