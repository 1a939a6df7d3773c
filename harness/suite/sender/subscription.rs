//! SUB: which events reach which webhook.

pub mod events;
pub(in crate::suite::sender) mod missing;
pub mod webhooks;
