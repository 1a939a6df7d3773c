//! Implementations with one fault each, made by wrapping the reference peers: the proof that checks bite.
//!
//! Invariant: the reference peer inside does all that is right; a mutant changes what it is given or what it returns. The
//! tables over faults are exhaustive, so a fault without its mutant does not compile.

pub mod receiver;
pub mod sender;
