//! Test your Twenty webhook sender or receiver against the documentation.
//!
//! Eight folders, each built on those before it, so this is also the order in which to read:
//!
//! - [`webhook`]: what a Twenty webhook is, as pure data and functions.
//! - [`wire`]: HTTP/1.1 as bytes: the exchange, the codec, the client and the endpoints.
//! - [`subject`]: how a program under test is reached.
//! - [`peers`]: the reference sender and receiver, and the mutants that prove that every check finds its fault.
//! - [`suite`]: the requirements, what is sent to find out about each, and how a run is judged.
//! - [`report`]: what a run has shown, in each format and on disk.
//! - [`bench`]: signed load, measured, compared and accounted for.
//! - [`cli`]: the command line.
//!
//! Bytes in, verdict out. What a program under test does is data, never an `Err`; an `Err` means that the harness failed.

#![warn(missing_docs)]

#[macro_use]
mod described;

pub mod clock;
pub mod duration;
pub mod error;
pub mod exit;
pub mod random;
pub mod redaction;
pub mod statistics;
pub mod terminal;

pub mod webhook;

pub mod wire;

pub mod subject;

pub mod peers;

pub mod suite;

pub mod report;

pub mod bench;

pub mod cli;
