//! Which rates a search tries, and what it concludes from them.
//!
//! One trial can miss an objective because the machine stalled, so a missed rate is repeated, and two of three trials decide. The
//! rate that is found has met the objective in two further trials. Rates that meet the objective and then miss it when they are
//! confirmed make the search unstable: it then finds nothing, because another run would find something else.

/// The most trials of a search.
pub const MOST_TRIALS: usize = 48;
/// The lowest rate tried, in deliveries per second.
pub const LOWEST_RATE: f64 = 1.0;
/// The search ends when the rates that met and missed the objective are this close.
const PRECISION: f64 = 1.05;
/// The factor to the next rate while only met or only missed rates are known. Each further factor is the square of the last.
const STEP: f64 = 1.25;
/// How many trials decide.
const MAJORITY: usize = 2;
/// How many rates may miss their confirmation.
const MOST_REVERSALS: usize = 3;

/// Why a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchEnd {
    /// A rate was confirmed.
    Found,
    /// Even the lowest rate misses the objective.
    TooSlow,
    /// Rates that met the objective missed it again, or the trials were used up.
    Unstable,
}

/// The search for the highest rate: steps until one rate meets the objective and another misses it, then bisection, then a
/// confirmation.
#[derive(Debug, Clone)]
pub struct RateSearch {
    /// The rate of the next trial; `None` once the search is over.
    next: Option<f64>,
    /// The trials of that rate that met and missed the objective.
    met: usize,
    missed: usize,
    confirming: bool,
    /// The rates that met the objective, rising.
    held: Vec<f64>,
    /// The lowest rate that missed it.
    failed: Option<f64>,
    highest: f64,
    step: f64,
    trials: usize,
    reversals: usize,
    end: Option<SearchEnd>,
}

impl RateSearch {
    /// Starts at a rate, and never exceeds `highest`.
    pub fn from(first: f64, highest: f64) -> Self {
        Self {
            next: Some(first.clamp(LOWEST_RATE, highest)),
            met: 0,
            missed: 0,
            confirming: false,
            held: Vec::new(),
            failed: None,
            highest,
            step: STEP,
            trials: 0,
            reversals: 0,
            end: None,
        }
    }

    /// The rate to try next; `None` once the search is over.
    pub fn next_rate(&self) -> Option<f64> {
        self.next
    }

    /// Whether the next rate has met the objective before.
    pub fn confirms(&self) -> bool {
        self.confirming
    }

    /// Why the search ended; `None` before that.
    pub fn end(&self) -> Option<SearchEnd> {
        self.end
    }

    /// The highest confirmed rate.
    pub fn found(&self) -> Option<f64> {
        self.held.last().copied().filter(|_| self.end == Some(SearchEnd::Found))
    }

    /// The lowest rate that missed the objective.
    pub fn missed(&self) -> Option<f64> {
        self.failed
    }

    /// Records whether the proposed rate met the objective.
    pub fn record(&mut self, held: bool) {
        let Some(rate) = self.next else { return };
        self.trials += 1;
        self.met += usize::from(held);
        self.missed += usize::from(!held);
        let enough = if self.confirming || self.missed > 0 { MAJORITY } else { 1 };
        if self.met >= enough {
            self.decide(rate, true);
        } else if self.missed >= MAJORITY {
            self.decide(rate, false);
        }
        if self.end.is_none() && self.trials >= MOST_TRIALS {
            self.finish(SearchEnd::Unstable);
        }
    }

    /// A rate has had its trials.
    fn decide(&mut self, rate: f64, met: bool) {
        (self.met, self.missed) = (0, 0);
        match (self.confirming, met) {
            (true, true) => return self.finish(SearchEnd::Found),
            (false, true) => self.held.push(rate),
            (false, false) => self.failed = Some(rate),
            (true, false) => {
                self.failed = Some(rate);
                self.held.pop();
                self.confirming = false;
                self.reversals += 1;
                if self.reversals >= MOST_REVERSALS {
                    return self.finish(SearchEnd::Unstable);
                }
            }
        }
        self.propose();
    }

    fn propose(&mut self) {
        self.next = match (self.held.last().copied(), self.failed) {
            (Some(held), None) if held >= self.highest => self.confirm(held),
            (Some(held), None) => Some((held * self.widened()).min(self.highest)),
            (Some(held), Some(failed)) if failed / held <= PRECISION => self.confirm(held),
            (Some(held), Some(failed)) => Some((held * failed).sqrt()),
            (None, Some(failed)) if failed <= LOWEST_RATE => return self.finish(SearchEnd::TooSlow),
            (None, Some(failed)) => Some((failed / self.widened()).max(LOWEST_RATE)),
            (None, None) => self.next,
        };
    }

    /// The factor to the next rate. They grow, so a first rate that is far off costs few trials.
    fn widened(&mut self) -> f64 {
        let step = self.step;
        self.step = step * step;
        step
    }

    fn confirm(&mut self, rate: f64) -> Option<f64> {
        self.confirming = true;
        Some(rate)
    }

    fn finish(&mut self, end: SearchEnd) {
        self.next = None;
        self.end = Some(end);
    }
}
