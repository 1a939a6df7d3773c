//! The reference sender and receiver, the faults, and the mutants with these faults.

pub mod fault;
pub mod mutant;
pub mod receiver;
pub mod sender;
