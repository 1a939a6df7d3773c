//! Sends a batch to the receiver, which is started once for all cases that have the same path and the same secret.

use std::collections::VecDeque;

use tokio::sync::watch;

use super::Arguments;
use super::source::{Batch, Item, Sent};
use super::tally::Tally;
use crate::cli::attach::Attachment;
use crate::cli::console::Console;
use crate::cli::messages::{self, replay};
use crate::cli::signals::interruption;
use crate::clock::Clock;
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::random::Random;
use crate::redaction::Redaction;
use crate::report::Tool;
use crate::report::case::replayed::Timing;
use crate::report::case::{Case, entry};
use crate::subject::SubjectError;
use crate::subject::receiver::Receiver;
use crate::suite::replay as suite;
use crate::suite::replay::ReplayAttempt;
use crate::terminal::clean;
use crate::webhook::signature::Secret;
use crate::wire::client::Client;

/// A batch on its way.
pub(super) struct Sending<'a> {
    arguments: &'a Arguments,
    batch: Batch,
    tally: Tally,
    clock: Clock,
    interrupted: watch::Receiver<bool>,
    console: &'a mut Console,
}

/// A case, and how it is sent; or why it cannot be.
type Prepared = (Case, Result<Timing, String>);

/// Why a group of cases ended early.
enum Ended {
    Interrupted,
    /// The receiver is not there.
    Gone(SubjectError),
    Error(Error),
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl<'a> Sending<'a> {
    pub(super) fn new(arguments: &'a Arguments, batch: Batch, console: &'a mut Console) -> Self {
        let (tally, clock, interrupted) = (Tally::default(), Clock::system(), interruption());
        Self { arguments, batch, tally, clock, interrupted, console }
    }

    /// Sends everything, and prints the verdicts.
    ///
    /// Errors: the receiver was not there from the beginning, or an option is wrong.
    pub(super) async fn run(mut self) -> Result<ExitStatus, Error> {
        let of_captured = self.batch.items.iter().any(|item| item.sent.is_captured());
        let mut items = std::mem::take(&mut self.batch.items).into_iter().peekable();
        let mut interrupted = false;
        while let Some(first) = items.next() {
            let mut group = vec![first];
            while let Some(next) = items.next_if(|next| self.is_together(&group[0], next)) {
                group.push(next);
            }
            let mut left = group.into_iter().collect();
            match self.group(&mut left).await {
                Ok(()) => {}
                Err(Ended::Error(why)) => return Err(why),
                Err(Ended::Gone(why)) if self.tally.is_empty() => return Err(why.into()),
                Err(Ended::Gone(why)) => {
                    let why = why.start_failure().fault;
                    for item in left {
                        let why = replay::receiver_is_gone(&why);
                        self.tally.not_judged(&item.name, &why, self.console)?;
                    }
                }
                Err(Ended::Interrupted) => {
                    interrupted = true;
                    break;
                }
            }
        }
        if interrupted && self.tally.is_empty() {
            self.console.error(replay::interrupted_while_sending());
        }
        for (name, why) in std::mem::take(&mut self.batch.unusable) {
            self.tally.not_judged(&name, &why, self.console)?;
        }
        self.tally.end(interrupted, of_captured, self.console)
    }

    /// Whether the receiver that is started for one can have the other.
    fn is_together(&self, one: &Item, other: &Item) -> bool {
        let ((path, seed), (other_path, other_seed)) = (one.sent.place(), other.sent.place());
        path == other_path && seed == other_seed
    }

    /// Sends cases for one receiver; those that are not judged are left.
    async fn group(&mut self, left: &mut VecDeque<Item>) -> Result<(), Ended> {
        let Some(first) = left.front() else { return Ok(()) };
        let (_, seed) = first.sent.place();
        let made = || Secret::new(Random::secret_of(seed));
        let attach = &self.arguments.attach;
        let path = first.sent.path(|| Ok(attach.given_secret(self.console)?.unwrap_or_else(made)))?;
        let path = (self.arguments.path.as_deref(), path.as_str());
        let attachment = self.arguments.attach.attachment(path, made, &self.arguments.trust, self.console)?;
        let prepared = self.prepared(left.iter(), &attachment)?;
        let interrupted = self.interrupted.clone();
        let reached = attachment.reach(&interrupted, false).await.map_err(Ended::Gone)?;
        let Some(mut subject) = reached else {
            self.console.error(&messages::interrupted_before_ready("sent"));
            return Err(Ended::Interrupted);
        };
        self.heading(&attachment)?;
        let mut ended = Ok(());
        for (case, timing) in prepared {
            ended = self.one(left, (case, timing), (&attachment, &mut subject)).await;
            if ended.is_err() {
                break;
            }
        }
        subject.stop().await;
        ended
    }

    /// The cases with their secret, and how each is sent.
    ///
    /// Errors: all of them were recorded with another secret.
    fn prepared<'b>(
        &self,
        items: impl Iterator<Item = &'b Item>,
        attachment: &Attachment,
    ) -> Result<Vec<Prepared>, Error> {
        let (secret, now_ms, as_saved) = (&attachment.secret, self.clock.now_ms(), self.arguments.as_saved);
        let prepared: Vec<Prepared> = items
            .map(|item| match &item.sent {
                Sent::Case(case, _) => {
                    let case = case.as_ref().clone().with_secret(secret);
                    let timing = case.timing(secret, as_saved, now_ms).map_err(|doubt| doubt.to_string());
                    (case, timing)
                }
                Sent::Captured(recorded) => {
                    let case = Case::of_captured(recorded.delivery(secret), secret, as_saved, now_ms);
                    // A signature that no known way gives is wrong at any time.
                    let timing =
                        if as_saved { case.timing(secret, true, now_ms) } else { Ok(Timing::Present(None)) };
                    (case, timing.map_err(|doubt| doubt.to_string()))
                }
            })
            .collect();
        let first = prepared.first().and_then(|(_, timing)| timing.as_ref().err());
        match first {
            Some(doubt) if self.tally.is_empty() && prepared.iter().all(|(_, timing)| timing.is_err()) => {
                Err(Error::Usage(doubt.clone()))
            }
            _ => Ok(prepared),
        }
    }

