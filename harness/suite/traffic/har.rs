//! Reads HAR files, as browsers, proxies and test tools write them: the requests under `log.entries`.
//!
//! The body is read byte for byte. An error names the line of the entry.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

use super::messages;
use super::recording::{Recording, line_of};
use crate::wire::exchange::{Delivery, Exchange, ExchangeId, Headers, Outcome, Response, Transfer};

#[derive(Deserialize)]
struct Har<'a> {
    #[serde(borrow)]
    log: Log<'a>,
}

#[derive(Deserialize)]
struct Log<'a> {
    #[serde(borrow)]
    entries: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    started_date_time: String,
    #[serde(default)]
    time: f64,
    request: Request,
    response: Option<Answer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    headers: Vec<Header>,
    post_data: Option<PostData>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Deserialize)]
struct PostData {
    text: Option<String>,
    #[serde(alias = "_encoding")]
    encoding: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    status: u16,
}

/// Reads a HAR file. Requests with neither a body nor a webhook header are skipped.
///
/// Errors: the line, and what is wrong there.
pub(crate) fn read(text: &str) -> Result<Recording, String> {
    let har: Har<'_> = serde_json::from_str(text).map_err(|why| {
        let words = why.to_string();
        let words = words.split(" at line ").next().unwrap_or_default();
        messages::not_har(why.line(), words, why.is_eof())
    })?;
    let count = har.log.entries.len();
    let mut exchanges = Vec::new();
    for (at, raw) in har.log.entries.into_iter().enumerate() {
        let before = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        let line = line_of(&text.as_bytes()[..before.min(text.len())]);
        let refused = |why: String| messages::har_entry(line, at, &why);
        let entry: Entry = serde_json::from_str(raw.get()).map_err(|why| {
            let words = why.to_string();
            refused(words.split(" at line ").next().unwrap_or_default().to_owned())
        })?;
        exchanges.extend(exchange(entry).map_err(refused)?);
    }
    let skipped = count - exchanges.len();
    let remarks = if skipped > 0 { vec![messages::har_skipped(skipped, count)] } else { Vec::new() };
    Ok(Recording { exchanges, remarks })
}

fn exchange(entry: Entry) -> Result<Option<Exchange>, String> {
    let Request { method, url, headers, post_data } = entry.request;
    // HTTP/2 puts the request line into pseudo-headers.
    let headers = headers.into_iter().filter(|header| !header.name.starts_with(':'));
    let headers = Headers(headers.map(|header| (header.name, Bytes::from(header.value))).collect());
    let is_webhook_header =
        |(name, _): &(String, Bytes)| name.to_ascii_lowercase().starts_with("x-twenty-webhook-");
    let body = match post_data {
        None if !headers.0.iter().any(is_webhook_header) => return Ok(None),
        None => Bytes::new(),
        Some(PostData { text: None, .. }) => {
            return Err(messages::har_without_body());
        }
        Some(PostData { text: Some(text), encoding }) => match encoding.as_deref() {
            None | Some("") => Bytes::from(text),
            Some("base64") => {
                STANDARD.decode(&text).map_err(|why| messages::har_not_base64(&why.to_string()))?.into()
            }
            Some(other) => return Err(messages::har_unknown_encoding(other)),
        },
    };
    let url = Url::parse(&url).map_err(|why| messages::har_bad_url(&url, &why.to_string()))?;
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let began: Timestamp =
        entry.started_date_time.parse().map_err(|_| messages::har_bad_date(&entry.started_date_time))?;
    let answered = entry.response.map(|response| response.status).filter(|&status| status > 0);
    Ok(Some(Exchange {
        id: ExchangeId(0),
        delivery: Delivery { method, target, headers, body, transfer: Transfer::Whole },
        outcome: answered.map_or(Outcome::ClosedEarly, |status| {
            Outcome::Answered(Response { status, ..Response::default() })
        }),
        at_ms: u64::try_from(began.as_millisecond()).unwrap_or_default(),
        took: Duration::try_from_secs_f64(entry.time / 1000.0).unwrap_or_default(),
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::read;

    fn har(entries: &str) -> String {
        format!("{{\"log\": {{\"version\": \"1.2\",\n\"entries\": [\n{entries}\n]}}}}")
    }

    #[test]
    fn reads_deliveries_and_skips_other_requests() {
        let text = har(
            r#"{"startedDateTime":"2026-01-02T03:04:05.678+01:00","time":1.5,"request":{"method":"POST","url":"http://h/a?b=1","headers":[{"name":":path","value":"/"},{"name":"X-Q","value":"1"}],"postData":{"mimeType":"application/json","text":"{\"a\":1}"}},"response":{"status":204}},
               {"startedDateTime":"2026-01-02T03:04:05Z","request":{"method":"POST","url":"http://h/","headers":[],"postData":{"text":"/w==","encoding":"base64"}}},
               {"startedDateTime":"2026-01-02T03:04:05Z","request":{"method":"GET","url":"http://h/logo","headers":[]}},
               {"startedDateTime":"2026-01-02T03:04:05Z","request":{"method":"GET","url":"http://h/","headers":[{"name":"x-twenty-webhook-nonce","value":"0"}]}}"#,
        );
        let recording = read(&text).unwrap();
        let [first, second, third] = &recording.exchanges[..] else { panic!("{recording:?}") };
        assert_eq!((first.delivery.target.as_str(), &first.delivery.body[..]), ("/a?b=1", &b"{\"a\":1}"[..]));
        assert_eq!((first.delivery.headers.0.len(), first.at_ms), (1, 1_767_319_445_678));
        assert_eq!(first.outcome.status(), Some(204));
        assert_eq!(second.delivery.body, &b"\xff"[..]);
        assert_eq!(third.delivery.method, "GET");
        assert!(recording.remarks[0].starts_with("skipped 1 of 4 "), "{:?}", recording.remarks);
    }

    #[test]
    fn unreadable_entry_is_named_with_its_line() {
        let good = r#"{"startedDateTime":"2026-01-02T03:04:05Z","request":{"method":"POST","url":"http://h/","headers":[],"postData":{"text":"{}"}}}"#;
        for (change, words) in [
            (("\"text\":\"{}\"", "\"params\":[]"), "no `text`"),
            (("\"text\":\"{}\"", "\"text\":\"x\",\"encoding\":\"gzip\""), "gzip"),
            (("http://h/", "nowhere"), "nowhere"),
            (("2026-01-02T03:04:05Z", "yesterday"), "yesterday"),
            (("\"method\":\"POST\",", ""), "method"),
        ] {
            let why = read(&har(&format!("{good},\n{}", good.replace(change.0, change.1)))).unwrap_err();
            assert!(why.starts_with("line 4: log.entries[1]: ") && why.contains(words), "{why}");
        }
    }
}
