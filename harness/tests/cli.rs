//! The commands as a user sees them: tests pass arguments, and check stdout, stderr, files and the exit status.
//!
//! Invariant: tests check what the interface promises: statuses, the result line, the fields of reports, and errors that
//! name what is wrong.

pub(crate) mod program;

mod agents;
mod attach;
mod bench;
mod bench_compare;
mod bench_pair;
mod bench_peers;
mod bench_trend;
mod captured;
mod code_line;
mod commands;
mod configuration;
mod control;
mod dialects;
mod evidence;
mod grammar;
mod help;
mod https;
mod init;
mod known;
mod last_run;
pub(crate) mod listen;
#[cfg(unix)]
mod listen_connections;
mod listen_ends;
mod listen_forward;
#[cfg(unix)]
mod listen_keys;
#[cfg(unix)]
mod listen_load;
mod listen_probes;
#[cfg(unix)]
mod listen_storage;
mod localhost;
mod outputs;
mod provisional;
mod rejudged;
mod replay_and_watch;
mod reports;
mod runs;
pub(crate) mod saved;
#[cfg(unix)]
mod screen;
mod skills;
pub(crate) mod transcripts;
mod twenty;
