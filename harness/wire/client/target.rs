//! Where deliveries go: scheme, address and path.

use url::Url;

use super::address;
use super::tls::Tls;
use crate::wire::exchange::Trust;
use crate::wire::messages;

/// A URL, split into its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub scheme: Scheme,
    /// A host name or address, without brackets.
    pub host: String,
    pub port: u16,
    pub path: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https(Tls),
}

impl Target {
    pub fn http(host: impl Into<String>, port: u16, path: impl Into<String>) -> Self {
        Self { scheme: Scheme::Http, host: host.into(), port, path: path.into() }
    }

    /// Parses an `http` or `https` URL, with the certificates that the system trusts.
    pub fn parse(url: &str) -> Result<Self, String> {
        Self::trusting(url, Trust::System)
    }

    /// Parses a URL.
    ///
    /// Errors: the URL is invalid, its host is an address for servers only, the file has no certificates, or trust was given for
    /// a URL without TLS.
    pub fn trusting(url: &str, trust: Trust) -> Result<Self, String> {
        let parsed = Url::parse(url).map_err(|why| messages::not_a_url(url, why))?;
        let secure = match parsed.scheme() {
            "http" => false,
            "https" => true,
            other => return Err(messages::unsupported_scheme(url, other)),
        };
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(messages::credentials_in_url());
        }
        let host = parsed.host_str().ok_or_else(|| messages::no_host(url))?;
        let written = host;
        let host = written.trim_matches(['[', ']']);
        if let Some(instead) = address::instead_of(host) {
            return Err(messages::address_to_listen_on(written, instead));
        }
        let path = parsed
            .query()
            .map_or_else(|| parsed.path().to_owned(), |query| format!("{}?{query}", parsed.path()));
        let scheme = match (secure, trust) {
            (true, trust) => Scheme::Https(Tls::new(trust)?),
            (false, Trust::System) => Scheme::Http,
            (false, _) => return Err(messages::trust_without_tls(url)),
        };
        Ok(Self { port: parsed.port().unwrap_or(scheme.default_port()), host: host.to_owned(), scheme, path })
    }

    /// The authority for `Host` and URLs: the host, in brackets if it is an IPv6 address, and the port unless it is the
    /// default of the scheme.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() { self.bracketed() } else { self.address() }
    }

    /// Host and port, also if it is the default port.
    pub fn address(&self) -> String {
        format!("{}:{}", self.bracketed(), self.port)
    }

    fn bracketed(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }

    /// Whether the host is `localhost`, a name below it, or a loopback address.
    pub fn is_loopback(&self) -> bool {
        address::is_loopback(&self.host)
    }

    /// Errors: the target is another machine, and that is not allowed.
    pub(crate) fn check_allowed(&self, allow_remote: bool) -> Result<(), String> {
        if allow_remote || self.is_loopback() {
            return Ok(());
        }
        Err(messages::not_this_machine(&self.address()))
    }

    pub(crate) fn trust(&self) -> Trust {
        match &self.scheme {
            Scheme::Http => Trust::System,
            Scheme::Https(tls) => tls.trust().clone(),
        }
    }

    pub fn url(&self) -> String {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https(_) => "https",
        };
        format!("{scheme}://{}{}", self.authority(), self.path)
    }
}

impl Scheme {
    fn default_port(&self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https(_) => 443,
        }
    }
}
