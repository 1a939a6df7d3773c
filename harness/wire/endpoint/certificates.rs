//! The certificates of HTTPS endpoints: one authority for a run, and good and bad certificates for its endpoints.
//!
//! Invariant: nothing is created before it is needed. The authority's key never leaves this process, and its file is removed
//! with its value. Keys come from the system's randomness, not from the run's seed: no verdict depends on them.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::NoServerSessionStorage;
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;

use crate::budget::CERTIFICATES;
use crate::clock::Clock;
use crate::input;
use crate::wire::handshake::Certificate;
use crate::wire::messages;

/// The hosts of good certificates: every name of this machine that an endpoint's URL may have.
const HOSTS: [&str; 3] = ["127.0.0.1", "::1", "localhost"];
/// The host of the certificate for another host. This name never exists (RFC 2606).
const ANOTHER_HOST: &str = "another-host.invalid";
/// How long good certificates are valid before and after now.
const VALID: Duration = Duration::from_secs(2 * 24 * 60 * 60);

pub struct Authority {
    clock: Clock,
    made: OnceLock<Result<Made, String>>,
}

/// An authority that was created.
struct Made {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    folder: TempDir,
    file: PathBuf,
}

impl Authority {
    /// An authority that is created when it is first needed.
    pub fn new(clock: Clock) -> Self {
        Self { clock, made: OnceLock::new() }
    }

    /// The PEM file with its certificate, for senders to trust.
    ///
    /// Errors: it cannot be created or written.
    pub fn file(&self) -> Result<&Path, String> {
        self.made().map(|made| &*made.file)
    }

    /// Writes a file of this name: the certificates of another file, then its own.
    ///
    /// Errors: the other file cannot be read, or this one cannot be written.
    pub fn appended_to(&self, other: &Path, name: &str) -> Result<PathBuf, String> {
        let made = self.made()?;
        let mut text =
            input::file(other, CERTIFICATES).map_err(|why| format!("{}: {why}", other.display()))?;
        text.push(b'\n');
        text.extend_from_slice(made.pem.as_bytes());
        let file = made.folder.path().join(name);
        fs::write(&file, text).map_err(|why| format!("{}: {why}", file.display()))?;
        Ok(file)
    }

    /// Accepts TLS connections with a certificate.
    pub(crate) fn acceptor(&self, certificate: Certificate) -> Result<TlsAcceptor, String> {
        let made = self.made()?;
        configuration(made, certificate, self.clock.now_ms())
            .map_err(|why| messages::no_certificate(certificate.describe(), why))
    }

    fn made(&self) -> Result<&Made, String> {
        let made = self.made.get_or_init(|| make(self.clock.now_ms()).map_err(|why| why.to_string()));
        made.as_ref().map_err(messages::no_authority)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

/// Any error while a certificate is created.
type Wrong = Box<dyn std::error::Error + Send + Sync>;

fn make(now_ms: u64) -> Result<Made, Wrong> {
    // The name is unique, so that an authority of an earlier run is unknown and does not look like a wrong signature.
    let mut authority = parameters(&format!("twenty-conform authority {now_ms}"), &[], now_ms)?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let pem = authority.self_signed(&key)?.pem();
    let mut folder = tempfile::Builder::new();
    folder.prefix("twenty-conform-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Nothing in it is secret, and the sender may run as another user.
        folder.permissions(fs::Permissions::from_mode(0o755));
    }
    let folder = folder.tempdir()?;
    let file = folder.path().join("ca.pem");
    fs::write(&file, &pem)?;
    Ok(Made { issuer: Issuer::new(authority, key), pem, folder, file })
}

fn parameters(name: &str, hosts: &[&str], now_ms: u64) -> Result<CertificateParams, Wrong> {
    let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
    let mut parameters = CertificateParams::new(hosts)?;
    parameters.distinguished_name.push(DnType::CommonName, name);
    let now = date_time_ymd(1970, 1, 1) + Duration::from_millis(now_ms);
    (parameters.not_before, parameters.not_after) = (now - VALID, now + VALID);
    Ok(parameters)
}

fn configuration(made: &Made, certificate: Certificate, now_ms: u64) -> Result<TlsAcceptor, Wrong> {
    let hosts = if certificate == Certificate::OtherHost { &[ANOTHER_HOST][..] } else { &HOSTS };
    let mut parameters = parameters("twenty-conform endpoint", hosts, now_ms)?;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    if certificate == Certificate::Expired {
        (parameters.not_before, parameters.not_after) =
            (date_time_ymd(2020, 1, 1), date_time_ymd(2020, 2, 1));
    }
    let key = KeyPair::generate()?;
    let shown = if certificate == Certificate::SelfSigned {
        parameters.self_signed(&key)?
    } else {
        // Strict verifiers require it.
        parameters.use_authority_key_identifier_extension = true;
        parameters.signed_by(&key, &made.issuer)?
    };
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = builder.with_single_cert(vec![shown.into()], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Every connection checks the certificate: no session is resumed.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
