//! The verdict on a receiver whose process ended, if no other verdict shows it.

use super::messages;
use crate::suite::cause::{Cause, Code};
use crate::suite::requirement::{Evidence, Verdict};
use crate::suite::transcript::Transcript;
use crate::wire::exchange::ExchangeId;

/// The verdict on the requirement whose delivery was tried when the process ended. `how` says how it ended.
pub(crate) fn ended(t: &Transcript, at: ExchangeId, how: &str) -> Verdict {
    let trial = t.trials.iter().find(|trial| trial.exchange == at);
    let message = match trial {
        Some(trial) => messages::ended_at(&trial.what, how),
        None => messages::ended_after(at, how),
    };
    Evidence::new(messages::keeps_running(), messages::process_ended(), message)
        .shown_by([at])
        .because(Cause::detailed(Code::CrashEverything, messages::process_ended()))
        .fail()
}
