//! Receivers to put under load: on bare sockets, and the reference receiver and its mutants.
//!
//! Invariant: each listens on a port that the system chose before its address is known, and stops when it is dropped.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use twenty_conform::wire::client::Target;
use twenty_conform::wire::endpoint::{Handler, Server, http};

/// An answer that keeps the connection open.
pub(crate) const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A receiver on bare sockets.
pub(crate) struct Peer {
    pub(crate) target: Target,
    task: JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Peer {
    /// Plays a script on each connection. The connection closes when the script returns.
    pub(crate) async fn new<F, S>(script: S) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
        S: Fn(Connection) -> F + Send + Sync + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let target = Target::http("127.0.0.1", listener.local_addr().unwrap().port(), "/hook?x=1");
        let count = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                connections.spawn(script(Connection { stream, count: count.clone() }));
            }
        });
        Self { target, task }
    }

    /// Gives the same answer to every request.
    pub(crate) async fn answering(answer: &'static [u8]) -> Self {
        Self::new(move |mut connection| async move {
            while connection.request().await.is_some() {
                connection.write(answer).await;
            }
        })
        .await
    }

    /// Answers the first request on each connection, and closes the connection.
    pub(crate) async fn once(answer: &'static [u8]) -> Self {
        Self::new(move |mut connection| async move {
            if connection.request().await.is_some() {
                connection.write(answer).await;
            }
        })
        .await
    }
}

/// A connection of a peer.
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    count: Arc<AtomicUsize>,
}

impl Connection {
    /// Reads a request. Returns its number among all requests to the peer, from 0, or `None` if the connection closed.
    pub(crate) async fn request(&mut self) -> Option<usize> {
        let mut read = Vec::new();
        let mut piece = [0; 16 * 1024];
        loop {
            let end = read.windows(4).position(|window| window == b"\r\n\r\n");
            if let Some(end) = end {
                let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
                let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
                if read.len() - end - 4 >= length.parse::<usize>().unwrap() {
                    return Some(self.count.fetch_add(1, Ordering::SeqCst));
                }
            }
            match self.stream.read(&mut piece).await {
                Ok(count @ 1..) => read.extend_from_slice(&piece[..count]),
                _ => return None,
            }
        }
    }

    /// Writes; the client may have gone.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }
}

/// Serves a handler with the server of the reference receiver.
pub(crate) async fn serve(handler: impl Handler) -> (Target, Server) {
    let server = http::serve(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Arc::new(handler)).await.unwrap();
    (Target::http("127.0.0.1", server.address().port(), "/"), server)
}
