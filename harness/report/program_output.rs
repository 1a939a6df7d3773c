//! The line of a program's output that says why it failed, and where in the program.

/// The endings of files with source text that are looked for in traces.
const SOURCES: [&str; 16] = [
    ".js", ".mjs", ".cjs", ".ts", ".mts", ".tsx", ".py", ".go", ".rb", ".php", ".java", ".kt", ".rs", ".cs",
    ".ex", ".exs",
];

/// Parts of paths that belong to a runtime or a library.
const FOREIGN: [&str; 9] = [
    "node_modules/",
    "node:",
    "site-packages/",
    "dist-packages/",
    "/lib/python",
    "<frozen",
    "/vendor/",
    "/go/src/",
    "/gems/",
];

/// The line that says most: the last that begins like an error, with the place in the program, or else the last line.
pub(super) fn telling_line(lines: &[String]) -> Option<String> {
    let lines: Vec<&str> = lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
    let Some(at) = lines.iter().rposition(|line| is_error(line)) else {
        // Node ends its traces with its version.
        let last = lines.iter().rfind(|line| !line.starts_with("Node.js v") && !is_frame(line));
        return last.map(|line| (*line).to_owned());
    };
    // Python has the innermost call last, before the error; others have it first, after the error.
    let own = |line: &&&str| place(line).is_some() && !FOREIGN.iter().any(|part| line.contains(part));
    let after = lines[at + 1..].iter().find(own);
    let place = after.or_else(|| lines[..at].iter().rfind(own)).and_then(|line| place(line));
    Some(match place {
        Some(place) if !lines[at].contains(&place) => format!("{} ({place})", lines[at]),
        _ => lines[at].to_owned(),
    })
}

/// Whether a line begins with the name of an error.
fn is_error(line: &str) -> bool {
    let known =
        ["panic:", "panicked at", "Uncaught", "PHP Fatal error", "Fatal error", "fatal error", "Caused by:"];
    if known.iter().any(|start| line.starts_with(start)) || line.starts_with("thread '") {
        return true;
    }
    let name = line.split([':', ' ']).next().unwrap_or_default();
    let is_name = name.chars().all(|one| one.is_alphanumeric() || "._$\\".contains(one));
    is_name && (name.ends_with("Error") || name.ends_with("Exception"))
}

fn is_frame(line: &str) -> bool {
    line.starts_with("at ") || line.starts_with("File \"")
}

/// The name and line of a source file that a line of a trace has: `app.py:31`.
fn place(line: &str) -> Option<String> {
    if let Some(rest) = line.strip_prefix("File \"") {
        let (path, rest) = rest.split_once('"')?;
        let number = rest.strip_prefix(", line ")?;
        let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
        return Some(format!("{}:{digits}", name_of(path)));
    }
    line.split([' ', '(', ')', '[', ']']).find_map(|word| {
        let ending =
            SOURCES.iter().find_map(|ending| word.find(&format!("{ending}:")).map(|at| at + ending.len()))?;
        let digits: String = word[ending + 1..].chars().take_while(char::is_ascii_digit).collect();
        (!digits.is_empty()).then(|| format!("{}:{digits}", name_of(&word[..ending])))
    })
}

fn name_of(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::telling_line;

    #[test]
    fn finds_the_error_and_its_place() {
        for (output, expected) in [
            (
                "file:///app/server.mjs:31\n    timingSafeEqual(a, b)\n    ^\n\nRangeError [ERR_X]: Input buffers must have the same \
                 byte length\n    at verify (file:///app/server.mjs:31:9)\n    at node:internal/x:7:3\n\nNode.js v22.1.0",
                "RangeError [ERR_X]: Input buffers must have the same byte length (server.mjs:31)",
            ),
            (
                "Traceback (most recent call last):\n  File \"/app/app.py\", line 31, in hook\n    compare(a, b)\n  File \
                 \"/x/site-packages/y.py\", line 2, in compare\nTypeError: comparing strings",
                "TypeError: comparing strings (app.py:31)",
            ),
            (
                "listening\npanic: index out of range\n\ngoroutine 7\n/app/main.go:12 +0x1",
                "panic: index out of range (main.go:12)",
            ),
            ("ready\nno secret is set\n", "no secret is set"),
            ("Error: a (server.js:3)\n  at f (/app/server.js:3:1)", "Error: a (server.js:3)"),
        ] {
            let lines: Vec<String> = output.lines().map(str::to_owned).collect();
            assert_eq!(telling_line(&lines).as_deref(), Some(expected));
        }
        assert_eq!(telling_line(&[]), None);
    }
}
