//! What `--print-config` prints: each option with its value and where that comes from, as a table of a configuration file.

use std::ffi::OsString;

use super::SECRET;
use super::apply::{Kind, Origin, Resolved, Value};
use super::file::File;
use super::syntax::may_be_secret;
use crate::cli::messages::config as messages;

/// The widest column of values. Sources of longer ones follow them.
const WIDEST: usize = 48;

pub(super) fn text(
    path: &[String],
    resolved: &[Resolved],
    file: Option<&File>,
    profile: Option<&str>,
) -> String {
    let lines: Vec<(String, String)> = resolved.iter().map(line).collect();
    let width = lines.iter().map(|(line, _)| line.chars().count()).filter(|&width| width <= WIDEST).max();
    let width = width.unwrap_or_default();
    let mut text = messages::printed_heading(&path.join(" "), file.map(|file| &*file.path), profile);
    text.push_str(&format!("[{}]\n", path.join(".")));
    for (line, source) in lines {
        text.push_str(&format!("{line:<width$}  # {source}\n"));
    }
    text
}

/// An option's assignment, and its source. What a file could not have is a comment.
fn line(one: &Resolved) -> (String, String) {
    let source = match &one.origin {
        Origin::Flag => messages::by_flag().to_owned(),
        Origin::Default => messages::by_default().to_owned(),
        Origin::Unset => messages::not_set().to_owned(),
        origin => origin.elsewhere().unwrap_or_default(),
    };
    let long = &one.long;
    let assignment = match (&one.value, &one.origin) {
        (_, Origin::Unset) => format!("# {long}"),
        _ if SECRET.contains(&&**long) => format!("# {long} = {}", messages::HIDDEN),
        (value, _) => format!("{long} = {}", shown(long, value, one.kind)),
    };
    if one.is_used { (assignment, source) } else { (format!("# {assignment}"), messages::not_used(&source)) }
}

fn shown(long: &str, value: &Value, kind: Kind) -> String {
    match value {
        Value::Is(is) => is.to_string(),
        Value::Words(words) => {
            let words: Vec<String> = words.iter().map(|word| quoted(&without_secrets(long, word))).collect();
            match (&words[..], kind) {
                ([word], Kind::One) => word.clone(),
                (words, _) => format!("[{}]", words.join(", ")),
            }
        }
    }
}

fn without_secrets(long: &str, word: &OsString) -> String {
    let word = word.to_string_lossy().into_owned();
    if long == "env"
        && let Some((name, _)) = word.split_once('=')
        && may_be_secret(name)
    {
        return format!("{name}={}", messages::HIDDEN);
    }
    // The password of a URL.
    match word.split_once("://") {
        Some((scheme, rest)) => {
            let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
            match authority.rsplit_once('@') {
                Some((user, _)) => {
                    let name = user.split(':').next().unwrap_or_default();
                    format!("{scheme}://{name}:{}{}", messages::HIDDEN, &rest[user.len()..])
                }
                None => word,
            }
        }
        None => word,
    }
}

/// A number or a string of TOML.
pub(in crate::cli) fn quoted(text: &str) -> String {
    if text.parse::<u64>().is_ok_and(|number| number.to_string() == text) {
        return text.to_owned();
    }
    toml::Value::String(text.to_owned()).to_string()
}
