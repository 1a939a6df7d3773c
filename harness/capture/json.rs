//! Requests in the JSON that tools and servers write.
//!
//! An object with headers and a body is a request, wherever it is. The form only says where some tools put the body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::headers::headers;
use super::{Body, Captured, Captures, Form, NotTaken, Ruler, har, http, messages};
use crate::budget::PARSED_VALUES;
use crate::webhook::json::has_at_most;
use crate::webhook::serialiser::Serialiser;
use crate::webhook::signature::SIGNATURE_HEADER;
use crate::wire::exchange::Exchange;

/// How deep requests are looked for.
const DEEPEST: usize = 12;
/// Where headers are, the most exact first.
const HEADERS: [&str; 5] = ["rawHeaders", "multiValueHeaders", "headers", "header", "request_headers"];
/// Where a body is as text, the most exact first.
const TEXTS: [&str; 16] = [
    "bodyRaw",
    "rawBody",
    "body_raw",
    "raw_body",
    "rawModeData",
    "raw_content",
    "content",
    "body",
    "payload",
    "text",
    "data",
    "request_body",
    "requestBody",
    "bodyText",
    "postData",
    "message",
];
/// Where a body is as base64.
const CODED: [&str; 4] = ["bodyBase64", "body_base64", "base64Body", "raw_body_base64"];
const METHODS: [&str; 4] = ["method", "httpMethod", "requestMethod", "request_method"];
const TARGETS: [&str; 8] =
    ["rawPath", "path", "uri", "target", "originalUrl", "url", "request_uri", "requestUri"];

type Object = Map<String, Value>;

/// What was found so far.
struct Found {
    form: Option<Form>,
    requests: Vec<Captured>,
    line: usize,
}

