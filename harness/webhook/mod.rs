//! What a Twenty webhook is, as pure data and functions: events, their bodies and their signatures.
//!
//! Invariant: no I/O, no clock, no randomness.

pub mod dialect;
pub mod event;
pub mod json;
pub mod manner;
pub mod members;
mod messages;
pub mod recipe;
pub mod rewriting;
pub(crate) mod sample;
pub mod serialiser;
pub mod shape;
pub mod signature;
pub mod vectors;
