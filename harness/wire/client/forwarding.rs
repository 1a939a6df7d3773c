//! Forwards requests unchanged to another address.
//!
//! Invariant: method, body and headers are forwarded byte for byte, except headers of the connection. `Via` is added, which each
//! server on the way names itself in (RFC 9110, 7.6.3). A request is never forwarded to the server that received it, and a
//! request that came back is recognised.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::timeout;

use super::address::addresses;
use super::{Client, Target};
use crate::clock::Clock;
use crate::wire::exchange::{Delivery, Headers, Outcome, Response};
use crate::wire::messages;

/// Headers of the connection, which the next one sets anew.
const OF_THE_CONNECTION: [&str; 5] =
    ["host", "content-length", "transfer-encoding", "connection", "keep-alive"];
const VIA: &str = "Via";
/// How many bytes of an answer's body are passed back.
const KEPT_BODY: usize = 8 * 1024 * 1024;
/// How much later than the client an exchange is given up, so that a head that arrived in time is still the answer.
const GRACE: Duration = Duration::from_millis(50);

/// How the forwarding of a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forwarded {
    /// It was answered with this status.
    Answered(u16),
    /// It was not answered, for this reason.
    Lost(String),
}

impl Forwarded {
    /// Whether the target has taken it.
    pub fn is_taken(&self) -> bool {
        matches!(self, Self::Answered(200..=299))
    }

    /// What happened, as in "connection refused" or "answered 500".
    pub fn describe(&self) -> String {
        match self {
            Self::Answered(status) => messages::answered(*status),
            Self::Lost(why) => why.clone(),
        }
    }
}

#[derive(Debug)]
pub struct Forwarding {
    client: Client,
    target: Target,
    wait: Duration,
    /// The name of this server in `Via`.
    name: String,
}

impl Forwarding {
    /// Forwards to a target and waits `wait` for each answer. A path other than `/` replaces the path of the requests. `name` is
    /// the name of this server in `Via`, which no other server must have.
    pub(crate) fn new(target: Target, wait: Duration, clock: Clock, name: String) -> Self {
        Self { client: Client::new(wait, clock).keeping(KEPT_BODY), target, wait, name }
    }

    /// Whether this server has forwarded the request before.
    pub(crate) fn came_back(&self, delivery: &Delivery) -> bool {
        let lines = delivery.headers.0.iter().filter(|(name, _)| name.eq_ignore_ascii_case(VIA));
        let servers = lines.flat_map(|(_, value)| value.split(|byte| *byte == b','));
        // The protocol, then the name, then perhaps a comment.
        let name = |server: &[u8]| {
            let mut words = server.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            words.nth(1).is_some_and(|name| name == self.name.as_bytes())
        };
        servers.into_iter().any(name)
    }

    /// The URL of the target.
    pub(crate) fn url(&self) -> String {
        self.target.url()
    }

    /// Forwards a request and returns the answer, or 502 if there is none in time.
    pub(crate) async fn pass(&self, delivery: &Delivery) -> (Response, Forwarded) {
        let mut forwarded = delivery.clone();
        forwarded.headers = passed(&delivery.headers);
        forwarded.headers.add(VIA, format!("1.1 {}", self.name));
        if self.target.path != "/" {
            forwarded.target.clone_from(&self.target.path);
        }
        let sent = timeout(self.wait + GRACE, self.client.send(&self.target, &forwarded)).await;
        match sent.map_or(Outcome::TimedOut, |exchange| exchange.outcome) {
            Outcome::Answered(response) => {
                let status = response.status;
                (Response { headers: passed(&response.headers), ..response }, Forwarded::Answered(status))
            }
            Outcome::TimedOut => self.lost(&messages::no_answer_within(self.wait)),
            lost => self.lost(&lost.to_string()),
        }
    }

    /// The answer to a request that was not answered by the target.
    pub(crate) fn lost(&self, why: &str) -> (Response, Forwarded) {
        let answer = Response::text(502, messages::forwarding_failed(&self.target.url(), why));
        (answer, Forwarded::Lost(why.to_owned()))
    }
}

/// The headers without those of the connection.
pub(crate) fn passed(headers: &Headers) -> Headers {
    let belongs = |name: &str| OF_THE_CONNECTION.iter().any(|one| name.eq_ignore_ascii_case(one));
    let kept = headers.0.iter().filter(|(name, _)| !belongs(name));
    Headers(kept.cloned().collect::<Vec<(String, Bytes)>>())
}

/// Whether a target leads to this server: to its port, at its own address or, if it listens on all addresses, at any address
/// of this machine.
///
/// Errors: the target's host cannot be resolved.
pub(crate) async fn leads_to(target: &Target, server: SocketAddr) -> io::Result<bool> {
    if target.port != server.port() {
        return Ok(false);
    }
    let addresses = addresses(&target.host, target.port).await?;
    let own = |address: IpAddr| {
        let address = address.to_canonical();
        let reaches = server.ip().is_unspecified() || address == server.ip().to_canonical();
        // A connection to the unspecified address goes to this machine. On its other addresses a port can be bound.
        address.is_unspecified() || (reaches && TcpListener::bind((address, 0)).is_ok())
    };
    Ok(addresses.iter().any(|address| own(address.ip())))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::time::Duration;

    use super::{Forwarding, leads_to};
    use crate::clock::Clock;
    use crate::wire::client::Target;
    use crate::wire::exchange::{Delivery, Headers, Transfer};

    #[test]
    fn recognises_requests_that_came_back() {
        let target = Target::parse("http://127.0.0.1:4000/").unwrap();
        let forwarding = Forwarding::new(target, Duration::from_secs(1), Clock::fixed(0), "own-1".to_owned());
        for (via, came_back) in [
            ("1.1 own-1", true),
            ("1.0 other, HTTP/1.1\town-1 (a comment)", true),
            ("1.1 own-12", false),
            ("1.1 other (own-1)", false),
            ("own-1", false),
            ("", false),
        ] {
            let mut headers = Headers::default();
            headers.add("vIA", via);
            let delivery = Delivery {
                method: "POST".to_owned(),
                target: "/".to_owned(),
                headers,
                body: "".into(),
                transfer: Transfer::Whole,
            };
            assert_eq!(forwarding.came_back(&delivery), came_back, "{via}");
        }
    }

    #[tokio::test]
    async fn recognises_targets_that_lead_to_the_server() {
        for (url, server, itself) in [
            ("http://127.0.0.1:4000/", "127.0.0.1:4000", true),
            ("http://localhost:4000/", "127.0.0.1:4000", true),
            ("http://127.0.0.1:4000/", "0.0.0.0:4000", true),
            ("http://[::ffff:127.0.0.1]:4000/", "127.0.0.1:4000", true),
            ("http://127.0.0.1:4001/", "127.0.0.1:4000", false),
            ("http://127.0.0.2:4000/", "127.0.0.1:4000", false),
            ("http://192.0.2.1:4000/", "0.0.0.0:4000", false),
        ] {
            let target = Target::parse(url).unwrap();
            assert_eq!(leads_to(&target, server.parse().unwrap()).await.unwrap(), itself, "{url} {server}");
        }
    }
}
