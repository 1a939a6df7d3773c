//! Sends one delivery as axios does: its headers in its order, and what it makes of the answer.
//!
//! Invariant: bounded. Of an answer only the head is kept, and every wait has an end unless a fault takes it away.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use twenty_conform::clock::Clock;
use twenty_conform::random::Random;
use twenty_conform::webhook::json::{Json, Text};
use twenty_conform::webhook::serialiser::Serialiser;
use twenty_conform::webhook::signature::{Key, NONCE_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use url::Url;

use super::settings::Settings;

/// The longest head of an answer, in bytes.
const LONGEST_HEAD: u64 = 64 * 1024;
/// How many redirects it follows.
const MOST_REDIRECTS: usize = 5;
/// The members that axios leaves out.
const DROPPED: [&str; 3] = ["__proto__", "constructor", "prototype"];

/// The outcome of one attempt: the final status, or `None` without an answer.
pub(super) type Status = Option<u16>;

/// Where a body ends.
enum Framing {
    Empty,
    Length(u64),
    Chunked,
    UntilClose,
}

struct Head {
    status: u16,
    framing: Framing,
    location: Option<String>,
}

/// Signs a body and posts it once.
pub(super) async fn send(
    settings: &Settings,
    random: &Random,
    target: &str,
    secret: &str,
    body: &Json,
) -> Status {
    let mut url = Url::parse(target).ok()?;
    if settings.refuses_private_addresses && is_private(&url).await {
        return None;
    }
    let signed = if settings.rounds_integers {
        Serialiser::Javascript.print(body)?
    } else {
        body.compact().into_bytes()
    };
    let now = Clock::system().now_ms().to_string();
    let signature = (!secret.is_empty()).then(|| {
        let signature = Key::new(&Secret::new(secret)).sign(now.as_bytes(), &signed).to_hex();
        let nonce = random.uuid().replace('-', "");
        format!("{TIMESTAMP_HEADER}: {now}\r\n{SIGNATURE_HEADER}: {signature}\r\n{NONCE_HEADER}: {nonce}\r\n")
    });
    let signature = signature.unwrap_or_default();
    let sent = match settings.drops_members {
        true => without_dropped(&Json::parse(&signed).ok()?).compact().into_bytes(),
        false => signed,
    };
    let mut is_post = true;
    for _ in 0..=MOST_REDIRECTS {
        let request = request(&url, &signature, is_post.then_some(&sent));
        let head = exchange(settings, &url, &request).await?;
        if !settings.follows_redirects || !(300..400).contains(&head.status) {
            return Some(head.status);
        }
        let Some(next) = head.location.and_then(|location| url.join(&location).ok()) else {
            return Some(head.status);
        };
        is_post &= !(301..=303).contains(&head.status);
        url = next;
    }
    None
}

/// The bytes of a request, with the headers in the order of axios.
fn request(url: &Url, signature: &str, body: Option<&Vec<u8>>) -> Vec<u8> {
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let method = if body.is_some() { "POST" } else { "GET" };
    let mut head = format!("{method} {}{query} HTTP/1.1\r\n", url.path());
    head.push_str("Accept: application/json, text/plain, */*\r\n");
    if body.is_some() {
        head.push_str("Content-Type: application/json\r\n");
    }
    head.push_str(signature);
    head.push_str("User-Agent: axios/1.19.0\r\n");
    if let Some(body) = body {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    head.push_str("Accept-Encoding: gzip, compress, deflate, br\r\n");
    head.push_str(&format!("Host: {host}{port}\r\nConnection: keep-alive\r\n\r\n"));
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body.map_or(&[], |body| body.as_slice()));
    bytes
}

/// One request on a new connection. Returns the head of the answer once its body has ended or was given up.
async fn exchange(settings: &Settings, url: &Url, request: &[u8]) -> Option<Head> {
    let (mut stream, head) = within(settings.answer_wait, begin(url, request)).await?.ok()?;
    // A redirect that is followed is followed at once.
    if settings.follows_redirects && (300..400).contains(&head.status) && head.location.is_some() {
        return Some(head);
    }
    let wait = settings.answer_wait.filter(|_| !settings.reads_endless_answers);
    // Only the status counts, so it does not matter how the body ended.
    let _ = within(wait, skip(&mut stream, &head.framing)).await;
    Some(head)
}

/// The outcome, or `None` if it took too long.
async fn within<T>(wait: Option<Duration>, work: impl Future<Output = T>) -> Option<T> {
    match wait {
        Some(wait) => timeout(wait, work).await.ok(),
        None => Some(work.await),
    }
}

async fn begin(url: &Url, request: &[u8]) -> io::Result<(BufReader<TcpStream>, Head)> {
    // It has no TLS.
    if url.scheme() != "http" {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let mut stream = TcpStream::connect((host, url.port_or_known_default().unwrap_or(80))).await?;
    let _ = stream.set_nodelay(true);
    // An endpoint may answer before it has read everything.
    let written = stream.write_all(request).await;
    let mut stream = BufReader::new(stream);
    loop {
        match head(&mut stream).await {
            Ok(head) if (100..200).contains(&head.status) && head.status != 101 => {}
            Ok(head) => return Ok((stream, head)),
            Err(why) => return Err(written.err().unwrap_or(why)),
        }
    }
}

async fn head(stream: &mut BufReader<TcpStream>) -> io::Result<Head> {
    let mut bytes = Vec::new();
    let mut limited = stream.take(LONGEST_HEAD);
    while !bytes.ends_with(b"\r\n\r\n") {
        if limited.read_until(b'\n', &mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut parsed = httparse::Response::new(&mut headers);
    parsed.parse(&bytes).map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
    let status = parsed.code.unwrap_or_default();
    let value = |name: &str| {
        let found = parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8_lossy(found.value).into_owned())
    };
    let framing = match (value("transfer-encoding"), value("content-length")) {
        _ if status < 200 || status == 204 || status == 304 => Framing::Empty,
        (Some(coding), _) if coding.to_ascii_lowercase().ends_with("chunked") => Framing::Chunked,
        (None, Some(length)) => Framing::Length(length.trim().parse().unwrap_or(0)),
        _ => Framing::UntilClose,
    };
    Ok(Head { status, framing, location: value("location") })
}

/// Reads a body to its end.
async fn skip(stream: &mut BufReader<TcpStream>, framing: &Framing) -> io::Result<()> {
    match framing {
        Framing::Empty => Ok(()),
        Framing::Length(length) => discard(stream, *length).await,
        Framing::UntilClose => discard(stream, u64::MAX).await,
        Framing::Chunked => loop {
            let line = line(stream).await?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16)
                .map_err(|why| io::Error::new(io::ErrorKind::InvalidData, why))?;
            if size == 0 {
                while !self::line(stream).await?.trim().is_empty() {}
                return Ok(());
            }
            discard(stream, size.saturating_add(2)).await?;
        },
    }
}

async fn line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = Vec::new();
    match stream.take(LONGEST_HEAD).read_until(b'\n', &mut line).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(String::from_utf8_lossy(&line).into_owned()),
    }
}

async fn discard(stream: &mut BufReader<TcpStream>, length: u64) -> io::Result<()> {
    let read = tokio::io::copy(&mut stream.take(length), &mut tokio::io::sink()).await?;
    if read < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

fn without_dropped(json: &Json) -> Json {
    match json {
        Json::Array(elements) => Json::Array(elements.iter().map(without_dropped).collect()),
        Json::Object(members) => {
            let is_kept = |name: &Text| !DROPPED.iter().any(|dropped| *name == Text::from(*dropped));
            let kept = members.iter().filter(|(name, _)| is_kept(name));
            Json::Object(kept.map(|(name, value)| (name.clone(), without_dropped(value))).collect())
        }
        other => other.clone(),
    }
}

/// Whether a URL leads to this machine or a private network.
async fn is_private(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let Ok(found) = lookup_host((host, 0)).await else { return false };
    let is_internal = |address: IpAddr| match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unspecified() || v6.is_unique_local(),
    };
    found.map(|address| address.ip()).any(is_internal)
}
