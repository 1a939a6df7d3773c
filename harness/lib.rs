//! A conformance suite for Twenty CRM's webhooks: senders and receivers, in any language.
//!
//! The way of the data, and so the order in which to read:
//!
//! - [`event`] and [`dialect`] say what happened and what its body is; [`signature`] signs it, [`recipe`] signs it wrongly,
//!   and [`spelled`] knows how its secret may show.
//! - [`json`] keeps the spelling of a JSON text; [`serialiser`] has what each language makes of one that it parses and
//!   prints again.
//! - [`exchange`] and [`transcript`] hold what went over the wire and what was known, as data.
//! - [`scenario`] does things to a [`subject`], through [`client`] (to receivers) and [`endpoint`] (from senders).
//! - [`requirement`] and [`requirements`] judge a transcript; [`cause`] says why something failed.
//! - [`suite`] runs it all; [`report`] writes it down for people and programs, [`evidence`] keeps all of it on disk, and a
//!   [`case`] is one finding that can be sent again; [`cli`] is the command line.
//! - [`traffic`] judges deliveries that nobody was asked for: watched ones and recorded ones.
//! - [`load`] puts signed and judged load on a receiver or a sender, and keeps accounts of what arrives.
//! - [`sender`] and [`receiver`] are the reference peers; [`fault`] and [`mutant`] are the ways to be wrong, which prove that
//!   every check bites.
//!
//! Invariant: bytes in, verdict out. What a subject does is data, never an `Err`; an `Err` means that the harness failed.

#![warn(missing_docs)]

pub mod case;
pub mod cause;
pub mod cli;
pub mod client;
pub mod clock;
pub mod dialect;
pub mod endpoint;
pub mod error;
pub mod event;
pub mod evidence;
pub mod exchange;
pub mod exit;
pub mod fault;
pub mod json;
pub mod load;
pub mod mutant;
pub mod random;
pub mod receiver;
pub mod recipe;
pub mod report;
pub mod requirement;
pub mod requirements;
pub mod scenario;
pub mod selection;
pub mod sender;
pub mod serialiser;
pub mod shape;
pub mod signature;
pub mod spelled;
pub mod subject;
pub mod suite;
pub mod traffic;
pub mod transcript;
pub mod vectors;
pub mod wire;
