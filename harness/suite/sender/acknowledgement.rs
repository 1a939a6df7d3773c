//! ACK: how a sender treats an answer, and the lack of one.

pub mod endless;
mod endpoints;
pub mod forms;
pub mod interim;
pub mod no_answer;
mod outcome;
pub mod redirect;
pub mod retry;
pub mod status;
pub mod wait;
