//! Servers with certificates that are made for a test.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use twenty_conform::wire::exchange::Trust;

use crate::peers::scripted::{self as peer, OK, request};

/// The certificate and key of a server.
pub(crate) struct Shown {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) pem: String,
    key: Vec<u8>,
}

/// For `localhost` and 127.0.0.1, without an expiry date.
fn parameters() -> CertificateParams {
    CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap()
}

/// A certificate signed by a new authority, and the CA file of that authority.
pub(crate) fn signed(changed: impl FnOnce(&mut CertificateParams)) -> (Shown, CaFile) {
    signed_by("an authority of the tests", changed)
}

pub(crate) fn signed_by(name: &str, changed: impl FnOnce(&mut CertificateParams)) -> (Shown, CaFile) {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, name);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate().unwrap();
    let file = CaFile::new(authority.self_signed(&key).unwrap().pem());
    let issuer = Issuer::new(authority, key);
    let mut parameters = parameters();
    changed(&mut parameters);
    let key = KeyPair::generate().unwrap();
    let certificate = parameters.signed_by(&key, &issuer).unwrap();
    (Shown { pem: certificate.pem(), certificate: certificate.into(), key: key.serialize_der() }, file)
}

pub(crate) fn self_signed(changed: impl FnOnce(&mut CertificateParams)) -> Shown {
    let mut parameters = parameters();
    changed(&mut parameters);
    let key = KeyPair::generate().unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    Shown { pem: certificate.pem(), certificate: certificate.into(), key: key.serialize_der() }
}

/// Makes it the certificate of an authority, as `openssl req -x509` does.
pub(crate) fn authority(parameters: &mut CertificateParams) {
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
}

pub(crate) fn expired(parameters: &mut CertificateParams) {
    parameters.not_after = date_time_ymd(2020, 1, 1);
}

/// A file of certificates.
pub(crate) struct CaFile(TempDir);

impl CaFile {
    pub(crate) fn new(content: impl AsRef<[u8]>) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("ca.pem"), content).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("ca.pem")
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust::File(self.path())
    }
}

/// A server with this certificate, which may require certificates of its clients.
pub(crate) fn configuration(shown: &Shown, requires_certificate: bool) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone());
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = if requires_certificate {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self_signed(authority).certificate).unwrap();
        let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
        builder.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(shown.key.clone()));
    let mut config = builder.with_single_cert(vec![shown.certificate.clone()], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}

/// A peer with a certificate, which plays a script on its first connection. The result is `None` if the handshake fails.
/// Returns its port.
pub(crate) async fn secured<T: Send + 'static>(
    shown: &Shown,
    script: impl AsyncFnOnce(&mut TlsStream<&mut TcpStream>) -> T + Send + 'static,
) -> (u16, oneshot::Receiver<Option<T>>) {
    let acceptor = TlsAcceptor::from(configuration(shown, false));
    let (target, returned) = peer::once(async move |stream| {
        let mut stream = acceptor.accept(stream).await.ok()?;
        let result = script(&mut stream).await;
        // Flushes what was written last.
        let _ = stream.shutdown().await;
        Some(result)
    })
    .await;
    (target.port, returned)
}

/// A peer that answers one request with 200.
pub(crate) async fn answering(shown: &Shown) -> (u16, oneshot::Receiver<Option<Vec<u8>>>) {
    secured(shown, async |stream| {
        let (_, body) = request(stream).await;
        stream.write_all(OK).await.unwrap();
        body
    })
    .await
}
