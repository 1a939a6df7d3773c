//! What a requirement is: one sentence of the contract, who it applies to, and how it is judged.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::peers::fault::Faults;
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Capability, Transcript};

pub use crate::suite::transcript::Role;
pub use crate::suite::verdict::{Actual, Evidence, Expected, Verdict};

/// The letters of sources, in words.
const SOURCES: [(&str, &str); 4] =
    [("D", "documentation"), ("S", "shipped server"), ("R", "standards"), ("W", "public code")];

/// One sentence of the contract, its check, and the faults that the check must find.
pub struct Requirement {
    /// The contract's id, never reused or renumbered: `VER-1`.
    pub id: &'static str,
    /// The requirement in a few words, for reports: `rejects altered content`.
    pub title: &'static str,
    /// Who it applies to.
    pub binds: Binds,
    pub level: Level,
    /// The stable name of its check: `receiver/verification/altered-content`.
    pub check_id: &'static str,
    /// The contract's sentence.
    pub text: &'static str,
    /// Where it comes from: the documentation, the shipped server, a standard, or practice.
    pub source: &'static str,
    /// Why it matters and what usually breaks it, for `explain`.
    pub why: &'static str,
    /// The scenarios by which it is judged, with the main one first.
    pub scenarios: &'static [&'static Scenario],
    /// The capability that a sender must declare for it to apply.
    pub needs: Option<Capability>,
    /// Judges what happened, as a pure function.
    pub check: fn(&Requirement, &Transcript) -> Verdict,
    /// Faults that the check must find. A mutant fails exactly the requirements that name its fault.
    pub counterexamples: Faults,
}

/// Who a requirement applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binds {
    Receiver,
    /// Senders, and whether recorded traffic shows it.
    Sender(Recorded),
}

/// Whether recorded deliveries show a requirement for senders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// A single delivery shows it.
    Shows,
    /// A single delivery shows it if the webhook's secret is known.
    ShowsWithSecret,
    /// They do not show it.
    Cannot(Unrecorded),
}

described! {
    /// What recorded traffic does not show, and why a requirement about it does not apply.
    pub enum Unrecorded {
        Answers: "traffic alone does not show how the sender treats an answer",
        Connections: "traffic alone does not show which connections were kept open",
        EventTime: "the time of the event is unknown",
        OtherEndpoints: "traffic alone does not show how endpoints affect each other",
        OtherWebhooks: "the traffic is from one webhook",
        Record: "the original record is unknown",
        Retries: "traffic alone does not show which deliveries are retries",
        Secret: "traffic alone does not show whether the webhook has a secret",
        Url: "the registered URL is unknown",
        Webhooks: "traffic alone does not show which webhooks and events there were",
    }
}

impl Requirement {
    /// The role that it applies to.
    pub fn role(&self) -> Role {
        match self.binds {
            Binds::Receiver => Role::Receiver,
            Binds::Sender(_) => Role::Sender,
        }
    }
}

/// Role and group of a check, such as `receiver/verification`: its id without the last part.
pub fn group_of(check_id: &str) -> &str {
    match check_id.rsplit_once('/') {
        // Ids are never changed; this group was renamed after its ids were given.
        Some(("receiver/intake", _)) => "receiver/processing",
        Some((group, _)) => group,
        None => check_id,
    }
}

/// `D (sample), S` as `documentation (sample), shipped server`.
pub fn source_in_words(source: &str) -> String {
    let word_of = |part: &str| {
        let (letter, rest) = part.split_at(part.find(' ').unwrap_or(part.len()));
        let word = SOURCES.iter().find(|(short, _)| *short == letter);
        // Without a word it follows a comma within parentheses.
        word.map_or_else(|| part.to_owned(), |(_, word)| format!("{word}{rest}"))
    };
    source.split(", ").map(word_of).collect::<Vec<_>>().join(", ")
}

impl fmt::Debug for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

/// How strict a requirement is, strictest first: `Must < Should < Advice`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Twenty's documentation or a standard requires it.
    Must,
    /// It is recommended there, or learned from Twenty's server and real programs.
    Should,
    /// Good practice.
    Advice,
}

impl Level {
    /// All levels, strictest first.
    pub const ALL: [Self; 3] = [Self::Must, Self::Should, Self::Advice];

    /// The word on the command line and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::Advice => "advice",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::source_in_words;

    #[test]
    fn names_sources_source_in_words() {
        for (source, words) in [
            ("D", "documentation"),
            ("D (sample), S", "documentation (sample), shipped server"),
            ("R (RFC 9110, section 5.1)", "standards (RFC 9110, section 5.1)"),
            ("S, W", "shipped server, public code"),
        ] {
            assert_eq!(source_in_words(source), words);
        }
    }
}
