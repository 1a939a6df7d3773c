//! The contents of a file of recorded traffic, in any format.

use crate::wire::exchange::Exchange;

#[derive(Debug)]
pub struct Recording {
    /// Its deliveries, in order.
    pub exchanges: Vec<Exchange>,
    /// Notes on how it was read.
    pub remarks: Vec<String>,
}

/// The number of the line that follows these bytes.
pub(crate) fn line_of(before: &[u8]) -> usize {
    before.iter().filter(|&&byte| byte == b'\n').count() + 1
}
