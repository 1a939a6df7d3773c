//! Programs under test whose process ends: at a request that is cut off, at any other moment of a run, or at the start.
//!
//! Invariant: an end is never without a failure or a reason, and names the exchange that caused it. A reason is reported once.

mod aborted;
mod ending;
mod starting;

use crate::cli::program::Report;
use crate::implementations::is_missing;

/// The command of a Python program in `fixtures/hostile`. `None` if there is no Python; the skipped test was reported.
fn python(program: &str) -> Option<String> {
    (!is_missing("python3")).then(|| format!("python3 fixtures/hostile/{program}"))
}

/// The exchanges after which the process ended, as the notes of a report name them.
fn ends(report: &Report) -> Vec<usize> {
    let notes = report.0["notes"].as_array().unwrap();
    let places = notes.iter().filter_map(|note| note.as_str().unwrap().strip_prefix("after exchange "));
    let places = places.map(|note| note.split_once(':').unwrap().0.split(", "));
    places.flatten().map(|id| id.trim_start_matches('#').parse().unwrap()).collect()
}

/// The exchanges that show a failure.
fn shown_by(report: &Report, id: &str) -> Vec<usize> {
    let shown = report.check(id)["exchanges"].as_array().into_iter().flatten();
    shown.map(|one| one.as_u64().unwrap().try_into().unwrap()).collect()
}
