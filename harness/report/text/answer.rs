//! An answer in one line: its status, the headers that say where it comes from, and what its body begins with.

use super::messages;
use crate::report::AnswerEntry;
use crate::terminal::clipped;
use crate::wire::codec::reason;

/// Headers that explain an answer.
const TELLING: [&str; 5] = ["location", "www-authenticate", "retry-after", "allow", "server"];

/// How many characters of a body, and of a header's value, are shown.
const SHOWN: usize = 80;

/// The whole answer: `401 Unauthorized · "invalid signature"`.
pub(super) fn line(answer: &AnswerEntry) -> String {
    let mut parts = vec![format!("{} {}", answer.status, reason(answer.status)).trim_end().to_owned()];
    let said = said(&answer.body);
    if said.is_none() {
        parts.extend(header(answer, "content-type").map(|value| format!("Content-Type: {value}")));
    }
    parts.extend(said);
    let is_own = (200..300).contains(&answer.status) || matches!(answer.status, 400 | 401);
    for name in TELLING {
        // Who serves matters where something else than the receiver may have answered.
        if let Some(value) = header(answer, name).filter(|_| name != "server" || !is_own) {
            parts.push(format!("{}: {value}", canonical(name)));
        }
    }
    parts.join(" · ")
}

/// Its status and what its body begins with, for a single line.
pub(super) fn short(answer: &AnswerEntry) -> String {
    let mut parts = vec![answer.status.to_string()];
    parts.extend(header(answer, "location").map(|value| format!("Location: {value}")));
    parts.extend(said(&answer.body));
    clipped(&parts.join(" "), SHOWN)
}

fn header(answer: &AnswerEntry, wanted: &str) -> Option<String> {
    let found = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    found.map(|(_, value)| clipped(value.trim(), SHOWN)).filter(|value| !value.is_empty())
}

fn canonical(name: &str) -> &str {
    match name {
        "location" => "Location",
        "www-authenticate" => "WWW-Authenticate",
        "retry-after" => "Retry-After",
        "allow" => "Allow",
        _ => "Server",
    }
}

/// The title of a page, or the first line of another body, in quotes.
fn said(body: &str) -> Option<String> {
    let lower = body.to_ascii_lowercase();
    let starts_tag = body.trim_start().starts_with('<');
    if starts_tag && lower.contains("<html") || lower.trim_start().starts_with("<!doctype") {
        // Of these, the first that says more than that there is an error.
        let texts = ["title", "h1", "pre"].map(|name| between(body, &lower, name));
        let texts: Vec<&str> = texts.into_iter().flatten().collect();
        let telling = texts.iter().find(|text| !text.trim().eq_ignore_ascii_case("error"));
        let page = telling.or(texts.first());
        return page.map(|title| messages::page_titled(&clipped(title.trim(), SHOWN)));
    }
    let line = body.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(format!("\"{}\"", clipped(line, SHOWN)))
}

/// The first line of the first element of this name.
fn between<'a>(body: &'a str, lower: &str, name: &str) -> Option<&'a str> {
    // Lower case of ASCII letters alone keeps every position.
    let at = lower.find(&format!("<{name}"))?;
    let start = at + lower[at..].find('>')? + 1;
    let length = lower[start..].find(&format!("</{name}"))?;
    Some(body[start..start + length].lines().find(|line| !line.trim().is_empty()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{AnswerEntry, line, short};

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> AnswerEntry {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        AnswerEntry { status, headers, body: body.to_owned() }
    }

    #[test]
    fn says_what_matters() {
        let html = [("Content-Type", "text/html"), ("Server", "nginx")];
        for (given, expected) in [
            (answer(401, &[], "invalid signature\nmore"), "401 Unauthorized · \"invalid signature\""),
            (
                answer(404, &html, "<!DOCTYPE html>\n<html><head><Title>Not found</title>"),
                "404 Not Found · page \"Not found\" · Server: nginx",
            ),
            (
                answer(404, &[], "<!DOCTYPE html><html><title>Error</title><body><pre>Cannot POST /</pre>"),
                "404 Not Found · page \"Cannot POST /\"",
            ),
            (answer(308, &[("location", "/hook/")], ""), "308 Permanent Redirect · Location: /hook/"),
            (answer(405, &[("Allow", "GET")], ""), "405 Method Not Allowed · Allow: GET"),
            (answer(599, &[], "a\u{1b}[2J"), "599 · \"a\\u{1b}[2J\""),
            (
                answer(200, &[("Content-Type", "text/html"), ("Server", "x")], ""),
                "200 OK · Content-Type: text/html",
            ),
        ] {
            assert_eq!(line(&given), expected);
        }
        assert_eq!(short(&answer(302, &[("Location", "/login")], "")), "302 Location: /login");
    }
}
