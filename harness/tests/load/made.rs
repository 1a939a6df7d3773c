//! Made-up benchmark reports, for tests that read, compare and render them. They are the same on every machine.

use serde_json::{Value, json};
use twenty_conform::bench::measure::report::BenchReport;

/// The figures of a made-up load, for each second.
pub(crate) struct MadeUp {
    /// Accepted deliveries in each second.
    pub(crate) rates: Vec<u64>,
    /// The p99 in each second, in microseconds. p90 is half of it, p50 a quarter.
    pub(crate) p99_us: Vec<u64>,
    /// Rejected deliveries in each second.
    pub(crate) refused: Vec<u64>,
}

impl MadeUp {
    /// Ten seconds whose figures vary by about 1 %.
    pub(crate) fn steady(rate: u64, p99_us: u64) -> Self {
        let vary = |value: u64| (0..10).map(|at| value + value * ((at * 7) % 5) / 200).collect();
        Self { rates: vary(rate), p99_us: vary(p99_us), refused: vec![0; 10] }
    }

    pub(crate) fn json(&self) -> Value {
        let seconds = self.rates.len() as u64;
        let (all, refused): (u64, u64) = (self.rates.iter().sum(), self.refused.iter().sum());
        let p99 = self.p99_us.iter().sum::<u64>() / seconds;
        let points = self.rates.iter().zip(&self.p99_us).zip(&self.refused).map(|((rate, p99), refused)| {
            json!({ "sent": rate + refused, "acknowledged": rate, "refused": refused, "failed": 0,
                    "p50_us": p99 / 4, "p90_us": p99 / 2, "p99_us": p99 })
        });
        let latency = json!({
            "count": all, "min_us": p99 / 8, "mean_us": p99 as f64 / 3.0, "stdev_us": p99 as f64 / 5.0,
            "p50_us": p99 / 4, "p90_us": p99 / 2, "p99_us": p99, "p999_us": 2 * p99, "max_us": 3 * p99,
            "buckets": [[p99 / 4, all / 2], [p99 / 2, all * 2 / 5], [p99, all * 9 / 100],
                        [2 * p99, all / 100 - all / 1000], [3 * p99, all / 1000]],
        });
        let total = json!({
            "duration_ms": seconds * 1000, "rate": all as f64 / seconds as f64, "sent": all + refused, "acknowledged": all,
            "refused": refused, "failed": 0, "error_share": refused as f64 / (all + refused).max(1) as f64, "errors": [],
            "statuses": [{ "status": 200, "count": all }], "bytes_sent": all * 1000, "bytes_received": all * 100,
            "latency": latency,
        });
        json!({
            "format": "twenty-conform-bench/1", "role": "receiver",
            "tool": { "name": "twenty-conform", "version": env!("CARGO_PKG_VERSION") },
            "machine": { "cores": 2, "os": "linux", "arch": "x86_64", "cpu": "A Processor", "optimised": true },
            "command": ["bench", "receiver", "--exec", "node server.mjs"], "subject": "node server.mjs",
            "dialect": "documented", "started_at": "2026-11-22T10:00:00.000Z", "seed": 7,
            "load": { "mode": "saturation", "rates": [], "concurrency": 64, "threads": 1, "duration_ms": seconds * 1000,
                      "warm_up_ms": 1000, "timeout_ms": 5000, "probe_share": 0.01, "max_errors": 0.0 },
            "corpus": { "bodies": 22, "bytes": 8000, "longest": 700, "without_id": 0 },
            "result": "pass", "exit_status": 0, "duration_ms": seconds * 1000 + 1000,
            "phases": [{ "rate": null, "achieved": all as f64 / seconds as f64, "measured": total }], "total": total,
            "series": { "interval_ms": 1000, "points": points.collect::<Vec<_>>() },
            "probes": { "sent": 100, "let_through": 0, "unanswered": 0, "statuses": [{ "status": 401, "count": 100 }],
                        "kinds": [] },
            "unexpected": [], "thresholds": [], "notes": [],
        })
    }

    pub(crate) fn report(&self) -> BenchReport {
        BenchReport::parse(&self.json().to_string()).unwrap()
    }
}
