//! The README, as far as the project can say by itself what must stand there; and the commands of the guide.
//!
//! Invariant: what is generated is equal to what the code says; what is shown as a command is one that there
//! is.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::cli::program::run;
use crate::goldens::subcommands;
use crate::implementations::is_missing;

const REWRITE: &str = "UPDATE_README=1 cargo test --test conform readme";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// The README and the pages of `docs/`, by name.
fn pages() -> Vec<(String, String)> {
    let mut pages = vec![("README.md".to_owned(), readme())];
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    for path in docs.filter(|path| path.extension().is_some_and(|ending| ending == "md")) {
        let name = format!("docs/{}", path.file_name().unwrap().display());
        pages.push((name, fs::read_to_string(path).unwrap()));
    }
    pages.sort();
    pages
}

/// Fails unless the block of that name stands as expected, or rewrites it where that was asked for. `essence`
/// takes off what differs from run to run.
fn keep_true(block: &str, expected: &str, essence: fn(&str) -> String) {
    // Several tests may rewrite the file, one after another.
    static REWRITING: Mutex<()> = Mutex::new(());
    let _turn = REWRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let (begin, end) = (format!("<!-- {block}:begin -->\n"), format!("<!-- {block}:end -->"));
    let text = readme();
    let from = text.find(&begin).unwrap_or_else(|| panic!("README.md has no line {begin}")) + begin.len();
    let to = from + text[from..].find(&end).unwrap_or_else(|| panic!("README.md has no line {end}"));
    if essence(&text[from..to]) == essence(expected) {
        return;
    }
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(root().join("README.md"), format!("{}{expected}{}", &text[..from], &text[to..])).unwrap();
        return;
    }
    let (had, wanted): (Vec<&str>, Vec<&str>) =
        (text[from..to].lines().collect(), expected.lines().collect());
    let gone = had.iter().filter(|line| !wanted.contains(line)).map(|line| format!("- {line}\n"));
    let new = wanted.iter().filter(|line| !had.contains(line)).map(|line| format!("+ {line}\n"));
    let difference: String = gone.chain(new).collect();
    panic!("README.md, block {block}, is out of date; `{REWRITE}` rewrites it:\n{difference}");
}

/// Text as a cell of a table: outside of code, `<` begins no tag.
fn cell(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    let pieces =
        pieces.map(|(at, piece)| if at % 2 == 0 { piece.replace('<', "\\<") } else { piece.to_owned() });
    pieces.collect::<Vec<_>>().join("`").replace('|', "\\|")
}

#[test]
fn requirement_table_matches_the_checks() {
    let mut table =
        String::from("| id | level | role | requirement | source | check |\n|---|---|---|---|---|---|\n");
    for one in twenty_conform::suite::requirements::all() {
        let (text, source) = (cell(one.text), cell(one.source));
        writeln!(
            table,
            "| {} | {} | {} | {text} | {source} | `{}` |",
            one.id,
            one.level,
            one.role(),
            one.check_id
        )
        .unwrap();
    }
    keep_true("requirements", &table, str::to_owned);
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

/// The rooms and the ground-floor files of the library: the folders in the order in which `lib.rs` declares them, then the
/// files.
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
    folders.into_iter().chain(["harness/lib.rs".into(), "harness/main.rs".into()]).chain(files).collect()
}

#[test]
fn code_map_matches_the_modules() {
    let mut table = String::from("| path | what |\n|---|---|\n");
    for file in modules() {
        let what = cell(&first_sentence(&root().join(&file)));
        let shown = file.display().to_string();
        writeln!(table, "| `{}` | {what} |", shown.strip_suffix("mod.rs").unwrap_or(&shown)).unwrap();
    }
    keep_true("code-map", &table, str::to_owned);
}

/// What a command prints, with the command above it. Of each paragraph only the first lines are kept: as many
/// as `kept` says for it, or as the last of them says.
fn shown(command: &str, arguments: &[&str], status: i32, kept: &[usize]) -> String {
    let printed = run(arguments).expect(status).stdout;
    let shorten = |(at, paragraph): (usize, &str)| {
        let lines: Vec<&str> = paragraph.trim_end().lines().collect();
        let kept = *kept.get(at).or(kept.last()).unwrap();
        match lines.get(..kept) {
            Some(first) if lines.len() > kept => format!("{}\n[…]", first.join("\n")),
            _ => lines.join("\n"),
        }
    };
    let paragraphs: Vec<String> = printed.split("\n\n").enumerate().map(shorten).collect();
    format!("```console\n$ {command}\n{}\n```\n", paragraphs.join("\n\n"))
}

