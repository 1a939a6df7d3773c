//! Signed load: sent, measured, compared, and accounted for.
//!
//! Each folder uses only those before it:
//!
//! - `generate`: what is sent, and when
//! - `accounts`: what has arrived
//! - `measure`: the load on a receiver, and its report
//! - `compare`: two reports, or two receivers
//! - `sending`: the load on a sender
//! - `show`: the formats of reports
//! - `tools`: loads for wrk and locust

pub mod generate;

pub mod accounts;

pub mod measure;

pub mod compare;

pub mod sending;

pub mod show;

pub mod tools;
