//! HTTP/1.1 as bytes: the exchange as data, one codec, the client that sends exact bytes, and the endpoints that answer.

pub mod client;
pub mod codec;
pub mod descriptors;
pub mod endpoint;
pub mod exchange;
pub mod handshake;
mod inflate;
pub(crate) mod messages;
pub mod uuids;
