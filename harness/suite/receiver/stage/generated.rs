//! Generated cases, in rounds over all properties: those with an unexpected result are shrunk and recorded.
//!
//! The cases of a property depend on the seed alone, however many the rounds try.
//!
//! Nothing is judged here. An unexpected result only decides which case is shrunk and recorded as a trial; the checks
//! judge it.

use std::time::Duration;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use tokio::time::Instant;

use super::ReceiverStage;
use super::batch::{BATCH, Batch, Tried};
use crate::subject::SubjectError;
use crate::suite::messages::fewer_generated;
use crate::suite::property::{Extent, LEAST_CASES, MAX_STEPS, MAX_TIME};
use crate::suite::receiver::case::Case;
use crate::suite::receiver::messages;
use crate::suite::receiver::property::Property;
use crate::suite::transcript::{Deviation, Ending, GeneratedCase, Kept, ScenarioName, Tally};
use crate::wire::exchange::{ExchangeId, Outcome};

/// The search for generated cases of one property that have an unexpected result.
pub(super) struct Search {
    property: Property,
    runner: TestRunner,
    tally: Tally,
    /// The kinds of deviations so far.
    found: Vec<Deviation>,
    /// How many cases were tried. A case may turn out to have nothing to try; the tally does not count it.
    tried: usize,
    /// Whether no more are to be tried.
    over: bool,
}

impl Search {
    pub(super) fn new(scenario: ScenarioName, property: Property, extent: Extent) -> Self {
        let runner = extent.runner(scenario, property.name);
        let tally = Tally { scenario, property: property.name, cases: 0, as_expected: 0, uncontrolled: 0 };
        Self { property, runner, tally, found: Vec::new(), tried: 0, over: false }
    }

    fn is_over(&self, extent: Extent) -> bool {
        self.over || self.tried >= extent.cases as usize
    }

    fn generate(&mut self) -> impl ValueTree<Value = Case> + use<> {
        let Property { name, cases } = &self.property;
        let tree = cases.new_tree(&mut self.runner);
        tree.unwrap_or_else(|why| unreachable!("{name} cannot be generated: {why}"))
    }
}

