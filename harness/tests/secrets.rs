//! No secret in anything written: programs that write theirs where it does not belong, and secrets in mistyped options.
//!
//! Invariant: a secret is looked for by code of these tests, eight bytes at a time, in each encoding that they name.

mod command_line;
mod properties;
mod receivers;
mod scan;
mod senders;
mod traffic;
mod twenty;
