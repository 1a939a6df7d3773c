//! The house rules that a reader relies on, checked on the source text.
//!
//! Invariant: each rule names the file, the line and the mend when it is broken.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder, as (path from the root, text).
fn rust_files(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// The library's files: what is under test there stands in the test binary.
fn library() -> Vec<(String, String)> {
    rust_files("harness").into_iter().filter(|(name, _)| !name.starts_with("harness/tests/")).collect()
}

/// The module that a file belongs to: `requirements` for `harness/requirements/judge.rs`.
fn module(name: &str) -> &str {
    let rest = name.strip_prefix("harness/").unwrap();
    rest.split(['/', '.']).next().unwrap()
}

/// Our modules that a file names, in `use` lines or in paths.
fn imports(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            let names: Vec<&str> = match rest.strip_prefix('{') {
                Some(list) => {
                    list.split(['}', ',']).map(|name| name.trim().split("::").next().unwrap()).collect()
                }
                None => rest.split(|c: char| !c.is_alphanumeric() && c != '_').take(1).collect(),
            };
            found.extend(
                names.into_iter().filter(|name| !name.is_empty()).map(|name| (number + 1, name.to_owned())),
            );
        }
    }
    found
}

fn assert_no(broken: Vec<String>, rule: &str) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

/// `modules` import none of `forbidden`.
fn assert_does_not_import(modules: &[&str], forbidden: &[&str], rule: &str) {
    let mut broken = Vec::new();
    for (name, text) in library() {
        if !modules.contains(&module(&name)) {
            continue;
        }
        for (line, import) in imports(&text) {
            if forbidden.contains(&import.as_str()) {
                broken.push(format!("{name}:{line} imports {import}"));
            }
        }
    }
    assert_no(broken, rule);
}

/// What only some modules may do: `needles` stand in no other file.
fn assert_only(allowed: &[&str], needles: &[&str], rule: &str) {
    let mut broken = Vec::new();
    for (name, text) in library() {
        if allowed.contains(&module(&name)) || name == "harness/build.rs" {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap();
            if let Some(needle) = needles.iter().find(|needle| code.contains(**needle)) {
                broken.push(format!("{name}:{} has `{needle}`", number + 1));
            }
        }
    }
    assert_no(broken, rule);
}

#[test]
fn imports_point_one_way() {
    let pure = [
        "dialect",
        "event",
        "exchange",
        "fault",
        "json",
        "recipe",
        "serialiser",
        "shape",
        "signature",
        "transcript",
    ];
    let above = [
        "case",
        "cli",
        "client",
        "endpoint",
        "error",
        "evidence",
        "exit",
        "load",
        "mutant",
        "receiver",
        "report",
        "requirements",
        "scenario",
        "selection",
        "sender",
        "subject",
        "suite",
        "vectors",
    ];
    assert_does_not_import(&pure, &above, "the core imports nothing above it");
    let judges = ["requirement", "requirements", "cause"];
    let machinery =
        ["cli", "client", "endpoint", "error", "exit", "report", "scenario", "selection", "subject", "suite"];
    assert_does_not_import(&judges, &machinery, "checks and causes judge a transcript and nothing else");
    let below_the_command_line = [
        "case",
        "cause",
        "client",
        "clock",
        "endpoint",
        "evidence",
        "exchange",
        "load",
        "mutant",
        "random",
        "receiver",
        "recipe",
        "report",
        "requirement",
        "requirements",
        "scenario",
        "selection",
        "sender",
        "subject",
        "suite",
        "vectors",
        "wire",
    ];
    assert_does_not_import(&below_the_command_line, &["cli"], "nothing imports the command line");
}

#[test]
fn checks_never_see_the_reference_peers_or_the_mutants() {
    // `cause::sender` is imported as `sender`, so paths are looked at, not names.
    let mut broken = Vec::new();
    for (name, text) in library() {
        if !["requirement", "requirements", "cause", "recipe", "shape", "transcript"].contains(&module(&name))
        {
            continue;
        }
        for (line, import) in imports(&text) {
            if ["mutant", "sender", "receiver"].contains(&import.as_str()) {
                broken.push(format!("{name}:{line} imports {import}"));
            }
        }
    }
    assert_no(broken, "checks and causes never import the reference peers or the mutants");
}