impl ReceiverStage<'_> {
    /// Tries some more generated cases of each property. Returns whether there are more to try in time.
    pub async fn try_round(&mut self) -> bool {
        let count = self.size_of_round();
        for at in 0..self.searches.len() {
            if count == 0 || self.max_time.is_over() {
                return false;
            }
            if self.searches[at].is_over(self.extent) {
                continue;
            }
            let tried = match self.begin().await {
                Ok(()) => self.try_some(at, count).await,
                died => died,
            };
            let Err(why) = tried else { continue };
            self.searches[at].over = !matches!(why, SubjectError::OutOfTime);
            if self.searches[at].over {
                let ending = self.ending(why);
                let is_lost = matches!(ending, Ending::Died(_) | Ending::ProtocolViolation(_));
                self.transcript.cut_short(self.searches[at].tally.scenario, ending);
                if is_lost {
                    return false;
                }
            }
        }
        count > 0
    }

    /// How many cases of each property the next round tries: few at first, to see how long they take, then as many as fit the
    /// time.
    fn size_of_round(&self) -> usize {
        let open = self.searches.iter().filter(|search| !search.is_over(self.extent));
        let Some(tried) = open.map(|search| search.tried).min() else { return 0 };
        let left = (self.extent.cases as usize).saturating_sub(tried).min(BATCH);
        if tried < LEAST_CASES {
            return left.min(LEAST_CASES - tried);
        }
        let time = self.max_time.left_for_generated(Duration::ZERO).as_micros();
        let fit = time * tried as u128 / self.generating.as_micros().max(1);
        left.min(usize::try_from(fit).unwrap_or(usize::MAX))
    }

    /// Tries generated cases of one property. The first case of each kind of deviation is shrunk and recorded.
    async fn try_some(&mut self, at: usize, count: usize) -> Result<(), SubjectError> {
        let search = &mut self.searches[at];
        let scenario = search.tally.scenario;
        let count = count.min((self.extent.cases as usize).saturating_sub(search.tried));
        let trees: Vec<_> = (0..count).map(|_| search.generate()).collect();
        let cases: Vec<Case> = trees.iter().map(ValueTree::current).collect();
        if cases.iter().any(Case::is_forged) && self.link.hangs_on_forged() {
            self.searches[at].over = true;
            self.remark(messages::forged_not_answered());
            return Ok(());
        }
        let deaths = self.transcript.deaths.len();
        let began = Instant::now();
        let Batch { tried, mut failure } = self.attempt_all(&cases).await;
        self.generating += began.elapsed();
        let search = &mut self.searches[at];
        // Without a failure, a case without a result had nothing to try.
        search.tried += if failure.is_none() { count } else { tried.iter().flatten().count() };
        let hangs = |tried: &Tried| *self.transcript.outcome(tried.trial) == Outcome::TimedOut;
        // Each crash costs a restart, and each hang the whole wait, so no more are tried.
        search.over |= self.transcript.deaths.len() > deaths || tried.iter().flatten().any(hangs);
        for ((tree, case), tried) in trees.into_iter().zip(&cases).zip(tried) {
            let Some(tried) = tried else { continue };
            let deviation = self.deviation(case, &tried);
            self.keep_generated(at, case, &tried, deviation);
            let Search { tally, found, .. } = &mut self.searches[at];
            tally.cases += 1;
            tally.uncontrolled += usize::from(deviation == Some(Deviation::Uncontrolled));
            match deviation {
                None => tally.as_expected += 1,
                Some(deviation) if found.contains(&deviation) => {}
                Some(deviation) => {
                    found.push(deviation);
                    let shrunk = self.shrink(scenario, tree, (case, tried), deviation).await;
                    failure = failure.or(shrunk.err());
                }
            }
        }
        // Cases that went as expected are in the evidence by now.
        self.transcript.release();
        failure.map_or(Ok(()), Err)
    }

    /// Ends the search. `why` is how the scenarios end of which too few cases were tried.
    pub fn end_rounds(&mut self, why: &Ending) {
        let (cases, least) = (self.extent.cases as usize, LEAST_CASES.min(self.extent.cases as usize));
        let mut fewest = cases;
        for search in std::mem::take(&mut self.searches) {
            if !search.is_over(self.extent) {
                fewest = fewest.min(search.tried);
                if search.tried < least {
                    self.transcript.cut_short(search.tally.scenario, why.clone());
                }
            }
            self.transcript.tallies.push(search.tally);
        }
        if let Ending::OutOfTime(whole) = why
            && fewest < cases
        {
            self.remark(&fewer_generated(fewest, cases, *whole));
        }
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
        // Other properties need some of the time too.
        let most = MAX_TIME.min(self.max_time.left() / 8);
        let (mut smallest, mut ended): (Option<(Case, Tried)>, _) = (None, Ok(()));
        let deaths = self.transcript.deaths.len();
        let (mut steps, mut deviates) = (0, true);
        // An inconclusive case cannot be shrunk, and one that hangs would take the whole wait at each step.
        let hangs = *self.transcript.outcome(tried.trial) == Outcome::TimedOut;
        while deviation != Deviation::Uncontrolled && !hangs && steps < MAX_STEPS && began.elapsed() < most {
            if !(if deviates { tree.simplify() } else { tree.complicate() }) {
                break;
            }
            steps += 1;
            let smaller = tree.current();
            let maker = self.maker.with_seed(self.maker.random.seed());
            let tried = match self.try_alone(&smaller, &maker).await {
                Ok(tried) => tried,
                Err(why) => {
                    ended = Err(why);
                    break;
                }
            };
            let same = |tried: &Tried| self.deviation(&smaller, tried) == Some(deviation);
            deviates = tried.as_ref().is_some_and(same);
            if let Some(tried) = tried.filter(|_| deviates) {
                smallest = Some((smaller, tried));
            }
        }
        let (shown, found) = smallest.as_ref().map_or((case, &tried), |(case, tried)| (case, tried));
        if deviation == Deviation::Rejected && !hangs && ended.is_ok() {
            let matters = match shown.variants() {
                [] => self.what_matters(found).await,
                _ => self.what_matters_of(shown).await,
            };
            self.transcript.matters.extend(matters.map(|matters| (found.trial, matters)));
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
        // What was found is recorded whatever ends the search.
        ended
    }

    /// Hands a generated case to the keeper.
    fn keep_generated(&self, at: usize, case: &Case, tried: &Tried, deviation: Option<Deviation>) {
        let Some(keeper) = &self.transcript.keeper else { return };
        let Tally { scenario, property, .. } = self.searches[at].tally;
        let Tried { trial: exchange, controls } = tried;
        keeper.keep(Kept::Generated(&GeneratedCase {
            scenario,
            property,
            what: case.what.clone(),
            respect: case.respect,
            forged: case.is_forged(),
            exchange: *exchange,
            controls: controls.clone(),
            deviation,
        }));
    }

    fn deviation(&self, case: &Case, Tried { trial, controls }: &Tried) -> Option<Deviation> {
        let status = |id: ExchangeId| self.transcript.outcome(id).status();
        let died = self.transcript.death_at(*trial).is_some();
        Deviation::of(case.is_forged(), status(*trial), controls.iter().map(|&id| status(id)), died)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::any;

    use super::*;
    use crate::suite::transcript::Respect;

    fn search(name: &'static str, cases: u32) -> Search {
        let property = Property::of(name, any::<u64>(), |number| {
            Case::valid(number.to_string(), Respect::Valid, |_| None)
        });
        Search::new(ScenarioName("any"), property, Extent { cases, jobs: 4, seed: 7 })
    }

    fn some(search: &mut Search, count: usize) -> Vec<String> {
        (0..count).map(|_| search.generate().current().what).collect()
    }

    #[test]
    fn rounds_do_not_change_the_cases_of_a_seed() {
        let all = some(&mut search("numbers", 64), 64);
        let (mut numbers, mut others) = (search("numbers", 12), search("other numbers", 12));
        let mut tried = Vec::new();
        for round in [4, 1, 7] {
            tried.extend(some(&mut numbers, round));
            some(&mut others, round);
        }
        assert_eq!(tried, all[..12]);
        assert_ne!(some(&mut search("other numbers", 12), 12), tried);
    }
}
