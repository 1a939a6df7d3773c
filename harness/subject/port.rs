//! Free ports for programs that are started here.
//!
//! A port from bind-to-zero lies in the range from which the system takes the ports of outgoing connections. Between the search and
//! the program's own bind, and each time that the program is restarted, any connection on the machine may take it: under
//! load the program then cannot listen, or another server answers in its place. No outgoing connection gets a port below that range.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::net::TcpSocket;

/// The first port that is tried. Well-known services lie below.
const FIRST: u16 = 10_000;

/// The start of the range of outgoing connections where the system does not say: Linux's default, the lowest of all systems.
const OUTGOING_FROM: u16 = 32_768;

/// How many ports are tried before the system chooses one.
const TRIES: u32 = 200;

/// How many ports this process has tried.
static TRIED: AtomicU32 = AtomicU32::new(0);

/// A port that is free on every address of this machine, and not given to outgoing connections.
///
/// Errors: no port is free.
pub fn free_port() -> io::Result<u16> {
    let range = below_outgoing();
    for _ in 0..TRIES {
        let port = nth(&range, process::id(), TRIED.fetch_add(1, Ordering::Relaxed));
        if bound(port).is_ok() {
            return Ok(port);
        }
    }
    bound(0)
}

/// Whether something listens on the port, or holds it.
pub(super) fn is_taken(port: u16) -> bool {
    // Connections of an earlier run that still close do not matter: servers reuse their port.
    let on = |socket: io::Result<TcpSocket>, address: SocketAddr| {
        let socket = socket?;
        socket.set_reuseaddr(cfg!(unix))?;
        socket.bind(address)
    };
    let addresses = [
        on(TcpSocket::new_v4(), (Ipv4Addr::UNSPECIFIED, port).into()),
        on(TcpSocket::new_v6(), (Ipv6Addr::UNSPECIFIED, port).into()),
    ];
    addresses.iter().any(|bound| bound.as_ref().is_err_and(|why| why.kind() == io::ErrorKind::AddrInUse))
}

/// The ports below those of outgoing connections.
fn below_outgoing() -> Range<u16> {
    let said = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let lowest = said.split_whitespace().next().and_then(|word| word.parse().ok());
    let end = lowest.unwrap_or(OUTGOING_FROM);
    // Somebody gave all ports to outgoing connections: no port is safe, and any will do.
    if end > FIRST + 1_000 { FIRST..end } else { FIRST..OUTGOING_FROM }
}

/// The port that a process tries at a time. Processes that run at the same time, whose ids are close, begin far apart.
fn nth(range: &Range<u16>, process: u32, tried: u32) -> u16 {
    let begin = process.wrapping_mul(7_919);
    let step = begin.wrapping_add(tried) % u32::from(range.end - range.start);
    range.start + u16::try_from(step).unwrap_or(0)
}

/// Binds a port, without listening, on every address, so that a program may bind it on any. Returns its number.
fn bound(port: u16) -> io::Result<u16> {
    let on = |socket: io::Result<TcpSocket>, address: SocketAddr| {
        let socket = socket?;
        socket.bind(address)?;
        socket.local_addr().map(|address| address.port())
    };
    let port = on(TcpSocket::new_v4(), (Ipv4Addr::UNSPECIFIED, port).into())?;
    match on(TcpSocket::new_v6(), (Ipv6Addr::UNSPECIFIED, port).into()) {
        Err(why) if why.kind() == io::ErrorKind::AddrInUse => Err(why),
        // There may be no IPv6 here.
        _ => Ok(port),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::net::TcpListener;

    use super::{below_outgoing, bound, free_port, is_taken, nth};

    #[test]
    fn free_ports_are_below_the_outgoing_range_and_can_be_bound() {
        let ports: Vec<u16> = (0..20).map(|_| free_port().unwrap()).collect();
        for (at, port) in ports.iter().enumerate() {
            assert!(below_outgoing().contains(port), "{port}");
            assert!(!ports[..at].contains(port), "{port} is given twice");
            TcpListener::bind(("127.0.0.1", *port)).unwrap();
        }
    }

    #[test]
    fn occupied_port_is_not_free() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        assert!(bound(port).is_err() && is_taken(port));
        drop(taken);
        assert!(!is_taken(port));
    }

    #[test]
    fn processes_with_close_ids_begin_far_apart() {
        let range = 10_000..32_768;
        assert!(nth(&range, 1_000, 0).abs_diff(nth(&range, 1_001, 0)) > 5_000);
        assert_eq!(nth(&range, 1_000, 0) + 1, nth(&range, 1_000, 1));
    }
}
