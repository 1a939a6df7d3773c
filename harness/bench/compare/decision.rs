//! What the figures of two receivers say about the candidate.
//!
//! A figure can decide if its control is steady. A candidate is slower if one figure is worse by more than the threshold, with all
//! of its interval. It is not slower if all of one interval is within the threshold and nothing looks worse. Otherwise the programs
//! are started again until the time is up. Because the figures are looked at after each start, the intervals are those of 99 %.

use super::messages;
use super::pair::{Figure, PairFigure, Says};
use crate::bench::measure::result::BenchResult;
use crate::statistics::FEWEST;

#[derive(Debug, Clone, PartialEq)]
pub enum Conclusion {
    /// No figure decides yet.
    Undecided,
    Decided(BenchResult, Figure),
}

/// Decides from the figures of the starts so far.
pub fn conclude(figures: &[PairFigure]) -> Conclusion {
    let mut deciding = figures.iter().filter(|one| one.decides);
    if let Some(slower) = deciding.clone().find(|one| one.says() == Says::Slower) {
        return Conclusion::Decided(BenchResult::Slow, slower.figure);
    }
    if deciding.clone().any(PairFigure::looks_slower) {
        return Conclusion::Undecided;
    }
    match deciding.find(|one| one.says() == Says::NotSlower) {
        Some(one) => Conclusion::Decided(BenchResult::Pass, one.figure),
        None => Conclusion::Undecided,
    }
}

/// What the figures say when no more are measured: the result, the figure that decided, and why.
pub fn verdict(figures: &[PairFigure], starts: usize) -> (BenchResult, Option<Figure>, String) {
    match conclude(figures) {
        Conclusion::Decided(result, figure) => {
            let by = figures.iter().find(|one| one.figure == figure);
            (result, Some(figure), by.map(messages::pair_decided).unwrap_or_default())
        }
        Conclusion::Undecided if starts < FEWEST => {
            (BenchResult::Inconclusive, None, messages::too_few_starts(starts, FEWEST))
        }
        Conclusion::Undecided => (BenchResult::Inconclusive, None, messages::pair_undecided(figures)),
    }
}
