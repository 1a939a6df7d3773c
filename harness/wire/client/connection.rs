//! A connection to a peer, plain or with TLS, and its read buffer.
//!
//! Invariant: a connection is used again only if nothing unexpected arrived on it.

use std::{fmt, io};

use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::prompt::PromptStream;
use super::target::{Scheme, Target};
use super::{address, tls};
use crate::wire::codec::Reader;
use crate::wire::exchange::Outcome;

#[derive(Debug)]
pub struct Connection {
    scheme: Scheme,
    host: String,
    port: u16,
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) reader: Reader,
}

/// A byte stream, plain or inside TLS.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + fmt::Debug {
    fn tcp(&self) -> &TcpStream;
}

impl Stream for PromptStream {
    fn tcp(&self) -> &TcpStream {
        PromptStream::tcp(self)
    }
}

impl Stream for TlsStream<PromptStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0.tcp()
    }
}

impl Connection {
    /// Connects, with TLS if the target asks for it. `Err` is the outcome of a failed attempt.
    pub(crate) async fn open(target: &Target) -> Result<Self, Outcome> {
        let tcp = address::connect(&target.host, target.port).await.map_err(|why| ended(&why))?;
        let tcp = PromptStream::new(tcp);
        let stream: Box<dyn Stream> = match &target.scheme {
            Scheme::Http => Box::new(tcp),
            Scheme::Https(tls) => Box::new(tls.handshake(&target.host, tcp).await?),
        };
        let (scheme, host, port) = (target.scheme.clone(), target.host.clone(), target.port);
        Ok(Self { scheme, host, port, stream, reader: Reader::default() })
    }

    pub(crate) fn leads_to(&self, target: &Target) -> bool {
        self.port == target.port && self.host == target.host && self.scheme == target.scheme
    }

    /// Whether it is still open and nothing unexpected arrived.
    pub(crate) fn is_idle(&mut self) -> bool {
        self.reader.is_empty() && self.stream.read(&mut [0; 1]).now_or_never().is_none()
    }
}

/// The outcome of a failed connection. A failure without a variant, such as a host that does not resolve, keeps the system's words.
pub(crate) fn ended(why: &io::Error) -> Outcome {
    match why.kind() {
        io::ErrorKind::ConnectionRefused => Outcome::Refused,
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
            Outcome::Reset
        }
        io::ErrorKind::UnexpectedEof => Outcome::ClosedEarly,
        _ => tls::refusal(why).map_or_else(|| Outcome::Malformed(why.to_string()), Outcome::Tls),
    }
}
