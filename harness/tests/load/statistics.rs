//! Intervals of noisy figures. Every figure comes from a seed, so counts are the same in every run.

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use twenty_conform::statistics::{
    Better, FEWEST, Interval, Place, Spread, difference, interval, quotient, trimmed_mean,
};

/// Enough to estimate coverage, and few enough for an unoptimised build.
const RESAMPLES: usize = 300;

/// Draws from the standard normal distribution.
pub(super) fn normal(random: &mut StdRng) -> f64 {
    let uniform = |random: &mut StdRng| random.random_range(f64::EPSILON..1.0);
    (-2.0 * uniform(random).ln()).sqrt() * (std::f64::consts::TAU * uniform(random)).cos()
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * (1.0 + one.abs().max(other.abs()))
}

fn figures() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(-10.0..10.0f64, FEWEST..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn interval_scales_with_its_figures(values in figures(), by in -5.0..5.0f64, factor in 0.1..10.0f64) {
        let of = |values: &[f64]| interval(values, 7, 100).unwrap();
        let (one, moved) = (of(&values), of(&values.iter().map(|value| value * factor + by).collect::<Vec<_>>()));
        for (one, moved) in [(one.low, moved.low), (one.estimate, moved.estimate), (one.high, moved.high)] {
            prop_assert!(near(one * factor + by, moved), "{one} {moved}");
        }
    }

    #[test]
    fn interval_ignores_the_order_of_figures(values in figures(), seed: u64) {
        let mut reversed = values.clone();
        reversed.reverse();
        prop_assert_eq!(interval(&values, seed, 100), interval(&reversed, seed, 100));
        let one = interval(&values, seed, 100).unwrap();
        prop_assert!(one.low <= one.high);
        let (least, most) = values.iter().fold((f64::MAX, f64::MIN), |(a, b), &value| (a.min(value), b.max(value)));
        prop_assert!(least - 1e-9 <= one.low && one.high <= most + 1e-9 && one.estimate.is_finite());
    }

    #[test]
    fn interval_of_equal_figures_contains_no_change(values in figures()) {
        let one = difference(&values, &values, 3, 100).unwrap();
        prop_assert!(near(one.estimate, 0.0) && one.low <= 1e-9 && one.high >= -1e-9, "{one:?}");
        let doubled: Vec<f64> = values.iter().map(|value| 2.0 * (value + 11.0)).collect();
        let raised: Vec<f64> = values.iter().map(|value| value + 11.0).collect();
        let two = quotient(&raised, &doubled, 3, 100).unwrap().ratio();
        prop_assert!(near(two.estimate, 2.0) && two.low <= 2.0 + 1e-9 && two.high >= 2.0 - 1e-9, "{two:?}");
        let same = vec![4.0; values.len()];
        prop_assert_eq!(interval(&same, 3, 100), Some(Interval { low: 4.0, estimate: 4.0, high: 4.0 }));
    }

    #[test]
    fn verdict_agrees_with_both_ends_of_the_interval(low in 0.5..1.5f64, width in 0.0..0.5f64, most in 0.01..0.3f64) {
        let one = Interval { low, estimate: low + width / 2.0, high: low + width };
        let higher = match one.place(Better::Higher, most) {
            Place::Beyond => one.high < 1.0 - most,
            Place::Within => one.low >= 1.0 - most,
            Place::Astride => one.low < 1.0 - most && one.high >= 1.0 - most,
        };
        let lower = match one.place(Better::Lower, most) {
            Place::Beyond => one.low > 1.0 + most,
            Place::Within => one.high <= 1.0 + most,
            Place::Astride => one.low <= 1.0 + most && one.high > 1.0 + most,
        };
        prop_assert!(higher && lower);
    }
}

#[test]
fn interval_needs_enough_finite_figures() {
    assert_eq!(trimmed_mean(&[]), None);
    assert_eq!(trimmed_mean(&[1.0, 2.0, 3.0, 4.0, 1e9]), Some(3.0));
    assert_eq!(interval(&[1.0; FEWEST - 1], 1, 100), None);
    assert_eq!(interval(&[1.0, 2.0, f64::NAN, 3.0, 4.0], 1, 100), None, "NaN is not a figure");
    assert_eq!(interval(&[1.0, 2.0, f64::INFINITY, 3.0, 4.0], 1, 100), None);
    assert_eq!(difference(&[1.0; 4], &[1.0; 9], 1, 100), None);
    assert_eq!(quotient(&[0.0; 9], &[1.0; 9], 1, 100), None, "0 has no ratio");
    assert!(quotient(&[1.0; 9], &[0.0, 1.0, 1.0, 1.0, 1.0, 1.0], 1, 100).is_some(), "a stall is a figure");
    let nan = Interval { low: f64::NAN, estimate: f64::NAN, high: f64::NAN };
    assert_eq!(nan.place(Better::Higher, 0.05), Place::Astride);
}

#[test]
fn interval_covers_the_true_value_as_often_as_stated() {
    let mut random = StdRng::seed_from_u64(11);
    // Normal figures, without and with outliers.
    for (outliers, least) in [(0.0, 92), (0.05, 92)] {
        let covered = (0..400).filter(|seed| {
            let values: Vec<f64> = (0..20)
                .map(|_| {
                    let wide = if random.random_bool(outliers) { 10.0 } else { 1.0 };
                    0.3 + 0.02 * wide * normal(&mut random)
                })
                .collect();
            let one = interval(&values, *seed, RESAMPLES).unwrap();
            one.low <= 0.3 && 0.3 <= one.high
        });
        let covered = covered.count() * 100 / 400;
        assert!((least..=98).contains(&covered), "{covered} of 100, {outliers}");
    }
}

#[test]
fn spread_covers_the_true_mean_as_often_as_stated() {
    let mut random = StdRng::seed_from_u64(5);
    let covered = (0..2000).filter(|_| {
        let values: Vec<f64> = (0..6).map(|_| 0.3 + 0.02 * normal(&mut random)).collect();
        let one = Spread::of(&values).unwrap().interval();
        one.low <= 0.3 && 0.3 <= one.high
    });
    let covered = covered.count();
    assert!((1_965..=1_992).contains(&covered), "{covered} of 2000 with a confidence of 99 %");
}

#[test]
fn power_is_the_share_of_regressions_that_are_found() {
    let mut random = StdRng::seed_from_u64(6);
    let (mut found, mut stated) = (0, 0.0);
    for _ in 0..2000 {
        let values: Vec<f64> = (0..8).map(|_| 0.1 + 0.03 * normal(&mut random)).collect();
        let spread = Spread::of(&values).unwrap();
        found += u32::from(spread.interval().low > 0.05);
        stated += spread.power(0.05);
    }
    let (found, stated) = (f64::from(found) / 2000.0, stated / 2000.0);
    assert!((found - stated).abs() < 0.05, "found {found}, stated {stated}");
    assert_eq!(Spread::of(&[1.0; FEWEST - 1]), None);
    assert_eq!(Spread::of(&[1.0, 1.0, 1.0, 1.0, f64::NAN]), None);
    let exact = Spread::of(&[1.0; FEWEST]).unwrap();
    assert_eq!((exact.interval().low, exact.power(0.1), exact.power(0.0)), (1.0, 1.0, 0.0));
}
