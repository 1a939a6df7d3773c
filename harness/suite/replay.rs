//! One saved delivery sent again, between its controls.
//!
//! Invariant: the deliveries go out in the order of the run, and a receiver that ends is noticed before the next one.

use crate::subject::SubjectError;
use crate::subject::receiver::Receiver;
use crate::wire::client::Client;
use crate::wire::exchange::{Delivery, Exchange};

/// What is sent, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayDeliveries {
    /// The control before, where there is one.
    pub before: Option<Delivery>,
    /// The delivery itself.
    pub trial: Delivery,
    /// The control after, where there is one.
    pub after: Option<Delivery>,
}

/// What became of them.
#[derive(Debug, Clone)]
pub struct ReplayAttempt {
    /// The control before, where there is one.
    pub before: Option<Exchange>,
    /// The delivery itself.
    pub trial: Exchange,
    /// The control after, where there is one.
    pub after: Option<Exchange>,
    /// How the receiver ended, if it did.
    pub died: Option<String>,
}

/// Sends the control, the delivery, the control again. `may_end` is whether the receiver ended at the delivery before: then it
/// is looked at whatever it answers.
///
/// Errors: a receiver that ended cannot be started again.
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
