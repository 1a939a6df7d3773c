//! The requirements, what is sent to judge each, and how a run is judged.
//!
//! A [`scenario`] runs against a subject and fills a [`transcript`]. The check of each [`requirement`] turns the transcript into
//! a [`verdict`], and a [`cause`] explains a failure. [`run`] does all of that.

pub mod requirement;
pub mod requirements;
pub mod verdict;

pub mod scenario;

pub mod property;

mod parts;

mod agreement;

pub mod max_time;

pub mod transcript;

pub mod receiver;

pub mod sender;

pub mod judge;

pub mod cause;

pub mod selection;

pub mod shard;

pub mod finding;

pub mod known;

mod provisional;

pub mod run;

pub mod under_load;

pub mod vectors;

pub mod replay;

pub mod rejudge;

pub mod traffic;

pub mod doctor;

mod messages;
