//! A server on hyper: what the reference receiver stands on.
//!
//! Invariant: the body reaches the handler as the bytes that came, and never more of them than the handler allows.

use std::net::SocketAddr;
use std::sync::Arc;
use std::{fmt, io};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::{Handler, MOST_CONNECTIONS, Server, listen};
use crate::wire::exchange::{Delivery, Headers, Response, Transfer};

/// Serves on an address; port 0 lets the system choose.
///
/// Errors: the address cannot be listened on.
pub async fn serve(address: SocketAddr, handler: Arc<dyn Handler>) -> io::Result<Server> {
    listen(address, MOST_CONNECTIONS, move |stream| connection(stream, handler.clone())).await
}

async fn connection(stream: TcpStream, handler: Arc<dyn Handler>) {
    let service = service_fn(|request| answer(request, handler.clone()));
    let connection =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    // A peer that breaks off is no fault of the server's.
    let _ = connection.await;
}

/// Ends the connection without an answer.
#[derive(Debug)]
struct NoAnswer;

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no answer is given")
    }
}

impl std::error::Error for NoAnswer {}

async fn answer(
    request: hyper::Request<Incoming>,
    handler: Arc<dyn Handler>,
) -> Result<hyper::Response<Full<Bytes>>, NoAnswer> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, handler.body_limit()).collect().await {
        Ok(body) => body.to_bytes(),
        Err(why) if why.is::<LengthLimitError>() => {
            let mut refusal = Response::text(413, "the body is too large\n");
            refusal.headers.add("Connection", "close");
            return Ok(outgoing(refusal));
        }
        Err(_) => return Err(NoAnswer),
    };
    let headers =
        head.headers.iter().map(|(name, value)| (name.to_string(), Bytes::copy_from_slice(value.as_bytes())));
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let delivery = Delivery {
        method: head.method.to_string(),
        target,
        headers: Headers(headers.collect()),
        body,
        transfer: Transfer::Whole,
    };
    handler.handle(delivery).await.map(outgoing).ok_or(NoAnswer)
}

fn outgoing(response: Response) -> hyper::Response<Full<Bytes>> {
    let mut built = hyper::Response::builder().status(response.status);
    for (name, value) in response.headers.0 {
        built = built.header(name, &*value);
    }
    built.body(Full::new(response.body)).unwrap_or_else(|_| {
        let mut failed = hyper::Response::new(Full::new(Bytes::from_static(b"the answer is no HTTP\n")));
        *failed.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        failed
    })
}
