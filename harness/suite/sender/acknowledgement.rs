//! ACK: what a sender makes of an answer, and of none.

mod endpoints;
pub mod forms;
pub mod interim;
pub mod no_answer;
mod outcome;
pub mod redirect;
pub mod retry;
pub mod status;
pub mod wait;
