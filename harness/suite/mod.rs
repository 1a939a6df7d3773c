//! The requirements, what is done to find out about them, and how a run is judged.
//!
//! A [`scenario`] is played on a subject; what happens is a [`transcript`]; the check of each [`requirement`] makes a
//! [`verdict`] of it, and a [`cause`] says why something failed. [`run`] does all of that.

pub mod requirement;
pub mod requirements;
pub mod verdict;

pub mod scenario;

pub mod property;

pub mod transcript;

pub mod receiver;

pub mod sender;

pub mod judge;

pub mod cause;

pub mod selection;

pub mod run;

pub mod replay;

pub mod traffic;
