//! The certificates that HTTPS endpoints show: one authority for a run, and what it has signed or should have.
//!
//! Invariant: nothing is made before it is asked for; the authority's key never leaves this process, and its file goes with
//! its value. The keys come from the system's randomness, not from the run's seed: nothing that is judged depends on them.

use std::fmt;
use std::fs::{self, File};
use std::io::Read;
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

use crate::clock::Clock;
use crate::wire::handshake::Certificate;

/// What good certificates are for: every name of this machine that an endpoint's URL may have.
const HOSTS: [&str; 3] = ["127.0.0.1", "::1", "localhost"];
/// What the one for another host is for. Nobody has that name (RFC 2606).
const ANOTHER_HOST: &str = "another-host.invalid";
/// How long good certificates are valid, before and after the present.
const VALID: Duration = Duration::from_secs(2 * 24 * 60 * 60);
/// The longest file of certificates that is taken along: a system's whole store is a quarter of a megabyte.
const LONGEST_FILE: u64 = 16 * 1024 * 1024;

pub struct Authority {
    clock: Clock,
    made: OnceLock<Result<Made, String>>,
}

/// An authority once it is needed.
struct Made {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    folder: TempDir,
    file: PathBuf,
}

impl Authority {
    /// An authority that is made when it is first asked for something.
    pub fn new(clock: Clock) -> Self {
        Self { clock, made: OnceLock::new() }
    }

    /// The file with its certificate, as PEM, for senders to trust.
    ///
    /// Errors: it cannot be made or written: why.
    pub fn file(&self) -> Result<&Path, String> {
        self.made().map(|made| &*made.file)
    }

    /// A file of that name with its certificate after those of another file.
    ///
    /// Errors: the other one cannot be read, or this one not be written: why.
    pub fn behind(&self, other: &Path, name: &str) -> Result<PathBuf, String> {
        let (made, mut text) = (self.made()?, Vec::new());
        let wrong = |why| format!("{}: {why}", other.display());
        let read = File::open(other).and_then(|file| file.take(LONGEST_FILE + 1).read_to_end(&mut text));
        read.map_err(|why| wrong(why.to_string()))?;
        if text.len() as u64 > LONGEST_FILE {
            return Err(wrong(format!("longer than {} MiB", LONGEST_FILE / (1024 * 1024))));
        }
        text.push(b'\n');
        text.extend_from_slice(made.pem.as_bytes());
        let file = made.folder.path().join(name);
        fs::write(&file, text).map_err(|why| format!("{}: {why}", file.display()))?;
        Ok(file)
    }

    /// What shows a certificate to a peer that connects.
    pub(crate) fn acceptor(&self, certificate: Certificate) -> Result<TlsAcceptor, String> {
        let made = self.made()?;
        configuration(made, certificate, self.clock.now_ms())
            .map_err(|why| format!("no certificate that {} can be made: {why}", certificate.describe()))
    }

    fn made(&self) -> Result<&Made, String> {
        let made = self.made.get_or_init(|| make(self.clock.now_ms()).map_err(|why| why.to_string()));
        made.as_ref().map_err(|why| format!("no authority for certificates can be made: {why}"))
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

/// What can go wrong with certificates, in words.
type Wrong = Box<dyn std::error::Error + Send + Sync>;

fn make(now_ms: u64) -> Result<Made, Wrong> {
    // With a name of its own: the one of an earlier run is another one, not this one with a wrong signature.
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
        // There is nothing secret in it, and the sender may be another user's.
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
        // Strict verifiers ask for it.
        parameters.use_authority_key_identifier_extension = true;
        parameters.signed_by(&key, &made.issuer)?
    };
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = builder.with_single_cert(vec![shown.into()], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Every connection is shown the certificate, and nothing is kept of those before it.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
