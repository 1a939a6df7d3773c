//! All integration tests, in one binary.
//!
//! No test depends on another test, a fixed port or a fixed time. Tests wait for conditions.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod against_twenty;
mod api;
mod applications_page;
mod bad_input;
mod budget;
mod capture_causes;
mod captures;
mod captures_of_twenty;
mod cases;
mod causes;
#[cfg(unix)]
mod ci_steps;
mod cli;
mod client;
mod crashes;
mod doctor;
mod endpoints;
mod formats;
mod goldens;
mod guide;
mod html;
mod implementations;
mod load;
mod load_locust;
mod max_time;
mod mutants;
mod peers;
#[cfg(unix)]
mod printed_commands;
mod processes;
mod readme;
#[cfg(unix)]
mod receivers_page;
mod reference;
mod replays;
mod secrets;
mod serialisers;
mod shapes;
mod signing;
mod skip;
mod snapshot;
#[cfg(unix)]
mod terminal_output;
mod test_suites;
mod tidy;
mod vectors;
mod what_matters;
mod written;
