//! What is done to a sender: scenarios that several requirements use, and how they are played.

pub mod answers;
pub mod events;
pub mod generated;
pub mod https;
pub mod unanswered;
