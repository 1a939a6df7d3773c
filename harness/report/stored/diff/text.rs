//! The differences as text.

use std::fmt::Write as _;

use anstyle::Style;

use super::slower::bounds;
use super::{Alone, Change, Difference, messages};
use crate::report::text::wrapped;
use crate::terminal::{BAD, BOLD, DIM, GOOD, UNCLEAR, clean};

/// The indentation of what is said about a requirement.
const ENTRY: usize = 11;
/// The indentation of a text after its name.
const MARGIN: usize = ENTRY + 5;

impl Difference {
    /// As text with ANSI colours, in lines of this width.
    pub fn text(&self, width: usize) -> String {
        render(self, width)
    }
}

// Writing to a string does not fail.
fn render(difference: &Difference, width: usize) -> String {
    let mut text = String::new();
    for (name, side) in [("old", &difference.old), ("new", &difference.new)] {
        let (path, subject) = (clean(&side.path), clean(&side.subject));
        let _ = writeln!(text, "{BOLD}{name}{BOLD:#}  {path} · {} {subject}", difference.role);
        let _ = writeln!(text, "     {DIM}{}{DIM:#}", side.summary);
    }
    if !difference.circumstances.is_empty() {
        heading(&mut text, messages::circumstances(), UNCLEAR, difference.circumstances.len());
        for one in &difference.circumstances {
            let _ = writeln!(text, "  {:<13} {} → {}", one.what, clean(&one.old), clean(&one.new));
        }
    }
    if difference.newly_ended {
        let _ = writeln!(text, "\n{BAD}{}{BAD:#}", messages::newly_ended());
    }
    changes(&mut text, messages::newly_failing(), BAD, &difference.newly_failing, width);
    changes(&mut text, messages::failing_otherwise(), BAD, &difference.failing_otherwise, width);
    changes(&mut text, messages::newly_open(), UNCLEAR, &difference.newly_open, width);
    changes(&mut text, messages::newly_passing(), GOOD, &difference.newly_passing, width);
    alone(&mut text, &messages::only_in("old"), &difference.only_in_old);
    alone(&mut text, &messages::only_in("new"), &difference.only_in_new);
    if !difference.slower.is_empty() {
        heading(&mut text, messages::slower(), UNCLEAR, difference.slower.len());
        for one in &difference.slower {
            let id = one.id.as_deref().unwrap_or(messages::whole_run());
            let times = messages::times(one.old_us, one.new_us, one.id.is_some());
            let _ = writeln!(text, "  {id:<9} {times}");
        }
        for line in wrapped(&messages::no_benchmark(bounds()), 2, 2, width) {
            let _ = writeln!(text, "  {DIM}{line}{DIM:#}");
        }
    }
    if difference.is_empty() {
        let _ = writeln!(text, "\n{GOOD}{}{GOOD:#}", messages::no_differences());
    }
    let _ = writeln!(text, "\n{}", difference.last_line());
    text
}

fn heading(text: &mut String, name: &str, style: Style, count: usize) {
    let _ = writeln!(text, "\n{style}{name}{style:#} {DIM}({count}){DIM:#}");
}

fn changes(text: &mut String, name: &str, style: Style, changes: &[Change], width: usize) {
    if changes.is_empty() {
        return;
    }
    heading(text, name, style, changes.len());
    for change in changes {
        let gate = if change.gated { "" } else { messages::not_gated() };
        let (id, title, level) = (&change.id, &change.title, change.level);
        let _ = writeln!(text, "  {id:<8} {}  {DIM}{level}{gate}{DIM:#}", clean(title));
        let mut line = |name: &str, value: &str| {
            let lines = wrapped(value, MARGIN, MARGIN, width).join(&format!("\n{:MARGIN$}", ""));
            let _ = writeln!(text, "{:ENTRY$}{DIM}{name:<4}{DIM:#} {lines}", "");
        };
        line("old", &change.old.words());
        line("new", &change.new.words());
        if let Some(fix) = &change.fix {
            line("fix", fix);
        }
        if let Some(rerun) = &change.rerun {
            // A command is not broken, so that it can be copied.
            let _ = writeln!(text, "{:ENTRY$}{DIM}run{DIM:#}  {}", "", clean(rerun));
        }
    }
}

fn alone(text: &mut String, name: &str, entries: &[Alone]) {
    if entries.is_empty() {
        return;
    }
    heading(text, name, DIM, entries.len());
    for Alone { id, title, level, verdict } in entries {
        let _ = writeln!(text, "  {id:<8} {}  {DIM}{level} · {}{DIM:#}", clean(title), verdict.as_str());
    }
}
