//! What every page says.

use crate::plural::counted;

pub(super) fn skip_to_content() -> &'static str {
    "Skip to the content"
}

/// The name of the button that switches to the dark theme. The script replaces it when that is on.
pub(super) fn dark_theme() -> &'static str {
    "Dark theme"
}

pub(super) fn copy_button() -> &'static str {
    "Copy"
}

/// The name of a button that copies something, for screen readers.
pub(super) fn copy(what: &str) -> String {
    format!("Copy: {what}")
}

/// The end of a text that was cut.
pub(super) fn more_characters(count: usize) -> String {
    format!(" … {} not shown", counted(count, "more character", "more characters"))
}
