//! Servers, and the handlers that decide their answers.
//!
//! Invariant: a server listens before its address is known, and stops when its value is dropped. The system chooses its port
//! unless one is given.

pub mod certificates;
pub mod http;
pub mod intake;
pub mod scripted;
pub mod witness;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::wire::exchange::{Delivery, Response};

/// Decides how requests are answered.
pub trait Handler: Send + Sync + 'static {
    /// Answers a request; `None` closes the connection without an answer.
    fn handle(&self, delivery: Delivery) -> BoxFuture<'_, Option<Response>>;

    /// A request was cut off before its end. No one reads an answer.
    fn cut_off(&self) {}

    /// How many bytes of a body are read. The server answers 413 to longer ones.
    fn body_limit(&self) -> usize {
        5 * 1024 * 1024
    }
}

#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    fn new(address: SocketAddr, task: JoinHandle<()>) -> Self {
        Self { address, task }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Waits until it ends, which a healthy server never does.
    pub(crate) async fn ended(&mut self) {
        // A panic of the accept loop ends it too.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How many connections a server has at the same time. More wait in the system's queue.
const MOST_CONNECTIONS: usize = 1024;
/// How long a server waits after a connection cannot be accepted: the system is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// How many bytes of a rejected request are read.
const DRAINED: u64 = 32 * 1024 * 1024;

/// An answer that closes the connection.
fn refusal(status: u16, why: impl Into<Bytes>) -> Response {
    let mut refusal = Response::text(status, why);
    refusal.headers.add("Connection", "close");
    refusal
}

/// Reads and discards what a peer still sends, so that it sees the answer and not a reset.
async fn drain(stream: impl AsyncRead + Unpin, wait: Duration) {
    let mut rest = stream.take(DRAINED);
    let _ = timeout(wait, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
}

/// Listens on an address and handles up to `most` connections concurrently. They end with the server.
///
/// Errors: the address cannot be listened on.
async fn listen<F>(
    address: SocketAddr,
    most: usize,
    handle: impl Fn(TcpStream) -> F + Send + 'static,
) -> io::Result<Server>
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let task = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept(), if connections.len() < most => {
                    let Ok((stream, _)) = accepted else {
                        sleep(ACCEPT_PAUSE).await;
                        continue;
                    };
                    // Nagle's algorithm would delay a small answer until the previous one is acknowledged.
                    let _ = stream.set_nodelay(true);
                    connections.spawn(handle(stream));
                }
                Some(_) = connections.join_next() => {}
            }
        }
    });
    Ok(Server::new(address, task))
}
