//! A load on a sender: events are requested from it, and their deliveries are timed.

mod events;
mod messages;
pub mod run;
pub mod verdict;
pub mod watch;
