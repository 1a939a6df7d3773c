//! What programs under test wrote cannot leave its place in the page.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;
use twenty_conform::report::{Report, html};
use twenty_conform::wire::exchange::{Outcome, Response};

use super::document::Document;
use super::stored;

const HOSTILE: &str = "</script></style></title></textarea><script>alert(1)</script><img src=x onerror=alert(1)><!--\
     \" onload=\"alert(1)' style='x\u{0}\u{1b}[2J\u{202e}\u{2028}\u{200b}&lt;`\n]]>";

/// Members whose values are words of the format.
const WORDS: [&str; 8] =
    ["format", "result", "level", "verdict", "fail_on", "provisional", "exit_status", "role"];

/// Adds hostile text to every string and returns how many there were.
fn poison(value: &mut Value) -> usize {
    match value {
        Value::String(text) => {
            text.push_str(HOSTILE);
            1
        }
        Value::Array(values) => values.iter_mut().map(poison).sum(),
        Value::Object(members) => {
            let members = members.iter_mut().filter(|(name, _)| !WORDS.contains(&name.as_str()));
            members.map(|(_, value)| poison(value)).sum()
        }
        _ => 0,
    }
}

/// A report in which others wrote everything that is text.
pub(super) fn hostile() -> Report {
    let benign = stored();
    let mut value = serde_json::to_value(&benign).unwrap();
    assert!(poison(&mut value) > 100);
    let mut report: Report = serde_json::from_value(value).unwrap();
    for (check, source) in report.checks.iter_mut().zip(benign.checks) {
        check.exchanges_shown = source.exchanges_shown;
        for exchange in &mut check.exchanges_shown {
            let evil = Bytes::from([HOSTILE.as_bytes(), b"\xff\xfe\x80", &[b'A'; 70_000]].concat());
            exchange.delivery.headers.0.push((HOSTILE.to_owned(), evil.slice(..300)));
            exchange.delivery.target.push_str(HOSTILE);
            exchange.delivery.body = evil.clone();
            let headers = exchange.delivery.headers.clone();
            exchange.outcome =
                Outcome::Answered(Response { status: 200, headers, body: evil, cut: 10_000_000 });
        }
    }
    report
}

#[test]
fn hostile_text_is_only_text() {
    let page = html::render(&hostile());
    let document = Document::parse(&page);
    assert_eq!(document.errors, [""; 0]);
    let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
    for element in document.elements() {
        names.insert(element.name().to_owned());
        for (name, value) in element.attributes() {
            let is_known = !name.starts_with("on") && name != "style" && name != "src";
            assert!(is_known, "<{} {name}={value:?}>", element.name());
            assert!(name != "id" || ids.insert(value.clone()), "two elements have the id {value}");
            assert!(name != "href" || value.starts_with('#'), "{value}");
        }
    }
    let known = "a article b body br button caption code dd details div dl dt em figure form h1 h2 h3 h4 h5 head header html input \
                 label li line main mark meta option p pre rect script section select span style summary svg table tbody td text th \
                 thead title tr ul";
    let known: BTreeSet<String> = known.split(' ').map(str::to_owned).collect();
    assert_eq!(names.difference(&known).collect::<Vec<_>>(), [""; 0]);
    let invisible: Vec<char> = page
        .chars()
        .filter(|one| one.is_control() && *one != '\n' || "\u{202e}\u{2028}\u{200b}".contains(*one))
        .collect();
    assert_eq!(invisible, ['a'; 0]);
    assert!(page.contains("\\u{202e}") && page.contains("\\xff"), "what is invisible is escaped");
    assert!(page.contains("did not keep 10000000 further bytes"), "what the run cut is told");
}

#[test]
fn policy_allows_the_page_s_own_style_and_script_alone() {
    for report in [stored(), hostile()] {
        let page = Document::parse(&html::render(&report));
        let hash = |name: &str| {
            let found: Vec<String> = page.all(name).map(|element| element.text()).collect();
            let [content] = &found[..] else { panic!("{} of {name}", found.len()) };
            let digest = ring::digest::digest(&ring::digest::SHA256, content.as_bytes());
            format!("sha256-{}", STANDARD.encode(digest))
        };
        let (style, script) = (hash("style"), hash("script"));
        let policy = page
            .all("meta")
            .find(|meta| meta.attribute("http-equiv").as_deref() == Some("Content-Security-Policy"))
            .and_then(|meta| meta.attribute("content"));
        let expected = format!(
            "default-src 'none'; style-src '{style}'; script-src '{script}'; base-uri 'none'; form-action 'none'"
        );
        assert_eq!(policy, Some(expected));
    }
}
