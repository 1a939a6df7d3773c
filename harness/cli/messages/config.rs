//! What is said of the configuration: `twenty-conform.toml`, variables and `--print-config`.

use std::path::Path;

/// What stands for a secret.
pub(in crate::cli) const HIDDEN: &str = "[hidden]";

/// The page about the file.
const PAGE: &str = "docs/configuration.md";

pub(in crate::cli) fn at_line(file: &Path, line: usize, why: &str) -> String {
    format!("{}:{line}: {why}", file.display())
}

/// `shown` is the line's text.
pub(in crate::cli) fn not_toml(file: &Path, line: usize, why: &str, shown: &str, fix: &str) -> String {
    format!("{}:{line}: {why}\n{line} | {shown}\n{fix}", file.display())
}

pub(in crate::cli) fn write_table(name: &str) -> String {
    format!("write the name of a table as [{name}], on a line of its own")
}

pub(in crate::cli) fn write_value(name: &str, value: &str) -> String {
    format!("put the value in quotation marks: {name} = \"{value}\"")
}

pub(in crate::cli) fn write_assignment() -> String {
    format!("write NAME = VALUE, such as timeout = \"10s\"; see {PAGE}")
}

pub(in crate::cli) fn close_quotes() -> &'static str {
    "close the quotation mark on the same line"
}

pub(in crate::cli) fn close_list() -> &'static str {
    "close the list with ]"
}

/// `whose` is the command whose table has the name; empty outside of tables.
pub(in crate::cli) fn unknown_key(name: &str, whose: &str, nearest: Option<&str>) -> String {
    let of = if whose.is_empty() { "any command".to_owned() } else { format!("`{whose}`") };
    match nearest {
        Some(nearest) => format!("{name:?} is not an option of {of}; did you mean {nearest:?}?"),
        None => format!("{name:?} is not an option of {of}; {PAGE} shows how the file is written"),
    }
}

/// A value for what is a command.
pub(in crate::cli) fn is_a_table(table: &str) -> String {
    format!("a command has no value of its own; write its options below [{table}]")
}

/// An option of another command than the table's; `table` is the name of one that may have it.
pub(in crate::cli) fn option_of_another(name: &str, whose: &str, table: &str) -> String {
    format!("{name:?} is not an option of `{whose}`; move it to [{table}]")
}

pub(in crate::cli) fn sets_itself(name: &str) -> String {
    format!("{name:?} cannot be set in the file; give --{name} on the command line, or its variable")
}

/// `long` is the option that was written.
pub(in crate::cli) fn secret_in_file(long: &str) -> &'static str {
    if long == "api-key" {
        return "a key does not belong in this file, which others may read; write api-key-file = \"PATH\", or set TWENTY_API_KEY";
    }
    "a secret does not belong in this file, which others may read; write secret-file = \"PATH\", or set TWENTY_WEBHOOK_SECRET"
}

pub(in crate::cli) fn not_a_profile(name: &str) -> String {
    format!("{name:?} is not a table; write its options under [profile.{name}]")
}

pub(in crate::cli) fn nested_value() -> &'static str {
    "a list within a list is no value of an option; write one value, or a list of values"
}

/// `place` says where the value stands, if that is not said before.
pub(in crate::cli) fn not_a_switch(long: &str, text: &str, place: &str) -> String {
    let place = if place.is_empty() { String::new() } else { format!(" ({place})") };
    format!("{long} is {text:?}{place}; set it to true or false")
}

pub(in crate::cli) fn not_several(long: &str) -> String {
    format!("{long} takes one value, not a list")
}

/// `by` is what names the profile.
pub(in crate::cli) fn unknown_profile(name: &str, by: &str, file: Option<&Path>, known: &[String]) -> String {
    match file {
        None => {
            format!("there is no profile {name:?} ({by}): no twenty-conform.toml was found here or above")
        }
        Some(file) if known.is_empty() => {
            format!(
                "there is no profile {name:?} ({by}): {} has none; write [profile.{name}]",
                file.display()
            )
        }
        Some(file) => format!(
            "there is no profile {name:?} ({by}): {} has {}",
            file.display(),
            super::alternatives(known).replace(" or ", " and ")
        ),
    }
}

pub(in crate::cli) fn by_variable(name: &str) -> String {
    format!("variable {name}")
}

pub(in crate::cli) fn by_line(file: &Path, line: usize, profile: Option<&str>) -> String {
    match profile {
        Some(profile) => format!("profile {profile} in {}:{line}", file.display()),
        None => format!("{}:{line}", file.display()),
    }
}

pub(in crate::cli) fn by_flag() -> &'static str {
    "flag"
}

pub(in crate::cli) fn by_default() -> &'static str {
    "default"
}

pub(in crate::cli) fn not_set() -> &'static str {
    "not set"
}

/// An option that something of higher precedence excludes, or that needs what is not set.
pub(in crate::cli) fn not_used(source: &str) -> String {
    format!("{source}, not used here")
}

/// `place` is where the option stands.
pub(in crate::cli) fn set_in(long: &str, place: &str) -> String {
    format!("--{long} is set by {place}")
}

/// The first lines of what `--print-config` prints.
pub(in crate::cli) fn printed_heading(command: &str, file: Option<&Path>, profile: Option<&str>) -> String {
    let file = file.map_or_else(|| "none".to_owned(), |file| file.display().to_string());
    let profile = profile.map(|profile| format!(", profile {profile}")).unwrap_or_default();
    format!(
        "# The options of `twenty-conform {command}`, and where each value comes from.\n# File: {file}{profile}\n"
    )
}
