//! The requirements on a sender, and the scenarios by which they are judged.

pub mod acknowledgement;
mod arrived;
pub mod delivery;
mod judge;
mod messages;
pub mod nonce;
pub mod payload;
mod retry;
pub mod scenario;
pub mod signing;
pub mod stage;
pub mod subscription;

use crate::suite::requirement::Requirement;

/// The groups of requirements on a sender, in the order of the contract.
pub const ALL: &[&[Requirement]] = &[
    subscription::webhooks::ALL,
    subscription::events::ALL,
    delivery::request::ALL,
    delivery::body::ALL,
    delivery::timing::ALL,
    delivery::stale::ALL,
    payload::event::ALL,
    payload::record::ALL,
    payload::timestamp::ALL,
    payload::shape::ALL,
    signing::headers::ALL,
    signing::digits::ALL,
    signing::signature::ALL,
    signing::timestamp::ALL,
    signing::own_secret::ALL,
    signing::retry::ALL,
    signing::secret::ALL,
    acknowledgement::status::ALL,
    acknowledgement::no_answer::ALL,
    acknowledgement::retry::ALL,
    acknowledgement::forms::ALL,
    acknowledgement::wait::ALL,
    acknowledgement::endless::ALL,
    acknowledgement::interim::ALL,
    acknowledgement::redirect::ALL,
    nonce::ALL,
];
