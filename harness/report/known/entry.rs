//! An entry of a list of known failures in a report.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::suite::known::Entry;

/// An entry of a list of known failures, as every format shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KnownEntry {
    /// The file, or the name of a list that comes with the tool.
    pub list: String,
    /// The line at which the entry begins.
    pub line: usize,
    /// What it matches.
    pub check: String,
    /// The cause that it expects: a code, with its detail in parentheses if it names one, or `unknown`.
    pub cause: String,
    pub reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The last day on which it counts, as `2027-03-31`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Whether that day was over when the run was judged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expired: bool,
}

impl KnownEntry {
    pub(super) fn of(entry: &Entry, today: Date) -> Self {
        Self {
            list: entry.list.clone(),
            line: entry.line,
            check: entry.check(),
            cause: entry.cause.to_string(),
            reason: entry.reason.clone(),
            link: entry.link.clone(),
            owner: entry.owner.clone(),
            expires: entry.expires.map(|day| day.to_string()),
            expired: entry.has_expired(today),
        }
    }

    /// Where it is written: `known.toml:12`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.list, self.line)
    }
}
