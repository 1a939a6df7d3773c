//! DLV: the request that carries an event.

pub mod body;
pub mod request;
pub mod stale;
pub mod timing;