/// Reads one or more JSON values that follow each other.
pub(super) fn read(bytes: &[u8], mut notes: Vec<String>) -> Result<Captures, NotTaken> {
    let not_taken = |why: String, nearest| NotTaken { why, nearest };
    if !has_at_most(bytes, PARSED_VALUES) {
        return Err(not_taken(messages::too_many_values(PARSED_VALUES), Some(Form::Log)));
    }
    let mut found = Found { form: None, requests: Vec::new(), line: 1 };
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>();
    let mut count = 0;
    let mut ruler = Ruler::new();
    loop {
        let begin = values.byte_offset();
        let blank = bytes[begin..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        found.line = ruler.line(bytes, begin + blank);
        let value = match values.next() {
            None => break,
            Some(Ok(value)) => value.get(),
            // The last line of a log may be cut.
            Some(Err(why)) if why.is_eof() && !found.requests.is_empty() => {
                notes.push(messages::at_line(found.line, &why.to_string()));
                break;
            }
            Some(Err(why)) => {
                let why = messages::at_line(found.line, &messages::not_json(&why.to_string()));
                return Err(not_taken(why, Some(nearest(bytes))));
            }
        };
        count += 1;
        let of_value = one(value, &mut found);
        of_value.map_err(|why| not_taken(messages::at_line(found.line, &why), Some(nearest(bytes))))?;
    }
    let form = found.form.unwrap_or(Form::Log);
    if found.requests.is_empty() {
        let is_body = count == 1 && is_body(bytes);
        let why = if is_body { messages::is_a_body() } else { messages::no_headers_in_json() };
        return Err(not_taken(why.to_owned(), (!is_body).then(|| nearest(bytes))));
    }
    if form != Form::Har {
        super::number(&mut found.requests);
    }
    Ok(Captures { form, count: found.requests.len(), requests: found.requests, notes })
}

/// Reads JSON that follows something else on its line, such as a time; `None` if there is no request.
pub(super) fn read_log(bytes: &[u8], notes: &[String]) -> Option<Captures> {
    if memchr::memmem::find(bytes, b"eaders").is_none() || !has_at_most(bytes, PARSED_VALUES) {
        return None;
    }
    let mut found = Found { form: None, requests: Vec::new(), line: 0 };
    for line in bytes.split(|&byte| byte == b'\n') {
        found.line += 1;
        let Some(begin) = memchr::memchr(b'{', line) else { continue };
        let value = serde_json::Deserializer::from_slice(&line[begin..]).into_iter::<&RawValue>().next();
        match value {
            Some(Ok(value)) => one(value.get(), &mut found).ok()?,
            // Nothing is left out that may be a request.
            _ if memchr::memmem::find(line, b"eaders").is_some() => return None,
            _ => {}
        }
    }
    super::number(&mut found.requests);
    let form = found.form.unwrap_or(Form::Log);
    (!found.requests.is_empty()).then(|| Captures {
        form,
        count: found.requests.len(),
        requests: found.requests,
        notes: notes.to_vec(),
    })
}

/// Whether a value is what a webhook sends.
fn is_body(bytes: &[u8]) -> bool {
    let object: Option<Object> = serde_json::from_slice(bytes).ok();
    object.is_some_and(|object| {
        ["event", "eventName", "type", "record"].iter().any(|name| object.contains_key(*name))
    })
}

/// The form of JSON that no request was found in.
fn nearest(bytes: &[u8]) -> Form {
    let has = |what: &str| memchr::memmem::find(bytes, what.as_bytes()).is_some();
    let known = [
        ("getpostman", Form::Postman),
        ("insomnia", Form::Insomnia),
        ("\"entries\"", Form::Har),
        ("\"postData\"", Form::HarEntry),
        ("\"tunnel_name\"", Form::Ngrok),
        ("\"isBase64Encoded\"", Form::Lambda),
        ("\"delivery\"", Form::Deliveries),
    ];
    known.into_iter().find(|(name, _)| has(name)).map_or(Form::Log, |(_, form)| form)
}

/// Takes the requests of one value.
fn one(text: &str, found: &mut Found) -> Result<(), String> {
    let value: Value = serde_json::from_str(text).map_err(|why| messages::not_json(&why.to_string()))?;
    if value.get("log").is_some_and(|log| log.get("entries").is_some()) {
        let source = super::source::Source::new(text.as_bytes(), u64::MAX - 1);
        let source = source.map_err(|why| messages::har_not_read(&why.to_string()))?;
        let begin = found.line - 1;
        let requests = &mut found.requests;
        let before = requests.len();
        har::read(source, &mut |mut entry| {
            entry.request.line += begin;
            entry.request.number += before;
            requests.push(entry.request);
            Ok(())
        })?;
        found.form = Some(Form::Har);
        return Ok(());
    }
    if value.get("delivery").is_some_and(|delivery| delivery.get("target").is_some()) {
        let exchange: Exchange =
            serde_json::from_str(text).map_err(|why| messages::not_ours(&why.to_string()))?;
        let delivery = exchange.delivery;
        let mut request =
            Captured::new(delivery.method, delivery.target, delivery.headers, Body::Bytes(delivery.body));
        request.redacted = value.get("redacted") == Some(&Value::Bool(true));
        found.form.get_or_insert(Form::Deliveries);
        found.requests.push(request.at(found.line));
        return Ok(());
    }
    found.descend(value, None, 0)
}

impl Found {
    /// Takes the requests in a value. `outer` is the form that an object around it shows.
    fn descend(&mut self, value: Value, outer: Option<Form>, depth: usize) -> Result<(), String> {
        match value {
            _ if depth > DEEPEST => {}
            Value::Array(values) => {
                for value in values {
                    self.descend(value, outer, depth + 1)?;
                }
            }
            Value::Object(object) => {
                let form = outer.or_else(|| form_of(&object));
                if let Some(request) = request(&object, form)? {
                    self.form.get_or_insert(form.unwrap_or(Form::Log));
                    self.requests.push(request.at(self.line));
                    return Ok(());
                }
                for (_, value) in object {
                    self.descend(value, form, depth + 1)?;
                }
            }
            // Some loggers write JSON as text.
            Value::String(text) if text.starts_with('{') && text.contains("eaders") => {
                if let Ok(value @ Value::Object(_)) = serde_json::from_str(&text) {
                    self.descend(value, outer, depth + 1)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The tool that an object shows.
fn form_of(object: &Object) -> Option<Form> {
    let has = |name: &str| object.contains_key(name);
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let inner = |name: &str| object.get(name).and_then(Value::as_object);
    let request = inner("request");
    let of_request = |name: &str| request.is_some_and(|request| request.contains_key(name));
    let is_lambda = has("httpMethod") || has("rawPath") || has("requestContext");
    if has("postData") || of_request("postData") || of_request("bodySize") {
        Some(Form::HarEntry)
    } else if has("tunnel_name") || of_request("raw") && of_request("uri") {
        Some(Form::Ngrok)
    } else if text("_type") == "export"
        || has("resources") && has("__export_format")
        || text("_type") == "request"
    {
        Some(Form::Insomnia)
    } else if inner("info").is_some() && has("item") || of_request("header") || has("header") {
        Some(Form::Postman)
    } else if is_lambda && (has("isBase64Encoded") || has("headers") || has("multiValueHeaders")) {
        Some(Form::Lambda)
    } else if has("uuid") && (has("token_id") || has("content")) {
        Some(Form::WebhookSite)
    } else if has("bodyRaw")
        || has("body_raw")
        || inner("event").is_some_and(|event| event.contains_key("bodyRaw"))
    {
        Some(Form::RequestBin)
    } else {
        None
    }
}

/// The request that an object is, if it has headers.
fn request(object: &Object, form: Option<Form>) -> Result<Option<Captured>, String> {
    let inner = |name: &str| object.get(name).and_then(Value::as_object);
    if form == Some(Form::HarEntry) && (object.contains_key("request") || object.contains_key("bodySize")) {
        return har::entry(Value::Object(object.clone())).map(Some);
    }
    if let Some(raw) = object.get("raw").and_then(Value::as_str).filter(|_| form == Some(Form::Ngrok)) {
        let bytes = STANDARD.decode(raw).map_err(|why| messages::not_base64("raw", &why.to_string()))?;
        let requests = http::requests(&bytes).map_err(|fault| fault.why)?;
        return Ok(requests.into_iter().next());
    }
    let given = HEADERS.iter().find_map(|name| object.get(*name).filter(|value| !is_empty(value)));
    // Some relays put the headers next to the body.
    let flat = || object.keys().any(|name| is_signature(name)).then(|| Value::Object(object.clone()));
    let Some(given) = given.cloned().or_else(flat) else { return Ok(None) };
    let Ok(headers) = headers(&given) else { return Ok(None) };
    if headers.0.is_empty() {
        return Ok(None);
    }
    let context = inner("requestContext");
    let of_context = |name: &str| {
        let http = context.and_then(|context| context.get("http"))?.get(name)?;
        http.as_str()
    };
    let text = |names: &[&str]| names.iter().find_map(|name| object.get(*name).and_then(Value::as_str));
    let method = text(&METHODS).or_else(|| of_context("method")).unwrap_or("POST");
    let url = object.get("url").and_then(|url| url.get("raw")).and_then(Value::as_str);
    let target = url.or_else(|| text(&TARGETS)).unwrap_or("/");
    let (body, note) = body(object)?;
    let mut captured = Captured::new(method, target, headers, body);
    captured.notes.extend(note.map(str::to_owned));
    Ok(Some(captured))
}

/// Whether a member is the header with the signature, also as gateways name it.
fn is_signature(name: &str) -> bool {
    let name = name.strip_prefix("HTTP_").unwrap_or(name).replace('_', "-");
    name.eq_ignore_ascii_case(SIGNATURE_HEADER)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// The body of a request, and a note.
fn body(object: &Object) -> Result<(Body, Option<&'static str>), String> {
    let is_coded = |object: &Object| {
        let coded = ["isBase64Encoded", "is_base64", "base64Encoded", "base64"];
        let named = object.get("encoding").or_else(|| object.get("bodyEncoding")).and_then(Value::as_str);
        coded.iter().any(|name| object.get(*name) == Some(&Value::Bool(true))) || named == Some("base64")
    };
    let coded = |name: &str, text: &str| {
        let bytes =
            STANDARD.decode(text.trim()).map_err(|why| messages::not_base64(name, &why.to_string()))?;
        Ok::<_, String>((Body::Bytes(bytes.into()), None))
    };
    for name in CODED {
        if let Some(text) = object.get(name).and_then(Value::as_str) {
            return coded(name, text);
        }
    }
    let mut parsed = None;
    for name in TEXTS {
        match object.get(name) {
            Some(Value::String(text)) if is_coded(object) => return coded(name, text),
            Some(Value::String(text)) => return Ok((Body::Bytes(Bytes::from(text.clone())), None)),
            Some(Value::Object(inner)) => {
                if let Some(text) = described(inner) {
                    return if is_coded(inner) { coded(name, text) } else { Ok((text_body(text), None)) };
                }
                if let Some(text) = inner.get("base64").and_then(Value::as_str) {
                    return coded(name, text);
                }
                if let Some(bytes) = buffer(inner) {
                    return Ok((Body::Bytes(bytes), None));
                }
                parsed = parsed.or_else(|| object.get(name));
            }
            Some(value @ Value::Array(_)) => parsed = parsed.or(Some(value)),
            _ => {}
        }
    }
    let Some(value) = parsed else {
        return Ok((Body::NotRecorded(messages::no_body_in_json().to_owned()), None));
    };
    let text = value.to_string();
    let again = Serialiser::Javascript.reprint(text.as_bytes()).unwrap_or(text.into_bytes());
    Ok((Body::Parsed(again.into()), Some(messages::parsed_body())))
}

/// The text of a body that a tool describes. A body that was parsed may have a member of the same name.
fn described(inner: &Object) -> Option<&str> {
    let is_described = ["mode", "mimeType", "contentType"].iter().any(|name| inner.contains_key(*name));
    let is_parsed = inner.contains_key("data") || inner.contains_key("event");
    let names: &[&str] = if is_described { &["raw", "text"] } else { &["raw", "rawString"] };
    let text = names.iter().find_map(|name| inner.get(*name)?.as_str());
    text.filter(|_| is_described || !is_parsed)
}

fn text_body(text: &str) -> Body {
    Body::Bytes(Bytes::from(text.to_owned()))
}

/// The bytes of a Node.js `Buffer` as JSON.
fn buffer(object: &Object) -> Option<Bytes> {
    let is_buffer = object.get("type").and_then(Value::as_str) == Some("Buffer");
    let data = object.get("data").and_then(Value::as_array).filter(|_| is_buffer)?;
    data.iter().map(|byte| u8::try_from(byte.as_u64()?).ok()).collect::<Option<Vec<u8>>>().map(Bytes::from)
}
