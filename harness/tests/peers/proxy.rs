//! Proxies that only tests need: one that passes on bytes, and one that reads whole messages and changes them.
//!
//! Invariant: a proxy has a port that the system chose, and waits until it is told where it leads.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use super::servers::serve;

/// How long a proxy waits to be told where it leads.
const LONGEST: Duration = Duration::from_secs(60);

/// A proxy, and the place that it leads to.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) url: String,
    place: Arc<(Mutex<Option<SocketAddr>>, Condvar)>,
}

/// A request or an answer.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) start: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Proxy {
    /// Passes on bytes, both ways.
    pub(crate) fn of_bytes() -> Self {
        Self::of_bytes_after(b"")
    }

    /// The same, after it has written these.
    pub(crate) fn of_bytes_after(before: &'static [u8]) -> Self {
        let place = Arc::<(Mutex<Option<SocketAddr>>, Condvar)>::default();
        let own = place.clone();
        let url = serve(move |client| {
            let to = TcpStream::connect(led(&own))?;
            let (mut from_client, mut to_server) = (client.try_clone()?, to.try_clone()?);
            to_server.write_all(before)?;
            thread::spawn(move || {
                io::copy(&mut from_client, &mut to_server).ok();
                to_server.shutdown(Shutdown::Write)
            });
            let (mut from_server, mut to_client) = (to, client);
            io::copy(&mut from_server, &mut to_client)?;
            to_client.shutdown(Shutdown::Both)
        });
        Self { url, place }
    }

    /// Reads each request whole, passes it on as `request` makes it, and the answer as `answer` makes it. Without a request, it
    /// closes the connection.
    pub(crate) fn of_messages(
        request: impl Fn(Message) -> Message + Send + Sync + 'static,
        answer: impl Fn(Message) -> Message + Send + Sync + 'static,
    ) -> Self {
        Self::answering(move |message, pass| answer(pass(request(message))))
    }

    /// Answers each request as `act` says, which can pass it on.
    pub(crate) fn answering(
        act: impl Fn(Message, &dyn Fn(Message) -> Message) -> Message + Send + Sync + 'static,
    ) -> Self {
        let place = Arc::<(Mutex<Option<SocketAddr>>, Condvar)>::default();
        let own = place.clone();
        let url = serve(move |mut client| {
            let mut rest = Vec::new();
            while let Some(message) = read(&mut client, &mut rest, true)? {
                let pass = |message: Message| {
                    let mut server = TcpStream::connect(led(&own)).unwrap();
                    server.write_all(&message.bytes()).unwrap();
                    read(&mut server, &mut Vec::new(), false).unwrap().unwrap()
                };
                client.write_all(&act(message, &pass).bytes())?;
            }
            Ok(())
        });
        Self { url, place }
    }

    /// Says where it leads, once.
    pub(crate) fn leads_to(&self, place: SocketAddr) {
        *self.place.0.lock().unwrap() = Some(place);
        self.place.1.notify_all();
    }
}

/// Waits until it is said where a proxy leads.
fn led((place, told): &(Mutex<Option<SocketAddr>>, Condvar)) -> SocketAddr {
    let place = place.lock().unwrap();
    let (place, _) = told.wait_timeout_while(place, LONGEST, |place| place.is_none()).unwrap();
    place.expect("no one said where the proxy leads")
}

impl Message {
    /// Whether a header is there, in any case.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        let found = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        self
    }

    /// An answer with this status and body.
    pub(crate) fn answer(status: u16, body: &str) -> Self {
        Self { start: format!("HTTP/1.1 {status} "), headers: Vec::new(), body: body.as_bytes().to_vec() }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{}\r\n", self.start).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        if !self.start.starts_with("HTTP/1.1 204") {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", self.body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// Reads a message. `rest` has bytes that were read before, and gets those after it. `None` if the connection ended first.
fn read(stream: &mut TcpStream, rest: &mut Vec<u8>, is_request: bool) -> io::Result<Option<Message>> {
    let mut buffer = vec![0; 64 * 1024];
    let mut more = |rest: &mut Vec<u8>, stream: &mut TcpStream| -> io::Result<bool> {
        let count = stream.read(&mut buffer)?;
        rest.extend_from_slice(&buffer[..count]);
        Ok(count > 0)
    };
    let end = loop {
        if let Some(at) = rest.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if !more(rest, stream)? {
            return Ok(None);
        }
    };
    let head: Vec<u8> = rest.drain(..end + 4).collect();
    let mut lines =
        head[..end].split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let start = String::from_utf8_lossy(lines.next().unwrap()).into_owned();
    let mut headers: Vec<(String, Vec<u8>)> = Vec::new();
    let (mut length, mut chunked) = (0, false);
    for line in lines {
        let at = line.iter().position(|byte| *byte == b':').unwrap();
        let (name, value) =
            (String::from_utf8_lossy(&line[..at]).into_owned(), line[at + 1..].trim_ascii().to_vec());
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = String::from_utf8_lossy(&value).parse().unwrap(),
            "transfer-encoding" => chunked = true,
            "expect" => stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?,
            "connection" => {}
            _ => headers.push((name, value)),
        }
    }
    let mut body = Vec::new();
    if chunked {
        loop {
            let line_end = loop {
                if let Some(at) = rest.windows(2).position(|window| window == b"\r\n") {
                    break at;
                }
                assert!(more(rest, stream)?);
            };
            let size = usize::from_str_radix(&String::from_utf8_lossy(&rest[..line_end]), 16).unwrap();
            while rest.len() < line_end + 2 + size + 2 {
                assert!(more(rest, stream)?);
            }
            body.extend_from_slice(&rest[line_end + 2..line_end + 2 + size]);
            rest.drain(..line_end + 2 + size + 2);
            if size == 0 {
                break;
            }
        }
    } else {
        while rest.len() < length {
            if !more(rest, stream)? {
                return Ok(None);
            }
        }
        body = rest.drain(..length).collect();
    }
    assert!(is_request || !body.is_empty() || length == 0);
    Ok(Some(Message { start, headers, body }))
}
