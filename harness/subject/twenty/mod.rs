//! A running Twenty as a sender: its REST API registers the webhooks and changes the records.

pub mod adapter;
pub mod api;
pub mod cleanup;
pub mod error;
pub mod mark;
mod messages;
pub mod outbound;
pub mod pace;
mod permission;
mod records;
pub mod transport;

pub use permission::Permission;
pub(crate) use records::can_be_stored;
