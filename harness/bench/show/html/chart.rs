//! Charts as inline SVG: lines or marks over two axes, with a value for each place.
//!
//! Places are percentages and there is no view box, so that labels have the same size on a page of any width. Only lines are in a
//! box that is stretched. The values are columns with titles: a browser shows them on hover. With the page's script, they are
//! shown over the chart on hover, on touch, and by the arrow keys. They are also in a table below it.

use std::fmt::Write as _;

use maud::{Markup, PreEscaped, html};

use super::axis::Axis;
use super::mark::MarkKind;
use super::messages;
use super::table::{Cell, table};
use crate::page::text;

/// The size of the box of the lines.
const BOX: f64 = 1000.0;
/// A line with more points than this has no dots.
const FEW: usize = 60;

pub(super) struct Chart<'a> {
    /// For screen readers.
    pub(super) label: &'a str,
    /// What the vertical axis shows, with its unit.
    pub(super) up_name: &'a str,
    pub(super) across: Axis,
    pub(super) up: Axis,
    pub(super) lines: Vec<Line>,
    pub(super) marks: Vec<Mark>,
    pub(super) limits: Vec<Limit>,
    /// The names of the columns of the table, the first for the place.
    pub(super) head: Vec<&'a str>,
    pub(super) columns: Vec<Column>,
    /// Whether the table is shown at first.
    pub(super) is_open: bool,
}

pub(super) struct Line {
    pub(super) class: &'static str,
    pub(super) name: &'static str,
    /// Points in order; without a value, the line has a gap.
    pub(super) points: Vec<(f64, Option<f64>)>,
}

/// A single point.
pub(super) struct Mark {
    pub(super) kind: MarkKind,
    pub(super) across: f64,
    pub(super) up: f64,
    pub(super) is_confirmation: bool,
}

/// A line across the chart.
pub(super) enum Limit {
    Up(f64, String),
    Across(f64, String),
}

/// The values at one place.
pub(super) struct Column {
    pub(super) at: f64,
    /// What is said of the place: `3 to 4 s: p50 0.506 ms, p99 2.024 ms`.
    pub(super) said: String,
    /// The cells of each row of the table; several if several points have this place.
    pub(super) rows: Vec<Vec<String>>,
}

