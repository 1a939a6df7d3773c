//! A server on hyper, for the reference receiver.
//!
//! hyper accepts requests that other parsers frame differently (two equal lengths, a line feed alone, no Host). Therefore the
//! codec checks all bytes before hyper sees them.
//!
//! Invariant: the handler gets the body unchanged, and never more bytes than it allows.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf, join};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::time::timeout;

use super::intake::Broken;
use super::{Handler, MOST_CONNECTIONS, Server, drain, listen, refusal};
use crate::wire::codec::{FramingFault, Watch, encode_response};
use crate::wire::exchange::{Delivery, Headers, Response};
use crate::wire::messages;

/// The time limit for rejecting an invalid request and closing the connection.
const REFUSAL_WAIT: Duration = Duration::from_secs(5);

/// Serves on an address; port 0 lets the system choose.
///
/// Errors: the address cannot be listened on.
pub async fn serve(address: SocketAddr, handler: Arc<dyn Handler>) -> io::Result<Server> {
    listen(address, MOST_CONNECTIONS, move |stream| connection(stream, handler.clone())).await
}

async fn connection(stream: TcpStream, handler: Arc<dyn Handler>) {
    let service = service_fn(|request| Box::pin(answer(request, handler.clone())));
    let (stream, outgoing) = stream.into_split();
    let checked = Checked { stream, watch: Watch::default(), fault: None };
    let io = TokioIo::new(join(checked, outgoing));
    let mut connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(io, service);
    // A peer that aborts is not a fault of the server.
    let _ = poll_fn(|cx| connection.poll_without_shutdown(cx)).await;
    let (checked, mut outgoing) = connection.into_parts().io.into_inner().into_inner();
    if let Some(fault) = checked.fault {
        let refusal = refusal(400, format!("{}\n", Broken::Malformed(fault)));
        let _ = timeout(REFUSAL_WAIT, outgoing.write_all(&encode_response(&refusal))).await;
    }
    let _ = timeout(REFUSAL_WAIT, outgoing.shutdown()).await;
    if checked.fault.is_some() {
        drain(checked.stream, REFUSAL_WAIT).await;
    }
}

/// The incoming half of a connection, checked before hyper reads it.
struct Checked {
    stream: OwnedReadHalf,
    watch: Watch,
    fault: Option<FramingFault>,
}

impl AsyncRead for Checked {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = to.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, to))?;
        if let Err(fault) = self.watch.check(&to.filled()[before..]) {
            self.fault = Some(fault);
            to.set_filled(before);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, fault.describe())));
        }
        Poll::Ready(Ok(()))
    }
}

/// Closes the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("no answer")]
struct NoAnswer;

async fn answer(
    request: hyper::Request<Incoming>,
    handler: Arc<dyn Handler>,
) -> Result<hyper::Response<Full<Bytes>>, NoAnswer> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, handler.body_limit()).collect().await {
        Ok(body) => body.to_bytes(),
        Err(why) if why.is::<LengthLimitError>() => {
            return Ok(outgoing(refusal(413, format!("{}\n", Broken::TooLarge))));
        }
        Err(_) => return Err(NoAnswer),
    };
    let headers =
        head.headers.iter().map(|(name, value)| (name.to_string(), Bytes::copy_from_slice(value.as_bytes())));
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let delivery = Delivery::new(head.method.as_str(), target, Headers(headers.collect()), body);
    handler.handle(delivery).await.map(outgoing).ok_or(NoAnswer)
}

fn outgoing(response: Response) -> hyper::Response<Full<Bytes>> {
    let mut built = hyper::Response::builder().status(response.status);
    for (name, value) in response.headers.0 {
        built = built.header(name, &*value);
    }
    built.body(Full::new(response.body)).unwrap_or_else(|_| {
        let mut failed =
            hyper::Response::new(Full::new(Bytes::from_static(messages::invalid_response().as_bytes())));
        *failed.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        failed
    })
}
