//! What is done to a sender: each file holds scenarios that feed several requirements, and how they are played.

pub mod answers;
pub mod events;
pub mod generated;
pub mod https;
pub mod unanswered;
