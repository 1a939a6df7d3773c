//! Mutants: the reference peers with one fault each. They prove that the checks find faults.
//!
//! Invariant: a mutant wraps the unchanged reference peer and changes only its input or output. The tables over faults are
//! exhaustive, so a fault without a mutant does not compile.

pub mod receiver;
pub mod sender;
