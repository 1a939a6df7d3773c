//! Reads HAR files, as browsers, proxies and test tools write them: the requests under `log.entries`.
//!
//! The file is read once, entry by entry. The body is read byte for byte. An error names the line of the entry.

use std::cell::Cell;
use std::fmt;
use std::io::Read;
use std::rc::Rc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use url::Url;

use super::messages;
use super::recording::{Recording, Source};
use crate::wire::exchange::{Delivery, Exchange, ExchangeId, Headers, Outcome, Response, Transfer};

/// Where the entries are: `log.entries`.
const ENTRIES: &[&str] = &["log", "entries"];
/// How many headers of a request are read.
const MOST_HEADERS: usize = 1000;

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
    headers: RequestHeaders,
    /// -1 if unknown.
    body_size: Option<f64>,
    post_data: Option<PostData>,
}

struct RequestHeaders(Headers);

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

/// What was read of a file so far.
struct Progress {
    recording: Recording,
    count: usize,
    lines: Rc<Cell<usize>>,
    /// The line of the entry that is being read.
    entry: Option<usize>,
    /// Why this entry is not a delivery.
    refusal: Option<String>,
}

/// What is left of the way to the entries.
struct Way<'a> {
    names: &'static [&'static str],
    progress: &'a mut Progress,
}

struct NextEntry<'a>(&'a mut Progress);

/// Reads a HAR file. Requests with neither a body nor a webhook header are skipped.
///
/// Errors: the line, and what is wrong there.
pub(super) fn read<R: Read>(source: Source<R>) -> Result<Recording, String> {
    let lines = source.line_count();
    let mut progress =
        Progress { recording: Recording::default(), count: 0, lines, entry: None, refusal: None };
    let mut from = serde_json::Deserializer::from_reader(source);
    let read =
        Way { names: ENTRIES, progress: &mut progress }.deserialize(&mut from).and_then(|()| from.end());
    read.map_err(|why| progress.describe(&why))?;
    let Progress { mut recording, count, .. } = progress;
    let skipped = count - recording.exchanges.len();
    if skipped > 0 {
        recording.remarks.push(messages::har_skipped(skipped, count));
    }
    Ok(recording)
}

impl Progress {
    fn describe(&self, why: &serde_json::Error) -> String {
        let text = why.to_string();
        // The text ends with a line and a column.
        let words = text.rsplit_once(" at line ").map_or(&*text, |(words, _)| words);
        match (why.classify(), self.entry) {
            (Category::Io, _) => messages::not_read(&text),
            (Category::Data, Some(line)) => {
                messages::har_entry(line, self.count, self.refusal.as_deref().unwrap_or(words))
            }
            _ => messages::not_har(why.line(), words, why.is_eof()),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Way<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        if self.names.is_empty() { from.deserialize_seq(self) } else { from.deserialize_map(self) }
    }
}

impl<'de> Visitor<'de> for Way<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.names {
            [name, ..] => write!(f, "an object (`{name}`)"),
            [] => f.write_str("an array"),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((&name, names)) = self.names.split_first() else { return Ok(()) };
        let mut found = false;
        while let Some(member) = map.next_key::<String>()? {
            if member != name {
                map.next_value::<IgnoredAny>()?;
            } else if found {
                return Err(A::Error::duplicate_field(name));
            } else {
                map.next_value_seed(Way { names, progress: &mut *self.progress })?;
                found = true;
            }
        }
        if found { Ok(()) } else { Err(A::Error::missing_field(name)) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while entries.next_element_seed(NextEntry(self.progress))?.is_some() {}
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for NextEntry<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        let Self(progress) = self;
        // The parser has read the first byte of the entry.
        progress.entry = Some(progress.lines.get() + 1);
        let added = match exchange(Entry::deserialize(from)?) {
            Ok(Some(exchange)) => progress.recording.add(exchange),
            other => other.map(drop),
        };
        if let Err(why) = added {
            progress.refusal = Some(why);
            return Err(D::Error::custom("refused"));
        }
        progress.entry = None;
        progress.count += 1;
        Ok(())
    }
}

impl<'de> Deserialize<'de> for RequestHeaders {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = RequestHeaders;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<RequestHeaders, A::Error> {
                let mut headers = Vec::new();
                while let Some(Header { name, value }) = list.next_element()? {
                    // HTTP/2 puts the request line into pseudo-headers.
                    if !name.starts_with(':') {
                        headers.push((name, Bytes::from(value)));
                    }
                    if headers.len() > MOST_HEADERS {
                        return Err(A::Error::custom(messages::too_many_headers(MOST_HEADERS)));
                    }
                }
                Ok(RequestHeaders(Headers(headers)))
            }
        }

        from.deserialize_seq(List)
    }
}

fn announces_body(headers: &Headers) -> bool {
    headers.0.iter().any(|(name, value)| match name.to_ascii_lowercase().as_str() {
        "content-length" => value.iter().any(|digit| matches!(digit, b'1'..=b'9')),
        "transfer-encoding" => true,
        _ => false,
    })
}

fn exchange(entry: Entry) -> Result<Option<Exchange>, String> {
    let Request { method, url, headers: RequestHeaders(headers), body_size, post_data } = entry.request;
    let is_webhook_header =
        |(name, _): &(String, Bytes)| name.to_ascii_lowercase().starts_with("x-twenty-webhook-");
    let body = match post_data {
        None if !headers.0.iter().any(is_webhook_header) => return Ok(None),
        None if body_size.is_some_and(|size| size > 0.0) || announces_body(&headers) => {
            return Err(messages::har_body_missing());
        }
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
    use super::Recording;
    use crate::suite::traffic::recording::Source;

    fn read(text: &str) -> Result<Recording, String> {
        super::read(Source::new(text.as_bytes()).unwrap())
    }

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
