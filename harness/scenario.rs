//! What is done to a subject, and in which order; what comes of it goes into the transcript.
//!
//! Invariant: scenarios judge nothing. What a subject does wrong is written down like what it does right.

pub mod receiver;
pub mod sender;
