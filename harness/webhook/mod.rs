//! What a Twenty webhook is, as pure data and functions: events and their bodies, and how they are signed.
//!
//! Invariant: no I/O, no clock, no randomness.

pub mod dialect;
pub mod event;
pub mod json;
pub mod members;
pub mod recipe;
pub(crate) mod sample;
pub mod serialiser;
pub mod shape;
pub mod signature;
pub mod vectors;
