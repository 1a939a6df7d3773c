//! Line charts as inline SVG.
//!
//! Every coordinate is within the drawing, whatever the figures are, and the number of points is bounded.

use std::fmt::Write as _;

/// The drawing and its margins.
const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 30.0;
/// The most points of a line: about one per dot of the drawing.
const MOST_POINTS: usize = 1000;

/// The horizontal axis.
pub(super) struct Axis {
    /// The end; the axis begins at 0.
    pub(super) end: f64,
    pub(super) ticks: Vec<(f64, String)>,
}

pub(super) struct ChartLine {
    pub(super) class: &'static str,
    pub(super) name: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

impl Axis {
    /// An axis with ticks at round numbers.
    pub(super) fn even(end: f64, unit: &str) -> Self {
        let step = round_step(end);
        let ticks = (0..).map(|at| f64::from(at) * step).take_while(|at| *at <= end * 1.0001);
        Self { end, ticks: ticks.map(|at| (at, format!("{}{unit}", number(at)))).collect() }
    }
}

/// Draws lines over a vertical axis from 0 to the highest value. `label` describes the chart for screen readers.
pub(super) fn draw(label: &str, across: &Axis, unit: &str, lines: &[ChartLine]) -> String {
    let all = lines.iter().flat_map(|line| &line.points).map(|(_, y)| *y).filter(|y| y.is_finite());
    let most = all.fold(0.0, f64::max);
    let most = if most > 0.0 { most * 1.05 } else { 1.0 };
    let up = Axis::even(most, "");
    let place = |value: f64, end: f64| if end > 0.0 { (value / end).clamp(0.0, 1.0) } else { 0.0 };
    let x = |value: f64| LEFT + place(value, across.end) * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - place(value, up.end) * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{label}\">\n");
    let (left, right, top, bottom) = (LEFT, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM);
    // Writing to a string does not fail.
    for (at, name) in &up.ticks {
        let at = y(*at);
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{left} {at:.1}H{right}\"/><text x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\">{name}</text>",
            left - 6.0,
            at + 4.0
        );
    }
    for (at, name) in &across.ticks {
        let at = x(*at);
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{at:.1} {top}V{bottom}\"/><text x=\"{at:.1}\" y=\"{:.1}\" \
             text-anchor=\"middle\">{name}</text>",
            bottom + 18.0
        );
    }
    let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"14\" text-anchor=\"end\">{unit}</text>", left - 6.0);
    for (at, line) in (0u8..).zip(lines) {
        let usable: Vec<&(f64, f64)> =
            line.points.iter().filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
        let every = usable.len().div_ceil(MOST_POINTS).max(1);
        // Only the highest point of each dot is drawn, so no peak is lost.
        let highest =
            |part: &[&(f64, f64)]| part.iter().map(|point| **point).max_by(|a, b| a.1.total_cmp(&b.1));
        let points: Vec<String> = usable
            .chunks(every)
            .filter_map(highest)
            .map(|(across, up)| format!("{:.1} {:.1}", x(across), y(up)))
            .collect();
        let ChartLine { class, name, .. } = line;
        if !points.is_empty() {
            let _ = writeln!(svg, "<path class=\"{class}\" d=\"M{}\"/>", points.join("L"));
        }
        let at = left + 10.0 + f64::from(at) * 120.0;
        let _ = writeln!(svg, "<text class=\"{class}\" x=\"{at:.1}\" y=\"14\">{name}</text>");
    }
    svg + "</svg>\n"
}

/// 1, 2 or 5 times a power of ten, about a sixth of the whole.
fn round_step(whole: f64) -> f64 {
    if !(whole > 0.0 && whole.is_finite()) {
        return 1.0;
    }
    let rough = whole / 6.0;
    let power = 10f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= rough);
    factor.unwrap_or(10.0) * power
}

/// Removes digits that only come from rounding.
fn number(value: f64) -> String {
    format!("{}", (value * 1e6).round() / 1e6)
}
