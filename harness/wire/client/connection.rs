//! A connection to a peer: plain or with TLS, and what was read of it.
//!
//! Invariant: a connection is used again only while nothing has come that was not asked for.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::target::{Scheme, Target};
use super::tls;
use crate::wire::codec::Reader;
use crate::wire::exchange::Outcome;

#[derive(Debug)]
pub struct Connection {
    scheme: Scheme,
    host: String,
    port: u16,
    pub(crate) stream: Stream,
    pub(crate) reader: Reader,
}

/// The bytes that go back and forth.
#[derive(Debug)]
pub(crate) enum Stream {
    /// As they are.
    Plain(TcpStream),
    /// Inside TLS.
    Secure(Box<TlsStream<TcpStream>>),
}

impl Connection {
    /// Connects, and secures the connection where the target asks for that. `Err` is what became of it instead.
    pub async fn open(target: &Target) -> Result<Self, Outcome> {
        let tcp = TcpStream::connect((target.host.as_str(), target.port)).await.map_err(|why| ended(&why))?;
        // Without it a small request may wait for the acknowledgement of the one before it.
        let _ = tcp.set_nodelay(true);
        let stream = match &target.scheme {
            Scheme::Http => Stream::Plain(tcp),
            Scheme::Https(tls) => Stream::Secure(Box::new(tls.handshake(&target.host, tcp).await?)),
        };
        let (scheme, host, port) = (target.scheme.clone(), target.host.clone(), target.port);
        Ok(Self { scheme, host, port, stream, reader: Reader::default() })
    }

    pub(crate) fn leads_to(&self, target: &Target) -> bool {
        self.port == target.port && self.host == target.host && self.scheme == target.scheme
    }

    /// Whether it is still open, and nothing came that nobody asked for.
    pub(crate) fn is_idle(&mut self) -> bool {
        self.reader.is_empty() && self.stream.read(&mut [0; 1]).now_or_never().is_none()
    }
}

/// How a connection that failed ended.
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

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, to),
            Self::Secure(stream) => Pin::new(stream).poll_read(cx, to),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, from),
            Self::Secure(stream) => Pin::new(stream).poll_write(cx, from),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, from),
            Self::Secure(stream) => Pin::new(stream).poll_write_vectored(cx, from),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Secure(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Secure(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Secure(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
