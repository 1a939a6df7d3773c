//! How long refusals take, by how much of the signature is right.
//!
//! Invariant: the three series are taken in turns on one connection, in an order that changes, so that whatever else goes on
//! meets all of them alike; the third is a control for the first.

use super::Stage;
use crate::subject::SubjectError;
use crate::suite::receiver::scenarios::COMPARISON;
use crate::suite::transcript::Comparison;
use crate::webhook::signature::SIGNATURE_HEADER;

/// How many exchanges there are in each series.
const EACH: usize = 100;
/// The same where each answer takes long.
const EACH_SLOW: usize = 40;

impl Stage<'_> {
    pub(crate) async fn comparison(&mut self) -> Result<(), SubjectError> {
        if !self.takes_plain().await? {
            return Ok(());
        }
        let mut comparison = Comparison {
            scenario: COMPARISON.name,
            early: Vec::new(),
            late: Vec::new(),
            control: Vec::new(),
            shown_by: Vec::new(),
        };
        let each = if self.slow { EACH_SLOW } else { EACH };
        for round in 0..each {
            // Each series is first, second and third equally often.
            for turn in 0..3 {
                let series = (round + turn) % 3;
                let mut delivery = self.maker.deliver(&self.maker.plain());
                let Some(valid) = delivery.headers.single(SIGNATURE_HEADER) else { return Ok(()) };
                let mut digits = valid.to_vec();
                let at = if series == 1 { digits.len() - 1 } else { 0 };
                // The other digits of the early ones stay right: all three differ in one digit alone.
                digits[at] = if digits[at] == b'0' { b'1' } else { b'0' };
                delivery.headers.set(SIGNATURE_HEADER, digits);
                let id = self.send_forgery(delivery).await?;
                let exchange = self.transcript.exchange(id);
                let refused = exchange.outcome.status().is_some_and(|status| (400..500).contains(&status));
                if !refused {
                    // That is for other requirements to say; nothing can be compared.
                    return Ok(());
                }
                let took = exchange.took;
                match series {
                    0 => comparison.early.push(took),
                    1 => comparison.late.push(took),
                    _ => comparison.control.push(took),
                }
                if round == 0 && series < 2 {
                    comparison.shown_by.push(id);
                }
            }
        }
        if self.takes_plain().await? {
            self.transcript.comparison = Some(comparison);
        }
        Ok(())
    }

    /// Whether what is genuine is acknowledged: only then it is the signature that the others are refused for.
    async fn takes_plain(&mut self) -> Result<bool, SubjectError> {
        let id = self.send(self.maker.deliver(&self.maker.plain())).await?;
        Ok(self.transcript.acknowledged(id))
    }
}
