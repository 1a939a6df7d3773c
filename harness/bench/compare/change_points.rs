//! Where the level of a series changes.
//!
//! In windows of the series, the split is found whose parts differ most in a t-test, then the parts are split again. A change that the
//! t-test of the whole parts on both sides does not support is dropped, the weakest first. Everything follows from the values alone.

use std::cmp::Ordering;

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The fewest values on each side of a change.
pub const FEWEST_RUNS: usize = 4;
/// The p-value above which a change is chance. It is small, because a split is chosen among many.
pub const SIGNIFICANCE: f64 = 0.001;
/// How many values are searched together, so that an early small change is found although a later one is large.
const WINDOW: usize = 60;

/// A change of level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChangePoint {
    /// The index of the first value after the change.
    pub at: usize,
    /// The mean of the values since the last change.
    pub before: f64,
    /// The mean of the values until the next change.
    pub after: f64,
    /// The p-value of both means being equal.
    pub p: f64,
}

/// The changes in a series, in its order. Values must be finite.
pub fn change_points(values: &[f64]) -> Vec<ChangePoint> {
    let mut splits: Vec<usize> = Vec::new();
    let last = values.len().saturating_sub(WINDOW);
    let begins = (0..last).step_by(WINDOW / 2).chain([last]);
    for begin in begins {
        let end = (begin + WINDOW).min(values.len());
        split(values, begin, end, &mut splits);
    }
    splits.sort_unstable();
    splits.dedup();
    loop {
        let points = between(values, &splits);
        let weakest = points.iter().max_by(|a, b| a.p.total_cmp(&b.p));
        match weakest.filter(|point| point.p > SIGNIFICANCE) {
            None => return points,
            Some(point) => splits.retain(|at| *at != point.at),
        }
    }
}

/// Adds the splits of a part of the series.
fn split(values: &[f64], begin: usize, end: usize, splits: &mut Vec<usize>) {
    if end - begin < 2 * FEWEST_RUNS {
        return;
    }
    let candidates = begin + FEWEST_RUNS..=end - FEWEST_RUNS;
    let tested = candidates.map(|at| (at, statistic(&values[begin..at], &values[at..end])));
    // Of several, the first.
    let highest = |(_, a): &(usize, f64), (_, b): &(usize, f64)| a.total_cmp(b).then(Ordering::Greater);
    let Some((at, _)) = tested.max_by(highest) else { return };
    if t_test(&values[begin..at], &values[at..end]) > SIGNIFICANCE {
        return;
    }
    splits.push(at);
    split(values, begin, at, splits);
    split(values, at, end, splits);
}

/// Each split with the values on both sides, up to the next splits.
fn between(values: &[f64], splits: &[usize]) -> Vec<ChangePoint> {
    let point = |(index, at): (usize, &usize)| {
        let from = if index == 0 { 0 } else { splits[index - 1] };
        let to = splits.get(index + 1).copied().unwrap_or(values.len());
        let (before, after) = (&values[from..*at], &values[*at..to]);
        // Windows overlap, and may place one change twice.
        let too_few = before.len().min(after.len()) < FEWEST_RUNS;
        let p = if too_few { 1.0 } else { t_test(before, after) };
        ChangePoint { at: *at, before: mean(before), after: mean(after), p }
    };
    splits.iter().enumerate().map(point).collect()
}

/// The two-sided p-value of Student's t-test for two samples with the same variance.
pub fn t_test(one: &[f64], other: &[f64]) -> f64 {
    // Fails without degrees of freedom only, in which case nothing is known.
    let distribution = StudentsT::new(0.0, 1.0, freedom(one, other));
    distribution.map_or(1.0, |students| 2.0 * students.sf(statistic(one, other)))
}

/// The absolute value of the test's statistic; infinite for constant samples that differ.
fn statistic(one: &[f64], other: &[f64]) -> f64 {
    let difference = (mean(one) - mean(other)).abs();
    let variance = (squares(one) + squares(other)) / freedom(one, other);
    let error = (variance * (1.0 / one.len() as f64 + 1.0 / other.len() as f64)).sqrt();
    if difference == 0.0 { 0.0 } else { difference / error }
}

fn freedom(one: &[f64], other: &[f64]) -> f64 {
    (one.len() + other.len()) as f64 - 2.0
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sum of the squared distances from the mean.
fn squares(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::{ChangePoint, change_points, t_test};

    /// Values near these levels, with noise of up to this share.
    fn series(levels: &[(usize, f64)], noise: f64, seed: u64) -> Vec<f64> {
        let mut random = StdRng::seed_from_u64(seed);
        let mut near = |level: f64| level * (1.0 + noise * random.random_range(-1.0..1.0));
        levels.iter().flat_map(|&(count, level)| vec![level; count]).map(&mut near).collect()
    }

    fn places(points: &[ChangePoint]) -> Vec<usize> {
        points.iter().map(|point| point.at).collect()
    }

    #[test]
    fn change_is_found_where_it_is() {
        let points = change_points(&series(&[(20, 100.0), (15, 88.0)], 0.04, 1));
        assert_eq!(places(&points), [20]);
        assert!((points[0].before - 100.0).abs() < 2.0 && (points[0].after - 88.0).abs() < 2.0, "{points:?}");
    }

    #[test]
    fn several_changes_of_a_long_series_are_found() {
        let levels = [(30, 100.0), (40, 90.0), (50, 99.0), (80, 250.0), (20, 230.0)];
        assert_eq!(places(&change_points(&series(&levels, 0.02, 2))), [30, 70, 120, 200]);
    }

    #[test]
    fn noise_alone_is_rarely_a_change() {
        let found = (0..200).filter(|seed| !change_points(&series(&[(40, 100.0)], 0.1, *seed)).is_empty());
        let count = found.count();
        assert!(count <= 6, "{count} of 200 series without a change");
    }

    #[test]
    fn short_and_constant_series_have_no_change() {
        assert!(change_points(&[]).is_empty());
        assert!(change_points(&[1.0, 9.0, 1.0, 9.0, 1.0, 9.0, 1.0]).is_empty());
        assert!(change_points(&[5.0; 30]).is_empty());
        assert_eq!(places(&change_points(&[[5.0; 6], [6.0; 6]].concat())), [6]);
        // One bad run is no change.
        assert!(change_points(&[10.0, 10.1, 9.9, 10.0, 10.2, 3.0, 10.0, 9.9, 10.1, 10.0, 10.1]).is_empty());
    }

    /// The values are those of tables of the distribution.
    #[test]
    fn p_values_are_those_of_tables() {
        // t = 2.228 with 10 degrees of freedom is the bound of 5 %.
        let shifted =
            |by: f64| -> Vec<f64> { [-2.0, -1.0, 0.0, 0.0, 1.0, 2.0].map(|value| value + by).to_vec() };
        let error = (2.0f64 / 6.0 * 2.0).sqrt();
        let p = t_test(&shifted(0.0), &shifted(2.228_138_9 * error));
        assert!((p - 0.05).abs() < 1e-6, "{p}");
    }
}
