//! What a file of recorded traffic holds, whatever its format.

use crate::wire::exchange::Exchange;

/// What a file holds.
#[derive(Debug)]
pub struct Recording {
    /// Its deliveries, in their order.
    pub exchanges: Vec<Exchange>,
    /// What is worth knowing about how it was read.
    pub remarks: Vec<String>,
}

/// The line on which what follows these bytes begins.
pub(crate) fn line_of(before: &[u8]) -> usize {
    before.iter().filter(|&&byte| byte == b'\n').count() + 1
}
