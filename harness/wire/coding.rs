//! Content codings of a request's body: which one it has, and the text before it.
//!
//! Invariant: bounded. What is decoded is at most as long as the longest body that is kept.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::exchange::{Delivery, LONGEST_BODY};
use super::uuids::uuids;

/// The first bytes of each gzip file.
const GZIP: &[u8] = b"\x1F\x8B";

/// The content coding of a body: the declared one or, without a declaration, `gzip` if its first bytes are those of gzip.
/// `None` for a plain body.
pub fn coding(delivery: &Delivery) -> Option<String> {
    let declared = delivery.headers.all("content-encoding");
    let declared: Vec<String> = declared
        .map(|value| String::from_utf8_lossy(value).trim().to_ascii_lowercase())
        .filter(|value| !value.is_empty() && value != "identity")
        .collect();
    if !declared.is_empty() {
        return Some(declared.join(", "));
    }
    delivery.body.starts_with(GZIP).then(|| "gzip".to_owned())
}

/// The text before its content coding, if it has one that can be undone: gzip, or deflate with or without its frame.
pub fn decoded(delivery: &Delivery) -> Option<Vec<u8>> {
    let body = &*delivery.body;
    match coding(delivery)?.as_str() {
        "gzip" | "x-gzip" => read(MultiGzDecoder::new(body)),
        "deflate" => read(ZlibDecoder::new(body)).or_else(|| read(DeflateDecoder::new(body))),
        _ => None,
    }
}

/// Whether a body has a content coding that cannot be undone.
pub fn is_unreadable(delivery: &Delivery) -> bool {
    coding(delivery).is_some() && decoded(delivery).is_none()
}

/// The record ids in a body, compressed or not.
pub fn record_ids(delivery: &Delivery) -> Vec<String> {
    uuids(&content(delivery)).map(str::to_owned).collect()
}

/// The body without its content coding, if that can be undone; otherwise the body.
pub fn content(delivery: &Delivery) -> Cow<'_, [u8]> {
    decoded(delivery).map_or(Cow::Borrowed(&*delivery.body), Cow::Owned)
}

fn read(decoder: impl Read) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let most = LONGEST_BODY as u64 + 1;
    decoder.take(most).read_to_end(&mut text).ok()?;
    (!text.is_empty() && text.len() <= LONGEST_BODY).then_some(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::io::Write as _;

    use bytes::Bytes;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;
    use crate::wire::exchange::Headers;

    const TEXT: &[u8] = br#"{"data":{"id":"0c2b1a4e-0000-4000-8000-00000000abcd"}}"#;

    fn delivery(coding: Option<&str>, body: Vec<u8>) -> Delivery {
        let mut headers = Headers::default();
        if let Some(coding) = coding {
            headers.add("Content-Encoding", coding.to_owned());
        }
        Delivery::new("POST", "/", headers, Bytes::from(body))
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn codings_are_undone() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(TEXT).unwrap();
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
        deflate.write_all(TEXT).unwrap();
        let cases = [
            delivery(Some("gzip"), gzip(TEXT)),
            delivery(Some("GZip"), gzip(TEXT)),
            // Not declared.
            delivery(None, gzip(TEXT)),
            delivery(Some("deflate"), zlib.finish().unwrap()),
            delivery(Some("deflate"), deflate.finish().unwrap()),
        ];
        for one in cases {
            assert_eq!(decoded(&one).as_deref(), Some(TEXT), "{one:?}");
            assert_eq!(record_ids(&one), ["0c2b1a4e-0000-4000-8000-00000000abcd"]);
            assert!(coding(&one).is_some());
        }
    }

    #[test]
    fn plain_unknown_and_endless_bodies_are_not_decoded() {
        for plain in [None, Some("identity"), Some("")] {
            assert_eq!(coding(&delivery(plain, TEXT.to_vec())), None);
        }
        let unknown = delivery(Some("br"), b"\x0B\x02".to_vec());
        assert_eq!((coding(&unknown).as_deref(), decoded(&unknown)), (Some("br"), None));
        assert!(is_unreadable(&unknown) && !is_unreadable(&delivery(Some("gzip"), gzip(TEXT))));
        // A declaration alone compresses nothing.
        assert_eq!(decoded(&delivery(Some("gzip"), TEXT.to_vec())), None);
        let bomb = delivery(Some("gzip"), gzip(&vec![b' '; LONGEST_BODY + 1]));
        assert_eq!(decoded(&bomb), None);
    }
}
