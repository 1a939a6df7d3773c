//! Blocks of pages that are generated from the code: the failing run in README, and the code map in CONTRIBUTING.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::REWRITE;
use super::pages::root;
use crate::cli::program::{as_given, finish};
use crate::implementations::is_missing;

/// Fails unless the block of that name has this text. With `UPDATE_README` set, it rewrites the block instead.
fn assert_block(page: &str, block: &str, expected: &str) {
    let (begin, end) = (format!("<!-- {block}:begin -->\n"), format!("<!-- {block}:end -->"));
    let text = fs::read_to_string(root().join(page)).unwrap();
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{page} has no line {begin}"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{page} has no line {end}"));
    assert_page(page, &format!("{before}{begin}{expected}{end}{after}"));
}

/// Fails unless the page has this text. With `UPDATE_README` set, it rewrites the page instead.
pub(super) fn assert_page(page: &str, expected: &str) {
    // Several tests may rewrite files, one after another.
    static REWRITING: Mutex<()> = Mutex::new(());
    let _turn = REWRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let path = root().join(page);
    let text = fs::read_to_string(&path).unwrap_or_default();
    if text == expected {
        return;
    }
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(path, expected).unwrap();
        return;
    }
    let (had, wanted): (Vec<&str>, Vec<&str>) = (text.lines().collect(), expected.lines().collect());
    let removed = had.iter().filter(|line| !wanted.contains(line)).map(|line| format!("- {line}\n"));
    let added = wanted.iter().filter(|line| !had.contains(line)).map(|line| format!("+ {line}\n"));
    let difference: String = removed.chain(added).collect();
    panic!("{page} is out of date; `{REWRITE}` rewrites it:\n{difference}");
}

/// A text as Markdown: outside of code, `<` begins no tag.
pub(super) fn marked_up(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    let pieces =
        pieces.map(|(at, piece)| if at % 2 == 0 { piece.replace('<', "\\<") } else { piece.to_owned() });
    pieces.collect::<Vec<_>>().join("`")
}

/// The first sentence of a file's `//!`, without the brackets of its links.
fn first_sentence(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map_while(|line| line.strip_prefix("//! "));
    let paragraph = lines.collect::<Vec<_>>().join(" ").replace("[`", "`").replace("`]", "`");
    match paragraph.find(". ") {
        Some(end) => paragraph[..=end].to_owned(),
        None => paragraph,
    }
}

/// The folders of the library in the order in which `lib.rs` declares them, then the files.
fn modules() -> Vec<PathBuf> {
    let map = fs::read_to_string(root().join("harness/lib.rs")).unwrap();
    let declared = map
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    let file = |name: &str| {
        let folder = PathBuf::from("harness").join(name).join("mod.rs");
        if root().join(&folder).exists() { folder } else { PathBuf::from(format!("harness/{name}.rs")) }
    };
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) =
        declared.map(file).partition(|path| path.ends_with("mod.rs"));
    // `lib.rs` describes the whole crate.
    folders.into_iter().chain(["harness/main.rs".into()]).chain(files).collect()
}

#[test]
fn code_map_matches_the_modules() {
    let mut table = String::from("| path | what |\n|---|---|\n");
    for file in modules() {
        let what = marked_up(&first_sentence(&root().join(&file))).replace('|', "\\|");
        let shown = file.display().to_string();
        writeln!(table, "| `{}` | {what} |", shown.strip_suffix("mod.rs").unwrap_or(&shown)).unwrap();
    }
    assert_block("CONTRIBUTING.md", "code-map", &table);
}

/// The whole report on a receiver with one fault, but for the line with the time that the run took.
#[test]
fn failing_run_matches_the_program() {
    if is_missing("node") {
        return;
    }
    let receiver = "node fixtures/implementations/receivers/node-body-alone/server.mjs";
    let printed = finish(as_given(["receiver", "--exec", receiver, "--seed", "42"])).expect(1).stdout;
    let is_timed = |line: &str| line.contains(" requests in ");
    let shown: Vec<&str> = printed.lines().filter(|line| !is_timed(line)).collect();
    let command = format!("twenty-conform receiver --exec '{receiver}' --seed 42");
    let shown = shown.join("\n");
    assert_block("README.md", "failure", &format!("```console\n$ {command}\n{shown}\n```\n"));
}
