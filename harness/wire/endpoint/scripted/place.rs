//! Where endpoints listen, and the host of their URLs.
//!
//! Invariant: endpoints listen on all addresses only if the host of their URLs is not this machine alone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use crate::wire::client::address;
use crate::wire::messages;

const LOOPBACK: &str = "127.0.0.1";

/// The host by which a sender reaches the endpoints. They listen on loopback, or on all addresses if the host is not loopback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(String);

impl Default for Place {
    fn default() -> Self {
        Self(LOOPBACK.to_owned())
    }
}

impl FromStr for Place {
    type Err = String;

    /// Errors: it is neither a name nor an address, or is an address to listen on.
    fn from_str(text: &str) -> Result<Self, String> {
        let host = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        let is_address = host.parse::<IpAddr>().is_ok();
        let is_name = host.starts_with(|first: char| first.is_ascii_alphanumeric())
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        if !is_address && !is_name {
            return Err(messages::not_a_host(text));
        }
        match address::instead_of(host) {
            Some(instead) => Err(messages::address_to_listen_on(host, instead)),
            None => Ok(Self(host.to_owned())),
        }
    }
}

impl Place {
    /// Whether only programs on this machine reach it.
    pub fn is_loopback(&self) -> bool {
        address::is_loopback(&self.0)
    }

    /// The host in the URLs of endpoints, without brackets.
    pub fn host(&self) -> &str {
        &self.0
    }

    /// The address to listen on, with a port that the system chooses.
    pub(super) fn any_port(&self) -> SocketAddr {
        let address: IpAddr = match (self.is_loopback(), self.is_version_6()) {
            (true, true) => Ipv6Addr::LOCALHOST.into(),
            (true, false) => Ipv4Addr::LOCALHOST.into(),
            (false, true) => Ipv6Addr::UNSPECIFIED.into(),
            (false, false) => Ipv4Addr::UNSPECIFIED.into(),
        };
        SocketAddr::new(address, 0)
    }

    /// The host and port of URLs for an endpoint that listens on this port.
    pub(super) fn authority(&self, port: u16) -> String {
        let host = &self.0;
        if self.is_version_6() { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    fn is_version_6(&self) -> bool {
        self.0.contains(':')
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::Place;

    #[test]
    fn urls_have_the_host_and_endpoints_listen_where_it_leads() {
        for (host, authority, listens) in [
            ("127.0.0.1", "127.0.0.1:4000", "127.0.0.1:0"),
            ("localhost", "localhost:4000", "127.0.0.1:0"),
            ("::1", "[::1]:4000", "[::1]:0"),
            ("host.docker.internal", "host.docker.internal:4000", "0.0.0.0:0"),
            ("my_service", "my_service:4000", "0.0.0.0:0"),
            ("192.0.2.7", "192.0.2.7:4000", "0.0.0.0:0"),
            ("[2001:db8::7]", "[2001:db8::7]:4000", "[::]:0"),
        ] {
            let place: Place = host.parse().unwrap();
            assert_eq!(place.authority(4000), authority);
            assert_eq!(place.any_port().to_string(), listens, "{place:?}");
        }
        assert_eq!(Place::default(), "127.0.0.1".parse().unwrap());
    }

    #[test]
    fn what_is_not_a_host_is_refused() {
        for text in
            ["", "http://host", "host:4000", "host/path", "a b", "0.0.0.0", "::", "user@host", "-x", "ключ"]
        {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }
}
