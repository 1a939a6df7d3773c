//! Whether the two separately written ways of signing agree.

use super::messages;
use crate::error::Error;
use crate::webhook::vectors;

/// Compares the suite's own signatures with those of its test vectors, which other programs made.
///
/// Errors: they differ.
pub fn check_vectors() -> Result<(), Error> {
    let disagreements = vectors::disagreements().map_err(Error::Harness)?;
    match disagreements.first() {
        None => Ok(()),
        Some(first) => Err(Error::Harness(messages::signatures_disagree(first))),
    }
}
