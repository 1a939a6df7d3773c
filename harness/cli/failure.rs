//! How a command that ends with an error says so: on stderr, in the annotations of CI, and where JSON is asked for on stdout, as JSON there.

use std::ffi::OsString;

use serde_json::json;

use super::console::{self, Console};
use super::github;
use crate::exit::ExitStatus;
use crate::terminal::plain;

/// The format of the JSON. Members are only added within a version.
const FORMAT: &str = "twenty-conform-error/1";

/// Whether this command line asks for JSON on stdout.
pub(super) fn is_json(arguments: &[OsString]) -> bool {
    let given: Vec<&OsString> = arguments.iter().skip(1).take_while(|one| *one != "--").collect();
    let is_report = |pair: &[&OsString]| pair[0] == "--report" && pair[1] == "json=-";
    given.iter().any(|one| *one == "--json" || *one == "--report=json=-") || given.windows(2).any(is_report)
}

/// Tells an error in every way.
pub(super) fn tell(message: &str, status: ExitStatus, is_json: bool, console: &mut Console) {
    console.error(message);
    github::tell_error(message, console);
    if is_json {
        print(&console.redacted(message), status);
    }
}

/// Prints an error as JSON, for a program that reads stdout.
pub(super) fn print(message: &str, status: ExitStatus) {
    let error = json!({ "status": status.code(), "message": plain(message) });
    console::print_line(&json!({ "format": FORMAT, "error": error }));
}
