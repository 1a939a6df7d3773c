//! Verdicts as data. A failure carries what was expected, what happened, and the exchanges that show it.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::suite::cause::Cause;
use crate::wire::exchange::{ExchangeId, Outcome};

/// The verdict on a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything observed meets it.
    Pass,
    /// Something observed violates it.
    Fail(Box<Evidence>),
    /// It could not be judged, and why: a control was rejected, or a prerequisite was missing.
    Inconclusive(String),
    /// It does not apply to this subject, and why: another dialect, or a capability that the subject lacks.
    NotApplicable(String),
}

impl Verdict {
    /// This verdict, unless it is not a failure and `find` returns one.
    pub(crate) fn or_fail(self, find: impl FnOnce() -> Option<Self>) -> Self {
        if matches!(self, Self::Fail(_)) { self } else { find().unwrap_or(self) }
    }
}

/// What shows that a requirement is violated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// What the contract asks for.
    pub expected: Expected,
    /// What happened instead.
    pub actual: Actual,
    /// The finding, as a lower-case fragment without a full stop.
    pub message: String,
    /// The exchanges that show it.
    pub exchanges: Vec<ExchangeId>,
    /// Why it happened, if known.
    pub cause: Option<Cause>,
    /// The generated event that shows it, as an index into [`Transcript::emissions`].
    ///
    /// [`Transcript::emissions`]: crate::suite::transcript::Transcript::emissions
    pub emission: Option<usize>,
}

/// What the contract asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// A receiver accepts the delivery.
    Accepted,
    /// It accepts the delivery within this time.
    Within(Duration),
    /// It does not accept the delivery.
    NotAccepted,
    /// It answers, and does not accept the delivery.
    Rejected,
    /// It answers with a status from 400 to 499.
    ClientError,
    /// It answers with this status.
    Status(u16),
    /// It need not answer, but must answer the next delivery.
    KeepsRunning,
    /// Something that a single answer does not show, in words.
    Words(Cow<'static, str>),
}

/// What happened, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Actual(pub String);

impl Expected {
    pub fn describe(&self) -> Cow<'static, str> {
        match self {
            Self::Accepted => "2xx".into(),
            Self::Within(bound) => format!("within {:.1} s", bound.as_secs_f64()).into(),
            Self::NotAccepted => "not 2xx".into(),
            Self::Rejected => "a non-2xx answer".into(),
            Self::ClientError => "4xx".into(),
            Self::Status(status) => status.to_string().into(),
            Self::KeepsRunning => "keeps running".into(),
            Self::Words(words) => words.clone(),
        }
    }

    /// Whether the delivery must be accepted.
    pub fn is_positive(&self) -> bool {
        matches!(self, Self::Accepted | Self::Within(_))
    }

    /// Whether an answer is as expected; `None` if a single answer does not show it.
    pub fn is_met(&self, outcome: &Outcome, took: Duration) -> Option<bool> {
        let status = outcome.status();
        Some(match self {
            Self::Accepted => outcome.acknowledges(),
            Self::Within(bound) => outcome.acknowledges() && took <= *bound,
            Self::NotAccepted => !outcome.acknowledges(),
            Self::Rejected => status.is_some() && !outcome.acknowledges(),
            Self::ClientError => status.is_some_and(|status| (400..500).contains(&status)),
            // A valid delivery past the size limit (contract RCV-11): a receiver that accepts it has no such limit.
            Self::Status(413) => status == Some(413) || outcome.acknowledges(),
            Self::Status(wanted) => status == Some(*wanted),
            // Whether it still runs is seen at the control after it.
            Self::KeepsRunning => true,
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

    #[must_use]
    pub fn because(mut self, cause: impl Into<Option<Cause>>) -> Self {
        self.cause = cause.into();
        self
    }

    pub fn fail(self) -> Verdict {
        Verdict::Fail(Box::new(self))
    }
}

/// A verdict, or the error that prevented one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    Judged(Verdict),
    /// The harness or the attachment failed before the check could run.
    Error(String),
}

/// What an open requirement came to with deliveries made in the way that a receiver wants which rejects valid ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provisional {
    Pass,
    /// It would fail too once the first fault is fixed.
    Fail(Box<Evidence>),
}

/// The verdict on one requirement, without its evidence.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictName {
    /// Everything observed meets the requirement.
    Pass,
    /// Something observed violates the requirement.
    Fail,
    /// The requirement could not be judged, for example because a valid delivery was rejected.
    Inconclusive,
    /// The requirement does not apply: it is about the other dialect, or needs a capability that the subject lacks.
    NotApplicable,
    /// The harness failed, or the subject violated the attachment protocol.
    Error,
    /// It fails for the cause that its entry in the list of known failures names.
    KnownFailure,
    /// It passes, and has an entry in the list of known failures.
    UnexpectedPass,
    /// It fails for another cause than its entry in the list of known failures names.
    Drift,
}

impl VerdictName {
    /// Every verdict.
    pub const ALL: [Self; 8] = [
        Self::Pass,
        Self::Fail,
        Self::Inconclusive,
        Self::NotApplicable,
        Self::Error,
        Self::KnownFailure,
        Self::UnexpectedPass,
        Self::Drift,
    ];

    /// The verdict without a list of known failures.
    #[must_use]
    pub fn without_list(self) -> Self {
        match self {
            Self::KnownFailure | Self::Drift => Self::Fail,
            Self::UnexpectedPass => Self::Pass,
            other => other,
        }
    }

    /// Whether the subject violates the requirement, known or not.
    pub fn is_failure(self) -> bool {
        self.without_list() == Self::Fail
    }

    /// The word in the JSON report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
            Self::NotApplicable => "not-applicable",
            Self::Error => "error",
            Self::KnownFailure => "known-failure",
            Self::UnexpectedPass => "unexpected-pass",
            Self::Drift => "drift",
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

impl From<&Provisional> for VerdictName {
    fn from(provisional: &Provisional) -> Self {
        match provisional {
            Provisional::Pass => Self::Pass,
            Provisional::Fail(_) => Self::Fail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::exchange::Response;

    #[test]
    fn each_expectation_accepts_only_its_answers() {
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
                "301: not 2xx, a non-2xx answer",
                "401: not 2xx, a non-2xx answer, 4xx, 401",
                "413: not 2xx, a non-2xx answer, 4xx, 413",
                "500: not 2xx, a non-2xx answer",
                "timed out: not 2xx",
            ]
        );
        let late = Expected::Within(Duration::from_secs(5));
        let answer = Outcome::Answered(Response::text(200, ""));
        assert_eq!(late.is_met(&answer, Duration::from_secs(6)), Some(false));
        assert_eq!(Expected::from("observed").is_met(&answer, Duration::ZERO), None);
    }
}
