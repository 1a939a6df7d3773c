//! Signed load, how it is measured and compared, and accounts of what arrives.

pub mod accounts;
pub mod compare;
pub mod generate;
pub mod measure;
pub mod sending;
pub mod show;
pub mod tools;
