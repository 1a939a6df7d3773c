//! A server on plain sockets, for what a well-made one hides: header names as they were spelled.
//!
//! Invariant: bounded like the hyper server; requests that are no HTTP end their connection and nothing else.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Handler, MOST_CONNECTIONS, Server, listen};
use crate::wire::codec::{ReadError, Reader, encode_response};
use crate::wire::exchange::Response;

/// How much of a body that is too long is read and thrown away, so that its sender sees the answer and not a reset.
const DRAINED: u64 = 32 * 1024 * 1024;

/// Serves on a port that the system chooses.
///
/// Errors: no port can be listened on.
pub async fn serve(handler: Arc<dyn Handler>) -> io::Result<Server> {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    listen(address, MOST_CONNECTIONS, move |stream| connection(stream, handler.clone())).await
}

async fn connection(mut stream: TcpStream, handler: Arc<dyn Handler>) {
    let mut reader = Reader::default();
    loop {
        match reader.request(&mut stream, handler.body_limit()).await {
            Ok(delivery) => {
                let closes =
                    delivery.headers.all("connection").any(|value| value.eq_ignore_ascii_case(b"close"));
                let Some(response) = handler.handle(delivery).await else { return };
                if stream.write_all(&encode_response(&response)).await.is_err() || closes {
                    return;
                }
            }
            Err(ReadError::TooLarge) => {
                let mut refusal = Response::text(413, "the body is too large\n");
                refusal.headers.add("Connection", "close");
                if stream.write_all(&encode_response(&refusal)).await.is_ok() {
                    let _ = stream.shutdown().await;
                    let _ = tokio::io::copy(&mut stream.take(DRAINED), &mut tokio::io::sink()).await;
                }
                return;
            }
            Err(ReadError::Malformed(_)) => {
                let _ = stream.write_all(&encode_response(&Response::text(400, "no HTTP\n"))).await;
                return;
            }
            Err(ReadError::Closed { .. } | ReadError::Io(_)) => return,
        }
    }
}
