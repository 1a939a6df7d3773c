//! Implementations that are wrong in one way each, made by wrapping the reference peers: the proof that checks bite.
//!
//! Invariant: the reference peer inside does all that is right; a mutant changes what goes in or what comes out, and the
//! matches over faults are exhaustive, so that a fault without its mutant does not compile.

pub mod receiver;
pub mod sender;
