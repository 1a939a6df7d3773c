//! TLS of the client: which certificates it accepts, and why it rejects others.
//!
//! Invariant: a certificate is accepted only for the reason that was asked for. What the peer does wrong is an [`Outcome`],
//! with the usual fix.

use std::fmt;
use std::io;
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
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::prompt::PromptStream;
use crate::budget::CERTIFICATES;
use crate::input;
use crate::wire::exchange::{Outcome, Trust};
use crate::wire::messages;

#[derive(Clone)]
pub struct Tls {
    trust: Trust,
    connector: TlsConnector,
}

impl Tls {
    /// Errors: the certificates cannot be read, or there are none.
    pub(crate) fn new(trust: Trust) -> Result<Self, String> {
        let provider = Arc::new(ring::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match &trust {
            Trust::System => {
                let verifier = rustls_platform_verifier::Verifier::new(provider.clone());
                Arc::new(verifier.map_err(messages::no_system_certificates)?)
            }
            Trust::File(path) => Arc::new(Chosen::read(path, provider.clone())?),
            Trust::Any => Arc::new(Chosen { provider: provider.clone(), given: None }),
        };
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(messages::no_tls_setup)?;
        let mut config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { trust, connector: Arc::new(config).into() })
    }

    pub(crate) fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Secures a connection. `Err` is the outcome of a failed attempt.
    pub(crate) async fn handshake(
        &self,
        host: &str,
        stream: PromptStream,
    ) -> Result<TlsStream<PromptStream>, Outcome> {
        self.connect(name_of(host)?, stream).await.map_err(|why| lost(&why))
    }

    /// The same, with the error as it is.
    pub(crate) async fn connect(
        &self,
        name: ServerName<'static>,
        stream: PromptStream,
    ) -> io::Result<TlsStream<PromptStream>> {
        self.connector.connect(name, stream).await
    }
}

/// The name that a host's certificate must have. `Err` is the outcome if there is none.
pub(crate) fn name_of(host: &str) -> Result<ServerName<'static>, Outcome> {
    // Certificates and servers know a name without the dot that ends it in the resolver.
    let name = host.strip_suffix('.').unwrap_or(host).to_owned();
    ServerName::try_from(name).map_err(|_| Outcome::Tls(messages::host_without_certificate(host)))
}

/// The outcome of a handshake that failed.
pub(crate) fn lost(why: &io::Error) -> Outcome {
    Outcome::Tls(refusal(why).unwrap_or_else(|| match why.kind() {
        io::ErrorKind::UnexpectedEof => messages::closed_in_handshake(),
        _ => messages::handshake_failed(why),
    }))
}

/// A certificate that is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    pub why: String,
    pub fix: &'static str,
    /// Whether no certificate that is trusted has issued it, as far as was sent.
    pub has_unknown_issuer: bool,
}

/// Why a certificate is not accepted, if this ended a handshake.
pub(crate) fn rejected(why: &io::Error) -> Option<Rejected> {
    let error = why.get_ref()?.downcast_ref::<Error>()?;
    let Error::InvalidCertificate(reason) = error else { return None };
    let has_unknown_issuer = *reason == CertificateError::UnknownIssuer;
    Some(Rejected { why: error.to_string(), fix: fix(reason), has_unknown_issuer })
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

/// Why a connection failed, if TLS is the reason.
pub(crate) fn refusal(why: &io::Error) -> Option<String> {
    let inner = why.get_ref()?;
    let Some(error) = inner.downcast_ref::<Error>() else {
        // Clients wrap one I/O error in another.
        return refusal(inner.downcast_ref::<io::Error>()?);
    };
    Some(match error {
        Error::InvalidCertificate(reason) => messages::certificate_rejected(error, fix(reason)),
        Error::InvalidMessage(_) => messages::server_speaks_no_tls(error),
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            messages::client_certificate_required(error)
        }
        Error::AlertReceived(_) => messages::server_aborted_tls(error),
        _ => error.to_string(),
    })
}

fn fix(reason: &CertificateError) -> &'static str {
    match reason {
        CertificateError::UnknownIssuer => messages::trust_issuer(),
        CertificateError::BadSignature => messages::update_issuer(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => messages::renew_certificate(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            messages::compare_clocks()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            messages::use_certified_name()
        }
        other if is_an_authority(other) => messages::trust_authority_itself(),
        _ => messages::skip_check(),
    }
}

/// Whether a certificate was rejected only because it is an authority's. `openssl req -x509` makes such certificates.
fn is_an_authority(reason: &CertificateError) -> bool {
    let CertificateError::Other(other) = reason else { return false };
    other.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
}

/// Reads the certificates in a PEM file, at least one.
pub(crate) fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = input::file(path, CERTIFICATES).map_err(|why| messages::unreadable_ca(path, why))?;
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|why| messages::ca_is_not_pem(path, why))?;
    if certificates.is_empty() {
        let is_der = text.starts_with(b"\x30\x82");
        return Err(messages::ca_without_certificate(path, is_der));
    }
    Ok(certificates)
}

/// Accepts the certificates of a file and what they have signed. Without a file, accepts any certificate and any signature.
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
        let certificates = read(path)?;
        let mut roots = RootCertStore::empty();
        for (at, certificate) in certificates.iter().enumerate() {
            let invalid = |why| messages::invalid_ca_certificate(path, at + 1, why);
            roots.add(certificate.clone()).map_err(invalid)?;
        }
        let chains = WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone()).build();
        let chains = chains.map_err(|why| messages::unusable_ca(path, why))?;
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
            // This exact certificate is in the file, so its issuer does not matter. Its dates were checked before its issuer,
            // but its name was not.
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
