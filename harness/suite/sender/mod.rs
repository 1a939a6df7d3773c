//! The requirements on a sender.

pub mod acknowledgement;
pub mod attempts;
pub mod delivery;
pub mod https;
pub mod judge;
pub mod payload;
pub mod scenario;
pub mod scenarios;
pub mod signing;
pub mod subscription;
