//! A load on a sender: events that it is asked for, and when their deliveries arrive.

mod events;
pub mod run;
pub mod verdict;
pub mod watch;
