//! What surrounds a receiver: how it is reached, what stands between, its clock, its limits. A run reports what a receiver does;
//! this tells what is not its doing.
//!
//! [`visit`], [`passage`] and [`workspace`] send a few requests and record what comes back. [`rows`], [`passed`] and
//! [`workspace::rows`] judge the record, and open nothing.
//!
//! Invariant: a row states what was seen. What cannot be seen is `not known`, with the way to find out.

mod between;
mod clock;
mod forms;
pub mod messages;
pub mod passage;
pub mod passed;
mod reached;
mod routed;
pub mod rows;
mod sizes;
pub mod visit;
pub mod workspace;

use serde::Serialize;

use crate::exit::ExitStatus;
use crate::suite::cause::Code;

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    Name,
    Connection,
    Tls,
    Certificate,
    Route,
    Between,
    Text,
    Chunks,
    Expect,
    Size,
    KeepAlive,
    Version,
    Clock,
    /// Whether what is sent to a URL arrives at this machine at all.
    Arrival,
    Path,
    TwentyHeaders,
    Headers,
    HeaderNames,
    HeaderBytes,
    Body,
    Streaming,
    Answers,
    Repeats,
    Client,
    Twenty,
    ApiKey,
    CustomObject,
    Routes,
    /// The timestamp of a delivery against this machine's clock.
    Timestamp,
    RateLimit,
    /// What the examination made.
    Cleanup,
}

impl Topic {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Connection => "connection",
            Self::Tls => "tls",
            Self::Certificate => "certificate",
            Self::Route => "route",
            Self::Between => "between",
            Self::Text => "text",
            Self::Chunks => "chunks",
            Self::Expect => "expect",
            Self::Size => "size",
            Self::KeepAlive => "keep-alive",
            Self::Version => "version",
            Self::Clock => "clock",
            Self::Arrival => "arrival",
            Self::Path => "path",
            Self::TwentyHeaders => "twenty-headers",
            Self::Headers => "headers",
            Self::HeaderNames => "header-names",
            Self::HeaderBytes => "header-bytes",
            Self::Body => "body",
            Self::Streaming => "streaming",
            Self::Answers => "answers",
            Self::Repeats => "repeats",
            Self::Client => "client",
            Self::Twenty => "twenty",
            Self::ApiKey => "api-key",
            Self::CustomObject => "custom-object",
            Self::Routes => "routes",
            Self::Timestamp => "timestamp",
            Self::RateLimit => "rate-limit",
            Self::Cleanup => "cleanup",
        }
    }
}

/// How much a row matters to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Ok,
    /// Some checks would judge the surroundings, or it may become a problem.
    Warning,
    /// A run would fail or stop because of it.
    Problem,
    /// A problem that keeps requests from arriving at all.
    Unreachable,
    NotKnown,
}

impl State {
    /// The word in reports. That nothing arrives is a problem too.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem | Self::Unreachable => "problem",
            Self::NotKnown => "not known",
        }
    }
}

/// What was seen of one part of the surroundings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub topic: Topic,
    pub state: State,
    pub seen: String,
    pub fix: Option<String>,
    /// The cause that a run would name.
    pub cause: Option<Code>,
}

impl Row {
    pub(crate) fn new(topic: Topic, state: State, seen: impl Into<String>) -> Self {
        Self { topic, state, seen: seen.into(), fix: None, cause: None }
    }

    #[must_use]
    pub(crate) fn fixed_by(self, fix: impl Into<String>) -> Self {
        Self { fix: Some(fix.into()), ..self }
    }
}

/// Why no more was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The time was used up.
    Time,
    Interrupted,
}

/// What an examination came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    pub subject: String,
    pub rows: Vec<Row>,
    /// How many requests were sent.
    pub requests: usize,
    pub cut: Option<Cut>,
}

impl Findings {
    /// How many rows have one of these states.
    pub fn count(&self, states: &[State]) -> usize {
        self.rows.iter().filter(|row| states.contains(&row.state)).count()
    }

    pub fn exit_status(&self) -> ExitStatus {
        let has = |state| self.count(&[state]) > 0;
        match self.cut {
            Some(Cut::Interrupted) => ExitStatus::Interrupted,
            _ if has(State::Unreachable) => ExitStatus::Incomplete,
            _ if has(State::Problem) => ExitStatus::Failed,
            Some(Cut::Time) => ExitStatus::Incomplete,
            None => ExitStatus::Passed,
        }
    }

    /// The word of the last line.
    pub fn result(&self) -> &'static str {
        match self.exit_status() {
            ExitStatus::Interrupted => "interrupted",
            ExitStatus::Failed => "problem",
            ExitStatus::Incomplete if self.count(&[State::Unreachable]) > 0 => "unreachable",
            ExitStatus::Incomplete => "incomplete",
            _ => "ok",
        }
    }
}
