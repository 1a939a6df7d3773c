//! One delivery for a unit test of a receiver's code, without a server: a valid one, or one that is wrong in a known way.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::error::Error;
use super::messages;
use super::suite::Dialect;
use crate::suite::receiver::single::{self, Signed};
use crate::webhook::signature::Secret;
use crate::wire::exchange::Delivery;

/// What a delivery has as its body.
#[derive(Debug, Clone)]
pub struct Payload {
    content: Content,
    dialect: Dialect,
}

#[derive(Debug, Clone)]
enum Content {
    Sample(String),
    Body(Vec<u8>),
}

impl Payload {
    /// The sample of this event, such as `person.created`.
    pub fn sample(event: &str) -> Self {
        Self { content: Content::Sample(event.to_owned()), dialect: Dialect::Documented }
    }

    /// This body, byte for byte.
    pub fn body(body: impl Into<Vec<u8>>) -> Self {
        Self { content: Content::Body(body.into()), dialect: Dialect::Documented }
    }

    /// The same in this form; the default is [`Dialect::Documented`]. It decides what a sample looks like, and which headers are sent.
    #[must_use]
    pub fn dialect(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }
}

/// The sample of an event or, if it begins with a brace, a body.
impl From<&str> for Payload {
    fn from(text: &str) -> Self {
        if text.trim_start().starts_with('{') { Self::body(text) } else { Self::sample(text) }
    }
}

impl From<&[u8]> for Payload {
    fn from(body: &[u8]) -> Self {
        Self::body(body)
    }
}

impl From<Vec<u8>> for Payload {
    fn from(body: Vec<u8>) -> Self {
        Self::body(body)
    }
}

/// The headers and the body of a POST.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignedRequest {
    /// Names and values, in the order of the wire. Of the values, only those of `crash.header-bytes` are not ASCII.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The bytes that are signed, or in a broken delivery those that are not.
    pub body: Vec<u8>,
}

impl SignedRequest {
    /// The value of the first header of this name, in any case; `None` without one, or if it is not UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }
}

impl From<Delivery> for SignedRequest {
    fn from(delivery: Delivery) -> Self {
        let headers = delivery.headers.0.into_iter().map(|(name, value)| (name, value.to_vec())).collect();
        Self { headers, body: delivery.body.to_vec() }
    }
}

/// A valid delivery that is signed with this secret at this time. The same arguments give the same bytes.
///
/// # Errors
///
/// [`Error::Usage`] for an empty secret, or an event without a sample.
///
/// ```
/// use std::time::SystemTime;
///
/// use twenty_conform::{signed_request, verify};
///
/// let request = signed_request("person.created", "s3cr3t", SystemTime::now())?;
/// let timestamp = request.header("X-Twenty-Webhook-Timestamp").unwrap_or_default();
/// let signature = request.header("X-Twenty-Webhook-Signature").unwrap_or_default();
/// assert!(verify("s3cr3t", timestamp, &request.body, signature).is_ok());
/// # Ok::<(), twenty_conform::Error>(())
/// ```
pub fn signed_request(
    event: impl Into<Payload>,
    secret: &str,
    now: SystemTime,
) -> Result<SignedRequest, Error> {
    let (signed, body) = prepared(event.into(), secret, now)?;
    Ok(signed.valid(body).into())
}

/// A delivery that is wrong in the way of a cause, such as `accepts.stale`, which a receiver must reject. The same arguments give the
/// same bytes. The cause `accepts.replayed` shows only after a valid delivery with the same arguments, `now` included.
///
/// # Errors
///
/// [`Error::Usage`] as [`signed_request`], and for a cause that is unknown, that only valid deliveries show, or that needs another
/// secret or body, such as a secret of hexadecimal digits. [`broken_causes`] names those that have a delivery.
///
/// ```
/// use std::time::SystemTime;
///
/// let unsigned = twenty_conform::broken("accepts.unsigned", "person.created", "s3cr3t", SystemTime::now())?;
/// assert_eq!(unsigned.header("X-Twenty-Webhook-Signature"), None);
/// # Ok::<(), twenty_conform::Error>(())
/// ```
pub fn broken(
    cause: &str,
    event: impl Into<Payload>,
    secret: &str,
    now: SystemTime,
) -> Result<SignedRequest, Error> {
    let code = single::code(cause).map_err(Error::Usage)?;
    let (signed, body) = prepared(event.into(), secret, now)?;
    signed.broken(code, body).map(SignedRequest::from).map_err(Error::Usage)
}

/// The causes for which [`broken`] has a delivery.
pub fn broken_causes() -> impl Iterator<Item = &'static str> {
    single::codes().map(|code| code.as_str())
}

fn prepared(payload: Payload, secret: &str, now: SystemTime) -> Result<(Signed, Bytes), Error> {
    if secret.is_empty() {
        return Err(Error::Usage(messages::empty_secret()));
    }
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    let signed = Signed { dialect: payload.dialect.dialect(), secret: Secret::new(secret), now_ms };
    let body = match payload.content {
        Content::Sample(event) => signed.sample(&event).map_err(Error::Usage)?,
        Content::Body(body) => body.into(),
    };
    Ok((signed, body))
}
