//! The addresses of a host, and whether they are on this machine.
//!
//! Invariant: `localhost` and the names below it are the loopback addresses, and no resolver is asked for them (RFC 6761, section
//! 6.3). A resolver or a file of hosts could name another machine.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::{TcpStream, lookup_host};

/// An open connection.
pub(crate) type Connection = TcpStream;

const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// Whether a host is a loopback address or a name for one. It has no brackets.
pub(crate) fn is_loopback(host: &str) -> bool {
    match parsed(host) {
        Some(address) => address.is_loopback(),
        None => is_localhost(host),
    }
}

/// What to connect to instead of an address that stands for every address of this machine, which only a server can use.
pub(crate) fn instead_of(host: &str) -> Option<&'static str> {
    let address: IpAddr = host.parse().ok()?;
    match (address.to_canonical().is_unspecified(), address) {
        (false, _) => None,
        (true, IpAddr::V6(address)) if address.to_ipv4_mapped().is_none() => Some("[::1]"),
        (true, _) => Some("127.0.0.1"),
    }
}

/// The addresses of a host, in the order in which they are tried.
///
/// Errors: the resolver does not know the name.
pub(crate) async fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Some(address) = parsed(host) {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    if is_localhost(host) {
        return Ok(LOOPBACK.map(|address| SocketAddr::new(address, port)).to_vec());
    }
    Ok(lookup_host((host, port)).await?.collect())
}

/// Connects to the first address of a host that accepts.
///
/// Errors: none does; a refusal rather than that there is no such address.
pub(crate) async fn connect(host: &str, port: u16) -> io::Result<Connection> {
    let mut failed = io::Error::from(ErrorKind::AddrNotAvailable);
    for address in addresses(host, port).await? {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(why) if failed.kind() != ErrorKind::ConnectionRefused => failed = why,
            Err(_) => {}
        }
    }
    Err(failed)
}

fn is_localhost(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// The address that a host is, with an IPv4 address inside an IPv6 address taken out.
fn parsed(host: &str) -> Option<IpAddr> {
    host.parse().ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_recognised_in_every_form() {
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "a.b.localhost.",
            "127.0.0.1",
            "127.1.2.3",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["::1", "::ffff:127.0.0.1", "::ffff:7f00:1"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            ".",
            "localhost..",
            "localhost.example",
            "notlocalhost",
            "localhost1",
            "128.0.0.1",
            "0.0.0.0",
            "::",
            "::2",
            "::ffff:10.0.0.1",
            // Neither is a form of an address here; the parser of URLs translates them.
            "127.1",
            "0x7f.1",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn unspecified_address_has_a_replacement() {
        for (host, instead) in [
            ("0.0.0.0", Some("127.0.0.1")),
            ("::ffff:0.0.0.0", Some("127.0.0.1")),
            ("::", Some("[::1]")),
            ("127.0.0.1", None),
            ("::1", None),
            ("localhost", None),
        ] {
            assert_eq!(instead_of(host), instead, "{host}");
        }
    }

    #[tokio::test]
    async fn localhost_is_not_looked_up() {
        for host in ["localhost", "some.name.localhost."] {
            let found: Vec<String> =
                addresses(host, 7).await.unwrap().iter().map(ToString::to_string).collect();
            assert_eq!(found, ["127.0.0.1:7", "[::1]:7"], "{host}");
        }
        assert_eq!(addresses("::ffff:127.0.0.1", 7).await.unwrap()[0].to_string(), "127.0.0.1:7");
    }

    #[tokio::test]
    async fn connects_to_either_loopback_address() {
        for address in LOOPBACK {
            // A machine may have no IPv6.
            let Ok(listener) = tokio::net::TcpListener::bind((address, 0)).await else { continue };
            let port = listener.local_addr().unwrap().port();
            let connected = connect("localhost", port).await.unwrap();
            assert_eq!(connected.peer_addr().unwrap().port(), port);
            drop((connected, listener));
            let kind = connect("localhost", port).await.unwrap_err().kind();
            assert_eq!(kind, ErrorKind::ConnectionRefused, "{address}");
        }
    }
}
