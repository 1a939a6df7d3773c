//! The commands as a user meets them: arguments in; stdout, stderr, files and an exit status out.
//!
//! Invariant: what is looked at is what the interface fixes: statuses, the result line, the fields of
//! reports, and that whatever went wrong is named.

pub(crate) mod program;

mod again;
mod bench;
mod bench_peers;
mod commands;
mod comparing;
mod control;
mod evidence;
mod https;
pub(crate) mod listen;
mod reports;
mod runs;
pub(crate) mod transcripts;
