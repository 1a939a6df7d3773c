//! What judging a requirement yields, as data. A failure carries what was expected, what happened, and the exchanges that
//! show it.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::suite::cause::Cause;
use crate::wire::exchange::{ExchangeId, Outcome};

/// What judging a requirement yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds in everything that was seen.
    Pass,
    /// It does not hold.
    Fail(Box<Evidence>),
    /// What was seen does not tell: a control was refused, a prerequisite was missing.
    Inconclusive(String),
    /// It does not bind this subject: a dialect or a capability that it does not have.
    NotApplicable(String),
}

impl Verdict {
    /// This one, or where it is no failure the failure that is found elsewhere, if one is.
    pub(crate) fn or_fail(self, find: impl FnOnce() -> Option<Self>) -> Self {
        if matches!(self, Self::Fail(_)) { self } else { find().unwrap_or(self) }
    }
}

/// What shows that a requirement does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// What the contract has there.
    pub expected: Expected,
    /// What happened there.
    pub actual: Actual,
    /// The whole finding in a sentence that begins in lower case.
    pub message: String,
    /// The exchanges that show it.
    pub exchanges: Vec<ExchangeId>,
    /// Why it came about, where that can be told.
    pub cause: Option<Cause>,
    /// The generated event that shows it, as an index into the transcript's emissions.
    pub emission: Option<usize>,
}

/// What the contract has there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// A receiver accepts the delivery.
    Accepted,
    /// It accepts the delivery within that time.
    Within(Duration),
    /// It does not accept the delivery.
    NotAccepted,
    /// It answers, and does not accept the delivery.
    Rejected,
    /// It answers with a status from 400 to 499.
    ClientError,
    /// It answers with this status.
    Status(u16),
    /// What a single answer does not show, in words.
    Words(Cow<'static, str>),
}

/// What happened there, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Actual(pub String);

impl Expected {
    /// The words for people.
    pub fn describe(&self) -> Cow<'static, str> {
        match self {
            Self::Accepted => "2xx".into(),
            Self::Within(bound) => format!("within {:.1} s", bound.as_secs_f64()).into(),
            Self::NotAccepted => "not 2xx".into(),
            Self::Rejected => "an answer that is not 2xx".into(),
            Self::ClientError => "4xx".into(),
            Self::Status(status) => status.to_string().into(),
            Self::Words(words) => words.clone(),
        }
    }

    /// Whether the delivery is one to accept.
    pub fn is_positive(&self) -> bool {
        matches!(self, Self::Accepted | Self::Within(_))
    }

    /// Whether an answer is as expected; `None` where a single answer does not show it.
    pub fn is_met(&self, outcome: &Outcome, took: Duration) -> Option<bool> {
        let status = outcome.status();
        Some(match self {
            Self::Accepted => outcome.acknowledges(),
            Self::Within(bound) => outcome.acknowledges() && took <= *bound,
            Self::NotAccepted => !outcome.acknowledges(),
            Self::Rejected => status.is_some() && !outcome.acknowledges(),
            Self::ClientError => status.is_some_and(|status| (400..500).contains(&status)),
            // A valid delivery beyond the limit (contract RCV-11): where it is accepted, there is no such limit.
            Self::Status(413) => status == Some(413) || outcome.acknowledges(),
            Self::Status(wanted) => status == Some(*wanted),
            Self::Words(_) => return None,
        })
    }
}

impl From<&'static str> for Expected {
    fn from(words: &'static str) -> Self {
        Self::Words(words.into())
    }
}

impl From<String> for Expected {
    fn from(words: String) -> Self {
        Self::Words(words.into())
    }
}

impl Evidence {
    /// Evidence with no exchange and no cause yet.
    pub fn new(expected: impl Into<Expected>, actual: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            expected: expected.into(),
            actual: Actual(actual.into()),
            message: message.into(),
            exchanges: Vec::new(),
            cause: None,
            emission: None,
        }
    }

    #[must_use]
    pub fn shown_by(mut self, exchanges: impl IntoIterator<Item = ExchangeId>) -> Self {
        self.exchanges.extend(exchanges);
        self
    }

    /// With its cause, where there is one.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Option<Cause>>) -> Self {
        self.cause = cause.into();
        self
    }

    pub fn fail(self) -> Verdict {
        Verdict::Fail(Box::new(self))
    }
}

/// A verdict, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// What the check says.
    Judged(Verdict),
    /// The harness or the attachment broke down before the check could say anything.
    Error(String),
}

/// The verdict on one requirement, without its evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictName {
    /// All that was seen conforms.
    Pass,
    /// Something does not conform.
    Fail,
    /// What was seen does not show whether it conforms, for example because a valid delivery was rejected.
    Inconclusive,
    /// The requirement does not bind this subject: it is of the other dialect, or needs a capability that is not there.
    NotApplicable,
    /// The harness failed, or the subject broke the attachment protocol.
    Error,
}

impl VerdictName {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pass, Self::Fail, Self::Inconclusive, Self::NotApplicable, Self::Error];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::NotApplicable => "not-applicable",
            Self::Error => "error",
        }
    }
}

impl From<&Judgement> for VerdictName {
    fn from(judgement: &Judgement) -> Self {
        match judgement {
            Judgement::Judged(Verdict::Pass) => Self::Pass,
            Judgement::Judged(Verdict::Fail(_)) => Self::Fail,
            Judgement::Judged(Verdict::Inconclusive(_)) => Self::Inconclusive,
            Judgement::Judged(Verdict::NotApplicable(_)) => Self::NotApplicable,
            Judgement::Error(_) => Self::Error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::exchange::Response;

    #[test]
    fn expected_is_met_by_these_answers_and_no_others() {
        let all = [
            Expected::Accepted,
            Expected::Within(Duration::from_secs(5)),
            Expected::NotAccepted,
            Expected::Rejected,
            Expected::ClientError,
            Expected::Status(413),
            Expected::Status(401),
        ];
        let outcomes = [200, 204, 301, 401, 413, 500]
            .map(|status| Outcome::Answered(Response::text(status, "")))
            .into_iter()
            .chain([Outcome::TimedOut]);
        let table = outcomes.map(|outcome| {
            let met = all.iter().filter(|one| one.is_met(&outcome, Duration::from_secs(1)) == Some(true));
            let met: Vec<_> = met.map(Expected::describe).collect();
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
                "timed out: not 2xx",
            ]
        );
        let late = Expected::Within(Duration::from_secs(5));
        let answer = Outcome::Answered(Response::text(200, ""));
        assert_eq!(late.is_met(&answer, Duration::from_secs(6)), Some(false));
        assert_eq!(Expected::from("observed").is_met(&answer, Duration::ZERO), None);
    }
}
