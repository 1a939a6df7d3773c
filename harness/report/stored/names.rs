//! Names that the reading of saved runs shares.

pub(super) use crate::report::evidence::{EXCHANGES, MANIFEST, REPORT};

/// Something that two runs may differ in: its name, and its value as text.
pub(super) type Named<T> = (&'static str, fn(&T) -> String);
