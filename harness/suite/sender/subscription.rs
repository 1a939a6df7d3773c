//! SUB: which events reach which webhook.

pub mod events;
mod missing;
pub mod webhooks;
