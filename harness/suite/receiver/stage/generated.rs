//! Generated cases: those with an unexpected result are shrunk and recorded.
//!
//! Nothing is judged here. An unexpected result only decides which case is shrunk and recorded as a trial; the checks
//! judge it.

use proptest::strategy::{Strategy, ValueTree};
use tokio::time::Instant;

use super::ReceiverStage;
use super::batch::{BATCH, Batch, Tried};
use crate::subject::SubjectError;
use crate::suite::property::{MAX_STEPS, MAX_TIME};
use crate::suite::receiver::case::Case;
use crate::suite::receiver::messages;
use crate::suite::receiver::property::Property;
use crate::suite::transcript::{ScenarioName, Tally};
use crate::wire::exchange::{ExchangeId, Outcome};

/// How the result of a case differs from the expected one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deviation {
    /// It is rejected or not answered, although its control is accepted.
    Rejected,
    Accepted,
    /// It is rejected with a status other than 4xx, or not answered.
    Broken,
    /// A control is rejected, so the result is inconclusive.
    Uncontrolled,
}

impl ReceiverStage<'_> {
    /// Tries as many generated cases as `--cases` says. The first case of each kind of deviation is shrunk and recorded.
    pub(in crate::suite::receiver) async fn try_property(
        &mut self,
        scenario: ScenarioName,
        property: &Property,
    ) -> Result<(), SubjectError> {
        if !self.accepts_plain {
            // Every generated case would be inconclusive; the fixed cases say so.
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
            if cases.iter().any(Case::is_forged) && self.link.hangs_on_forged() {
                self.remark(messages::forged_not_answered());
                break;
            }
            let deaths = self.transcript.deaths.len();
            let Batch { tried, failure } = self.attempt_all(&cases).await;
            let hangs = |tried: &Tried| *self.transcript.outcome(tried.trial) == Outcome::TimedOut;
            if self.transcript.deaths.len() > deaths || tried.iter().flatten().any(hangs) {
                // Each crash costs a restart, and each hang the whole wait, so no more are tried.
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
            // Cases that went as expected are in the evidence by now.
            self.transcript.release();
            if let Some(why) = failure {
                self.transcript.tallies.push(tally);
                return Err(why);
            }
        }
        self.transcript.tallies.push(tally);
        Ok(())
    }

    /// Finds the smallest case that deviates in the same way, and records it.
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
        // An inconclusive case cannot be shrunk, and one that hangs would take the whole wait at each step.
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
            let tried = self.try_alone(&smaller, &maker).await?;
            let same = |tried: &Tried| self.deviation(&smaller, tried) == Some(deviation);
            deviates = tried.as_ref().is_some_and(same);
            if let Some(tried) = tried.filter(|_| deviates) {
                smallest = Some((smaller, tried));
            }
        }
        // Of the crashes while shrinking, only that of the smallest case is kept.
        let kept = smallest.as_ref().map(|(_, tried)| tried.trial);
        let mut at = 0;
        self.transcript.deaths.retain(|(exchange, _)| {
            at += 1;
            at <= deaths || Some(*exchange) == kept
        });
        match smallest {
            Some((mut smallest, tried)) => {
                smallest.what = messages::shrunk(&smallest.what);
                self.record_trial(scenario, &smallest, tried);
            }
            None => self.record_trial(scenario, case, tried),
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
