//! How long the answers took, as a small chart.

use std::time::Duration;

use maud::{Markup, html};

use super::messages;
use crate::page::parts::tiles;
use crate::report::Latency;
use crate::report::latency::{PER_DECADE, step};

/// The size of the chart.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 120.0;
/// The room for the words under the bars.
const FOOT: f64 = 22.0;
/// The bars that end at 1, 2 and 5 times a power of ten, nearly.
const TICKS: [(i32, f64); 3] = [(0, 1.0), (3, 2.0), (7, 5.0)];
/// With more bars than these, only powers of ten have a label.
const MANY: usize = 30;

/// A bar: its step on the axis, the longest time in it, and how many answers took so long.
struct Bar {
    step: i32,
    until_us: f64,
    count: u64,
}

pub(super) fn latency(latency: &Latency) -> Markup {
    let figures =
        [("median", latency.p50), ("90%", latency.p90), ("99%", latency.p99), ("longest", latency.max)]
            .map(|(name, us)| (name, messages::time(Duration::from_micros(us))));
    html! {
        section aria-labelledby="latency" {
            h2 #latency { (messages::latency()) }
            p.dim { (messages::latency_of(latency.count)) }
            (tiles(&figures))
            (chart(latency))
        }
    }
}

fn bars(latency: &Latency) -> Vec<Bar> {
    let steps: Vec<(i32, u64)> = latency.buckets.iter().map(|(us, count)| (step(*us), *count)).collect();
    let first = steps.first().map_or(0, |(step, _)| *step);
    let last = steps.last().map_or(0, |(step, _)| *step);
    let count = |wanted: i32| steps.iter().filter(|(step, _)| *step == wanted).map(|(_, count)| count).sum();
    (first..=last)
        .map(|step| {
            let until_us = 10_f64.powf(f64::from(step) / f64::from(PER_DECADE));
            Bar { step, until_us, count: count(step) }
        })
        .collect()
}

fn chart(latency: &Latency) -> Markup {
    let bars = bars(latency);
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(1).max(1);
    #[expect(clippy::cast_precision_loss, reason = "no run has 2^53 answers")]
    let scale = |count: u64| (HEIGHT - 4.0) * count as f64 / most as f64;
    #[expect(clippy::cast_precision_loss, reason = "there are fewer than 200 bars")]
    let width = (WIDTH / bars.len().max(1) as f64).min(40.0);
    #[expect(clippy::cast_precision_loss, reason = "there are fewer than 200 bars")]
    let left = |at: usize| at as f64 * width;
    let label = |step: i32| {
        let within = step.rem_euclid(PER_DECADE);
        let (_, times) =
            TICKS.into_iter().find(|(at, _)| *at == within && (*at == 0 || bars.len() <= MANY))?;
        Some(messages::tick(times * 10_f64.powi(step.div_euclid(PER_DECADE))))
    };
    html! {
        figure.chart {
            svg viewBox={ "-20 0 " (WIDTH + 50.0) " " (HEIGHT + FOOT) } role="img" aria-label=(messages::latency_chart(latency)) {
                line.axis x1="0" x2=(WIDTH) y1=(HEIGHT) y2=(HEIGHT) {}
                @for (at, bar) in bars.iter().enumerate() {
                    @if bar.count > 0 {
                        // Even a single answer is visible.
                        @let height = scale(bar.count).max(1.5);
                        rect x=(format!("{:.1}", left(at) + 1.0)) y=(format!("{:.1}", HEIGHT - height))
                            width=(format!("{:.1}", width - 2.0)) height=(format!("{height:.1}")) {
                            title { (messages::bar(bar.count, bar.until_us)) }
                        }
                    }
                    @if let Some(label) = label(bar.step) {
                        @let end = format!("{:.1}", left(at) + width);
                        line.axis x1=(end) x2=(end) y1=(HEIGHT) y2=(HEIGHT + 5.0) {}
                        text x=(end) y=(HEIGHT + 19.0) text-anchor="middle" { (label) }
                    }
                }
            }
        }
    }
}
