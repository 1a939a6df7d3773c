//! The endpoints of the sender's scenarios, on plain sockets. They record every request unchanged, answer by a script, and
//! misbehave on purpose: refuse, reset, cut off, drip, hang.
//!
//! Invariant: whatever is sent, an endpoint stays up and bounded in memory, and separates requests from other bytes.

mod conversation;
mod log;
mod place;
mod script;
mod secured;
mod strays;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use log::Log;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use super::certificates::Authority;
use super::{Server, listen};
use crate::clock::Clock;
use crate::wire::handshake::Certificate;

pub use crate::budget::Budget;
pub use log::{Broken, Handshake, MOST_REQUESTS, Received, Seen};
pub use place::Place;
pub use script::{Answer, Before, IdleEnd, Manner, Script};
pub use strays::Strays;

/// How many connections an endpoint has at the same time. Each may need a head and a read buffer.
const MOST_CONNECTIONS: usize = 256;

#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
    place: Place,
    scheme: &'static str,
    log: Arc<Log>,
    _socket: Socket,
}

/// What keeps an endpoint's address.
#[derive(Debug)]
enum Socket {
    Listening {
        _server: Server,
    },
    /// Bound but not listening: no other program gets the port, and connections are refused.
    Refusing {
        _socket: TcpSocket,
    },
}

/// What endpoints have in common.
#[derive(Debug, Clone)]
pub struct Settings {
    pub clock: Clock,
    /// How many bytes all endpoints may keep.
    pub budget: Budget,
    /// Counts requests that are no deliveries.
    pub strays: Strays,
    /// How long a request may take from its first byte to its last.
    pub patience: Duration,
    /// Where they listen, and how a sender reaches them.
    pub place: Place,
}

impl Endpoint {
    /// Starts an endpoint that answers 200 to everything until it gets a script.
    ///
    /// Errors: no port can be listened on.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        Self::listening(settings, "http", |mut stream, log, patience| async move {
            conversation::converse(&mut stream, &log, patience).await;
        })
        .await
    }

    /// Starts such an endpoint with HTTPS and this certificate.
    ///
    /// Errors: no port can be listened on, or the certificate cannot be created.
    pub async fn start_secured(
        settings: Settings,
        authority: &Authority,
        certificate: Certificate,
    ) -> io::Result<Self> {
        let acceptor = authority.acceptor(certificate).map_err(io::Error::other)?;
        let connect =
            move |stream, log, patience| secured::connection(stream, acceptor.clone(), log, patience);
        Self::listening(settings, "https", connect).await
    }

    async fn listening<F: Future<Output = ()> + Send + 'static>(
        settings: Settings,
        scheme: &'static str,
        connect: impl Fn(TcpStream, Arc<Log>, Duration) -> F + Send + 'static,
    ) -> io::Result<Self> {
        let log = Arc::new(Log::new(settings.clock, settings.budget, settings.strays));
        let shared = log.clone();
        let handle = move |stream| connect(stream, shared.clone(), settings.patience);
        let place = settings.place;
        let server = listen(place.any_port(), MOST_CONNECTIONS, handle).await?;
        let address = server.address();
        Ok(Self { address, place, scheme, log, _socket: Socket::Listening { _server: server } })
    }

    /// An address that refuses every connection while this value lives.
    ///
    /// Errors: no port can be bound.
    pub fn refusing(settings: Settings) -> io::Result<Self> {
        let any = settings.place.any_port();
        let socket = if any.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
        socket.bind(any)?;
        let log = Arc::new(Log::new(settings.clock, settings.budget, settings.strays));
        let (address, scheme) = (socket.local_addr()?, "http");
        Ok(Self {
            address,
            place: settings.place,
            scheme,
            log,
            _socket: Socket::Refusing { _socket: socket },
        })
    }

    pub fn url(&self, target: &str) -> String {
        format!("{}://{}{target}", self.scheme, self.place.authority(self.address.port()))
    }

    /// Its URL with the name `localhost`, or [`Endpoint::url`] if that name does not resolve to its address, or is that of another
    /// machine for the sender.
    pub(crate) async fn url_by_name(&self, target: &str) -> String {
        if !self.place.is_loopback() {
            return self.url(target);
        }
        let name = ("localhost", self.address.port());
        let found = lookup_host(name).await.is_ok_and(|mut found| found.any(|one| one == self.address));
        if found { format!("{}://localhost:{}{target}", self.scheme, name.1) } else { self.url(target) }
    }

    pub fn follow(&self, script: Script) {
        self.log.follow(script);
    }

    /// From now on it answers 200 to everything and records nothing. For senders that cannot delete a webhook.
    pub fn retire(&self) {
        self.log.retire();
    }

    /// Forgets everything that it received. From now on it answers 200 to everything, and records it.
    pub fn restart(&self) {
        self.log.restart();
    }

    /// Everything that it received so far. A request counts as broken if it is incomplete for longer than `unfinished_after`.
    pub fn seen(&self, unfinished_after: Duration) -> Seen {
        self.log.seen(unfinished_after)
    }

    /// The requests that were recorded so far.
    pub fn received(&self) -> Vec<Received> {
        self.log.seen(Duration::MAX).received
    }

    /// Calls `look` with the requests that were recorded so far.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&[Received]) -> T) -> T {
        self.log.look(look)
    }

    /// How many requests arrived so far, recorded or not.
    pub fn count(&self) -> u64 {
        self.log.count()
    }

    /// How many visits there were so far: requests, and TLS connections without a request.
    pub fn visits(&self) -> u64 {
        self.log.visits()
    }

    /// Waits until there were more than `before` visits, or `wait` is over.
    pub(crate) async fn wait_for_visit(&self, before: u64, wait: Duration) {
        let deadline = Instant::now() + wait;
        loop {
            let changed = self.log.changed();
            if self.visits() > before || timeout_at(deadline, changed).await.is_err() {
                return;
            }
        }
    }

    /// Waits until each request was followed by the end of its connection, or `wait` is over.
    pub(crate) async fn wait_for_ends(&self, wait: Duration) {
        let deadline = Instant::now() + wait;
        loop {
            let changed = self.log.changed();
            if self.log.all_ended() || timeout_at(deadline, changed).await.is_err() {
                return;
            }
        }
    }

    /// Waits until the recorded requests are `enough`, or `wait` is over. Returns whether they are.
    pub async fn wait(&self, wait: Duration, mut enough: impl FnMut(&[Received]) -> bool) -> bool {
        let deadline = Instant::now() + wait;
        loop {
            // Subscribe before looking, so that no arrival in between is missed.
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
