//! Reads HAR files, as browsers, proxies and test tools write them: the requests under `log.entries`.
//!
//! The file is read once, entry by entry, and an entry that is not wanted takes no memory. The body is read byte for byte. An error
//! names the line of the entry.

use std::cell::Cell;
use std::fmt;
use std::io::{BufRead as _, Read};
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use super::source::{LONGEST_ENTRY, Source};
use super::{Body, Captured, messages};
use crate::wire::exchange::Headers;

/// Where the entries are: `log.entries`.
const ENTRIES: &[&str] = &["log", "entries"];
/// How many headers of a request are read.
const MOST_HEADERS: usize = 1000;

/// An entry as it is recorded.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recorded {
    #[serde(default)]
    started_date_time: String,
    #[serde(default)]
    time: f64,
    request: Request,
    response: Option<Answer>,
}

/// One entry of a file.
#[derive(Debug)]
pub struct Entry {
    /// With its number and its line.
    pub request: Captured,
    /// Whether anything was recorded of a body.
    pub has_post_data: bool,
    /// The URL as it is recorded.
    pub url: String,
    /// When the request began, as it is recorded.
    pub began: String,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// The status of the answer, 0 if there was none.
    pub status: u16,
}

/// What is done with an entry. Errors: why the file is not read further.
pub type Take<'a> = dyn FnMut(Entry) -> Result<(), String> + 'a;

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
    params: Option<IgnoredAny>,
    #[serde(alias = "_encoding")]
    encoding: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    status: u16,
}

/// What was read of a file so far.
struct Progress<'a> {
    take: &'a mut Take<'a>,
    count: usize,
    lines: Rc<Cell<usize>>,
    /// How many more bytes an entry may have.
    left: Rc<Cell<u64>>,
    /// The line of the entry that is being read.
    entry: Option<usize>,
    /// Why reading ended at this entry.
    refusal: Option<String>,
}

/// What is left of the way to the entries.
struct Way<'a, 'b> {
    names: &'static [&'static str],
    progress: &'a mut Progress<'b>,
}

struct NextEntry<'a, 'b>(&'a mut Progress<'b>);

/// Whether a file that begins so is HAR: an object whose first member is `log`.
pub fn begins(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let member = bytes.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    let value = member.and_then(|member| member.strip_prefix(b"\"log\"")).map(<[u8]>::trim_ascii_start);
    let value = value.and_then(|value| value.strip_prefix(b":")).map(<[u8]>::trim_ascii_start);
    value.is_some_and(|value| value.starts_with(b"{"))
}

/// Reads a HAR file, and gives each entry to `take`. Returns how many there are.
///
/// Errors: the line, and what is wrong there.
pub fn read<'a, R: Read>(mut source: Source<R>, take: &'a mut Take<'a>) -> Result<usize, String> {
    if source.next().starts_with(b"\xef\xbb\xbf") {
        source.consume(3);
    }
    let (lines, left) = (source.line_count(), source.left_of_entry());
    let mut progress = Progress { take, count: 0, lines, left, entry: None, refusal: None };
    let mut from = serde_json::Deserializer::from_reader(source);
    let read =
        Way { names: ENTRIES, progress: &mut progress }.deserialize(&mut from).and_then(|()| from.end());
    read.map_err(|why| progress.describe(&why))?;
    Ok(progress.count)
}

/// An entry on its own, or the request of one.
pub(super) fn entry(value: serde_json::Value) -> Result<Captured, String> {
    let is_entry = value.get("request").is_some();
    let request = if is_entry {
        serde_json::from_value(value).map(|recorded: Recorded| recorded.request)
    } else {
        serde_json::from_value(value)
    };
    request.map(|request| captured(request).0).map_err(|why| why.to_string())
}

impl Progress<'_> {
    fn describe(&self, why: &serde_json::Error) -> String {
        let text = why.to_string();
        // The text ends with a line and a column.
        let words = text.rsplit_once(" at line ").map_or(&*text, |(words, _)| words);
        match (why.classify(), self.entry) {
            (Category::Io, _) => messages::har_not_read(&text),
            (Category::Data, Some(line)) => {
                messages::har_entry(line, self.count, self.refusal.as_deref().unwrap_or(words))
            }
            _ => messages::not_har(why.line(), words, why.is_eof()),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Way<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        if self.names.is_empty() { from.deserialize_seq(self) } else { from.deserialize_map(self) }
    }
}

impl<'de> Visitor<'de> for Way<'_, '_> {
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

impl<'de> DeserializeSeed<'de> for NextEntry<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        let Self(progress) = self;
        // The parser has read the first byte of the entry.
        let line = progress.lines.get() + 1;
        progress.entry = Some(line);
        progress.left.set(LONGEST_ENTRY);
        let Recorded { started_date_time, time, request, response } = Recorded::deserialize(from)?;
        let has_post_data = request.post_data.is_some();
        let (mut request, url) = captured(request);
        (request.number, request.line) = (progress.count + 1, line);
        let status = response.map_or(0, |response| response.status);
        let entry = Entry { request, has_post_data, url, began: started_date_time, took_ms: time, status };
        if let Err(why) = (progress.take)(entry) {
            progress.refusal = Some(why);
            return Err(D::Error::custom("refused"));
        }
        progress.entry = None;
        progress.left.set(u64::MAX);
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

/// The request, and its URL.
fn captured(request: Request) -> (Captured, String) {
    let Request { method, url, headers: RequestHeaders(headers), body_size, post_data } = request;
    let body = match post_data {
        None if body_size.is_some_and(|size| size > 0.0) || announces_body(&headers) => {
            Body::NotRecorded(messages::har_body_missing().to_owned())
        }
        // The size is unknown, and nothing else says that there was no body.
        None if method == "POST" && body_size != Some(0.0) && headers.single("content-length").is_none() => {
            Body::NotRecorded(messages::har_body_missing().to_owned())
        }
        None => Body::Bytes(Bytes::new()),
        Some(PostData { text: None, params: Some(_), .. }) => {
            Body::NotRecorded(messages::har_with_params().to_owned())
        }
        Some(PostData { text: None, .. }) => Body::NotRecorded(messages::har_without_body().to_owned()),
        Some(PostData { text: Some(text), encoding, .. }) => match encoding.as_deref() {
            None | Some("") => Body::Bytes(Bytes::from(text)),
            Some("base64") => match STANDARD.decode(&text) {
                Ok(bytes) => Body::Bytes(bytes.into()),
                Err(why) => Body::NotRecorded(messages::har_not_base64(&why.to_string())),
            },
            Some(other) => Body::NotRecorded(messages::har_unknown_encoding(other)),
        },
    };
    (Captured::new(method, url.as_str(), headers, body), url)
}
