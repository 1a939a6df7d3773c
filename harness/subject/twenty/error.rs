//! Why a call to a CRM failed: a kind that code can match, a message, and the fix.

use std::fmt;

use super::messages;
use super::transport::Call;
use crate::error::{StartFailure, SubjectError};

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiFault {
    /// The server does not know the key (401).
    WrongKey,
    /// The key may not do this (403).
    Forbidden,
    /// The server is something other than a Twenty.
    NotTwenty,
    /// This version has no such route.
    NoRoute,
    /// There is no such record, webhook or object.
    NotFound,
    /// The server refused the request as wrong.
    Refused,
    /// The server limited the rate for longer than was waited.
    RateLimited,
    /// The server failed (5xx).
    ServerFailed,
    /// No connection.
    Unreachable,
    /// No answer in time. The call may have been carried out.
    TimedOut,
    /// The connection ended without an answer. The call may have been carried out.
    Lost,
    /// The answer was too long, or not as it should be.
    Unreadable,
}

/// Why a call failed. No text of it has the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub fault: ApiFault,
    /// What happened, with the server and the call.
    pub message: String,
    /// What to do about it; it may be empty.
    pub fix: String,
    /// What the server said, as far as it was kept.
    pub said: String,
}

impl ApiError {
    /// `said` is what the server said.
    pub(super) fn new(fault: ApiFault, server: &str, call: &Call, said: &str) -> Self {
        let name = call.name();
        let (message, fix) = match fault {
            ApiFault::WrongKey => (messages::wrong_key(server, said), messages::make_a_key().to_owned()),
            ApiFault::Forbidden => {
                (messages::forbidden(server, &name, said), messages::allow(call.permission))
            }
            ApiFault::NotTwenty => {
                (messages::not_twenty(server, &name, said), messages::give_the_server().to_owned())
            }
            ApiFault::NoRoute => (messages::no_route(server, &name), messages::upgrade().to_owned()),
            ApiFault::NotFound => (messages::not_found(&name, said), String::new()),
            ApiFault::Refused => (messages::refused(&name, said), String::new()),
            ApiFault::RateLimited => {
                (messages::rate_limited(server, &name, said), messages::wait_or_raise().to_owned())
            }
            ApiFault::ServerFailed => {
                (messages::server_failed(&name, said), messages::read_the_log().to_owned())
            }
            ApiFault::Unreachable => (messages::unreachable(server, said), messages::start_it().to_owned()),
            ApiFault::TimedOut => (messages::timed_out(server, &name), messages::is_it_busy().to_owned()),
            ApiFault::Lost => (messages::lost(server, &name, said), messages::read_the_log().to_owned()),
            ApiFault::Unreadable => {
                (messages::unreadable(server, &name, said), messages::read_the_log().to_owned())
            }
        };
        Self { fault, message, fix, said: said.to_owned() }
    }

    /// Whether the call may have been carried out although it failed.
    pub fn is_uncertain(&self) -> bool {
        matches!(
            self.fault,
            ApiFault::TimedOut | ApiFault::Lost | ApiFault::ServerFailed | ApiFault::Unreadable
        )
    }

    /// The error of a run that cannot begin.
    pub fn at_start(self) -> SubjectError {
        let fixes = Some(self.fix).filter(|fix| !fix.is_empty()).into_iter().collect();
        let failure = StartFailure { fault: self.message, command: None, output: None, fixes };
        SubjectError::NotStarted(Box::new(failure))
    }

    /// The error of a run under way. A server that cannot be reached any more says nothing about its webhooks.
    pub fn in_run(&self) -> SubjectError {
        SubjectError::RequestFailed(self.to_string())
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.fix.is_empty() { Ok(()) } else { write!(f, "; {}", self.fix) }
    }
}

impl std::error::Error for ApiError {}
