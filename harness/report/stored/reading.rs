//! Reads a JSON file of a saved run, after a look at its format.

use std::borrow::Cow;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::unusable::{Unusable, Why, unusable};
use crate::budget::shortened;
use crate::input;
use crate::report::{Tool, evidence};

/// How much of a wrong format is shown.
const LONGEST_NAME: usize = 80;

/// The name and version of a format.
#[derive(Debug, Clone, Copy)]
pub(super) struct Format(&'static str);

impl Format {
    pub(super) const RUN: Self = Self(evidence::FORMAT);
    pub(super) const REPORT: Self = Self(crate::report::FORMAT);

    /// The name and the version.
    fn parts(self) -> (&'static str, u64) {
        let (name, version) = self.0.split_once('/').unwrap_or((self.0, ""));
        (name, version.parse().unwrap_or_default())
    }

    /// Why a file of this format cannot be read; `None` if it can.
    fn refuses(self, head: Head<'_>) -> Option<Why> {
        let wanted = self.0;
        let found = head.format.map(|found| shortened(&found, LONGEST_NAME));
        let (name, version) = self.parts();
        let of_file: Option<u64> =
            found.as_deref().and_then(|found| found.strip_prefix(name)?.strip_prefix('/')?.parse().ok());
        match (found, of_file) {
            (_, Some(other)) if version == other => None,
            (Some(found), Some(other)) => {
                let writer = head.tool.map(|tool| tool.version).filter(|other| *other != Tool::THIS.version);
                let tool = writer.map(|version| shortened(&version, LONGEST_NAME));
                Some(match other > version {
                    true => Why::Newer { found, wanted, tool },
                    false => Why::Older { found, wanted, tool },
                })
            }
            (found, _) => Some(Why::OtherFormat { found, wanted }),
        }
    }
}

/// What every file of this suite begins with.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, default)]
    format: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "tool")]
    tool: Option<Tool>,
}

/// The program that wrote a file, if another version says that in the same way.
fn tool<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Tool>, D::Error> {
    let value = <&serde_json::value::RawValue>::deserialize(from)?;
    Ok(serde_json::from_str(value.get()).ok())
}

/// Reads a file of this format. Errors: it cannot be read, or has another form.
pub(super) fn read<T: DeserializeOwned>(path: &Path, limit: u64, format: Format) -> Result<T, Unusable> {
    let text = input::text(path, limit).map_err(|why| unusable(path, Why::Unread(why)))?;
    let parsed = serde_json::from_str::<Head<'_>>(&text).map_err(|why| wrong(&why, &text, format));
    let refused = parsed.map(|head| format.refuses(head)).unwrap_or_else(Some);
    if let Some(why) = refused {
        return Err(unusable(path, why));
    }
    serde_json::from_str(&text).map_err(|why| unusable(path, wrong(&why, &text, format)))
}

/// What is wrong with a text that is not as it should be.
fn wrong(why: &serde_json::Error, text: &str, format: Format) -> Why {
    match why.classify() {
        Category::Eof => Why::Cut,
        Category::Syntax | Category::Io => Why::NotJson(why.to_string()),
        Category::Data if text.trim_start().starts_with('{') => Why::Malformed(why.to_string()),
        Category::Data => Why::OtherFormat { found: None, wanted: format.0 },
    }
}
