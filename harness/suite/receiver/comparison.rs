//! VER-15: the comparison takes no measurably different time for a longer matching prefix.
//!
//! Three series of signatures are interleaved, in a changing order, so other load affects all of them equally. The third series
//! repeats the first: the difference between these two is noise.

use std::time::Duration;

use futures_util::FutureExt as _;

use super::messages;
use super::stage::ReceiverStage;
use crate::peers::fault::{Faults, ReceiverFault};
use crate::subject::SubjectError;
use crate::suite::requirement::{Binds, Evidence, Level, Requirement, Verdict};
use crate::suite::scenario::Scenario;
use crate::suite::transcript::{Comparison, Transcript};
use crate::webhook::signature::SIGNATURE_HEADER;

/// The requirements of this group, in the order of the contract.
pub(super) const ALL: &[Requirement] = &[VER_15];

const VER_15: Requirement = Requirement {
    id: "VER-15",
    title: "constant-time comparison",
    binds: Binds::Receiver,
    level: Level::Advice,
    check_id: "receiver/verification/comparison-time",
    text: "The comparison takes no measurably different time for a longer matching prefix.",
    source: "W",
    why: "A comparison that stops at the first wrong digit takes longer the more digits are right. An attacker can \
          measure that, and guess a signature digit by digit.",
    scenarios: &[&COMPARISON],
    needs: None,
    check: comparison_time,
    counterexamples: Faults::Receiver(&[ReceiverFault::ComparesDigitByDigit]),
};

/// What is sent for VER-15.
const COMPARISON: Scenario = Scenario::receiver(
    "comparison",
    "300 forged deliveries with either the first or the last digit of the signature \
          wrong",
    |stage| stage.comparison().boxed_local(),
);

/// The number of exchanges in each series.
const EACH: usize = 100;

/// The number of exchanges in each series if answers are slow.
const EACH_SLOW: usize = 40;

impl ReceiverStage<'_> {
    async fn comparison(&mut self) -> Result<(), SubjectError> {
        let plain = self.send(self.maker.deliver(&self.maker.plain())).await?;
        if !self.transcript.acknowledged(plain) {
            // Then forged ones may be rejected for another reason than their signature.
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
        // Other requirements need some of the time too.
        let took = self.transcript.exchange(plain).took;
        if took * 3 * u32::try_from(each).unwrap_or(u32::MAX) > self.max_time.left() / 4 {
            return Err(SubjectError::OutOfTime);
        }
        for round in 0..each {
            // Each series is first, second and third equally often.
            for turn in 0..3 {
                let series = (round + turn) % 3;
                let mut delivery = self.maker.deliver(&self.maker.plain());
                let Some(valid) = delivery.headers.single(SIGNATURE_HEADER) else { return Ok(()) };
                let mut digits = valid.to_vec();
                let places = self.maker.digits(&digits);
                let at = if series == 1 { places.end.saturating_sub(1) } else { places.start };
                // Only one digit is wrong in each of the three.
                digits[at] = if digits[at] == b'0' { b'1' } else { b'0' };
                delivery.headers.set(SIGNATURE_HEADER, digits);
                let id = self.send_forgery(delivery).await?;
                let exchange = self.transcript.exchange(id);
                let rejected = exchange.outcome.status().is_some_and(|status| (400..500).contains(&status));
                if !rejected {
                    // Other requirements report this; nothing can be compared.
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
        let plain = self.send(self.maker.deliver(&self.maker.plain())).await?;
        if self.transcript.acknowledged(plain) {
            self.transcript.comparison = Some(comparison);
        }
        Ok(())
    }
}

/// The ranks of two series must be this many standard deviations apart: less than one run in 100 million by chance.
const MEASURABLE: f64 = 6.0;

fn comparison_time(_: &Requirement, t: &Transcript) -> Verdict {
    let Some(comparison) = &t.comparison else {
        return Verdict::Inconclusive(messages::comparison_not_rejected().to_owned());
    };
    let [early, late, control] =
        [&comparison.early, &comparison.late, &comparison.control].map(|series| median(series));
    let difference = late.saturating_sub(early);
    // The difference between two equal series is noise.
    let noise = early.abs_diff(control);
    if ranks_apart(&comparison.early, &comparison.late) < MEASURABLE || difference <= noise * 3 {
        return Verdict::Pass;
    }
    let message = messages::compared_digit_by_digit(difference, comparison.early.len());
    Evidence::new(format!("{early:.0?}"), format!("{late:.0?}"), message)
        .shown_by(comparison.shown_by.iter().copied())
        .fail()
}

fn median(series: &[Duration]) -> Duration {
    let mut sorted = series.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// By how many standard deviations the second series ranks above the first (Mann and Whitney's U, normal approximation).
fn ranks_apart(first: &[Duration], second: &[Duration]) -> f64 {
    let wins: f64 = second
        .iter()
        .map(|b| {
            first
                .iter()
                .map(|a| {
                    if b > a {
                        1.0
                    } else if b == a {
                        0.5
                    } else {
                        0.0
                    }
                })
                .sum::<f64>()
        })
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "some hundreds")]
    let (m, n) = (first.len() as f64, second.len() as f64);
    (wins - m * n / 2.0) / (m * n * (m + n + 1.0) / 12.0).sqrt()
}
