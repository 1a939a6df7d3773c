//! Known failures: a list of requirements that a program fails, each with the cause that it fails for.
//!
//! Everything here is a function of text, of verdicts and of a day; nothing reads a file or the clock. A list must stay true: an entry
//! that passes now, fails for another cause or has expired is reported.

mod fix;
mod messages;
mod read;

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Error as DateError, Timestamp};

use crate::nearest;
use crate::suite::cause::Code;
use crate::suite::requirement::Requirement;
use crate::suite::verdict::VerdictName;

pub use fix::{Fixed, fixed};
pub use read::{Fault, parse};

/// The word for a cause that is not known, in an entry on a failure without one.
pub const UNKNOWN: &str = "unknown";

/// The lists that come with the tool, each with its name.
const SHIPPED: [(&str, &str); 3] = [
    ("twenty-2.31", include_str!("../../fixtures/known-failures/twenty-2.31.toml")),
    ("twenty-2025-12", include_str!("../../fixtures/known-failures/twenty-2025-12.toml")),
    ("twenty-0.50", include_str!("../../fixtures/known-failures/twenty-0.50.toml")),
];

/// An entry of a list.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The file, or the name of a list that comes with the tool.
    pub list: String,
    /// The line at which it begins.
    pub line: usize,
    /// The patterns of what fails, as they are written.
    pub patterns: Vec<String>,
    /// The requirements that they match.
    pub requirements: Vec<&'static Requirement>,
    pub cause: ExpectedCause,
    pub reason: String,
    /// What it means for who depends on the program: for a sender, for receivers.
    pub effect: Option<String>,
    /// The first version that is known to have it.
    pub since: Option<String>,
    pub link: Option<String>,
    pub owner: Option<String>,
    /// The last day on which it counts.
    pub expires: Option<Date>,
}

/// The cause that an entry names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedCause {
    /// `None` for a failure without a known cause.
    pub code: Option<Code>,
    /// If there is one, the failure's must be equal.
    pub detail: Option<String>,
}

/// What a run found on a requirement.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub id: &'a str,
    /// With or without a list of known failures.
    pub verdict: VerdictName,
    /// The code and the detail of its cause, if it fails.
    pub cause: Option<(&'a str, Option<&'a str>)>,
}

/// What a run says about an entry's requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It fails as the entry says.
    Fails,
    /// It fails as the entry says, which has expired.
    Expired,
    /// It passes.
    Passes,
    /// It fails for another cause.
    Drifts,
    /// It was not judged: inconclusive, not applicable, or an error.
    Open,
}

impl Standing {
    /// What a report shows in place of a run's own verdict; `None` for that verdict.
    pub fn verdict(self) -> Option<VerdictName> {
        match self {
            Self::Fails | Self::Expired => Some(VerdictName::KnownFailure),
            Self::Passes => Some(VerdictName::UnexpectedPass),
            Self::Drifts => Some(VerdictName::Drift),
            Self::Open => None,
        }
    }
}

impl Entry {
    /// Where it is written: `known.toml:12`.
    pub fn place(&self) -> String {
        format!("{}:{}", self.list, self.line)
    }

    /// Its patterns in one line.
    pub fn check(&self) -> String {
        self.patterns.join(", ")
    }

    pub fn matches(&self, id: &str) -> bool {
        self.requirements.iter().any(|one| one.id == id)
    }

    /// Whether its last day is over.
    pub fn has_expired(&self, today: Date) -> bool {
        self.expires.is_some_and(|last| today > last)
    }

    /// What a run says about one of its requirements.
    pub fn standing(&self, seen: &Seen<'_>, today: Date) -> Standing {
        match seen.verdict.without_list() {
            VerdictName::Pass => Standing::Passes,
            VerdictName::Fail if !self.cause.is(seen.cause) => Standing::Drifts,
            VerdictName::Fail if self.has_expired(today) => Standing::Expired,
            VerdictName::Fail => Standing::Fails,
            _ => Standing::Open,
        }
    }