#[test]
fn the_leaves_import_nothing_of_ours() {
    let mut broken = Vec::new();
    for (name, text) in library() {
        if ["fault", "json", "signature"].contains(&module(&name)) {
            broken.extend(
                imports(&text).into_iter().map(|(line, import)| format!("{name}:{line} imports {import}")),
            );
        }
    }
    assert_no(broken, "`signature`, `fault` and `json` import nothing of ours");
}

#[test]
fn only_some_modules_open_sockets_or_processes() {
    assert_only(
        &["endpoint", "client", "load", "subject"],
        &["TcpStream", "TcpListener", "UdpSocket", "process::Command", "reqwest::", "MockServer"],
        "only `endpoint`, `client`, `load` and `subject` open sockets or processes",
    );
}

#[test]
fn only_the_command_line_reads_clock_randomness_and_environment() {
    let sources = ["Clock::system", "RandomState", "env::args", "env::var", "rand::random", "ctrl_c"];
    assert_only(
        &["cli", "main"],
        &sources,
        "clock, randomness and environment are read by `cli` and handed on",
    );
    assert_only(&["clock"], &["SystemTime"], "the time of day is read in `clock` alone");
}

#[test]
fn only_the_command_line_prints_or_exits() {
    let prints = ["println!", "print!(", "stdout()", "stderr()", "process::exit", "std::process::abort"];
    assert_only(&["cli", "main"], &prints, "the library never prints or exits");
}

#[test]
fn every_file_says_what_it_is_for_and_its_invariant() {
    let mut broken = Vec::new();
    for (name, text) in rust_files("harness").into_iter().chain(rust_files("benches")) {
        let head: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
        if head.is_empty() {
            broken.push(format!("{name} does not begin with //!"));
        } else if name != "harness/build.rs" && !head.iter().any(|line| line.contains("Invariant")) {
            broken.push(format!("{name} states no invariant"));
        }
    }
    assert_no(broken, "every file begins with what it is for and one invariant");
}

#[test]
fn no_file_is_too_long() {
    let too_long = |(name, text): (String, String)| {
        let lines = text.lines().count();
        (lines > 500).then(|| format!("{name} has {lines} lines"))
    };
    assert_no(
        rust_files("harness").into_iter().filter_map(too_long).collect(),
        "past 500 lines a file needs a seam",
    );
}

#[test]
fn unwraps_state_their_invariant() {
    let mut broken = Vec::new();
    for (name, text) in library() {
        let code = text.split("#[cfg(test)]").next().unwrap();
        for (number, line) in code.lines().enumerate() {
            if line.contains(".unwrap()") || line.contains(".expect(") {
                broken.push(format!("{name}:{}", number + 1));
            }
        }
    }
    assert_no(broken, "no unwrap in the library: handle it, or say in `unreachable!` why it cannot be");
}

#[test]
fn tests_wait_for_conditions() {
    let mut broken = Vec::new();
    for (name, text) in rust_files("harness/tests").into_iter().chain(rust_files("benches")) {
        if name.ends_with("tidy.rs") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            if line.contains("thread::sleep") || line.contains("time::sleep") {
                broken.push(format!("{name}:{}", number + 1));
            }
        }
    }
    assert_no(broken, "tests wait for a condition, never for a time");
}

#[test]
fn ids_are_unique_and_well_formed() {
    let mut ids: Vec<&str> =
        twenty_conform::suite::requirements::all().flat_map(|one| [one.id, one.check_id]).collect();
    for requirement in twenty_conform::suite::requirements::all() {
        let (role, check) = (requirement.role().as_str(), requirement.check_id);
        assert!(check.starts_with(&format!("{role}/")) && check.split('/').count() == 3, "{check}");
        let (family, number) = requirement.id.split_once('-').unwrap();
        assert!(family.len() == 3 && number.parse::<u8>().is_ok(), "{}", requirement.id);
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id stands twice");
}

#[test]
fn nothing_but_what_belongs_there_stands_at_the_top() {
    let known = [
        ".ci",
        ".git",
        ".gitignore",
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "benches",
        "deny.toml",
        "docs",
        "fixtures",
        "harness",
        "rustfmt.toml",
        "snapshots",
        "target",
    ];
    let mut broken = Vec::new();
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !known.contains(&name.as_str()) {
            broken.push(name);
        }
    }
    assert_no(broken, "the top level holds little else than the project's folders");
    assert!(!Path::new(&root()).join("proptest-regressions").exists());
}
