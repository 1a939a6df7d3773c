//! VER-15: the comparison takes no measurably different time for a longer matching prefix.
//!
//! The three series are taken in turns on one connection, in an order that changes, so that whatever else goes on meets all of
//! them alike; the third is a control for the first.

use std::time::Duration;

use futures_util::FutureExt as _;

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
    why: "A comparison that ends at the first wrong digit tells by its time how many were right, and so lets a \
          signature be guessed digit by digit.",
    scenarios: &[&COMPARISON],
    needs: None,
    check: comparison_time,
    counterexamples: Faults::Receiver(&[ReceiverFault::ComparesDigitByDigit]),
};

/// What is sent for VER-15.
const COMPARISON: Scenario = Scenario::receiver(
    "comparison",
    "300 forged deliveries in turns, with the first or the last digit of their \
          signatures wrong",
    |stage| stage.comparison().boxed_local(),
);

/// How many exchanges there are in each series.
const EACH: usize = 100;

/// The same where each answer takes long.
const EACH_SLOW: usize = 40;

impl ReceiverStage<'_> {
    async fn comparison(&mut self) -> Result<(), SubjectError> {
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

    /// Whether what is valid is acknowledged: only then it is the signature that the others are refused for.
    async fn takes_plain(&mut self) -> Result<bool, SubjectError> {
        let id = self.send(self.maker.deliver(&self.maker.plain())).await?;
        Ok(self.transcript.acknowledged(id))
    }
}

/// How many standard deviations the ranks of two series must be apart: less than one run in a hundred million by chance.
const MEASURABLE: f64 = 6.0;

fn comparison_time(_: &Requirement, t: &Transcript) -> Verdict {
    let Some(comparison) = &t.comparison else {
        return Verdict::Inconclusive("the signatures compared were not all answered 4xx".to_owned());
    };
    let [early, late, control] =
        [&comparison.early, &comparison.late, &comparison.control].map(|series| median(series));
    let apart = late.saturating_sub(early);
    // What two equal series differ by is noise; a difference of that size says nothing.
    let noise = early.abs_diff(control);
    if ranks_apart(&comparison.early, &comparison.late) < MEASURABLE || apart <= noise * 3 {
        return Verdict::Pass;
    }
    let message = format!(
        "a signature that is wrong in its last digit alone is refused {apart:.0?} later than one that is wrong in its first \
         (medians of {} each): compare in constant time, over all digits",
        comparison.early.len()
    );
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
