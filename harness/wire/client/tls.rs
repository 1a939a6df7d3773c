//! TLS as the client speaks it: whose certificates it takes, and what it says of those that it does not.
//!
//! Invariant: a certificate is accepted for the reason that was asked for and for no other; what the peer does wrong is an
//! [`Outcome`], with the usual fix.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::wire::exchange::{Outcome, Trust};

/// The longest file of certificates that is read: a system's whole store is a quarter of a megabyte.
const LONGEST_FILE: u64 = 16 * 1024 * 1024;

#[derive(Clone)]
pub struct Tls {
    trust: Trust,
    connector: TlsConnector,
}

impl Tls {
    /// TLS with peers whose certificates are trusted like this.
    ///
    /// Errors: the certificates cannot be read, or there are none; what to do about it.
    pub(crate) fn new(trust: Trust) -> Result<Self, String> {
        let provider = Arc::new(ring::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match &trust {
            Trust::System => {
                Arc::new(rustls_platform_verifier::Verifier::new(provider.clone()).map_err(|why| {
                    format!("the system's certificates cannot be read: {why}; give --ca FILE or --insecure")
                })?)
            }
            Trust::File(path) => Arc::new(Chosen::read(path, provider.clone())?),
            Trust::Anybody => Arc::new(Chosen { provider: provider.clone(), given: None }),
        };
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|why| format!("TLS cannot be set up: {why}"))?;
        let mut config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { trust, connector: Arc::new(config).into() })
    }

    pub(crate) fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Secures a connection. `Err` is what became of it instead.
    pub(crate) async fn handshake(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Outcome> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Outcome::Tls(format!("{host:?} is no name that a certificate can be for")))?;
        self.connector.connect(name, stream).await.map_err(|why| {
            let words = refusal(&why).unwrap_or_else(|| match why.kind() {
                io::ErrorKind::UnexpectedEof => {
                    "the peer closed the connection within the handshake; does it speak TLS at all?"
                        .to_owned()
                }
                _ => format!("the handshake failed: {why}"),
            });
            Outcome::Tls(words)
        })
    }
}

impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        self.trust == other.trust
    }
}

impl Eq for Tls {}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.trust).finish()
    }
}

/// What TLS has against the peer, or the peer against TLS, where that is why a connection failed.
pub(crate) fn refusal(why: &io::Error) -> Option<String> {
    let inner = why.get_ref()?;
    let Some(error) = inner.downcast_ref::<Error>() else {
        // Clients wrap one error of this kind into another.
        return refusal(inner.downcast_ref::<io::Error>()?);
    };
    Some(match error {
        Error::InvalidCertificate(reason) => format!("{error}; {}", fix(reason)),
        Error::InvalidMessage(_) => format!("what came is no TLS ({error}); is it an http URL?"),
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            format!("{error}: the peer asks the client for a certificate, which deliveries do not carry")
        }
        Error::AlertReceived(_) => format!("the peer broke it off: {error}"),
        _ => error.to_string(),
    })
}

fn fix(reason: &CertificateError) -> &'static str {
    match reason {
        CertificateError::UnknownIssuer => {
            "--ca FILE trusts it or who signed it, --insecure does not look at it"
        }
        CertificateError::BadSignature => {
            "an authority of that name was given, and another key has signed it: look whether --ca FILE is the present \
             one; --insecure does not look at it"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "renew it; --insecure does not look at it"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "compare the clocks of both machines; --insecure does not look at it"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "use a name in the URL that it is for; --insecure does not look at it"
        }
        other if is_an_authority(other) => {
            "the server shows the certificate of an authority as its own; --ca FILE with that very certificate trusts \
             it, --insecure does not look at it"
        }
        _ => "--insecure does not look at it",
    }
}

/// Whether a certificate was refused only for being an authority's, as those are that `openssl req -x509` makes.
fn is_an_authority(reason: &CertificateError) -> bool {
    let CertificateError::Other(other) = reason else { return false };
    other.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
}

/// The certificates in a PEM file, one at least.
///
/// Errors: the file cannot be read, or is no such file: which, and the fix.
pub(crate) fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |what: String| format!("the CA file {} {what}", path.display());
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST_FILE + 1).read_to_end(&mut text));
    read.map_err(|why| wrong(format!("cannot be read: {why}")))?;
    if text.len() as u64 > LONGEST_FILE {
        return Err(wrong(format!("is longer than {} MiB", LONGEST_FILE / (1024 * 1024))));
    }
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|why| wrong(format!("is no PEM: {why}; export the certificate as PEM (Base64) again")))?;
    if certificates.is_empty() {
        // What DER begins with.
        let der =
            if text.starts_with(b"\x30\x82") { " (openssl x509 -inform der makes PEM of DER)" } else { "" };
        return Err(wrong(format!(
            "holds no certificate; it must be PEM, with -----BEGIN CERTIFICATE-----{der}"
        )));
    }
    Ok(certificates)
}

/// Accepts what the certificates of a file have signed, and those certificates themselves. Without a file any certificate is
/// accepted, and with it any signature: an unknown peer cannot be told from another.
#[derive(Debug)]
struct Chosen {
    provider: Arc<CryptoProvider>,
    given: Option<Given>,
}

#[derive(Debug)]
struct Given {
    certificates: Vec<CertificateDer<'static>>,
    chains: Arc<WebPkiServerVerifier>,
}

type Verified = Result<HandshakeSignatureValid, Error>;

impl Chosen {
    fn read(path: &Path, provider: Arc<CryptoProvider>) -> Result<Self, String> {
        let wrong = |what: String| format!("the CA file {} {what}", path.display());
        let certificates = read(path)?;
        let mut roots = RootCertStore::empty();
        for (at, certificate) in certificates.iter().enumerate() {
            let unreadable = |why| wrong(format!("has something else for certificate {}: {why}", at + 1));
            roots.add(certificate.clone()).map_err(unreadable)?;
        }
        let chains = WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone()).build();
        let chains = chains.map_err(|why| wrong(format!("cannot be used: {why}")))?;
        Ok(Self { provider, given: Some(Given { certificates, chains }) })
    }

    fn signature(&self, verify: impl FnOnce(&WebPkiServerVerifier) -> Verified) -> Verified {
        self.given.as_ref().map_or(Ok(HandshakeSignatureValid::assertion()), |given| verify(&given.chains))
    }
}

impl ServerCertVerifier for Chosen {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(given) = &self.given else { return Ok(ServerCertVerified::assertion()) };
        match given.chains.verify_server_cert(shown, between, name, ocsp, now) {
            // It is the very one that was given, so who signed it does not matter. Its dates were checked before its issuer
            // was; its name was not.
            Err(Error::InvalidCertificate(reason))
                if (reason == CertificateError::UnknownIssuer || is_an_authority(&reason))
                    && given.certificates.contains(shown) =>
            {
                let certificate = rustls::server::ParsedCertificate::try_from(shown)?;
                rustls::client::verify_server_name(&certificate, name)?;
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Verified {
        self.signature(|chains| chains.verify_tls12_signature(message, certificate, signed))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Verified {
        self.signature(|chains| chains.verify_tls13_signature(message, certificate, signed))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
