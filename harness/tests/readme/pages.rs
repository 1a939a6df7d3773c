//! The pages that users read, and the commands that they show.

use std::fs;
use std::path::Path;

/// A page: its path from the repository's root, and its text.
pub(super) struct Page {
    pub(super) name: String,
    pub(super) text: String,
}

/// A command of a page, as a user would type it.
pub(super) struct Shown {
    pub(super) line: String,
    /// The exit status that the page promises: 0 if it says nothing.
    pub(super) status: i32,
}

pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README, CONTRIBUTING and the pages of `docs/`.
pub(super) fn pages() -> Vec<Page> {
    let mut names = vec!["README.md".to_owned(), "CONTRIBUTING.md".to_owned()];
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let docs = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    names.extend(docs.map(|path| format!("docs/{}", path.file_name().unwrap().display())));
    names.sort();
    names.into_iter().map(|name| page(&name)).collect()
}

pub(super) fn page(name: &str) -> Page {
    let text = fs::read_to_string(root().join(name)).unwrap_or_else(|why| panic!("{name}: {why}"));
    Page { name: name.to_owned(), text }
}

/// The fenced blocks of a text: language and content.
pub(crate) fn blocks(text: &str) -> Vec<(&str, &str)> {
    let fenced = text.split("```").skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').unwrap_or((block, ""))).collect()
}

/// A text without its fenced blocks.
pub(super) fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// How commands begin in the `script:` of a GitLab job.
const SCRIPTS: [&str; 2] = ["cargo ", "twenty-conform "];

/// The commands of all blocks, in reading order: lines with a prompt, and the steps of CI jobs on GitHub and GitLab.
pub(super) fn commands(text: &str) -> Vec<Shown> {
    let mut found: Vec<Shown> = Vec::new();
    for (language, block) in blocks(text) {
        let command = |line: &str| match language {
            "console" => line.strip_prefix("$ ").map(str::to_owned),
            "yaml" if line.starts_with("- run: ") => line.strip_prefix("- run: ").map(str::to_owned),
            "yaml" => line
                .strip_prefix("- ")
                .filter(|line| SCRIPTS.iter().any(|name| line.starts_with(name)))
                .map(str::to_owned),
            _ => None,
        };
        for line in block.replace("\\\n", " ").lines() {
            if let Some(line) = command(line.trim_start()) {
                let status = promised(&line).unwrap_or(0);
                found.push(Shown { line, status });
            } else if let (true, Some(last)) = (line.starts_with("RESULT: fail"), found.last_mut()) {
                last.status = 1; // the block shows what the command prints
            }
        }
    }
    found
}

/// The status that a comment after a command names: `# exit status 1`.
fn promised(line: &str) -> Option<i32> {
    let (_, after) = line.split_once("# exit status ")?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The calls in a line, as words: the parts of a pipe or a list, without comments.
pub(super) fn calls(line: &str) -> Vec<Vec<String>> {
    let words = shlex::split(line).unwrap_or_else(|| panic!("a quote is not closed: {line}"));
    words.split(|word| ["|", "&&", ">"].contains(&word.as_str())).map(<[String]>::to_vec).collect()
}

/// How many of these words are variables set for the call.
pub(super) fn assignments(call: &[String]) -> usize {
    let is_assignment = |word: &&String| word.split_once('=').is_some_and(|(name, _)| !name.starts_with('-'));
    call.iter().take_while(is_assignment).count()
}

/// The arguments of a call of the binary, installed or through cargo; `None` for another program.
pub(super) fn arguments(call: &[String]) -> Option<&[String]> {
    let call = &call[assignments(call)..];
    match call.first()?.as_str() {
        "twenty-conform" => Some(&call[1..]),
        "cargo" if call.get(1)? == "run" => Some(&call[call.iter().position(|word| word == "--")? + 1..]),
        _ => None,
    }
}

#[test]
fn commands_are_found_with_their_status() {
    let text = "```console\n$ a b \\\n  c  # exit status 3: why\n$ d\nRESULT: fail\n```\n```yaml\n- run: e\n  - cargo f\n  - if: g\n```\n```rust\n$ f\n```\n";
    let found: Vec<(String, i32)> =
        commands(text).into_iter().map(|shown| (shown.line, shown.status)).collect();
    let expected = [("a b    c  # exit status 3: why", 3), ("d", 1), ("e", 0), ("cargo f", 0)];
    assert_eq!(found, expected.map(|(line, status)| (line.to_owned(), status)));
}
