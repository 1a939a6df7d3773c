//! A captured request, to be sent again: as it is, or signed again.

use std::path::Path;

use bytes::Bytes;

use super::{Arguments, Sending, allowed};
use crate::capture::{Captured, Captures};
use crate::cli::captures::{Purpose, captures, fault};
use crate::cli::console::Console;
use crate::cli::messages::{self, captures as said};
use crate::cli::options::random_seed;
use crate::clock::Clock;
use crate::error::Error;
use crate::random::Random;
use crate::webhook::signature::{FRESH_MS, Key, NONCE_HEADER, SIGNATURE_HEADER, Secret, TIMESTAMP_HEADER};
use crate::wire::client::Target;
use crate::wire::exchange::{Delivery, Headers};

/// Headers of a connection, which the new one has of its own.
const OF_CONNECTION: [&str; 11] = [
    "Connection",
    "Content-Length",
    "Expect",
    "Host",
    "HTTP2-Settings",
    "Keep-Alive",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
];

/// The request of the file that is to be sent.
///
/// Errors: there is no such request, it says not where to, or there is no secret to sign it with.
pub(super) fn captured(
    file: &Path,
    arguments: &Arguments,
    clock: &Clock,
    console: &mut Console,
) -> Result<Sending, Error> {
    let entry = arguments.entry.map(std::num::NonZeroUsize::get);
    let Captures { form, requests, count, notes } = captures(Some(file), entry, Purpose::Send)?;
    console.note(&said::taken_for(form.describe()));
    let Some(request) = requests.into_iter().next() else {
        return Err(Error::Usage(messages::no_such_entry(entry.unwrap_or(1), 0)));
    };
    for note in notes.iter().chain(&request.notes) {
        console.note(&said::note(note));
    }
    let body = request.bytes().map_err(|why| Error::Usage(why + said::capture_the_body()))?.clone();
    let fault = fault(&request, &body);
    let url = match &arguments.url {
        Some(url) => url.clone(),
        None => own_url(&request)?,
    };
    let Captured { method, headers, number: entry, .. } = request;
    let target = allowed(&url, arguments, console)?;
    let mut headers = without_connection(headers);
    let secret = arguments.secret.read(console)?;
    if let Some(fault) = fault {
        console.note(&messages::captured_is_not_whole(&fault));
    }
    note(&headers, &body, secret.as_ref(), arguments.resign, clock, console);
    if arguments.resign {
        let secret = secret.ok_or_else(|| Error::Usage(messages::secret_is_missing().to_owned()))?;
        sign(&mut headers, &body, &secret, clock);
    }
    let name = messages::captured_request(&method, (count > 1).then_some((entry, count)), arguments.resign);
    let delivery = Delivery::new(&method, target.path.clone(), headers, body);
    Ok(Sending { target, name, delivery })
}

/// Where the request was sent, if that is on this machine.
fn own_url(request: &Captured) -> Result<String, Error> {
    let host = request.headers.single("Host").map(|host| String::from_utf8_lossy(host).into_owned());
    let of_host = || host.map(|host| format!("http://{host}{}", request.target));
    let Some(url) = request.url.clone().or_else(of_host) else {
        return Err(Error::Usage(messages::captured_without_url(&request.target)));
    };
    match Target::parse(&url) {
        Ok(own) if own.is_loopback() => Ok(url),
        Ok(other) => Err(Error::Usage(messages::captured_elsewhere(&other.url()))),
        Err(_) => Err(Error::Usage(messages::captured_without_url(&url))),
    }
}

/// The headers that do not belong to the connection on which the request was captured.
fn without_connection(headers: Headers) -> Headers {
    let named = headers.all("Connection").flat_map(|value| {
        String::from_utf8_lossy(value).split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>()
    });
    let dropped: Vec<String> = named.chain(OF_CONNECTION.map(str::to_owned)).collect();
    // Names that begin with a colon are the request line of HTTP/2.
    let is_kept =
        |name: &str| !name.starts_with(':') && !dropped.iter().any(|other| other.eq_ignore_ascii_case(name));
    Headers(headers.0.into_iter().filter(|(name, _)| is_kept(name)).collect())
}

/// A present timestamp and the signature over it, in the places of the captured ones. A nonce is replaced too, because receivers
/// process each only once.
fn sign(headers: &mut Headers, body: &[u8], secret: &Secret, clock: &Clock) {
    let timestamp = clock.now_ms().to_string();
    let signature = Key::new(secret).sign(timestamp.as_bytes(), body).to_hex();
    replace(headers, SIGNATURE_HEADER, signature, true);
    replace(headers, TIMESTAMP_HEADER, timestamp, true);
    replace(headers, NONCE_HEADER, Random::from_seed(random_seed()).nonce(), false);
}

/// Replaces the first header of this name and removes the others. Without one, it is added if it is needed.
fn replace(headers: &mut Headers, name: &str, value: String, is_needed: bool) {
    let is_named = |(other, _): &(String, Bytes)| other.eq_ignore_ascii_case(name);
    let Some(at) = headers.0.iter().position(is_named) else {
        if is_needed {
            headers.add(name, value);
        }
        return;
    };
    headers.0[at].1 = value.into();
    let mut index = 0;
    headers.0.retain(|header| {
        index += 1;
        index - 1 == at || !is_named(header)
    });
}

/// Notes what a receiver will reject, and a captured signature that does not match.
fn note(
    headers: &Headers,
    body: &[u8],
    secret: Option<&Secret>,
    resign: bool,
    clock: &Clock,
    console: &mut Console,
) {
    let timestamp = headers.single(TIMESTAMP_HEADER);
    let sent: Option<u64> =
        timestamp.and_then(|value| std::str::from_utf8(value).ok()).and_then(|text| text.parse().ok());
    if !resign && sent.is_some_and(|sent| sent.abs_diff(clock.now_ms()) > FRESH_MS) {
        console.note(messages::captured_is_old());
    }
    if let (Some(timestamp), Some(signature), Some(secret)) =
        (timestamp, headers.single(SIGNATURE_HEADER), secret)
        && !Key::new(secret).verify(timestamp, body, signature)
    {
        console.note(messages::captured_does_not_match());
    }
}
