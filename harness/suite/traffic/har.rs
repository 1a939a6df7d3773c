//! HAR, as browsers, proxies and test tools write it: the requests under `log.entries`.
//!
//! Invariant: the body is what stands there, byte for byte; an entry that cannot be read is named with its line.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use url::Url;

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

/// Reads a HAR. Requests that carry neither a body nor a header of Twenty's webhooks are none of theirs, and are left out.
///
/// Errors: the line, and what is wrong there.
pub(crate) fn read(text: &str) -> Result<Recording, String> {
    let har: Har<'_> = serde_json::from_str(text).map_err(|why| {
        let words = why.to_string();
        let words = words.split(" at line ").next().unwrap_or_default();
        let cut = if why.is_eof() { " (the file is cut off)" } else { "" };
        format!(
            "line {}: {words}{cut}; it must be JSON lines of exchanges, or HAR with `log.entries`",
            why.line()
        )
    })?;
    let count = har.log.entries.len();
    let mut exchanges = Vec::new();
    for (at, raw) in har.log.entries.into_iter().enumerate() {
        let before = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        let line = line_of(&text.as_bytes()[..before.min(text.len())]);
        let refused = |why: String| format!("line {line}: log.entries[{at}]: {why}");
        let entry: Entry = serde_json::from_str(raw.get()).map_err(|why| {
            let words = why.to_string();
            refused(words.split(" at line ").next().unwrap_or_default().to_owned())
        })?;
        exchanges.extend(exchange(entry).map_err(refused)?);
    }
    let left_out = count - exchanges.len();
    let remark = format!(
        "{left_out} of the {count} requests in the HAR carry neither a body nor a header of Twenty's webhooks, and are \
         left out"
    );
    Ok(Recording { exchanges, remarks: Some(remark).filter(|_| left_out > 0).into_iter().collect() })
}

fn exchange(entry: Entry) -> Result<Option<Exchange>, String> {
    let Request { method, url, headers, post_data } = entry.request;
    // HTTP/2 has the request line in headers of this form.
    let headers = headers.into_iter().filter(|header| !header.name.starts_with(':'));
    let headers = Headers(headers.map(|header| (header.name, Bytes::from(header.value))).collect());
    let is_ours = |(name, _): &(String, Bytes)| name.to_ascii_lowercase().starts_with("x-twenty-webhook-");
    let body = match post_data {
        None if !headers.0.iter().any(is_ours) => return Ok(None),
        None => Bytes::new(),
        Some(PostData { text: None, .. }) => {
            return Err("`postData` has no `text`: the body was not recorded".to_owned());
        }
        Some(PostData { text: Some(text), encoding }) => match encoding.as_deref() {
            None | Some("") => Bytes::from(text),
            Some("base64") => {
                STANDARD.decode(&text).map_err(|why| format!("`postData.text` is no base64: {why}"))?.into()
            }
            Some(other) => return Err(format!("`postData.encoding` is {other:?}; only base64 is known")),
        },
    };
    let url = Url::parse(&url).map_err(|why| format!("`request.url` is {url:?}: {why}"))?;
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let began: Timestamp = entry
        .started_date_time
        .parse()
        .map_err(|_| format!("`startedDateTime` is {:?}, which is no date-time", entry.started_date_time))?;
    let answered = entry.response.map(|response| response.status).filter(|&status| status > 0);
    Ok(Some(Exchange {
        id: ExchangeId(0),
        delivery: Delivery { method, target, headers, body, transfer: Transfer::Whole },
        outcome: answered.map_or(Outcome::ClosedEarly, |status| {
            Outcome::Answered(Response { status, headers: Headers::default(), body: Bytes::new() })
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
    fn requests_are_read_as_they_stand() {
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
        assert!(recording.remarks[0].contains("1 of the 4"), "{:?}", recording.remarks);
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_named_with_its_line() {
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
