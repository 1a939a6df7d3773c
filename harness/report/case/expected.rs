//! What the contract has a receiver answer to a single delivery, as far as that delivery alone can show it.
//!
//! Invariant: the words are those of the findings in reports; a finding in other words cannot be shown by one delivery.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{self, Deserializer};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::wire::exchange::Outcome;

/// What is expected of the answer to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It acknowledges.
    Acknowledged,
    /// It acknowledges in time.
    Within(Duration),
    /// It does not acknowledge.
    NotAcknowledged,
    /// It comes, and does not acknowledge.
    Refusal,
    /// It has a status from 400 to 499.
    ClientError,
    /// It has this status.
    Status(u16),
}

impl Expected {
    /// Whether the delivery is one to acknowledge. What is not is to be refused.
    pub fn is_positive(self) -> bool {
        matches!(self, Self::Acknowledged | Self::Within(_))
    }

    /// Whether an answer is as expected.
    pub fn is_met(self, outcome: &Outcome, took: Duration) -> bool {
        let status = outcome.status();
        match self {
            Self::Acknowledged => outcome.acknowledges(),
            Self::Within(bound) => outcome.acknowledges() && took <= bound,
            Self::NotAcknowledged => !outcome.acknowledges(),
            Self::Refusal => status.is_some() && !outcome.acknowledges(),
            Self::ClientError => status.is_some_and(|status| (400..500).contains(&status)),
            // A genuine delivery beyond the limit (contract RCV-11): where it is taken, there is no such limit.
            Self::Status(413) => status == Some(413) || outcome.acknowledges(),
            Self::Status(wanted) => status == Some(wanted),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Acknowledged => f.write_str("2xx"),
            Self::Within(bound) => write!(f, "within {:.1} s", bound.as_secs_f64()),
            Self::NotAcknowledged => f.write_str("not 2xx"),
            Self::Refusal => f.write_str("an answer that is not 2xx"),
            Self::ClientError => f.write_str("4xx"),
            Self::Status(status) => write!(f, "{status}"),
        }
    }
}

impl FromStr for Expected {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = || text.strip_prefix("within ")?.strip_suffix(" s")?.parse().ok();
        let status = || text.parse().ok().filter(|status| (100..600).contains(status));
        match text {
            "2xx" => Ok(Self::Acknowledged),
            "not 2xx" => Ok(Self::NotAcknowledged),
            "an answer that is not 2xx" => Ok(Self::Refusal),
            "4xx" => Ok(Self::ClientError),
            _ => seconds()
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .map(Self::Within)
                .or_else(|| status().map(Self::Status))
                .ok_or_else(|| {
                    format!(
                        "{text:?} cannot be expected of an answer; there are \"2xx\", \"not 2xx\", \"4xx\", a status, \
                         \"within 5.0 s\" and \"an answer that is not 2xx\""
                    )
                }),
        }
    }
}

impl Serialize for Expected {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Expected {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;
    use crate::wire::exchange::Response;

    const WORDS: [&str; 7] =
        ["2xx", "within 5.0 s", "not 2xx", "an answer that is not 2xx", "4xx", "413", "401"];

    #[test]
    fn its_words_are_read_back() {
        for text in WORDS {
            assert_eq!(text.parse::<Expected>().unwrap().to_string(), text);
        }
        for text in ["", "3xx", "observed", "within -1 s", "99", "600", "+200x"] {
            assert!(text.parse::<Expected>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_answer_meets_it_or_does_not() {
        let outcomes = [200, 204, 301, 401, 413, 500]
            .map(|status| Outcome::Answered(Response::text(status, "")))
            .into_iter()
            .chain([Outcome::TimedOut]);
        let table = outcomes.map(|outcome| {
            let met =
                |text: &&str| text.parse::<Expected>().unwrap().is_met(&outcome, Duration::from_secs(1));
            let met: Vec<&str> = WORDS.into_iter().filter(met).collect();
            format!("{outcome}: {}", met.join(", "))
        });
        assert_eq!(
            table.collect::<Vec<_>>(),
            [
                "200: 2xx, within 5.0 s, 413",
                "204: 2xx, within 5.0 s, 413",
                "301: not 2xx, an answer that is not 2xx",
                "401: not 2xx, an answer that is not 2xx, 4xx, 401",
                "413: not 2xx, an answer that is not 2xx, 4xx, 413",
                "500: not 2xx, an answer that is not 2xx",
                "no answer in time: not 2xx",
            ]
        );
        let late = Expected::Within(Duration::from_secs(5));
        assert!(!late.is_met(&Outcome::Answered(Response::text(200, "")), Duration::from_secs(6)));
    }
}
