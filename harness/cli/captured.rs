//! Captured requests in a file: the one place where `verify` and `send` read them.

use bytes::Bytes;

use super::messages;
use crate::error::Error;
use crate::suite::cause::Cause;
use crate::suite::cause::capture::{Signed, evident};
use crate::wire::codec::{Captured, NotCaptured, captured};
use crate::wire::exchange::Headers;

/// A captured request, to be sent.
pub(super) struct Recorded {
    pub(super) method: String,
    /// Path and query, or a URL.
    pub(super) target: String,
    pub(super) headers: Headers,
    pub(super) body: Bytes,
    /// What the file itself shows to be wrong with the body.
    pub(super) fault: Option<Cause>,
}

/// Every request of a file: a request may follow the body of another one that has its length.
///
/// Errors: there is none.
pub(super) fn recorded(bytes: &[u8]) -> Result<Vec<Recorded>, Error> {
    let mut all = Vec::new();
    let mut next = captured_request(bytes).map(Some)?;
    while let Some(Captured { method, target, headers, body, after, content_length }) = next {
        let fault = evident(&Signed { timestamp: b"", signature: b"", body, after, content_length });
        all.push(Recorded { method, target, headers, body: Bytes::copy_from_slice(body), fault });
        next = captured(after.trim_ascii_start()).ok();
    }
    Ok(all)
}

/// The first request of a file. Errors: there is none.
pub(super) fn captured_request(bytes: &[u8]) -> Result<Captured<'_>, Error> {
    let what = match captured(bytes) {
        Ok(captured) => return Ok(captured),
        Err(NotCaptured::NoEmptyLine) => messages::no_empty_line().to_owned(),
        Err(NotCaptured::InChunks) => messages::body_is_chunked().to_owned(),
        Err(NotCaptured::NoRequest(why)) => messages::not_a_request(why),
        Err(NotCaptured::Framing(fault)) => messages::body_end_is_unclear(fault),
    };
    Err(Error::Usage(messages::give_a_request(&what)))
}
