//! Test your Twenty webhook sender or receiver against the documentation.
#![doc = ""]
#![doc = include_str!("../docs/library.md")]

// Nine folders. Each is built on those before it, so this is also the order in which to read them:
//
// - `webhook`: Twenty's webhooks as pure data and functions.
// - `wire`: HTTP/1.1 as bytes: the exchange, the codec, the client and the endpoints.
// - `capture`: what people recorded, in any form, as requests.
// - `subject`: starts or reaches the program under test.
// - `peers`: the reference sender and receiver, and the mutants that prove that every check finds its fault.
// - `suite`: the requirements, what is sent to judge each, and how a run is judged.
// - `report`: the result of a run, in each format and on disk.
// - `bench`: signed load, measured, compared and accounted for.
// - `cli`: the command line.
//
// `api` is for other programs. Everything else is hidden from the documentation: it is public for the binary, the tests and the
// benchmarks, and may change with every version.
//
// What a program under test does is data, never an `Err`; an `Err` means that the harness failed.

#[macro_use]
mod described;

#[doc(hidden)]
pub mod budget;
#[doc(hidden)]
pub mod clock;
mod constant;
#[doc(hidden)]
pub mod duration;
#[doc(hidden)]
pub mod error;
#[doc(hidden)]
pub mod exit;
#[doc(hidden)]
pub mod files;
#[doc(hidden)]
pub mod input;
mod nearest;
mod page;
mod plural;
#[doc(hidden)]
pub mod random;
#[doc(hidden)]
pub mod redaction;
mod shell;
#[doc(hidden)]
pub mod statistics;
#[doc(hidden)]
pub mod terminal;

#[doc(hidden)]
pub mod webhook;

#[doc(hidden)]
pub mod wire;

#[doc(hidden)]
pub mod capture;

#[doc(hidden)]
pub mod subject;

#[doc(hidden)]
pub mod peers;

#[doc(hidden)]
pub mod suite;

#[doc(hidden)]
pub mod report;

#[doc(hidden)]
pub mod bench;

mod api;

#[doc(hidden)]
pub mod cli;

pub use api::{
    Cause, Dialect, Error, Level, Mismatch, Payload, Receiver, Report, RequirementResult, RunResult, Sender,
    SignedRequest, Suite, Verdict, broken, broken_causes, sign, signed_request, verify,
};
