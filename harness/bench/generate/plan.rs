//! What a load is to be: how many deliveries go out when, for how long, over how many connections.
//!
//! Invariant: pure. The time at which a delivery is meant to go out follows from the plan alone, whatever the receiver does.

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub const MOST_CONNECTIONS: usize = 10_000;
/// The highest rate that can be asked for, in deliveries per second.
pub const HIGHEST_RATE: f64 = 1_000_000.0;

#[derive(Debug, Clone, PartialEq)]
pub enum Mode {
    /// Each connection sends its next delivery as soon as it has its answer.
    Saturation,
    /// Deliveries go out at their time, at each of these rates for the plan's duration, whether answers have come or not.
    Rates(Vec<f64>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct LoadPlan {
    pub mode: Mode,
    /// How many connections there are, each with one delivery under way at most.
    pub concurrency: usize,
    pub threads: usize,
    /// How long it is measured, at each rate.
    pub duration: Duration,
    /// How long it goes on before it is measured.
    pub warm_up: Duration,
    pub timeout: Duration,
    /// How long every connection may be refused until the receiver is taken for gone, and the load ends.
    pub gone_after: Duration,
    /// Which share of the deliveries must be refused, from 0 to 1.
    pub probe_share: f64,
    /// What ids, nonces and the places of probes are made from.
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
            warm_up: Duration::from_secs(1),
            // What Twenty's server waits for (contract, section 2).
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
    /// Deliveries per second; `None` for as many as the connections carry.
    pub rate: Option<f64>,
    /// When it begins, from the start of the load.
    pub from: Duration,
    pub length: Duration,
    pub measured: bool,
}

impl LoadPlan {
    /// The parts of the load: the warm-up where there is one, then one for each rate.
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
    /// When it ends, from the start of the load.
    pub fn end(&self) -> Duration {
        self.from + self.length
    }
}

/// When each delivery of an open loop is meant to go out.
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
    /// The schedule of phases that have rates; others have no deliveries in it.
    pub fn new(phases: &[Phase]) -> Self {
        let mut first = 0;
        let parts = phases.iter().map(|phase| {
            let rate = phase.rate.unwrap_or_default();
            // As many as begin before its end, the one at its very start among them.
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

    /// The phase of a delivery and the time that is meant for it, from the start of the load; `None` after the last.
    pub fn at(&self, number: u64) -> Option<(usize, Duration)> {
        let phase = self.parts.iter().position(|part| number < part.first + part.count)?;
        let part = &self.parts[phase];
        let behind = Duration::from_secs_f64((number - part.first) as f64 / part.rate);
        Some((phase, part.from + behind))
    }

    /// How many deliveries are meant to have gone out by then.
    pub fn due(&self, elapsed: Duration) -> u64 {
        let of = |part: &ScheduledPhase| match elapsed.checked_sub(part.from) {
            // The one at its very start is due at once.
            Some(behind) => ((behind.as_secs_f64() * part.rate + 1e-6).floor() as u64 + 1).min(part.count),
            None => 0,
        };
        self.parts.iter().map(of).sum()
    }
}
