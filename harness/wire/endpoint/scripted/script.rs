//! The answers of a scripted endpoint, as data.
//!
//! Invariant: an answer depends only on what a request carries and how often that arrived before, so concurrent deliveries
//! cannot get each other's answers.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;

use crate::wire::exchange::{Delivery, Outcome, Response};
use crate::wire::uuids::uuids;

/// How an endpoint answers requests. The default answers 200 to everything.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// What happens before the body of a request is read.
    pub before: Before,
    /// How a connection ends on which nothing comes for a moment after an answer. Without it, it stays open.
    pub idle: Option<IdleEnd>,
    /// Answers by the beginning of the target: the first match counts.
    pub by_target: Vec<(String, Answer)>,
    /// Answers by the record id in the body: one answer after another, then the last one again and again.
    pub by_record: HashMap<String, Vec<Answer>>,
    /// The answer to all other requests.
    pub default_answer: Answer,
}

/// What happens before the body of a request is read.
#[derive(Debug, Clone, Default)]
pub enum Before {
    /// The request is read to its end.
    #[default]
    Nothing,
    /// The connection is closed as soon as it is open.
    Closes,
    /// The connection is reset after the head of a request.
    Resets,
    /// The request is answered after its head, and its body is read after that.
    Answers(Answer),
}

/// How an idle connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdleEnd {
    Close,
    Reset,
}

#[derive(Debug, Clone)]
pub struct Answer {
    /// The time from the last byte of the request to the first of the answer.
    pub delay: Duration,
    /// Interim statuses (1xx) before it.
    pub interim: Vec<u16>,
    pub response: Response,
    pub manner: Manner,
}

/// How an answer is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Manner {
    #[default]
    Whole,
    /// Byte by byte, over this time.
    Dripped(Duration),
    /// The head, and a body that never ends.
    Endless,
    /// Cut off inside the status line; the connection is closed.
    CutInStatusLine,
    /// Cut off inside a header; the connection is closed.
    CutInHeaders,
    Closes,
    Resets,
    /// Nothing is sent; the connection stays open.
    Hangs,
}

impl Answer {
    pub fn status(status: u16) -> Self {
        let response = Response { status, ..Response::default() };
        Self { delay: Duration::ZERO, interim: Vec::new(), response, manner: Manner::Whole }
    }

    /// A 200 that is sent like this.
    pub fn with_manner(manner: Manner) -> Self {
        Self { manner, ..Self::default() }
    }

    #[must_use]
    pub(crate) fn body(mut self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.response.headers.set("Content-Type", content_type);
        self.response.body = body.into();
        self
    }

    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<Bytes>) -> Self {
        self.response.headers.add(name, value);
        self
    }

    /// The outcome of a request with this answer.
    pub fn outcome(&self) -> Outcome {
        match self.manner {
            Manner::Whole | Manner::Dripped(_) | Manner::Endless => Outcome::Answered(self.response.clone()),
            Manner::CutInStatusLine | Manner::CutInHeaders | Manner::Closes => Outcome::ClosedEarly,
            Manner::Resets => Outcome::Reset,
            Manner::Hangs => Outcome::TimedOut,
        }
    }
}

impl Default for Answer {
    fn default() -> Self {
        Self::status(200)
    }
}

impl Script {
    pub fn always(answer: Answer) -> Self {
        Self { default_answer: answer, ..Self::default() }
    }

    /// A script with only this behaviour before the body is read.
    pub fn before(before: Before) -> Self {
        Self { before, ..Self::default() }
    }

    /// The answer to a request; `attempts` counts how often each scripted record arrived.
    pub(super) fn answer(&self, delivery: &Delivery, attempts: &mut HashMap<String, usize>) -> Answer {
        let by_target = self.by_target.iter().find(|(prefix, _)| delivery.target.starts_with(prefix));
        if let Some((_, answer)) = by_target {
            return answer.clone();
        }
        if self.by_record.is_empty() {
            return self.default_answer.clone();
        }
        let content = delivery.content();
        let scripted = uuids(&content).find_map(|id| Some((id, self.by_record.get(id)?)));
        let Some((id, answers)) = scripted else { return self.default_answer.clone() };
        let attempt = attempts.entry(id.to_owned()).or_default();
        let answer = answers.get(*attempt).or(answers.last()).unwrap_or(&self.default_answer);
        *attempt += 1;
        answer.clone()
    }
}
