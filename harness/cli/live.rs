//! The figures of a load, redrawn in place while it runs, and cleared before the report.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use super::headings::OUTPUT;
use super::messages;
use super::progress::is_watched;
use crate::bench::measure::live::{LiveFigures, LivePoint};

/// How often new figures are shown. Fewer deliveries than in this time would make a p99 jump.
const PACE: Duration = Duration::from_millis(500);
/// How many figures a chart shows, one in each column.
const COLUMNS: usize = 60;
/// The height of a chart, in lines.
const ROWS: usize = 4;
/// A column of a chart, from empty to full.
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// How a load is shown while it runs.
#[derive(Debug, Args)]
pub(super) struct LiveOptions {
    /// On a terminal, draw charts of the rate and the p99 while the load runs
    #[arg(long, help_heading = OUTPUT)]
    pub(super) chart: bool,
}

/// A line, and a chart on request, where somebody watches.
pub(super) struct LoadLine(Option<ProgressBar>);

struct Drawn {
    live: Arc<LiveFigures>,
    begun: Instant,
    /// How long the load lasts; `None` if that is unknown.
    length: Option<Duration>,
    chart: bool,
    taken: Instant,
    /// What is shown until there are new figures.
    line: String,
    rates: VecDeque<f64>,
    p99s: VecDeque<f64>,
}

/// The figures that a load counts for its line; `None` if they are not watched.
pub(super) fn watched(quiet: bool) -> Option<Arc<LiveFigures>> {
    (!quiet && is_watched()).then(Arc::default)
}

impl LoadLine {
    pub(super) fn new(live: Option<&Arc<LiveFigures>>, length: Option<Duration>, chart: bool) -> Self {
        let Some(live) = live else { return Self(None) };
        let now = Instant::now();
        let drawn = Arc::new(Mutex::new(Drawn {
            live: live.clone(),
            begun: now,
            length,
            chart,
            taken: now,
            line: String::new(),
            rates: VecDeque::new(),
            p99s: VecDeque::new(),
        }));
        let figures = move |_: &ProgressState, text: &mut dyn fmt::Write| {
            let mut drawn = drawn.lock().unwrap_or_else(PoisonError::into_inner);
            // A line that cannot be drawn is drawn again soon.
            let _ = text.write_str(drawn.text(Instant::now()));
        };
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{figures}").ok();
        bar.set_style(style.unwrap_or_else(ProgressStyle::default_bar).with_key("figures", figures));
        bar.enable_steady_tick(PACE / 4);
        Self(Some(bar))
    }

    /// Does something that prints lines above.
    pub(super) fn above<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Drop for LoadLine {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

impl Drawn {
    fn text(&mut self, now: Instant) -> &str {
        let passed = now.saturating_duration_since(self.taken);
        if passed >= PACE {
            self.taken = now;
            let LivePoint { accepted, errors, p50_us, p99_us } = self.live.take();
            let rate = accepted as f64 / passed.as_secs_f64();
            let [p50, p99] = [p50_us, p99_us].map(|us| us as f64 / 1e3);
            let left = self
                .length
                .map(|length| length.saturating_sub(now.saturating_duration_since(self.begun)).as_secs_f64());
            self.line = messages::live(rate, (p50, p99), errors, left);
            if self.chart {
                for (values, value) in [(&mut self.rates, rate), (&mut self.p99s, p99)] {
                    values.push_back(value);
                    if values.len() > COLUMNS {
                        values.pop_front();
                    }
                }
                let [rates, p99s] = [&self.rates, &self.p99s].map(columns);
                let titles = messages::chart_titles(most(&self.rates), most(&self.p99s));
                self.line = format!("{}\n{rates}{}\n{p99s}{}", titles.0, titles.1, self.line);
            }
        }
        &self.line
    }
}

fn most(values: &VecDeque<f64>) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

/// Values as columns of blocks, the highest over the whole height.
fn columns(values: &VecDeque<f64>) -> String {
    let most = most(values);
    // At most the number of blocks in a column.
    let height =
        |value: f64| if most > 0.0 { (value / most * (ROWS * 8) as f64).round() as usize } else { 0 };
    let mut text = String::new();
    for row in (0..ROWS).rev() {
        let block = |value: &f64| BLOCKS[height(*value).saturating_sub(row * 8).min(8)];
        text.extend(values.iter().map(block));
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::columns;

    #[test]
    fn columns_are_as_high_as_their_values() {
        assert_eq!(columns(&[0.0, 4.0, 2.0, 1.0, 0.5].into()), " █   \n █   \n ██  \n ███▄\n");
        assert_eq!(columns(&[0.0].into()), " \n \n \n \n");
    }
}
