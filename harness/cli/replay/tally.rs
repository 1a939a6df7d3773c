//! The lines of a replay, and what they add up to.

use crate::cli::console::Console;
use crate::cli::messages::replay::{self as messages, Counts};
use crate::error::Error;
use crate::exit::ExitStatus;
use crate::redaction::Redaction;
use crate::report::case::Case;
use crate::report::case::replayed::Replayed;
use crate::suite::replay::ReplayAttempt;
use crate::terminal::{BAD, GOOD, UNCLEAR, clean};

/// What the cases have come to so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    fixed: usize,
    still_there: usize,
    changed: usize,
    not_judged: usize,
}

impl Tally {
    pub(super) fn is_empty(&self) -> bool {
        self.fixed + self.still_there + self.changed + self.not_judged == 0
    }

    /// Prints the line of a case, or of a captured request.
    pub(super) fn case(
        &mut self,
        (name, case, is_captured): (&str, &Case, bool),
        (attempt, replayed): (&ReplayAttempt, &Replayed),
        redaction: &Redaction,
        console: &mut Console,
    ) -> Result<(), Error> {
        let told = |message: &str| clean(&redaction.text(message)).into_owned();
        let name = clean(name);
        let (count, style, line) = match replayed {
            Replayed::Inconclusive(why) => {
                (&mut self.not_judged, UNCLEAR, messages::not_judged(&name, &told(why)))
            }
            Replayed::Fixed if is_captured => {
                let answered = messages::answered(&case.what, &attempt.trial.outcome);
                (&mut self.fixed, GOOD, messages::as_expected(&name, &told(&answered)))
            }
            Replayed::StillFails(message) | Replayed::FailsOtherwise(message) if is_captured => {
                let line = messages::not_as_expected(&name, &told(message), &case.expected.describe());
                (&mut self.still_there, BAD, line)
            }
            Replayed::Fixed => (&mut self.fixed, GOOD, messages::fixed(&name)),
            Replayed::StillFails(message) => {
                (&mut self.still_there, BAD, messages::still_there(&name, &told(message)))
            }
            Replayed::FailsOtherwise(message) => {
                (&mut self.changed, BAD, messages::changed(&name, &told(message)))
            }
        };
        *count += 1;
        console.print(&format!("{style}{line}{style:#}\n"))
    }

    /// Prints the line of a case that was not judged.
    pub(super) fn not_judged(&mut self, name: &str, why: &str, console: &mut Console) -> Result<(), Error> {
        self.not_judged += 1;
        let line = messages::not_judged(&clean(name), &clean(why));
        console.print(&format!("{UNCLEAR}{line}{UNCLEAR:#}\n"))
    }

    /// Prints the last line, and returns the status.
    pub(super) fn end(
        &self,
        interrupted: bool,
        of_captured: bool,
        console: &mut Console,
    ) -> Result<ExitStatus, Error> {
        let (word, status) = if interrupted {
            ("interrupted", ExitStatus::Interrupted)
        } else if self.still_there + self.changed > 0 {
            ("fail", ExitStatus::Failed)
        } else if self.not_judged > 0 || self.is_empty() {
            ("incomplete", ExitStatus::Incomplete)
        } else {
            ("pass", ExitStatus::Passed)
        };
        let Self { fixed, still_there, changed, not_judged } = *self;
        let counts = Counts { fixed, still_there, changed, not_judged };
        console.print(&messages::result(word, &counts, of_captured))?;
        Ok(status)
    }
}
