//! Notices that something else answers instead of the receiver, and then sends nothing more.
//!
//! Invariant: a run stops only if forged and unsigned deliveries are answered like the valid one, so no check could show anything.

use super::ReceiverStage;
use crate::subject::SubjectError;
use crate::suite::cause::Code;
use crate::suite::cause::receiver::{of_obstacle, says_the_same};
use crate::suite::receiver::diagnosis::DIAGNOSIS;
use crate::suite::receiver::messages;
use crate::suite::transcript::Respect;
use crate::webhook::recipe::{KeyForm, Recipe};
use crate::webhook::signature::{NONCE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::wire::exchange::{ExchangeId, Outcome};

/// Where no program has a route.
const NOWHERE: &str = "/no-route-of-any-program";

/// After this many deliveries in a row that a rate limit answered, no more are sent.
const LIMITED: usize = 8;

impl ReceiverStage<'_> {
    /// After the first valid delivery: if it was rejected as by a router, a gateway or a guard, sends a few more.
    ///
    /// Errors: those were answered alike.
    pub(in crate::suite::receiver) async fn find_obstacle(
        &mut self,
        valid: ExchangeId,
    ) -> Result<(), SubjectError> {
        let Outcome::Answered(answer) = self.transcript.outcome(valid) else { return Ok(()) };
        if of_obstacle(answer).is_none() || self.looked_for_obstacle {
            return Ok(());
        }
        self.looked_for_obstacle = true;
        let answer = answer.clone();
        let other = Recipe::key(KeyForm::Other);
        let mut forged = self.maker.control(self.maker.render(&self.maker.plain()));
        let secret = self.maker.secret.expose();
        let Some(value) = other.compute(secret, forged.timestamp.as_bytes(), &forged.delivery.body) else {
            return Ok(());
        };
        forged.delivery.headers.set(SIGNATURE_HEADER, value);
        let mut unsigned = self.maker.deliver(&self.maker.plain());
        for name in [SIGNATURE_HEADER, TIMESTAMP_HEADER, NONCE_HEADER] {
            unsigned.headers.remove(name);
        }
        for (respect, what, delivery) in [
            (Respect::Signed(other), messages::signed_with_another_key(), forged.delivery),
            (Respect::Unsigned, messages::without_headers(), unsigned),
        ] {
            let id = self.send_forgery(delivery).await?;
            self.record_single(DIAGNOSIS.name, what.to_owned(), respect, id);
            let same = match self.transcript.outcome(id) {
                Outcome::Answered(other) => of_obstacle(other) == of_obstacle(&answer),
                _ => false,
            };
            if !same {
                return Ok(());
            }
        }
        let Some(code) = of_obstacle(&answer) else { return Ok(()) };
        if code == Code::RouteNotFound && !self.is_answered_alike_elsewhere(valid).await? {
            return Ok(());
        }
        let limited = answer.limits_rate().then(|| messages::rate_limited(&answer));
        self.stop(limited.unwrap_or_else(|| messages::not_reached(code.as_str(), answer.status)))
    }

    /// Whether a path that no program has is answered like this one. A receiver may answer 404 to a wrong signature.
    async fn is_answered_alike_elsewhere(&mut self, valid: ExchangeId) -> Result<bool, SubjectError> {
        let mut delivery = self.maker.deliver(&self.maker.plain());
        let here = delivery.target.clone();
        NOWHERE.clone_into(&mut delivery.target);
        let id = self.send_forgery(delivery).await?;
        Ok(match (self.transcript.outcome(valid), self.transcript.outcome(id)) {
            (Outcome::Answered(one), Outcome::Answered(other)) => {
                says_the_same((one, &here), (other, NOWHERE))
            }
            _ => false,
        })
    }

    /// Between two scenarios: whether a rate limit answers everything.
    ///
    /// Errors: it does, so no more is sent.
    pub(super) fn notice_limit(&mut self) -> Result<(), SubjectError> {
        let last = self.transcript.exchanges.after(self.transcript.exchanges.count().saturating_sub(LIMITED));
        let limits: Vec<_> = last.iter().filter_map(|exchange| exchange.outcome.rate_limit()).collect();
        match limits.last() {
            Some(answer) if limits.len() >= LIMITED => {
                let why = messages::rate_limited(answer);
                self.stop(why)
            }
            _ => Ok(()),
        }
    }

    fn stop(&mut self, why: String) -> Result<(), SubjectError> {
        self.transcript.stopped = true;
        Err(SubjectError::Died(why))
    }
}
