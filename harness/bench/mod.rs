//! Signed load, how it is measured and compared, and accounts of what arrives.
//!
//! Each folder is built on those before it: `generate` (what is sent, and when), `accounts` (what has arrived), `measure` (the load
//! on a receiver and its report), `compare`, `sending` (the load on a sender), `show` and `tools`.

pub mod generate;

pub mod accounts;

pub mod measure;

pub mod compare;

pub mod sending;

pub mod show;

pub mod tools;
