//! The TLS of an address: whether the handshake succeeds as the target asks for it, and otherwise what is shown without a check.

use std::time::Duration;

use rustls::ProtocolVersion;
use rustls::pki_types::CertificateDer;
use tokio::time::timeout;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;

use crate::wire::client::connection::ended;
use crate::wire::client::prompt::PromptStream;
use crate::wire::client::target::Scheme;
pub use crate::wire::client::tls::Rejected;
use crate::wire::client::tls::{Tls, lost, name_of, rejected};
use crate::wire::client::{Target, address};
use crate::wire::exchange::{Outcome, Trust};

/// How many names of a certificate are kept, and how many characters of each.
const MOST_NAMES: usize = 8;
const LONGEST_NAME: usize = 100;

/// What a server shows in a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// `TLS 1.3`, for instance.
    pub version: Option<&'static str>,
    /// Its own certificate; `None` if it cannot be read.
    pub certificate: Option<Dated>,
    /// How many certificates it sent.
    pub sent: usize,
    /// Why the certificate is not accepted; `None` if it is.
    pub rejected: Option<Rejected>,
}

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated {
    pub subject: String,
    pub issuer: String,
    pub names: Vec<String>,
    /// In milliseconds since the epoch.
    pub not_before_ms: i64,
    pub not_after_ms: i64,
}

impl Dated {
    pub fn is_self_signed(&self) -> bool {
        self.subject == self.issuer
    }
}

/// The handshake with a target, or with its address if it is not for TLS. `Err` is the outcome if there is no TLS at all.
pub async fn secured(target: &Target, wait: Duration) -> Result<Shown, Outcome> {
    let rejected = match &target.scheme {
        Scheme::Https(tls) => match handshake(target, tls, wait).await {
            Ok(shown) => return Ok(shown),
            Err((_, Some(rejected))) => Some(rejected),
            Err((outcome, None)) => return Err(outcome),
        },
        Scheme::Http => None,
    };
    let any = Tls::new(Trust::Any).map_err(Outcome::Tls)?;
    match (handshake(target, &any, wait).await, rejected) {
        (Ok(shown), rejected) => Ok(Shown { rejected, ..shown }),
        (Err(_), Some(rejected)) => {
            Ok(Shown { version: None, certificate: None, sent: 0, rejected: Some(rejected) })
        }
        (Err((outcome, _)), None) => Err(outcome),
    }
}

/// `Err` is the outcome, and why the certificate was rejected if it was.
async fn handshake(target: &Target, tls: &Tls, wait: Duration) -> Result<Shown, (Outcome, Option<Rejected>)> {
    let connecting = async {
        let tcp = address::connect(&target.host, target.port).await;
        let tcp = tcp.map_err(|why| (ended(&why), None))?;
        let name = name_of(&target.host).map_err(|outcome| (outcome, None))?;
        tls.connect(name, PromptStream::new(tcp)).await.map_err(|why| (lost(&why), rejected(&why)))
    };
    let stream = timeout(wait, connecting).await.unwrap_or(Err((Outcome::TimedOut, None)))?;
    let (_, session) = stream.get_ref();
    let certificates = session.peer_certificates().unwrap_or_default();
    let version = session.protocol_version().and_then(|version| match version {
        ProtocolVersion::TLSv1_2 => Some("TLS 1.2"),
        ProtocolVersion::TLSv1_3 => Some("TLS 1.3"),
        _ => None,
    });
    let certificate = certificates.first().and_then(read);
    Ok(Shown { version, certificate, sent: certificates.len(), rejected: None })
}

fn read(der: &CertificateDer<'_>) -> Option<Dated> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let short = |text: String| text.chars().take(LONGEST_NAME).collect::<String>();
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.map(|names| names.value.general_names.iter()).into_iter().flatten();
    let names = names.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(short((*name).to_owned())),
        GeneralName::IPAddress(octets) => Some(match octets {
            [a, b, c, d] => format!("{a}.{b}.{c}.{d}"),
            _ => std::net::Ipv6Addr::from(<[u8; 16]>::try_from(*octets).ok()?).to_string(),
        }),
        _ => None,
    });
    let validity = certificate.validity();
    Some(Dated {
        subject: short(certificate.subject().to_string()),
        issuer: short(certificate.issuer().to_string()),
        names: names.take(MOST_NAMES).collect(),
        not_before_ms: validity.not_before.timestamp().saturating_mul(1000),
        not_after_ms: validity.not_after.timestamp().saturating_mul(1000),
    })
}
