//! The differences of a request that passed, as data.

/// A header whose value is another, both as shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::suite::doctor) struct Changed {
    pub(in crate::suite::doctor) name: String,
    pub(in crate::suite::doctor) sent: String,
    pub(in crate::suite::doctor) arrived: String,
}

/// How a body arrived changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::suite::doctor) struct BodyChange {
    pub(in crate::suite::doctor) sent: usize,
    pub(in crate::suite::doctor) arrived: u64,
    /// Where they differ first, and what was sent and arrived there.
    pub(in crate::suite::doctor) at: usize,
    pub(in crate::suite::doctor) there: [String; 2],
    /// What program prints it like this, if one is known.
    pub(in crate::suite::doctor) printed_by: Option<String>,
    /// Its `Content-Encoding`, if it has one.
    pub(in crate::suite::doctor) encoding: Option<String>,
}
