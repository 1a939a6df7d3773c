//! The report of a program that was not there to be tested: what is wrong, and next to it what to do, on a few lines.

use std::fmt::Write as _;

use super::Report;
use super::text::WIDTH;
use crate::error::StartFailure;
use crate::redaction::Redaction;
use crate::terminal::{BAD, DIM, clean, clipped};

/// The indentation of what a line says after its name.
const MARGIN: usize = 11;

/// How many lines of an output are shown without `-v`, and how many characters of each.
const SHOWN: usize = 3;
const LONGEST: usize = 240;

/// The same failure without secrets.
pub(super) fn redacted(failure: &StartFailure, redact: &Redaction) -> StartFailure {
    let lines = |lines: &[String]| redact.text(&lines.join("\n")).lines().map(str::to_owned).collect();
    StartFailure {
        fault: redact.text(&failure.fault),
        command: failure.command.as_ref().map(|command| redact.text(command)),
        output: failure.output.as_ref().map(|(stream, output)| (stream.clone(), lines(output))),
        fixes: failure.fixes.iter().map(|fix| redact.text(fix)).collect(),
    }
}

/// The report as text with ANSI colours. With `is_whole`, all of the output that is known is shown.
pub(super) fn render(report: &Report, failure: &StartFailure, is_whole: bool) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let fault = wrapped(&format!("{}: {}", report.tool.name, clean(&failure.fault)), WIDTH - 2);
    let _ = writeln!(text, "{BAD}{}{BAD:#}", fault.join("\n  "));
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "  {DIM}{name:<7}{DIM:#}  {value}");
    };
    if let Some(command) = &failure.command {
        line("command", &clean(command));
    }
    if let Some((stream, lines)) = &failure.output {
        let shown = if is_whole { lines.iter().collect() } else { telling(lines) };
        for (at, shown) in shown.into_iter().enumerate() {
            let name = if at == 0 { stream } else { "" };
            if is_whole {
                line(name, &clean(shown.trim_end()));
            } else {
                line(name, &below(&clipped(shown.trim(), LONGEST)));
            }
        }
    }
    for (at, fix) in failure.fixes.iter().enumerate() {
        let name = if at == 0 { "fix" } else { "or" };
        line(name, &below(&clean(fix)));
    }
    for note in &report.notes {
        line("note", &below(&clean(note)));
    }
    let _ = writeln!(text, "{}", report.result_line());
    text
}

/// A text after the name of a line, with its further lines below its first.
fn below(text: &str) -> String {
    wrapped(text, WIDTH - MARGIN).join(&format!("\n{:MARGIN$}", ""))
}

/// The lines of an output that tell why a program ended: its error, with a place in the program's own code.
fn telling(lines: &[String]) -> Vec<&String> {
    let names_error = |line: &&String| {
        let line = line.trim_start();
        let first = line.split_whitespace().next().unwrap_or_default().trim_end_matches(':');
        let is_error =
            ["Error", "Exception", "error", "panic", "fatal", "Fatal"].iter().any(|end| first.ends_with(end));
        is_error || line.contains("Error: ") || line.contains("error: ") || line.contains("Exception: ")
    };
    let is_plain = |line: &&String| {
        !line.starts_with(char::is_whitespace) && !line.starts_with('}') && !line.starts_with("Node.js v")
    };
    let Some(at) = lines.iter().rposition(|line| names_error(&line)) else {
        return lines[lines.len().saturating_sub(SHOWN)..].iter().collect();
    };
    let is_place = |line: &&String| {
        let line = line.trim_start();
        let others = ["node:internal", "node_modules", "site-packages", "/lib/python", "<frozen "];
        let is_own = !others.iter().any(|other| line.contains(other));
        (line.starts_with("at ") || line.starts_with("File \"")) && is_own
    };
    let after =
        lines[at + 1..].iter().take_while(|line| line.starts_with(char::is_whitespace)).find(is_place);
    let before = lines[..at].iter().rev().find(is_place);
    let place = after.or(before);
    let mut shown: Vec<&String> = Vec::new();
    match (before, after) {
        (Some(place), None) => shown.extend([place, &lines[at]]),
        _ => shown.extend([&lines[at]].into_iter().chain(place)),
    }
    // A message may go on in the next line.
    let next = lines.get(at + 1).filter(|next| is_plain(next) && shown.len() < SHOWN);
    shown.extend(next);
    shown
}

/// A text in lines of at most `width` characters, broken at blanks where that is possible.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let length = |text: &str| text.chars().count();
        let last =
            lines.last_mut().filter(|last| last.is_empty() || length(last) + 1 + length(word) <= width);
        match last {
            Some(last) if last.is_empty() => last.push_str(word),
            Some(last) => {
                last.push(' ');
                last.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{telling, wrapped};

    fn told(output: &str) -> Vec<String> {
        let lines: Vec<String> = output.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
        telling(&lines).into_iter().cloned().collect()
    }

    #[test]
    fn tells_the_error_and_its_place() {
        for (output, expected) in [
            (
                "node:internal/modules/cjs/loader:1210\n  throw err;\n  ^\nError: Cannot find module '/app/a.mjs'\n    \
                 at Module._load (node:internal/modules/cjs/loader:1038:27) {\n  code: 'MODULE_NOT_FOUND'\n}\nNode.js v20.20.2",
                &["Error: Cannot find module '/app/a.mjs'"][..],
            ),
            (
                "/app/a.mjs:3\nthrow new Error('no URL')\n      ^\n\nError: no URL\n    at file:///app/a.mjs:3:7\n    at \
                 ModuleJob.run (node:internal/x:1:2)\n\nNode.js v20.20.2",
                &["Error: no URL", "    at file:///app/a.mjs:3:7"],
            ),
            (
                "Traceback (most recent call last):\n  File \"/app/a.py\", line 3, in <module>\n    import flask\n\
                 ModuleNotFoundError: No module named 'flask'",
                &[
                    "  File \"/app/a.py\", line 3, in <module>",
                    "ModuleNotFoundError: No module named 'flask'",
                ],
            ),
            ("one\ntwo\n  three\nfour", &["two", "  three", "four"]),
            (
                "panic: no secret\n\ngoroutine 1 [running]:\nmain.main()",
                &["panic: no secret", "goroutine 1 [running]:"],
            ),
            ("Starting\nno database", &["Starting", "no database"]),
            ("Starting\nerror: a\nsee the manual", &["error: a", "see the manual"]),
            ("  indented\n  only", &["  indented", "  only"]),
            ("", &[]),
        ] {
            assert_eq!(told(output), expected, "{output}");
        }
    }

    #[test]
    fn breaks_lines_at_blanks() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("one twothree four", 5), ["one", "twothree", "four"]);
        assert_eq!(wrapped("", 5), [""]);
    }
}
