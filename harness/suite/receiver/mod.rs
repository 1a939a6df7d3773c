//! The requirements on a receiver: what is sent for each, and how it is judged.
//!
//! A requirement is one block in one file. [`stage`] sends it, [`case`] and [`property`] say what, `judge` has the rules.

mod altered;
pub mod case;
mod comparison;
mod diagnosis;
mod dialect;
mod digits;
mod formatting;
mod freshness;
mod header;
mod judge;
mod key;
pub mod maker;
mod malformed;
mod pace;
mod processing;
pub mod property;
mod refusal;
mod repeat;
mod signed_text;
mod size;
pub mod stage;
mod timestamp;
mod transport;
mod valid;
mod ways_in;

use super::requirement::Requirement;

// What a load's probes are forbidden by.
pub(crate) use altered::{VER_1, VER_2};
pub(crate) use digits::VER_6;
pub(crate) use freshness::VER_11;
pub(crate) use header::VER_4;
pub(crate) use key::VER_3;
pub(crate) use signed_text::VER_5;

/// Every requirement on receivers, in the order of the contract.
pub(super) const ALL: &[&[Requirement]] = &[
    valid::ALL,
    transport::ALL,
    size::ALL,
    pace::ALL,
    repeat::ALL,
    altered::ALL,
    key::ALL,
    header::ALL,
    signed_text::ALL,
    digits::ALL,
    formatting::ALL,
    refusal::ALL,
    timestamp::ALL,
    freshness::ALL,
    malformed::ALL,
    ways_in::ALL,
    comparison::ALL,
    processing::ALL,
    dialect::ALL,
];
