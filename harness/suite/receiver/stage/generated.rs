//! Generated cases, and the smallest of those that come out otherwise than they should.
//!
//! Nothing is judged here: that a case deviates only decides what is looked into further and what is written down as a
//! trial; the checks say what it means.

use proptest::strategy::{Strategy, ValueTree};
use tokio::time::Instant;

use super::ReceiverStage;
use super::batch::{BATCH, Batch, Tried};
use crate::subject::SubjectError;
use crate::suite::property::{MAX_STEPS, MAX_TIME};
use crate::suite::receiver::case::Case;
use crate::suite::receiver::property::Property;
use crate::suite::transcript::{ScenarioName, Tally};
use crate::wire::exchange::{ExchangeId, Outcome};

/// How a case comes out otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deviation {
    /// It is rejected, or not answered, where its control is accepted.
    Rejected,
    Accepted,
    /// It is refused with another status than 4xx, or not answered.
    Broken,
    /// A control is not acknowledged, so it does not tell.
    Uncontrolled,
}

impl ReceiverStage<'_> {
    /// Tries as many generated cases as were asked for. Of each kind of deviation, the first is shrunk and written down.
    pub(in crate::suite::receiver) async fn hold(
        &mut self,
        scenario: ScenarioName,
        property: &Property,
    ) -> Result<(), SubjectError> {
        if !self.takes_plain {
            // Nothing that is generated would tell; the fixed cases say so.
            return Ok(());
        }
        let mut runner = self.extent.runner(scenario, property.name);
        let mut left = self.extent.cases as usize;
        let mut tally =
            Tally { scenario, property: property.name, cases: 0, as_expected: 0, uncontrolled: 0 };
        let mut found = Vec::new();
        while left > 0 {
            let trees: Vec<_> = (0..left.min(BATCH))
                .map(|_| {
                    let tree = property.cases.new_tree(&mut runner);
                    tree.unwrap_or_else(|why| unreachable!("{} cannot be generated: {why}", property.name))
                })
                .collect();
            left -= trees.len();
            let cases: Vec<Case> = trees.iter().map(ValueTree::current).collect();
            if cases.iter().any(Case::is_forged) && self.line.hangs_on_forged() {
                self.remark("forged deliveries are not answered, so none were generated");
                break;
            }
            let deaths = self.transcript.deaths.len();
            let Batch { tried, stuck } = self.attempt_all(&cases).await;
            let hangs = |tried: &Tried| *self.transcript.outcome(tried.trial) == Outcome::TimedOut;
            if self.transcript.deaths.len() > deaths || tried.iter().flatten().any(hangs) {
                // Each end costs a start, each hang the whole wait: no more of these.
                left = 0;
            }
            for ((tree, case), tried) in trees.into_iter().zip(&cases).zip(tried) {
                let Some(tried) = tried else { continue };
                tally.cases += 1;
                let deviation = self.deviation(case, &tried);
                tally.uncontrolled += usize::from(deviation == Some(Deviation::Uncontrolled));
                match deviation {
                    None => tally.as_expected += 1,
                    Some(deviation) if found.contains(&deviation) => {}
                    Some(deviation) => {
                        found.push(deviation);
                        self.shrink(scenario, tree, (case, tried), deviation).await?;
                    }
                }
            }
            if let Some(why) = stuck {
                self.transcript.tallies.push(tally);
                return Err(why);
            }
        }
        self.transcript.tallies.push(tally);
        Ok(())
    }

    /// Looks for the smallest case that deviates in the same way, and writes it down.
    async fn shrink(
        &mut self,
        scenario: ScenarioName,
        mut tree: impl ValueTree<Value = Case>,
        (case, tried): (&Case, Tried),
        deviation: Deviation,
    ) -> Result<(), SubjectError> {
        let began = Instant::now();
        let mut smallest: Option<(Case, Tried)> = None;
        let deaths = self.transcript.deaths.len();
        let (mut steps, mut deviates) = (0, true);
        // A case that does not tell is no smaller for being shrunk.
        let hangs = *self.transcript.outcome(tried.trial) == Outcome::TimedOut;
        while deviation != Deviation::Uncontrolled
            && !hangs
            && steps < MAX_STEPS
            && began.elapsed() < MAX_TIME
        {
            if !(if deviates { tree.simplify() } else { tree.complicate() }) {
                break;
            }
            steps += 1;
            let smaller = tree.current();
            let maker = self.maker.with_seed(self.maker.random.seed());
            let tried = self.alone(&smaller, &maker).await?;
            let same = |tried: &Tried| self.deviation(&smaller, tried) == Some(deviation);
            deviates = tried.as_ref().is_some_and(same);
            if let Some(tried) = tried.filter(|_| deviates) {
                smallest = Some((smaller, tried));
            }
        }
        // Of the ends on the way, only that of the smallest case tells something.
        let kept = smallest.as_ref().map(|(_, tried)| tried.trial);
        let mut at = 0;
        self.transcript.deaths.retain(|(exchange, _)| {
            at += 1;
            at <= deaths || Some(*exchange) == kept
        });
        match smallest {
            Some((mut smallest, tried)) => {
                smallest.what.push_str(&format!(" (generated, and made smaller in {steps} steps)"));
                self.write(scenario, &smallest, tried);
            }
            None => self.write(scenario, case, tried),
        }
        Ok(())
    }

    fn deviation(&self, case: &Case, Tried { trial, controls }: &Tried) -> Option<Deviation> {
        let accepted = |id: ExchangeId| self.transcript.acknowledged(id);
        let controlled = controls.iter().all(|&control| accepted(control));
        let status = self.transcript.outcome(*trial).status();
        match case.is_forged() {
            false if accepted(*trial) => None,
            false if controlled => Some(Deviation::Rejected),
            true if accepted(*trial) => Some(Deviation::Accepted),
            _ if !controlled => Some(Deviation::Uncontrolled),
            true if !status.is_some_and(|status| (400..500).contains(&status)) => Some(Deviation::Broken),
            true if self.transcript.death_at(*trial).is_some() => Some(Deviation::Broken),
            _ => None,
        }
    }
}
