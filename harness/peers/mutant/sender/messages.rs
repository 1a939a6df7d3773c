//! What mutants of the sender say.

use std::fmt;

pub(super) fn crashed(outcome: impl fmt::Display) -> String {
    format!("crashed after a delivery: {outcome}")
}

pub(super) fn answer_not_understood() -> &'static str {
    "the answer is not understood"
}
