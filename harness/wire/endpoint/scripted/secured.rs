//! The HTTPS connections of an endpoint: the handshake, and its failures.
//!
//! Invariant: every connection without a request is recorded with its reason. A handshake is bounded in time like a request,
//! and in bytes by the TLS library.

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
use crate::wire::endpoint::drain;
use crate::wire::handshake::HandshakeEnd;
use crate::wire::messages;

/// The first byte of a handshake: the type of its TLS record (RFC 8446, section 5.1).
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
            log.handshake(HandshakeEnd::NoTls, messages::sender_speaks_no_tls(&quote(&first[..count])));
            // Answer as common servers do, and read what was sent, so that the peer sees the answer and not a reset.
            refuse(&mut stream, messages::https_only()).await;
            let _ = stream.shutdown().await;
            drain(stream, CLOSE_WAIT).await;
            return;
        }
        Err(_) => return log.handshake(HandshakeEnd::Broken, unfinished(patience)),
        // If the connection ended here, the handshake gives the reason.
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
                log.handshake(HandshakeEnd::Left, messages::sender_left_after_handshake());
            }
            Ended::Closed => {
                // Sends close_notify, so that the peer knows that nothing was cut off.
                let _ = timeout(CLOSE_WAIT, stream.shutdown()).await;
            }
        },
    }
}

fn unfinished(patience: Duration) -> String {
    messages::handshake_timed_out(patience.as_secs_f64())
}

/// Why a handshake failed, according to the peer or the TLS library.
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
        )) => (HandshakeEnd::Refused, messages::sender_rejected_certificate(&format!("{alert:?}"))),
        Some(error) => (HandshakeEnd::Broken, messages::sender_handshake_failed(error)),
        None => (HandshakeEnd::Left, messages::sender_left_handshake(why)),
    }
}
