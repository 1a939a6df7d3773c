//! Names that the reading of saved runs shares.

/// The options of a run.
pub(super) const MANIFEST: &str = "run.json";
/// Its report.
pub(super) const REPORT: &str = "report.json";
/// Its exchanges, one in a line.
pub(super) const EXCHANGES: &str = "exchanges.jsonl";

/// Something that two runs may differ in: its name, and its value as text.
pub(super) type Named<T> = (&'static str, fn(&T) -> String);
