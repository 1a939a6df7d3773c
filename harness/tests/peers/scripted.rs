//! Peers on bare sockets. Each test scripts what its peer reads and writes, and how it ends.
//!
//! Invariant: a peer listens before its address is known. A script that panics fails the test that awaits it.

use std::sync::{Arc, Mutex};
use std::{net, thread};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;
use tokio::sync::oneshot;
use twenty_conform::wire::client::Target;

/// An answer that keeps the connection open.
pub(crate) const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// A peer that plays a script on the first connection that it accepts, and closes it. What the script returns can be
/// awaited.
pub(crate) async fn once<T: Send + 'static>(
    script: impl AsyncFnOnce(&mut TcpStream) -> T + Send + 'static,
) -> (Target, oneshot::Receiver<T>) {
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (done, returned) = oneshot::channel();
    // A detached thread, so that a test that fails before it connects does not hang.
    thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (stream, _) = listener.accept().unwrap();
            stream.set_nonblocking(true).unwrap();
            let mut stream = TcpStream::from_std(stream).unwrap();
            let result = script(&mut stream).await;
            drop(stream);
            // Not every test awaits the result.
            let _ = done.send(result);
        });
    });
    (Target::http("127.0.0.1", port, "/p?q=1"), returned)
}

/// What a peer with many connections received: the number of the connection and the body of each request.
pub(crate) type Seen = Arc<Mutex<Vec<(usize, Vec<u8>)>>>;

/// A peer that answers each request with these bytes, and closes each connection after a number of requests.
pub(crate) async fn many(answer: &'static [u8], on_each: usize) -> (Target, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target::http("127.0.0.1", listener.local_addr().unwrap().port(), "/p?q=1");
    let seen = Seen::default();
    let keep = seen.clone();
    tokio::spawn(async move {
        for connection in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let keep = keep.clone();
            tokio::spawn(async move {
                for _ in 0..on_each {
                    let (head, body) = request(&mut stream).await;
                    if head.is_empty() {
                        return;
                    }
                    keep.lock().unwrap().push((connection, body));
                    // The client may have gone.
                    let _ = stream.write_all(answer).await;
                }
            });
        }
    });
    (target, seen)
}

/// The head of a request, up to its empty line. It is empty if the connection ends earlier.
pub(crate) async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        // Byte by byte, to leave the body unread.
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return Vec::new(),
        }
    }
    head
}

/// The body that belongs to a head.
pub(crate) async fn body(stream: &mut (impl AsyncRead + Unpin), head: &[u8]) -> Vec<u8> {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    if !head.contains("transfer-encoding: chunked") {
        let length = head.split("content-length: ").nth(1).map_or(0, |rest| number(rest, 10));
        return exactly(stream, length).await;
    }
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        while !line.ends_with("\r\n") {
            line.push(char::from(stream.read_u8().await.unwrap()));
        }
        let size = number(&line, 16);
        body.extend(exactly(stream, size).await);
        assert_eq!(exactly(stream, 2).await, b"\r\n");
        if size == 0 {
            return body;
        }
    }
}

fn number(text: &str, radix: u32) -> usize {
    usize::from_str_radix(text.split("\r\n").next().unwrap(), radix).unwrap()
}

/// A whole request: its head and its body, without the framing.
pub(crate) async fn request(stream: &mut (impl AsyncRead + Unpin)) -> (Vec<u8>, Vec<u8>) {
    let head = head(stream).await;
    let body = body(stream, &head).await;
    (head, body)
}

/// Reads this many bytes, or fewer if the connection ends earlier.
pub(crate) async fn exactly(stream: &mut (impl AsyncRead + Unpin), length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length);
    stream.take(length as u64).read_to_end(&mut bytes).await.unwrap();
    bytes
}

/// Everything until the client closes the connection.
pub(crate) async fn to_the_end(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    bytes
}
