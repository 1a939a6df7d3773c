//! `fetch("URL", {…})` as browsers copy it: the second argument is JSON.

use bytes::Bytes;
use serde_json::Value;

use super::{Body, Captured, Fault, Requests, Ruler, headers, messages};
use crate::budget::PARSED_VALUES;
use crate::webhook::json::has_at_most;

const CALL: &[u8] = b"fetch(";

/// The request of a call. Several calls may follow each other.
pub(super) fn requests(text: &[u8]) -> Result<Vec<Captured>, Fault> {
    let mut found = Requests::default();
    let mut at = 0;
    let mut ruler = Ruler::new();
    if !has_at_most(text, PARSED_VALUES) {
        return Err(Fault::at(1, messages::too_many_values(PARSED_VALUES)));
    }
    while let Some(call) = memchr::memmem::find(&text[at..], CALL) {
        let line = ruler.line(text, at + call);
        at += call + CALL.len();
        let rest = &text[at..];
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<Value>();
        let Some(Ok(Value::String(url))) = values.next() else {
            return Err(Fault::at(line, messages::fetch_without_url()));
        };
        at += values.byte_offset();
        let rest = text[at..].trim_ascii_start();
        let mut values =
            serde_json::Deserializer::from_slice(rest.strip_prefix(b",").unwrap_or_default()).into_iter();
        let Some(Ok(Value::Object(options))) = values.next() else {
            return Err(Fault::at(line, messages::fetch_without_json()));
        };
        at += values.byte_offset();
        let method = options.get("method").and_then(Value::as_str).unwrap_or("GET");
        let headers =
            options.get("headers").map(headers::headers).transpose().map_err(|why| Fault::at(line, why))?;
        let body = match options.get("body") {
            Some(Value::String(text)) => Body::Bytes(Bytes::from(text.clone())),
            _ => Body::NotRecorded(messages::fetch_without_body().to_owned()),
        };
        let request = Captured::new(method, url.as_str(), headers.unwrap_or_default(), body);
        found.add(request.at(line))?;
    }
    Ok(found.all)
}
