//! The reference sender and receiver, the faults, and the mutants that have them.

pub mod fault;
pub mod mutant;
pub mod receiver;
pub mod sender;