impl Chart<'_> {
    pub(super) fn render(&self) -> Markup {
        html! {
            figure.plot {
                div.legend { (self.legend()) }
                p.value role="status" data-hint=(messages::hint()) {}
                p.axis { (self.up_name) }
                svg.area role="img" aria-label=(text::attribute(self.label)) {
                    (self.grid())
                    (self.lines())
                    (self.limits())
                    @for mark in &self.marks { (self.mark(mark)) }
                    (self.columns())
                }
            }
            details.more open[self.is_open] { summary { (messages::values()) } (self.table()) }
        }
    }

    fn legend(&self) -> Markup {
        let has = |kind: &MarkKind| self.marks.iter().any(|mark| mark.kind == *kind);
        html! {
            @for line in &self.lines {
                span { svg.key { line class=(line.class) x1="0" x2="28" y1="8" y2="8" {} } (line.name) }
            }
            @for kind in MarkKind::ALL.into_iter().filter(has) {
                span { svg.key { svg.at x="14" y="8" { path class=(kind.name()) d=(kind.path()) {} } } (messages::mark(kind)) }
            }
            @if self.marks.iter().any(|mark| mark.is_confirmation) {
                span { svg.key { circle.again cx="14" cy="8" r="7" {} } (messages::confirmation()) }
            }
        }
    }

    fn grid(&self) -> Markup {
        html! {
            @for tick in &self.up.ticks {
                @let at = percent(1.0 - self.up.place(tick.at));
                line.grid x1="0" x2="100%" y1=(at) y2=(at) {}
                text x="0" y=(at) dx="-8" dy="4" text-anchor="end" { (tick.name) }
            }
            @for tick in &self.across.ticks {
                @let at = percent(self.across.place(tick.at));
                g.wide[tick.is_wide] {
                    line.grid x1=(at) x2=(at) y1="0" y2="100%" {}
                    text x=(at) y="100%" dy="20" text-anchor="middle" { (tick.name) }
                }
            }
        }
    }

    fn lines(&self) -> Markup {
        html! {
            svg width="100%" height="100%" viewBox={ "0 0 " (BOX) " " (BOX) } preserveAspectRatio="none" {
                @for line in &self.lines { path class=(line.class) d=(self.path(line)) {} }
            }
            @for line in self.lines.iter().filter(|line| line.points.len() <= FEW) {
                @for (across, up) in line.points.iter().filter_map(|(across, up)| Some((*across, (*up)?))) {
                    circle class={ "dot " (line.class) } cx=(percent(self.across.place(across)))
                        cy=(percent(1.0 - self.up.place(up))) r="3" {}
                }
            }
        }
    }

    fn path(&self, line: &Line) -> String {
        let mut path = String::new();
        let mut is_first = true;
        for (across, up) in &line.points {
            let Some(up) = up else {
                is_first = true;
                continue;
            };
            let letter = if is_first { 'M' } else { 'L' };
            let (x, y) = (self.across.place(*across) * BOX, (1.0 - self.up.place(*up)) * BOX);
            // Writing to a string does not fail.
            let _ = write!(path, "{letter}{x:.1} {y:.1}");
            is_first = false;
        }
        path
    }

    fn limits(&self) -> Markup {
        html! {
            @for limit in &self.limits {
                @match limit {
                    Limit::Up(value, name) => {
                        @let at = 1.0 - self.up.place(*value);
                        line.limit x1="0" x2="100%" y1=(percent(at)) y2=(percent(at)) {}
                        text.limit x="100%" y=(percent(at)) dx="-4" dy=(if at < 0.1 { "16" } else { "-6" }) text-anchor="end" { (text::line(name)) }
                    }
                    Limit::Across(value, name) => {
                        @let at = self.across.place(*value);
                        line.found x1=(percent(at)) x2=(percent(at)) y1="0" y2="100%" {}
                        text.found x=(percent(at)) y="0" dy="-8" text-anchor=(anchor(at)) { (text::line(name)) }
                    }
                }
            }
        }
    }

    fn mark(&self, mark: &Mark) -> Markup {
        let (x, y) = (percent(self.across.place(mark.across)), percent(1.0 - self.up.place(mark.up)));
        html! {
            svg.at x=(x) y=(y) {
                path class=(mark.kind.name()) d=(mark.kind.path()) {}
                @if mark.is_confirmation { circle.again r="9" {} }
            }
        }
    }

    /// Each column ends halfway to the next. Its line is visible while its value is shown.
    fn columns(&self) -> Markup {
        let places: Vec<f64> = self.columns.iter().map(|column| self.across.place(column.at)).collect();
        let between = |left: usize, right: usize| match (places.get(left), places.get(right)) {
            (Some(left), Some(right)) => f64::midpoint(*left, *right),
            (None, _) => 0.0,
            _ => 1.0,
        };
        html! {
            @for (at, column) in self.columns.iter().enumerate() {
                @let start = between(at.wrapping_sub(1), at);
                @let end = between(at, at + 1);
                @let place = percent(self.across.place(column.at));
                g.column {
                    title { (text::line(&column.said)) }
                    rect x=(percent(start)) y="0" width=(percent((end - start).max(0.0))) height="100%" {}
                    line x1=(place) x2=(place) y1="0" y2="100%" {}
                }
            }
        }
    }

    pub(super) fn table(&self) -> Markup {
        let rows = self.columns.iter().flat_map(|column| &column.rows);
        let rows = rows.map(|row| row.iter().map(|cell| Cell::figure(cell)).collect());
        table(self.label, &self.head, rows.collect())
    }
}

fn percent(share: f64) -> PreEscaped<String> {
    PreEscaped(format!("{:.2}%", share * 100.0))
}

/// Keeps a label at a place within the drawing.
fn anchor(place: f64) -> &'static str {
    match place {
        ..0.25 => "start",
        ..0.75 => "middle",
        _ => "end",
    }
}
