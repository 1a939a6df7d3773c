//! Where deliveries go: an address, the way to it, and the path there.

use std::net::IpAddr;

use url::Url;

use super::tls::Tls;
use crate::wire::exchange::Trust;

/// Where deliveries go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub scheme: Scheme,
    /// Host name or address, without brackets.
    pub host: String,
    pub port: u16,
    pub path: String,
}

/// With TLS or without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https(Tls),
}

impl Target {
    /// Without TLS.
    pub fn http(host: impl Into<String>, port: u16, path: impl Into<String>) -> Self {
        Self { scheme: Scheme::Http, host: host.into(), port, path: path.into() }
    }

    /// Reads an `http` or `https` URL, for a peer whose certificate is one that the system trusts. Errors: a fragment of
    /// a sentence that says what is wrong with it.
    pub fn parse(url: &str) -> Result<Self, String> {
        Self::trusting(url, Trust::System)
    }

    /// Reads a URL. Errors: what is wrong with it, or with whom to trust: a file without certificates, or trust that is
    /// given for a URL without TLS.
    pub fn trusting(url: &str, trust: Trust) -> Result<Self, String> {
        let parsed = Url::parse(url).map_err(|why| format!("{url:?} is no URL: {why}"))?;
        let secure = match parsed.scheme() {
            "http" => false,
            "https" => true,
            other => {
                return Err(format!("{url:?} has the scheme {other:?}; only http and https can be tested"));
            }
        };
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
        let scheme = match (secure, trust) {
            (true, trust) => Scheme::Https(Tls::new(trust)?),
            (false, Trust::System) => Scheme::Http,
            (false, _) => {
                return Err(format!(
                    "--ca and --insecure are about the certificate of an https URL, and {url:?} has none"
                ));
            }
        };
        Ok(Self {
            port: parsed.port().unwrap_or(scheme.default_port()),
            host: host.trim_matches(['[', ']']).to_owned(),
            scheme,
            path,
        })
    }

    /// What goes into `Host`, and into a URL: the host, with brackets where it is an IPv6 address, and the port unless it
    /// is the scheme's own.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() { self.bracketed() } else { self.address() }
    }

    /// Host and port, whatever the port.
    pub fn address(&self) -> String {
        format!("{}:{}", self.bracketed(), self.port)
    }

    fn bracketed(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }

    /// Whether it is this machine: `localhost` or a loopback address.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }

    /// Whether it may be sent to. Errors: it is not this machine, and that was not allowed.
    pub(crate) fn check_allowed(&self, allow_remote: bool) -> Result<(), String> {
        if allow_remote || self.is_loopback() {
            return Ok(());
        }
        Err(format!("{} is not this machine; --allow-remote allows sending to it", self.address()))
    }

    /// Whose certificates it may show.
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
