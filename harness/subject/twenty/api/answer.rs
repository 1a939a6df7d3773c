//! Reads the answers of a CRM's API: its JSON, or what kind of failure it is.
//!
//! Invariant: the forms differ between versions, so an answer is read by what it holds, not by the name of its wrapper.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::budget::{OUTCOMES, shortened};
use crate::subject::twenty::error::{ApiError, ApiFault};
use crate::subject::twenty::messages;
use crate::subject::twenty::transport::{Call, Transport};
use crate::wire::codec::quote;
use crate::wire::exchange::{Outcome, Response};

/// How much of what a server says is in a message.
const SAID: usize = 400;

/// The objects on a page of a list, and the cursor of the next page.
pub(super) type Page<'a> = (Vec<&'a Map<String, Value>>, Option<String>);

/// What the server said in an answer that is an error.
#[derive(Debug, Default)]
struct Said {
    text: String,
    /// The code and the name of the error, and the text, in lower case.
    searched: String,
}

/// The JSON of an answer that says that the call was carried out.
///
/// Errors: every other outcome.
pub(super) fn read(call: &Call, outcome: &Outcome, transport: &dyn Transport) -> Result<Value, ApiError> {
    let fail = |fault, said: &str| {
        // Redacted before it is cut.
        let said = shortened(&transport.redacted(said), SAID);
        ApiError::new(fault, &transport.server(), call, &said)
    };
    let response = match outcome {
        Outcome::Answered(response) => response,
        Outcome::TimedOut => return Err(fail(ApiFault::TimedOut, "")),
        Outcome::Reset | Outcome::ClosedEarly | Outcome::Abandoned => {
            return Err(fail(ApiFault::Lost, &outcome.to_string()));
        }
        Outcome::Refused | Outcome::Malformed(_) | Outcome::Tls(_) => {
            return Err(fail(ApiFault::Unreachable, &outcome.to_string()));
        }
    };
    let json: Option<Value> = serde_json::from_slice(&response.body).ok();
    if (200..300).contains(&response.status) {
        return match json {
            Some(json) => Ok(json),
            None if response.cut > 0 => Err(fail(ApiFault::Unreadable, &messages::answer_too_long(OUTCOMES))),
            None => Err(fail(ApiFault::NotTwenty, &begins(response, transport))),
        };
    }
    if let (300..400, Some(location)) = (response.status, response.headers.single("location")) {
        let location = String::from_utf8_lossy(location);
        return Err(fail(ApiFault::NotTwenty, &messages::redirects_to(response.status, &location)));
    }
    let Some(Value::Object(members)) = json else {
        let fault = match response.status {
            401 => ApiFault::WrongKey,
            403 => ApiFault::Forbidden,
            429 => ApiFault::RateLimited,
            500.. => ApiFault::ServerFailed,
            _ => ApiFault::NotTwenty,
        };
        return Err(fail(fault, &begins(response, transport)));
    };
    let said = said(&members);
    let fault = fault(response.status, &said);
    let text = if fault == ApiFault::ServerFailed && said.text.is_empty() {
        response.status.to_string()
    } else {
        said.text
    };
    Err(fail(fault, &text))
}

/// How long the server asks to wait before another call; `None` if it names no time.
pub(super) fn retry_after(outcome: &Outcome) -> Option<Duration> {
    let Outcome::Answered(response) = outcome else { return None };
    response.retry_after()
}

/// The objects of a list, and the cursor of its next page.
pub(super) fn list(answer: &Value) -> Option<Page<'_>> {
    let data = answer.get("data").unwrap_or(answer);
    let items = match data {
        Value::Array(items) => items,
        Value::Object(members) => members.values().find_map(Value::as_array)?,
        _ => return None,
    };
    let page = answer.get("pageInfo").or_else(|| data.get("pageInfo"));
    let next = page.filter(|page| page.get("hasNextPage").and_then(Value::as_bool) == Some(true));
    let next = next.and_then(|page| Some(page.get("endCursor")?.as_str()?.to_owned()));
    Some((items.iter().filter_map(Value::as_object).collect(), next))
}

