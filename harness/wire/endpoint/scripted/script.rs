//! What a scripted endpoint answers, as data.
//!
//! Invariant: the answer depends on what a request carries and on how often that came before, so concurrent deliveries
//! cannot take each other's answers.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;

use super::uuids::uuids;
use crate::wire::exchange::{Delivery, Outcome, Response};

/// What an endpoint does with requests. The default answers 200 to everything.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// What becomes of a connection or a request before its body has been read.
    pub before: Before,
    /// What requests are answered whose target begins so: the first that fits.
    pub by_target: Vec<(String, Answer)>,
    /// What requests are answered whose body carries these record ids: one answer after another, the last of them again
    /// and again.
    pub by_record: HashMap<String, Vec<Answer>>,
    /// What all others are answered.
    pub otherwise: Answer,
}

/// What becomes of a connection or a request before its body has been read.
#[derive(Debug, Clone, Default)]
pub enum Before {
    /// Nothing: the request is read to its end.
    #[default]
    Nothing,
    /// The connection is closed as soon as it is there.
    Closes,
    /// The connection is reset when the head of a request is there.
    Resets,
    /// The head of a request is answered at once, and the body is read after it.
    Answers(Answer),
}

#[derive(Debug, Clone)]
pub struct Answer {
    /// How long the request has been whole before the answer begins.
    pub delay: Duration,
    /// Interim statuses (1xx) that go before it.
    pub interim: Vec<u16>,
    pub response: Response,
    pub manner: Manner,
}

/// What becomes of an answer on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Manner {
    #[default]
    Whole,
    /// It is sent byte by byte, over that time.
    Dripped(Duration),
    /// Its head is sent, and a body that never ends.
    Endless,
    /// It is cut off inside the status line, and the connection is closed.
    CutInStatusLine,
    /// It is cut off inside a header, and the connection is closed.
    CutInHeaders,
    Closes,
    Resets,
    /// Nothing is sent, and the connection stays open.
    Hangs,
}

impl Answer {
    pub fn status(status: u16) -> Self {
        let response = Response { status, ..Response::default() };
        Self { delay: Duration::ZERO, interim: Vec::new(), response, manner: Manner::Whole }
    }

    /// A 200 of which that becomes.
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

    /// The outcome of a request that is answered so.
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
        Self { otherwise: answer, ..Self::default() }
    }

    /// Nothing but what becomes of a request before its body has been read.
    pub fn before(before: Before) -> Self {
        Self { before, ..Self::default() }
    }

    /// The answer to a request; `attempts` counts, for each scripted record, how often it came.
    pub(super) fn answer(&self, delivery: &Delivery, attempts: &mut HashMap<String, usize>) -> Answer {
        let by_target = self.by_target.iter().find(|(prefix, _)| delivery.target.starts_with(prefix));
        if let Some((_, answer)) = by_target {
            return answer.clone();
        }
        if self.by_record.is_empty() {
            return self.otherwise.clone();
        }
        let scripted = uuids(&delivery.body).find_map(|id| Some((id, self.by_record.get(id)?)));
        let Some((id, answers)) = scripted else { return self.otherwise.clone() };
        let attempt = attempts.entry(id.to_owned()).or_default();
        let answer = answers.get(*attempt).or(answers.last()).unwrap_or(&self.otherwise);
        *attempt += 1;
        answer.clone()
    }
}
