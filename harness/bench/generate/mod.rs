//! What a load sends, when each delivery is due, and the connections that carry it.

pub mod answer;
pub mod connection;
pub mod corpus;
pub mod failure;
pub mod ids;
pub(in crate::bench) mod messages;
pub mod plan;
pub mod probe;
pub mod request;
pub mod turns;
