//! The requirements on a receiver: what is sent for each, and how the answers are judged.
//!
//! Each requirement is one block in one file. [`case`] and [`property`] define what is sent, [`stage`] sends it, and
//! `judge` has the common rules.

mod aborted;
mod altered;
pub mod case;
mod comparison;
mod diagnosis;
mod dialect;
mod digits;
mod ended;
mod explained;
pub mod forgery;
mod formatting;
mod freshness;
mod header;
mod judge;
mod key;
pub mod maker;
mod malformed;
mod manner;
pub(crate) mod messages;
mod pace;
mod processing;
pub mod property;
mod refusal;
mod repeat;
mod signed_text;
pub mod single;
mod size;
pub mod stage;
mod timestamp;
mod transport;
mod valid;
mod ways_in;

use super::requirement::Requirement;

pub(super) use ended::ended;
pub(super) use manner::manners;

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
