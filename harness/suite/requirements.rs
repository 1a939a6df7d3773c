//! The contract as code: one literal per requirement, grouped like the contract.
//!
//! Checks are pure functions of a transcript. They never import the reference peers or the mutants.

use crate::suite::receiver;
use crate::suite::requirement::{Requirement, Role};
use crate::suite::sender;

/// Every requirement, in the order of the contract.
pub fn all() -> impl Iterator<Item = &'static Requirement> {
    sender::ALL.iter().chain(receiver::ALL).copied().flatten()
}

/// The requirements for one role, in the order of the contract.
pub fn of(role: Role) -> impl Iterator<Item = &'static Requirement> {
    all().filter(move |requirement| requirement.role() == role)
}
