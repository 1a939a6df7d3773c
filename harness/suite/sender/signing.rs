//! SIG: the headers with which a receiver verifies a delivery.

mod common;
pub mod digits;
pub mod headers;
pub mod own_secret;
pub mod retry;
pub mod secret;
pub mod signature;
mod signed;
pub mod timestamp;
