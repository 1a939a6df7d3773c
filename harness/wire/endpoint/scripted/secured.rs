//! An endpoint's connections over HTTPS: the handshake, and what becomes of it where it fails.
//!
//! Invariant: every connection that comes to no request is written down with its reason; a handshake is bounded in time
//! like a request, and in bytes by the TLS library.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::{AlertDescription, Error};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::conversation::{CLOSE_WAIT, Ended, Peer, converse, refuse};
use super::log::{Log, QUOTED};
use crate::wire::codec::quote;
use crate::wire::handshake::HandshakeEnd;

/// What a handshake begins with: the type of a TLS record that holds one (RFC 8446, section 5.1).
const HANDSHAKE_RECORD: u8 = 22;

impl Peer for TlsStream<TcpStream> {
    fn reset(&self) {
        self.get_ref().0.reset();
    }
}

pub(super) async fn connection(
    mut stream: TcpStream,
    acceptor: TlsAcceptor,
    log: Arc<Log>,
    patience: Duration,
) {
    let mut first = [0; QUOTED];
    match timeout(patience, stream.peek(&mut first)).await {
        Ok(Ok(count @ 1..)) if first[0] != HANDSHAKE_RECORD => {
            let what = format!("what came is no TLS: it begins {}", quote(&first[..count]));
            log.handshake(HandshakeEnd::NoTls, what);
            // As servers do that people know; what was sent is read, so that they see it and no reset.
            refuse(&mut stream, "this is an HTTPS endpoint\n").await;
            let _ = stream.shutdown().await;
            let rest = async { tokio::io::copy(&mut stream, &mut tokio::io::sink()).await };
            let _ = timeout(CLOSE_WAIT, rest).await;
            return;
        }
        Err(_) => return log.handshake(HandshakeEnd::Broken, unfinished(patience)),
        // What becomes of a connection that ends here is for the handshake to say.
        Ok(_) => {}
    }
    match timeout(patience, acceptor.accept(stream)).await {
        Err(_) => log.handshake(HandshakeEnd::Broken, unfinished(patience)),
        Ok(Err(why)) => {
            let (end, what) = failure(&why);
            log.handshake(end, what);
        }
        Ok(Ok(mut stream)) => match converse(&mut stream, &log, patience).await {
            Ended::Reset => {}
            Ended::WithoutRequest => {
                log.handshake(
                    HandshakeEnd::Left,
                    "the connection was ended behind the handshake, without a request".to_owned(),
                );
            }
            Ended::Closed => {
                // Says that this is the end, and that nothing was cut off.
                let _ = timeout(CLOSE_WAIT, stream.shutdown()).await;
            }
        },
    }
}

fn unfinished(patience: Duration) -> String {
    format!("the handshake was not over {:.1} s after the connection", patience.as_secs_f64())
}

/// Why a handshake failed, as the peer or the TLS library has it.
fn failure(why: &io::Error) -> (HandshakeEnd, String) {
    use AlertDescription as Alert;
    let error = why.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match error {
        Some(Error::AlertReceived(
            alert @ (Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied),
        )) => (HandshakeEnd::Refused, format!("the certificate was refused (alert {alert:?})")),
        Some(error) => (HandshakeEnd::Broken, format!("the handshake failed ({error})")),
        None => (HandshakeEnd::Left, format!("the connection was ended within the handshake ({why})")),
    }
}
