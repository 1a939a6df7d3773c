//! Sends a saved delivery again, between its controls.
//!
//! Deliveries go out in the order of the run, and a receiver that exits is noticed before the next one.

use crate::subject::SubjectError;
use crate::subject::receiver::Receiver;
use crate::wire::client::Client;
use crate::wire::exchange::{Delivery, Exchange};

/// The deliveries to send, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayDeliveries {
    /// The control before, if any.
    pub before: Option<Delivery>,
    pub trial: Delivery,
    /// The control after, if any.
    pub after: Option<Delivery>,
}

/// The exchanges of one replay.
#[derive(Debug, Clone)]
pub struct ReplayAttempt {
    /// The control before, if any.
    pub before: Option<Exchange>,
    pub trial: Exchange,
    /// The control after, if any.
    pub after: Option<Exchange>,
    /// How the receiver exited, if it did.
    pub died: Option<String>,
}

/// Sends the control, the delivery, and the control again. With `may_end`, the process is checked even if it answers, because
/// the receiver exited at this delivery in the run.
///
/// Errors: a receiver that exited cannot be started again.
pub async fn send(
    client: &Client,
    subject: &mut Receiver,
    deliveries: &ReplayDeliveries,
    may_end: bool,
) -> Result<ReplayAttempt, SubjectError> {
    let target = subject.target().clone();
    let send = async |delivery: &Option<Delivery>| match delivery {
        Some(control) => Some(client.send(&target, control).await),
        None => None,
    };
    let before = send(&deliveries.before).await;
    let trial = client.send(&target, &deliveries.trial).await;
    let may_have_ended = trial.outcome.status().is_none() || may_end;
    let died = if may_have_ended { subject.revive().await? } else { None };
    let after = send(&deliveries.after).await;
    Ok(ReplayAttempt { before, trial, after, died })
}
