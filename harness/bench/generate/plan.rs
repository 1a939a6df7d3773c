//! The plan of a load: how many deliveries are due when, for how long, and over how many connections.
//!
//! The planned time of a delivery follows from the plan alone, whatever the receiver does.

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub const MOST_CONNECTIONS: usize = 10_000;
/// The highest rate that can be requested, in deliveries per second.
pub const HIGHEST_RATE: f64 = 1_000_000.0;

#[derive(Debug, Clone, PartialEq)]
pub enum Mode {
    /// Closed loop: each connection sends its next delivery as soon as it has an answer.
    Saturation,
    /// Open loop: deliveries are due at fixed times, whether or not answers have arrived. Each rate lasts for the plan's duration.
    Rates(Vec<f64>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct LoadPlan {
    pub mode: Mode,
    /// The number of connections, each with at most one delivery in flight.
    pub concurrency: usize,
    pub threads: usize,
    /// How long each rate is measured.
    pub duration: Duration,
    /// A closed loop ends after this many deliveries, if its time is not over before.
    pub deliveries: Option<u64>,
    /// How long the load runs before it is measured.
    pub warm_up: Duration,
    pub timeout: Duration,
    /// After this time of nothing but refused connections, the receiver counts as gone and the load ends.
    pub gone_after: Duration,
    /// The share of probes, which must be rejected, from 0 to 1.
    pub probe_share: f64,
    /// Determines ids, nonces and when probes are sent.
    pub seed: u64,
}

impl Default for LoadPlan {
    /// Saturation over 64 connections for 10 seconds.
    fn default() -> Self {
        Self {
            mode: Mode::Saturation,
            concurrency: 64,
            threads: 1,
            duration: Duration::from_secs(10),
            deliveries: None,
            warm_up: Duration::from_secs(1),
            // How long Twenty's server waits (contract, section 2).
            timeout: Duration::from_secs(5),
            gone_after: Duration::from_secs(3),
            probe_share: 0.01,
            seed: 0,
        }
    }
}

/// A part of a load with one rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// Deliveries per second; `None` in a closed loop.
    pub rate: Option<f64>,
    /// Its beginning, from the start of the load.
    pub from: Duration,
    pub length: Duration,
    pub measured: bool,
}

impl LoadPlan {
    /// The phases of the load: the warm-up, if any, then one for each rate.
    pub fn phases(&self) -> Vec<Phase> {
        let rates: Vec<Option<f64>> = match &self.mode {
            Mode::Saturation => vec![None],
            Mode::Rates(rates) => rates.iter().copied().map(Some).collect(),
        };
        let mut phases = Vec::with_capacity(rates.len() + 1);
        let first = rates.first().copied().flatten();
        if !self.warm_up.is_zero() {
            phases.push(Phase { rate: first, from: Duration::ZERO, length: self.warm_up, measured: false });
        }
        for rate in rates {
            let from = phases.last().map_or(Duration::ZERO, |last: &Phase| last.from + last.length);
            phases.push(Phase { rate, from, length: self.duration, measured: true });
        }
        phases
    }
}

impl Phase {
    /// Its end, from the start of the load.
    pub fn end(&self) -> Duration {
        self.from + self.length
    }
}

/// The planned time of each delivery of an open loop.
#[derive(Debug, Clone)]
pub struct Schedule {
    parts: Vec<ScheduledPhase>,
}

#[derive(Debug, Clone, Copy)]
struct ScheduledPhase {
    first: u64,
    count: u64,
    from: Duration,
    rate: f64,
}

impl Schedule {
    /// The schedule of the phases that have a rate.
    pub fn new(phases: &[Phase]) -> Self {
        let mut first = 0;
        let parts = phases.iter().map(|phase| {
            let rate = phase.rate.unwrap_or_default();
            // Those due before its end, including the one at its very start.
            let count = (rate * phase.length.as_secs_f64() - 1e-6).ceil().max(0.0) as u64;
            let part = ScheduledPhase { first, count, from: phase.from, rate };
            first += count;
            part
        });
        Self { parts: parts.collect() }
    }

    pub fn total(&self) -> u64 {
        self.parts.last().map_or(0, |part| part.first + part.count)
    }

    /// The phase of a delivery and its planned time, from the start of the load; `None` after the last delivery.
    pub fn at(&self, number: u64) -> Option<(usize, Duration)> {
        let phase = self.parts.iter().position(|part| number < part.first + part.count)?;
        let part = &self.parts[phase];
        let offset = Duration::from_secs_f64((number - part.first) as f64 / part.rate);
        Some((phase, part.from + offset))
    }

    /// How many deliveries are due by then.
    pub fn due(&self, elapsed: Duration) -> u64 {
        let of = |part: &ScheduledPhase| match elapsed.checked_sub(part.from) {
            // The first one is due at once.
            Some(offset) => ((offset.as_secs_f64() * part.rate + 1e-6).floor() as u64 + 1).min(part.count),
            None => 0,
        };
        self.parts.iter().map(of).sum()
    }
}
