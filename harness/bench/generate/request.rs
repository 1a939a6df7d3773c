//! A delivery as the bytes of a request: a template for each body, in which each delivery overwrites the record id, nonce,
//! timestamp and signature.
//!
//! The bytes signed are the bytes sent. A valid delivery allocates nothing once its buffer has grown.

use std::ops::Range;

use crate::bench::generate::corpus::{Body, Corpus};
use crate::bench::generate::ids::{ID_LENGTH, Ids};
use crate::webhook::dialect::Dialect;
use crate::webhook::signature::{Key, NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::wire::client::Target;

/// How many digits a timestamp has, from 2001 to 2286.
const TIMESTAMP_LENGTH: usize = 13;
const SIGNATURE_LENGTH: usize = 64;
const NONCE_LENGTH: usize = 32;

#[derive(Debug, Clone, Copy)]
pub struct Marks {
    pub number: u64,
    /// The nonce, for dialects that have one.
    pub nonce: u128,
    /// The time of sending, in milliseconds since the epoch.
    pub now_ms: u64,
}

/// A request for one body, complete except for its marks.
#[derive(Debug, Clone)]
pub struct Template {
    bytes: Box<[u8]>,
    timestamp: Range<usize>,
    signature: Range<usize>,
    nonce: Option<Range<usize>>,
    id: Option<Range<usize>>,
    body: usize,
}

#[derive(Debug, Default)]
pub struct RequestBuffer {
    pub bytes: Vec<u8>,
    /// Where the body begins.
    pub body: usize,
}

/// The parts of a head that all deliveries share.
#[derive(Debug, Clone)]
pub struct HeadTemplate {
    start: Vec<u8>,
    nonce: bool,
}

impl HeadTemplate {
    /// The head of requests to a target.
    pub fn new(target: &Target, dialect: &Dialect) -> Self {
        let start = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n",
            target.path,
            target.authority()
        );
        Self { start: start.into_bytes(), nonce: dialect.nonce }
    }

    pub fn templates(&self, corpus: &Corpus) -> Vec<Template> {
        corpus.bodies().iter().map(|body| self.template(body)).collect()
    }

    fn template(&self, body: &Body) -> Template {
        let mut bytes = self.start.clone();
        let timestamp = hole(&mut bytes, TIMESTAMP_HEADER, TIMESTAMP_LENGTH);
        let signature = hole(&mut bytes, SIGNATURE_HEADER, SIGNATURE_LENGTH);
        let nonce = self.nonce.then(|| hole(&mut bytes, NONCE_HEADER, NONCE_LENGTH));
        bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.bytes.len()).as_bytes());
        let start = bytes.len();
        bytes.extend_from_slice(&body.bytes);
        let id = body.id.as_ref().map(|id| id.start + start..id.end + start);
        Template { bytes: bytes.into(), timestamp, signature, nonce, id, body: start }
    }

    /// Makes a request with arbitrary marks, each of which may be missing.
    pub fn compose(
        &self,
        timestamp: Option<&[u8]>,
        signature: Option<&[u8]>,
        nonce: Option<u128>,
        body: &[u8],
        request: &mut RequestBuffer,
    ) {
        let bytes = &mut request.bytes;
        bytes.clear();
        bytes.extend_from_slice(&self.start);
        for (name, value) in [(TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, signature)] {
            if let Some(value) = value {
                header(bytes, name, value);
            }
        }
        if let Some(nonce) = nonce.filter(|_| self.nonce) {
            let at = hole(bytes, NONCE_HEADER, NONCE_LENGTH);
            write_nonce(nonce, &mut bytes[at]);
        }
        bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
        request.body = bytes.len();
        bytes.extend_from_slice(body);
    }
}

impl Template {
    /// The length of the request, in bytes.
    pub fn length(&self) -> usize {
        self.bytes.len()
    }

    /// The place of the record's id in the body.
    pub fn id_in_body(&self) -> Option<Range<usize>> {
        self.id.as_ref().map(|id| id.start - self.body..id.end - self.body)
    }

    /// Makes the request of a delivery, without its signature.
    pub fn fill(&self, ids: Ids, marks: &Marks, request: &mut RequestBuffer) {
        let bytes = &mut request.bytes;
        bytes.clear();
        bytes.extend_from_slice(&self.bytes);
        request.body = self.body;
        if let Some(id) = self.id.clone().and_then(|id| bytes[id].first_chunk_mut::<ID_LENGTH>()) {
            ids.write(marks.number, id);
        }
        if let Some(nonce) = self.nonce.clone() {
            write_nonce(marks.nonce, &mut bytes[nonce]);
        }
        write_decimal(marks.now_ms, &mut bytes[self.timestamp.clone()]);
    }

    /// Signs the request that [`Template::fill`] made.
    pub fn sign(&self, key: &Key, request: &mut RequestBuffer) {
        let (head, body) = request.bytes.split_at_mut(self.body);
        let signature = key.sign(&head[self.timestamp.clone()], body);
        if let Some(digits) = head[self.signature.clone()].first_chunk_mut::<SIGNATURE_LENGTH>() {
            signature.write_hex(digits);
        }
    }
}

/// Adds a header with room for a value of this length.
fn hole(bytes: &mut Vec<u8>, name: &str, length: usize) -> Range<usize> {
    let from = bytes.len() + name.len() + 2;
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(b": ");
    bytes.resize(from + length, b'0');
    bytes.extend_from_slice(b"\r\n");
    from..from + length
}

fn header(bytes: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        bytes.extend_from_slice(part);
    }
}

/// Overwrites `digits` with the last digits of a number.
fn write_decimal(mut number: u64, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

fn write_nonce(nonce: u128, digits: &mut [u8]) {
    // There are two digits for each byte of a nonce, so this cannot fail.
    let _ = const_hex::encode_to_slice(nonce.to_be_bytes(), digits);
}