/// The object of an answer: itself, or the one in its wrapper.
pub(super) fn object(answer: &Value) -> Option<&Map<String, Value>> {
    let has_id = |members: &&Map<String, Value>| members.contains_key("id");
    let data = answer.get("data").and_then(Value::as_object);
    let itself = answer.as_object().filter(has_id).or(data.filter(has_id));
    itself.or_else(|| data?.values().filter_map(Value::as_object).find(has_id))
}

/// A text in an object; empty if there is none.
pub(super) fn text(members: &Map<String, Value>, name: &str) -> String {
    members.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// How an answer begins, for a message. The key is redacted first, because a quoted text may have another form.
fn begins(response: &Response, transport: &dyn Transport) -> String {
    let body = transport.redacted(&String::from_utf8_lossy(&response.body));
    messages::answer_begins(response.status, &quote(body.trim_start().as_bytes()))
}

fn said(members: &Map<String, Value>) -> Said {
    let nested = |name: &str| members.get(name).and_then(Value::as_array)?.first()?.as_object();
    let mut texts: Vec<&str> = Vec::new();
    for name in ["messages", "message"] {
        match members.get(name) {
            Some(Value::String(text)) => texts.push(text),
            Some(Value::Array(all)) => texts.extend(all.iter().filter_map(Value::as_str)),
            _ => {}
        }
    }
    if let Some(text) = nested("errors").and_then(|error| error.get("message")?.as_str()) {
        texts.push(text);
    }
    let names = ["code", "error"].into_iter().filter_map(|name| members.get(name)?.as_str());
    let names: Vec<&str> = names.collect();
    let text = if texts.is_empty() { names.join(", ") } else { texts.join("; ") };
    let searched = format!("{} {}", names.join(" "), texts.join(" ")).to_lowercase();
    Said { text, searched }
}

/// The kind of failure. Codes say more than the status, which differs between versions.
fn fault(status: u16, said: &Said) -> ApiFault {
    let says = |words: &[&str]| words.iter().any(|word| said.searched.contains(word));
    match status {
        401 => ApiFault::WrongKey,
        403 => ApiFault::Forbidden,
        429 => ApiFault::RateLimited,
        _ if says(&["permission_denied", "not have permission"]) => ApiFault::Forbidden,
        _ if says(&["limit_reached"]) => ApiFault::RateLimited,
        404 | 405 if says(&["cannot get /", "cannot post /", "cannot patch /", "cannot delete /"]) => {
            ApiFault::NoRoute
        }
        405 => ApiFault::NoRoute,
        404 => ApiFault::NotFound,
        500.. => ApiFault::ServerFailed,
        _ if says(&["not_found", "not found"]) => ApiFault::NotFound,
        _ => ApiFault::Refused,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clock::Clock;
    use crate::subject::twenty::permission::Permission;
    use crate::subject::twenty::transport::Network;
    use crate::webhook::signature::Secret;
    use crate::wire::client::Target;
    use crate::wire::exchange::Headers;

    const KEY: &str = "key-0123456789abcdef";

    fn answered(status: u16, body: &str) -> Outcome {
        Outcome::Answered(Response { status, body: body.to_owned().into(), ..Response::default() })
    }

    fn error_of(outcome: &Outcome) -> ApiError {
        let server = Target::http("127.0.0.1", 3000, "/");
        let network = Network::new(server, Secret::new(KEY), Duration::from_secs(1), Clock::fixed(0));
        let call = Call::new("POST", "/rest/people?x=1", Permission::EditRecords);
        read(&call, outcome, &network).unwrap_err()
    }

    #[test]
    fn failures_are_told_apart() {
        let route = r#"{"statusCode":404,"message":"Cannot POST /rest/people","error":"Not Found"}"#;
        for (status, body, expected) in [
            (401, r#"{"statusCode":401,"messages":["Token invalid."]}"#, ApiFault::WrongKey),
            (401, "<html>", ApiFault::WrongKey),
            (403, r#"{"messages":["Missing authentication token"]}"#, ApiFault::Forbidden),
            (400, r#"{"messages":["x"],"code":"PERMISSION_DENIED"}"#, ApiFault::Forbidden),
            (404, route, ApiFault::NoRoute),
            (404, r#"{"messages":["Record not found"]}"#, ApiFault::NotFound),
            (400, r#"{"messages":["no"],"code":"WEBHOOK_NOT_FOUND"}"#, ApiFault::NotFound),
            (404, "<html>", ApiFault::NotTwenty),
            (200, "<html>", ApiFault::NotTwenty),
            (400, r#"{"messages":["x"],"code":"INVALID_QUERY_INPUT"}"#, ApiFault::Refused),
            (429, r#"{"messages":["Limit reached"]}"#, ApiFault::RateLimited),
            (429, "slow down", ApiFault::RateLimited),
            (500, r#"{"messages":["Limit reached"],"code":"LIMIT_REACHED"}"#, ApiFault::RateLimited),
            (500, r#"{"messages":["oops"]}"#, ApiFault::ServerFailed),
            (502, "<html>", ApiFault::ServerFailed),
        ] {
            assert_eq!(error_of(&answered(status, body)).fault, expected, "{status} {body}");
        }
        for (outcome, expected) in [
            (Outcome::TimedOut, ApiFault::TimedOut),
            (Outcome::Refused, ApiFault::Unreachable),
            (Outcome::Reset, ApiFault::Lost),
            (Outcome::Tls("expired".to_owned()), ApiFault::Unreachable),
        ] {
            assert_eq!(error_of(&outcome).fault, expected, "{outcome}");
        }
    }

    #[test]
    fn errors_name_the_thing_and_the_fix() {
        let said = |status, body: &str| error_of(&answered(status, body)).to_string();
        let wrong = said(401, r#"{"messages":["Token invalid."]}"#);
        assert_eq!(
            wrong,
            "http://127.0.0.1:3000/ does not accept the API key (401): Token invalid.; make a new key in Twenty under Settings, \
             APIs & Webhooks, and check that the file has the key and nothing else"
        );
        let forbidden = said(403, "{}");
        assert!(
            forbidden.contains("POST /rest/people") && forbidden.contains("\"Edit Records\""),
            "{forbidden}"
        );
        let page = said(404, "<!doctype html>");
        assert!(
            page.contains("404 and \"<!doctype html>\"") && page.contains("http://127.0.0.1:3000"),
            "{page}"
        );
        let mut headers = Headers::default();
        headers.add("Location", "https://crm.example/");
        let moved = Response { status: 301, headers, ..Response::default() };
        let moved = error_of(&Outcome::Answered(moved));
        assert!(
            moved.fault == ApiFault::NotTwenty && moved.message.contains("https://crm.example/"),
            "{moved}"
        );
    }

    #[test]
    fn key_is_in_no_error() {
        let bearer = format!("jwt malformed: Bearer {KEY}");
        for body in [json!({ "messages": [bearer] }).to_string(), bearer.clone(), format!("<html>{KEY}")] {
            for status in [200, 400, 401, 404, 500] {
                let outcome = answered(status, &body);
                if status == 200 && body.starts_with('{') {
                    continue;
                }
                let error = error_of(&outcome);
                assert!(!format!("{error} {error:?}").contains("0123456789"), "{error:?}");
            }
        }
        let long = format!("{}{KEY}", "x".repeat(SAID - 10));
        let error = error_of(&answered(400, &json!({ "message": long }).to_string()));
        assert!(!error.said.contains("key-0123"), "{error}");
    }

    #[test]
    fn lists_and_objects_are_found_in_each_form() {
        let page = json!({ "hasNextPage": true, "endCursor": "c1" });
        for answer in [
            json!([{ "id": "a" }]),
            json!({ "data": [{ "id": "a" }], "pageInfo": page }),
            json!({ "data": { "people": [{ "id": "a" }] }, "pageInfo": page }),
            json!({ "data": { "people": [{ "id": "a" }], "pageInfo": page } }),
        ] {
            let (items, next) = list(&answer).unwrap();
            assert_eq!(text(items[0], "id"), "a");
            assert_eq!(next.is_some(), answer.is_object(), "{answer}");
        }
        let last = json!({ "data": [], "pageInfo": { "hasNextPage": false, "endCursor": "c1" } });
        assert_eq!(list(&last).unwrap(), (Vec::new(), None));
        for answer in [
            json!({ "id": "a", "data": {} }),
            json!({ "data": { "id": "a" } }),
            json!({ "data": { "createPerson": { "id": "a" } } }),
        ] {
            assert_eq!(text(object(&answer).unwrap(), "id"), "a", "{answer}");
        }
        assert!(object(&json!(true)).is_none() && list(&json!(true)).is_none());
    }
}
