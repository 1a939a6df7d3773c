//! Servers that are not receivers: each does the same on every connection.
//!
//! Invariant: a server has a port that the system chose, and lives as long as the test binary.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use tokio::net::TcpSocket;

/// Serves every connection with `serve`, each in its own thread. Returns the URL.
pub(crate) fn serve(serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            // These servers make clients disconnect early.
            thread::spawn(move || serve(stream).ok());
        }
    });
    url
}

/// Answers every request with this status.
pub(crate) fn always(status: u16) -> String {
    let answer = format!("HTTP/1.1 {status} \r\nContent-Length: 0\r\n\r\n");
    serve(move |mut stream| {
        while read_request(&mut stream)? {
            stream.write_all(answer.as_bytes())?;
        }
        Ok(())
    })
}

/// Reads a whole request. Returns `false` if the connection ended earlier.
pub(crate) fn read_request(stream: &mut TcpStream) -> io::Result<bool> {
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    // Where the body begins, and how long it is; `None` for chunks.
    let mut body: Option<(usize, Option<usize>)> = None;
    loop {
        if body.is_none() {
            let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
            body = end.map(|end| (end + 4, length(&bytes[..end])));
        }
        let whole = match body {
            None => false,
            Some((begin, Some(length))) => bytes.len() >= begin + length,
            Some((begin, None)) => bytes[begin..].ends_with(b"0\r\n\r\n"),
        };
        if whole {
            return Ok(true);
        }
        match stream.read(&mut buffer)? {
            0 => return Ok(false),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

fn length(head: &[u8]) -> Option<usize> {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let value = |name| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    match value("transfer-encoding:") {
        Some(_) => None,
        None => Some(value("content-length:").map_or(0, |length| length.parse().unwrap())),
    }
}

/// A port at which nothing listens. It stays reserved while the value lives.
pub(crate) struct ClosedPort {
    _held: TcpSocket,
    pub(crate) address: SocketAddr,
}

impl ClosedPort {
    pub(crate) fn new() -> Self {
        let held = TcpSocket::new_v4().unwrap();
        held.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        Self { address: held.local_addr().unwrap(), _held: held }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}