    /// Sends the first case that is left, and judges it.
    async fn one(
        &mut self,
        left: &mut VecDeque<Item>,
        (case, timing): Prepared,
        (attachment, subject): (&Attachment, &mut Receiver),
    ) -> Result<(), Ended> {
        let Some(item) = left.front() else { return Ok(()) };
        let timing = match timing {
            Ok(timing) => timing,
            Err(why) => {
                self.tally.not_judged(&item.name, &why, self.console)?;
                left.pop_front();
                return Ok(());
            }
        };
        let case = case.at_path(&subject.target().path);
        let deliveries = case.deliveries(&attachment.secret, &timing, self.clock.now_ms());
        let client = Client::new(self.arguments.timeout, self.clock.clone());
        let attempt = tokio::select! {
            attempt = suite::send(&client, subject, &deliveries, case.died.is_some()) => attempt,
            Ok(_) = self.interrupted.wait_for(|on| *on) => return Err(Ended::Interrupted),
        };
        let attempt: ReplayAttempt = attempt.map_err(Ended::Gone)?;
        let replayed = case.judge(&attempt, &timing);
        let redaction = Redaction::new([&attachment.secret]);
        if let (true, Sent::Case(_, requirement)) = (self.batch.is_single, &item.sent) {
            let shown = (&attempt, &replayed);
            let shown = entry::render(requirement, &case, shown, subject.target(), &redaction);
            self.console.print(&(shown + "\n"))?;
        }
        let of = (item.name.as_str(), &case, item.sent.is_captured());
        self.tally.case(of, (&attempt, &replayed), &redaction, self.console)?;
        left.pop_front();
        Ok(())
    }

    /// Prints the heading, before the first case.
    fn heading(&mut self, attachment: &Attachment) -> Result<(), Error> {
        if !self.tally.is_empty() {
            return Ok(());
        }
        let how = if self.arguments.as_saved { "as saved" } else { "signed again" };
        let heading = format!(
            "{} {} · replay {} · receiver {} · {how}\n\n",
            Tool::THIS.name,
            Tool::THIS.version,
            clean(&self.batch.name),
            clean(&attachment.name)
        );
        self.console.print(&Redaction::new([&attachment.secret]).text(&heading))
    }
}
