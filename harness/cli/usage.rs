//! Errors of the command line, without the secrets in it.
//!
//! Invariant: what may be a mistyped `--secret` or `--api-key` is not shown: its value, whatever is glued to it, and the values of options that do
//! not exist.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::console::{print_help, print_usage};
use crate::redaction::Redaction;
use crate::webhook::signature::Secret;

const OPTIONS: [&str; 2] = ["--secret", "--api-key"];

/// Prints an error, or the help that was asked for.
pub(super) fn print(why: &clap::Error, arguments: &[OsString]) {
    if why.use_stderr() {
        print_usage(&hidden(why.render().ansi().to_string(), &doubtful(why, arguments)));
    } else {
        print_help(why);
    }
}

/// The first line of an error.
pub(super) fn first_line(why: &clap::Error, arguments: &[OsString]) -> String {
    let text = hidden(why.render().to_string(), &doubtful(why, arguments));
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// The parts of the command line that may be a secret.
fn doubtful(why: &clap::Error, arguments: &[OsString]) -> Vec<String> {
    let arguments: Vec<String> =
        arguments.iter().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    let unknown = match (why.kind(), why.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(unknown))) => Some(unknown.as_str()),
        _ => None,
    };
    let mut found = Vec::new();
    let mut is_value = false;
    for argument in &arguments {
        if is_value {
            found.push(argument.clone());
        }
        is_value = OPTIONS.contains(&&**argument);
        let name = argument.split('=').next().unwrap_or_default();
        let of_unknown = unknown.is_some_and(|unknown| {
            let unknown = unknown.split('=').next().unwrap_or_default();
            name == unknown || (!name.starts_with("--") && name.starts_with(unknown))
        });
        if let Some(glued) = OPTIONS.iter().find_map(|option| argument.strip_prefix(option)) {
            let is_file = glued.starts_with("-file") && (glued.len() == 5 || glued.starts_with("-file="));
            found.extend((!is_file).then(|| glued.trim_start_matches('=').to_owned()));
        } else if let Some((name, value)) = argument.split_once('=')
            && (of_unknown || ["secret", "key"].iter().any(|end| name.to_lowercase().ends_with(end)))
        {
            found.push(value.to_owned());
        }
        // `-secret`, and a value glued to one letter.
        if let Some(glued) = argument.strip_prefix("-s") {
            found.push(glued.strip_prefix("ecret").unwrap_or(glued).trim_start_matches('=').to_owned());
        }
    }
    found.retain(|part| !part.is_empty());
    found
}

fn hidden(mut text: String, parts: &[String]) -> String {
    for part in parts {
        text = Redaction::new([&Secret::new(part.as_str())]).text(&text);
        // A short one is only looked for after the option.
        for before in OPTIONS.into_iter().chain(["secret=", "key=", "-s"]) {
            text = text.replace(&format!("{before}{part}"), &format!("{before}[redacted]"));
        }
    }
    text
}
