//! A server for traffic that must not be lost: requests reach their catcher byte for byte, and what is no whole request
//! reaches it too.
//!
//! Invariant: bounded in connections, bytes and time; a request that was caught is answered before the server ends, unless
//! its peer is gone.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::{Server, listen};
use crate::wire::codec::{ReadError, Reader, encode_response, has_token};
use crate::wire::exchange::{Delivery, Response};

/// How many connections are served at the same time; further ones wait.
const MOST_CONNECTIONS: usize = 512;
/// How long a request may take from its first byte to its last, and a connection be idle.
const REQUEST_WAIT: Duration = Duration::from_secs(75);
/// How much of a body that is too long is read and thrown away, so that its sender sees the answer and not a reset.
const DRAINED: u64 = 32 * 1024 * 1024;
/// How long that may take.
const DRAIN_WAIT: Duration = Duration::from_secs(5);

/// What came over a connection.
#[derive(Debug)]
pub enum Came {
    /// A whole request.
    Whole(Delivery),
    /// Something else: what, as a noun phrase.
    Broken(String),
}

/// Takes what comes.
pub trait Catcher: Send + Sync + 'static {
    /// Takes what came. `None` ends the connection without an answer; what is broken is answered by the server itself.
    fn catch(&self, came: Came) -> BoxFuture<'_, Option<Response>>;

    /// The longest body that is read, in bytes.
    fn body_limit(&self) -> usize {
        8 * 1024 * 1024
    }
}

/// A running server.
#[derive(Debug)]
pub struct Capture {
    server: Server,
    /// How many requests have been caught and not yet answered.
    underway: watch::Sender<usize>,
}

impl Capture {
    /// Serves on an address; port 0 lets the system choose.
    ///
    /// Errors: the address cannot be listened on.
    pub async fn serve(address: SocketAddr, catcher: Arc<dyn Catcher>) -> io::Result<Self> {
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let (underway, _) = watch::channel(0);
        let counted = underway.clone();
        let server = listen(address, MOST_CONNECTIONS, move |stream| {
            let (catcher, places, underway) = (catcher.clone(), places.clone(), counted.clone());
            async move {
                // Never closed.
                let _place = places.acquire().await;
                connection(stream, &*catcher, &underway).await;
            }
        });
        Ok(Self { server: server.await?, underway })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Its URL with a path.
    pub fn url(&self, path: &str) -> String {
        self.server.url(path)
    }

    /// Ends it once every request that was caught has been answered, or after that time.
    pub async fn end(self, within: Duration) {
        let mut underway = self.underway.subscribe();
        // Whichever it is, the server ends here.
        let _ = timeout(within, underway.wait_for(|count| *count == 0)).await;
    }
}

/// Counts a request for as long as it lives.
struct Underway<'a>(&'a watch::Sender<usize>);

impl<'a> Underway<'a> {
    fn new(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count)
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

async fn connection(mut stream: TcpStream, catcher: &dyn Catcher, underway: &watch::Sender<usize>) {
    let mut reader = Reader::default();
    loop {
        let (had, waiting) = (reader.received(), reader.is_empty());
        let read = timeout(REQUEST_WAIT, reader.request(&mut stream, catcher.body_limit())).await;
        let began = !waiting || reader.received() > had;
        let (what, answer) = match read {
            Ok(Ok(delivery)) => {
                let closes = has_token(&delivery.headers, "close");
                let _underway = Underway::new(underway);
                let Some(response) = catcher.catch(Came::Whole(delivery)).await else { return };
                if !answered(&mut stream, &response).await || closes {
                    return;
                }
                continue;
            }
            Err(_) if began => ("a request that does not come to its end".to_owned(), 408),
            Ok(Err(ReadError::TooLarge)) => {
                (format!("a body of more than {} bytes", catcher.body_limit()), 413)
            }
            Ok(Err(ReadError::Malformed(why))) => (format!("no HTTP request: {why}"), 400),
            Ok(Err(ReadError::Closed { .. })) if began => {
                ("a request that ends before it is whole".to_owned(), 400)
            }
            Ok(Err(ReadError::Io(why))) if began => (format!("a request that breaks off: {why}"), 400),
            // An idle connection that ends is nobody's fault.
            Err(_) | Ok(Err(ReadError::Closed { .. } | ReadError::Io(_))) => return,
        };
        let _underway = Underway::new(underway);
        catcher.catch(Came::Broken(what.clone())).await;
        let mut refusal = Response::text(answer, what + "\n");
        refusal.headers.add("Connection", "close");
        if answered(&mut stream, &refusal).await {
            let _ = stream.shutdown().await;
            let rest = async { tokio::io::copy(&mut stream.take(DRAINED), &mut tokio::io::sink()).await };
            let _ = timeout(DRAIN_WAIT, rest).await;
        }
        return;
    }
}

/// Writes an answer. Returns whether all of it went out in time.
async fn answered(stream: &mut TcpStream, response: &Response) -> bool {
    matches!(timeout(REQUEST_WAIT, stream.write_all(&encode_response(response))).await, Ok(Ok(())))
}
