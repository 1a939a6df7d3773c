//! Signed load: sent, measured, compared, and accounted for.
//!
//! Each folder builds on those before it: `generate` (what is sent, and when), `accounts` (what has arrived), `measure` (a load
//! on a receiver and its report), `compare`, `sending` (a load on a sender), `show` (reports for people) and `tools`.

pub mod generate;

pub mod accounts;

pub mod measure;

pub mod compare;

pub mod sending;

pub mod show;

pub mod tools;
