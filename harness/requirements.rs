//! The contract as code: one literal for each requirement, grouped as the contract groups them.
//!
//! Invariant: checks are pure functions of a transcript. They never import the reference peers or the mutants.

pub mod acknowledgement;
pub mod delivery;
pub mod intake;
pub mod payload;
pub mod reception;
pub mod signing;
pub mod spelling;
pub mod strictness;
pub mod subscription;
pub mod verification;

mod attempts;
mod https;
mod judge;

use crate::requirement::{Requirement, Role};

/// Every requirement, in the order of the contract.
pub fn all() -> impl Iterator<Item = &'static Requirement> {
    [
        subscription::ALL,
        delivery::ALL,
        payload::ALL,
        signing::ALL,
        acknowledgement::ALL,
        reception::ALL,
        verification::ALL,
        strictness::ALL,
        spelling::ALL,
        intake::ALL,
    ]
    .into_iter()
    .flatten()
}

/// The requirements on one role, in the order of the contract.
pub fn of(role: Role) -> impl Iterator<Item = &'static Requirement> {
    all().filter(move |requirement| requirement.role == role)
}
