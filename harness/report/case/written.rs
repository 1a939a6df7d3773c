//! A case as a small test in another language, which needs no part of this program: it signs the delivery for the present, sends it,
//! and asserts the status of the answer.
//!
//! Invariant: a test never contains the secret, and sends what a replay would send.

mod curl;
mod golang;
mod plan;
mod pytest;
mod signing;
mod vitest;

use std::fmt::Write as _;

use clap::ValueEnum;

use self::plan::{Plan, Request};
use super::Case;
use super::expression::{Expression, Which};
use crate::report::messages::written as messages;
use crate::suite::requirement::{Expected, Requirement};
use crate::webhook::signature::Secret;

/// What a test is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Python, run by pytest
    Pytest,
    /// JavaScript, run by Vitest
    Vitest,
    /// Go, run by go test
    Go,
    /// A script for sh, with curl and openssl
    Curl,
}

/// What a test says of itself.
#[derive(Debug)]
pub struct Heading<'a> {
    /// `None` for a captured request.
    pub requirement: Option<&'a Requirement>,
    /// Where the receiver is, if no variable says it.
    pub url: &'a str,
    /// The name of the file, without its ending.
    pub name: &'a str,
}

/// What is written of a delivery: a definition for each name, and how it is sent.
struct Sent<'a> {
    request: &'a Request,
    /// The least and the greatest status that are expected; with `false`, every other one is.
    statuses: (u16, u16, bool),
    /// Why it is sent.
    comment: Option<&'static str>,
    /// What a failure says, without the status.
    failure: String,
}

impl Language {
    /// The name of the file with a test of this name.
    pub fn file(self, name: &str) -> String {
        let name = Self::plain(name);
        match self {
            Self::Pytest => format!("test_{name}.py"),
            Self::Vitest => format!("{name}.test.mjs"),
            // Go takes the word before it for a system, such as windows.
            Self::Go => format!("{name}_replay_test.go"),
            Self::Curl => format!("{name}.sh"),
        }
    }

    /// A name of lower-case letters, digits and underscores.
    fn plain(name: &str) -> String {
        let plain = name.to_lowercase().replace(|one: char| !one.is_ascii_alphanumeric(), "_");
        match plain.trim_matches('_') {
            "" => "request".to_owned(),
            plain => plain.to_owned(),
        }
    }
}

/// A name of words with a capital first letter, as the names of tests in Go have it.
fn capital(name: &str) -> String {
    let words = name.split(|one: char| !one.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect();
    if name.is_empty() { "Request".to_owned() } else { name }
}

impl Case {
    /// The case as a test.
    ///
    /// Errors: why it cannot be one, as a clause.
    pub fn as_test(
        &self,
        secret: &Secret,
        now_ms: u64,
        language: Language,
        heading: &Heading<'_>,
    ) -> Result<String, String> {
        let statuses = match &self.expected {
            Expected::Accepted => (200, 299, true),
            Expected::NotAccepted | Expected::Rejected => (200, 299, false),
            Expected::ClientError => (400, 499, true),
            Expected::Status(status) if *status != 413 => (*status, *status, true),
            _ => return Err(messages::needs_more_than_a_status().to_owned()),
        };
        let plan = Plan::of(self, secret, now_ms)?;
        let mut sent = Vec::new();
        if let Some(control) = &plan.control {
            let (comment, failure) = (Some(messages::why_a_control()), messages::control_is_expected());
            sent.push(Sent {
                request: control,
                statuses: (200, 299, true),
                comment,
                failure: failure.to_owned(),
            });
        }
        let failure = messages::trial_is_expected(&self.what, &self.expected.describe());
        sent.push(Sent { request: &plan.trial, statuses, comment: None, failure });
        let nonces = nonces(&plan);
        let render = match language {
            Language::Pytest => pytest::render,
            Language::Vitest => vitest::render,
            Language::Go => golang::render,
            Language::Curl => curl::render,
        };
        let mut needs = Vec::new();
        plan.expressions().for_each(|one| one.visit(&mut |one| needs.push(one)));
        let (template, mut parts) = render(&sent, nonces, &needs)?;
        parts.extend(common(language, heading, self));
        Ok(filled(template, &parts))
    }
}

/// A template, and what is filled into it.
type Parts = (&'static str, Vec<(&'static str, String)>);

/// What every template has.
fn common(language: Language, heading: &Heading<'_>, case: &Case) -> Vec<(&'static str, String)> {
    let title = messages::title_of_a_test(heading.requirement.map(|one| (one.id, one.title)), &case.what);
    let title = in_a_line(&title);
    let about = heading.requirement.map_or(messages::of_captured(), |one| one.text);
    let url = heading.url.as_bytes();
    let (url, name) = match language {
        Language::Pytest => (pytest::text(url), Language::plain(heading.name)),
        Language::Vitest => (vitest::text(url), vitest::text(title.as_bytes())),
        Language::Go => (golang::text(url), capital(heading.name)),
        Language::Curl => (curl::text(url), Language::plain(heading.name)),
    };
    vec![
        ("about", in_a_line(about)),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("file", language.file(heading.name)),
        ("title", title),
        ("url", url),
        ("name", name),
    ]
}

/// The template with each name in braces replaced, once, so that nothing is filled into what was filled in.
fn filled(template: &str, parts: &[(&'static str, String)]) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let value = after.split_once('}').and_then(|(name, after)| {
            let (_, value) = parts.iter().find(|(known, _)| *known == name)?;
            Some((value.as_str(), after))
        });
        let (value, after) = value.unwrap_or(("{", after));
        text.push_str(value);
        rest = after;
    }
    text + rest
}

/// Text for a comment: nothing in it ends the comment or the line.
fn in_a_line(text: &str) -> String {
    crate::terminal::clean(text).replace(['\n', '\r'], " ").replace("\"\"\"", "'''").replace('\\', "/")
}

/// How many nonces the deliveries have.
fn nonces(plan: &Plan) -> usize {
    let headers = plan.requests().flat_map(|request| &request.headers);
    headers
        .filter_map(|(_, value)| if let Expression::Nonce(number) = value { Some(number + 1) } else { None })
        .max()
        .unwrap_or(0)
}

impl Which {
    /// What the names of the control begin with.
    fn prefix(self) -> &'static str {
        match self {
            Self::Control => "valid_",
            Self::Trial => "",
        }
    }
}

/// The present plus this many milliseconds, as every language writes it.
fn shifted(offset: i64) -> String {
    match offset {
        0 => "now".to_owned(),
        later if later > 0 => format!("now + {later}"),
        earlier => format!("now - {}", earlier.unsigned_abs()),
    }
}

/// Text that is UTF-8 and has nothing invisible but line ends and tabs, with these characters escaped by a backslash.
fn escaped(bytes: &[u8], quote: char) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut escaped = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\\' => escaped.push_str("\\\\"),
            one if one == quote => escaped.extend(['\\', one]),
            one if crate::terminal::is_invisible(one) => return None,
            one => escaped.push(one),
        }
    }
    Some(escaped)
}

/// Bytes as escapes `\xff`, which Python and Go know in byte strings.
fn hexed(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => text.push(char::from(*byte)),
            // Writing to a string does not fail.
            other => drop(write!(text, "\\x{other:02x}")),
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests;