/// Without how many exchanges there were, which a search for a bound may make one more or less, and how long they took.
fn timeless(text: &str) -> String {
    let line = |line: &str| if line.contains(" exchanges in ") { String::new() } else { line.to_owned() };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn demo_output_matches_the_readme() {
    let shown = shown(
        "cargo run --release -- demo --seed 42",
        &["demo", "--seed", "42"],
        0,
        &[1, 3, 2, 2, 2, 2, 3, 3, 2],
    );
    keep_true("demo", &shown, timeless);
}

#[test]
fn failure_output_matches_the_readme() {
    if is_missing("node") {
        return;
    }
    let receiver = "node fixtures/implementations/receivers/node-body-alone/server.mjs";
    let command = format!("twenty-conform receiver --exec '{receiver}' --seed 42");
    let shown = shown(&command, &["receiver", "--exec", receiver, "--seed", "42"], 1, &[1, 2, 8, 3, 2]);
    keep_true("failure", &shown, timeless);
}

/// Every long option of a help text, without those in its examples.
fn options(help: &str) -> BTreeSet<String> {
    let help = help.split("\nExamples:\n").next().unwrap_or(help);
    let words = help.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter(|word| word.len() > 2 && word.starts_with("--")).map(str::to_owned).collect()
}

/// The long options that a (sub)command has, with those of the commands under it; `None` where there is no
/// such command.
fn options_of(command: &[&str]) -> Option<BTreeSet<String>> {
    let ran = run(command.iter().chain(&["--help"]));
    (ran.status == Some(0)).then(|| options(&ran.stdout))
}

/// The arguments of a call of the binary, however it is called; `None` where something else is called.
fn arguments(call: &[String]) -> Option<&[String]> {
    let is_variable = |word: &String| word.split_once('=').is_some_and(|(name, _)| !name.starts_with('-'));
    let call = &call[call.iter().take_while(|word| is_variable(word)).count()..];
    match call.first()?.as_str() {
        "twenty-conform" => Some(&call[1..]),
        "cargo" if call.get(1)? == "run" => Some(&call[call.iter().position(|word| word == "--")? + 1..]),
        _ => None,
    }
}

/// Every command of a document: the lines of code blocks that begin with a prompt or are a step of a CI job,
/// and the code in running text that begins with the binary's name.
fn commands(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let (mut fenced, mut found) = (false, Vec::new());
    for line in joined.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            let prefixes = ["$ ", "- run: "];
            found.extend(
                prefixes.iter().find_map(|prefix| line.trim_start().strip_prefix(prefix)).map(str::to_owned),
            );
        } else {
            let code = line.split('`').skip(1).step_by(2);
            found.extend(code.filter(|code| code.starts_with("twenty-conform ")).map(str::to_owned));
        }
    }
    found
}

/// What is wrong with the arguments of a call as a page shows it; `…` in it stands for more.
fn complaint(arguments: &[String]) -> Option<String> {
    let command: Vec<&str> =
        arguments.iter().map(String::as_str).take_while(|word| !word.starts_with('-')).collect();
    // The words after the command's name may be its arguments.
    let named = (0..=command.len()).rev().find_map(|length| Some((length, options_of(&command[..length])?)));
    let (length, known) = named.unwrap();
    if length == 0 {
        return Some(format!("there is no command {}", command.join(" ")));
    }
    let given =
        arguments.iter().filter(|word| word.starts_with("--")).map(|word| word.split('=').next().unwrap());
    let unknown: Vec<&str> = given.filter(|option| !known.contains(*option)).collect();
    if !unknown.is_empty() {
        return Some(format!("{} has no {}", command.join(" "), unknown.join(", ")));
    }
    if arguments.iter().any(|word| word == "…") {
        return None;
    }
    // `--help` after all arguments: they are parsed up to it, and nothing is run. What is missing is not seen by that.
    let ran = run(arguments.iter().map(String::as_str).chain(["--help"]));
    (ran.status != Some(0)).then(|| ran.stderr.trim().to_owned())
}

#[test]
fn commands_in_readme_and_docs_are_parsed() {
    let mut wrong = Vec::new();
    for (page, text) in pages() {
        let mut checked = 0;
        for line in commands(&text) {
            let words =
                shlex::split(&line).unwrap_or_else(|| panic!("{page}: a quote is not closed: {line}"));
            for call in words.split(|word| ["|", "&&", ">"].contains(&word.as_str())) {
                let Some(arguments) = arguments(call) else { continue };
                checked += 1;
                wrong.extend(complaint(arguments).map(|why| format!("{page}: {line}: {why}")));
            }
        }
        assert!(checked > 0, "{page}: no command was found");
    }
    assert!(wrong.is_empty(), "pages show commands that do not parse:\n{}", wrong.join("\n"));
}

#[test]
fn wrong_commands_in_a_page_are_named() {
    let complaint = |line: &str| complaint(&shlex::split(line).unwrap());
    assert_eq!(complaint("receiver --exec 'node server.mjs' --seed 7"), None);
    assert_eq!(complaint("bench sender --exec …"), None);
    for (line, words) in [
        ("receive --exec x", "there is no command receive"),
        ("receiver --excc x", "receiver has no --excc"),
        ("bench receivers --exec x", "bench receivers has no --exec"),
        ("receiver --exec x --seed many", "many"),
        ("receiver --exec x y", "'y'"),
    ] {
        let why = complaint(line).unwrap_or_else(|| panic!("{line} was not complained of"));
        assert!(why.contains(words), "{line}: {why}");
    }
}

/// Every command that has options of its own: those that help texts list, and those under them.
fn all_options() -> BTreeSet<String> {
    let (mut known, mut open) = (BTreeSet::new(), vec![Vec::new()]);
    while let Some(command) = open.pop() {
        let help = run(command.iter().map(String::as_str).chain(["--help"])).expect(0).stdout;
        known.extend(options(&help));
        open.extend(subcommands(&help).map(|name| [&command[..], &[name.to_owned()]].concat()));
    }
    known
}

#[test]
fn options_named_in_readme_and_docs_exist() {
    let mut known = all_options();
    // Of cargo.
    known.insert("--profile".to_owned());
    let mut wrong = Vec::new();
    for (page, text) in pages() {
        let outside_of_blocks: String = text.split("```").step_by(2).collect();
        let code = outside_of_blocks.split('`').skip(1).step_by(2);
        let named = code.filter(|code| code.starts_with("--")).flat_map(options);
        wrong
            .extend(named.filter(|option| !known.contains(option)).map(|option| format!("{page}: {option}")));
    }
    assert!(wrong.is_empty(), "pages name options that there are not: {}", wrong.join(", "));
}