    /// The requirements of a run that it matches, with what the run says about each.
    pub fn standings<'a>(&self, seen: &[Seen<'a>], today: Date) -> Vec<(Seen<'a>, Standing)> {
        let own = seen.iter().filter(|seen| self.matches(seen.id));
        own.map(|seen| (*seen, self.standing(seen, today))).collect()
    }
}

impl ExpectedCause {
    /// Reads `code`, `code (detail)` or `unknown`.
    ///
    /// Errors: there is no such code, with the nearest.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (name, detail) = match text.strip_suffix(')').and_then(|text| text.split_once(" (")) {
            Some((name, detail)) => (name.trim(), Some(detail.to_owned())),
            None => (text, None),
        };
        if name == UNKNOWN && detail.is_none() {
            return Ok(Self { code: None, detail });
        }
        match Code::ALL.iter().find(|code| code.as_str() == name) {
            Some(&code) => Ok(Self { code: Some(code), detail }),
            None => {
                let known = Code::ALL.iter().map(|code| code.as_str()).chain([UNKNOWN]);
                Err(messages::unknown_cause(name, nearest::to(name, known)))
            }
        }
    }

    /// Whether a failure has this cause.
    fn is(&self, cause: Option<(&str, Option<&str>)>) -> bool {
        let (code, detail) = cause.unzip();
        self.code.map(Code::as_str) == code
            && self.detail.as_deref().is_none_or(|own| detail.flatten() == Some(own))
    }
}

impl fmt::Display for ExpectedCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.map_or(UNKNOWN, Code::as_str))?;
        self.detail.as_ref().map_or(Ok(()), |detail| write!(f, " ({detail})"))
    }
}

/// A run's cause as an entry writes it.
pub fn written(cause: Option<(&str, Option<&str>)>, with_detail: bool) -> String {
    match cause {
        Some((code, Some(detail))) if with_detail => format!("{code} ({detail})"),
        Some((code, _)) => code.to_owned(),
        None => UNKNOWN.to_owned(),
    }
}

/// The text of a list that comes with the tool.
pub fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The title of a list: the first sentence of the comment at its beginning.
pub fn title(text: &str) -> String {
    let comment =
        text.lines().map_while(|line| line.strip_prefix('#')).map(str::trim).collect::<Vec<_>>().join(" ");
    comment.split_inclusive(". ").next().unwrap_or_default().trim().to_owned()
}

/// The names of the lists that come with the tool.
pub fn names() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|(name, _)| *name)
}

/// What is wrong with entries that name the same requirement, each with both places.
pub fn contradictions(entries: &[Entry]) -> Vec<String> {
    let mut first: BTreeMap<&str, &Entry> = BTreeMap::new();
    let mut clashes: Vec<(&Entry, &Entry, Vec<&str>)> = Vec::new();
    for entry in entries {
        for requirement in &entry.requirements {
            let Some(other) = first.insert(requirement.id, entry) else { continue };
            match clashes
                .last_mut()
                .filter(|(one, two, _)| one.place() == other.place() && two.place() == entry.place())
            {
                Some((_, _, ids)) => ids.push(requirement.id),
                None => clashes.push((other, entry, vec![requirement.id])),
            }
        }
    }
    let describe = |(one, other, ids): (&Entry, &Entry, Vec<&str>)| {
        messages::named_twice(&ids, (one, other), one.cause == other.cause)
    };
    clashes.into_iter().map(describe).collect()
}

/// The day of a time in milliseconds since the epoch, in UTC.
///
/// Errors: the time has no date.
pub fn day(ms: u64) -> Result<Date, DateError> {
    let ms = i64::try_from(ms).unwrap_or(i64::MAX);
    Ok(Timestamp::from_millisecond(ms)?.to_zoned(TimeZone::UTC).date())
}

#[cfg(test)]
mod tests;
