//! The differences as Markdown, for a comment or a CI summary.

use std::fmt::Write as _;

use super::slower::bounds;
use super::{Alone, Change, Difference, messages};
use crate::terminal::clean;

impl Difference {
    /// As Markdown.
    pub fn markdown(&self) -> String {
        render(self)
    }
}

// Writing to a string does not fail.
fn render(difference: &Difference) -> String {
    let mut text = format!("## twenty-conform diff: {}\n\n", difference.role);
    let _ = writeln!(text, "{}", messages::RUNS);
    for (name, side) in [("old", &difference.old), ("new", &difference.new)] {
        let (path, subject) = (cell(&side.path), cell(&side.subject));
        text.push_str(&messages::row(&[name, &path, &subject, side.result]));
    }
    if !difference.circumstances.is_empty() {
        let name = messages::circumstances();
        let _ = writeln!(text, "\n### {name}\n\n{}", messages::VALUES);
        for one in &difference.circumstances {
            text.push_str(&messages::row(&[one.what, &cell(&one.old), &cell(&one.new)]));
        }
    }
    if difference.newly_ended {
        let _ = writeln!(text, "\n**{}**", messages::newly_ended());
    }
    changes(&mut text, messages::newly_failing(), &difference.newly_failing);
    changes(&mut text, messages::failing_otherwise(), &difference.failing_otherwise);
    changes(&mut text, messages::newly_open(), &difference.newly_open);
    changes(&mut text, messages::newly_passing(), &difference.newly_passing);
    alone(&mut text, &messages::only_in("old"), &difference.only_in_old);
    alone(&mut text, &messages::only_in("new"), &difference.only_in_new);
    if !difference.slower.is_empty() {
        let _ = writeln!(text, "\n### {}\n\n{}", messages::slower(), messages::TIMES);
        for one in &difference.slower {
            let id = one.id.as_deref().unwrap_or(messages::whole_run());
            let times = messages::times(one.old_us, one.new_us, one.id.is_some());
            text.push_str(&messages::row(&[&cell(id), &cell(&times)]));
        }
        let _ = writeln!(text, "\n{}", messages::no_benchmark(bounds()));
    }
    if difference.is_empty() {
        let _ = writeln!(text, "\n{}", messages::no_differences());
    }
    let _ = writeln!(text, "\n`{}`", difference.last_line());
    text
}

fn changes(text: &mut String, name: &str, changes: &[Change]) {
    if changes.is_empty() {
        return;
    }
    let head = messages::CHANGES;
    let _ = writeln!(text, "\n### {name} ({})\n\n{head}", changes.len());
    for change in changes {
        let gate = if change.gated { "" } else { messages::not_gated() };
        let fix = change.fix.as_deref().map(cell).unwrap_or_default();
        let (old, new) = (cell(&change.old.words()), cell(&change.new.words()));
        let name = cell(&format!("{} {}", change.id, change.title));
        let level = format!("{}{gate}", change.level);
        text.push_str(&messages::row(&[&name, &level, &old, &new, &fix]));
    }
}

fn alone(text: &mut String, name: &str, entries: &[Alone]) {
    if entries.is_empty() {
        return;
    }
    let head = messages::VERDICTS;
    let _ = writeln!(text, "\n### {name} ({})\n\n{head}", entries.len());
    for one in entries {
        let name = cell(&format!("{} {}", one.id, one.title));
        text.push_str(&messages::row(&[&name, one.level.as_str(), one.verdict.as_str()]));
    }
}

/// A text in a cell of a table, in which nothing is Markdown or HTML. It may quote a program under test.
fn cell(text: &str) -> String {
    let mut cell = String::new();
    for character in clean(text).chars() {
        match character {
            '<' => cell.push_str("&lt;"),
            '>' => cell.push_str("&gt;"),
            '&' => cell.push_str("&amp;"),
            // An address of a person would notify that person.
            '@' => cell.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' => {
                cell.push('\\');
                cell.push(character);
            }
            _ => cell.push(character),
        }
    }
    cell
}
