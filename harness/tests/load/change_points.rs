//! The changes in series, compared with those that an independent program finds.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use twenty_conform::bench::compare::change_points::change_points;

use crate::implementations::is_missing;

/// Up to four levels with noise: short and long series, small and large changes, many of them close to each other.
fn series(seed: u64) -> Vec<f64> {
    let mut random = StdRng::seed_from_u64(seed);
    let noise = random.random_range(0.0..0.2);
    let mut values = Vec::new();
    for _ in 0..random.random_range(1..=4) {
        let level = 1000.0 * random.random_range(0.8..1.2);
        for _ in 0..random.random_range(1..50) {
            values.push(level * (1.0 + noise * random.random_range(-1.0..1.0)));
        }
    }
    values
}

#[test]
fn changes_are_those_of_an_independent_program() {
    if is_missing("python3") {
        return;
    }
    let all: Vec<Vec<f64>> = (0..60).map(series).collect();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/compare/change_points.py");
    let mut python =
        Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = python.stdin.take().unwrap();
    let lines: String = all.iter().map(|values| serde_json::to_string(values).unwrap() + "\n").collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let theirs: Vec<Vec<(usize, f64)>> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(theirs.len(), all.len());
    let mut changes = 0;
    for (values, theirs) in all.iter().zip(&theirs) {
        let ours = change_points(values);
        let places = |changes: &[(usize, f64)]| changes.iter().map(|(at, _)| *at).collect::<Vec<_>>();
        let pairs: Vec<(usize, f64)> = ours.iter().map(|point| (point.at, point.p)).collect();
        assert_eq!(places(&pairs), places(theirs), "{values:?}");
        let near = pairs.iter().zip(theirs).all(|((_, ours), (_, theirs))| (ours - theirs).abs() < 1e-7);
        assert!(near, "{pairs:?} {theirs:?}");
        changes += theirs.len();
    }
    assert!(changes > 60, "{changes} changes are too few to compare");
}
