//! The project's rules, checked on the source text. A violation names the file, the line and the fix.

mod circles;
mod dependencies;
mod imports;
mod length;
mod messages;
mod rooms;
mod source;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

/// Rust files, as path from the root and text.
type Files = Vec<(String, String)>;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file in a folder and its subfolders.
fn rust_files(folder: &str) -> Files {
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

/// The files of the library and the binary, without the build script.
fn library() -> Files {
    let files = rust_files("harness").into_iter();
    let is_test = |name: &str| name.contains("/tests/") || name.ends_with("/tests.rs");
    files.filter(|(name, _)| !is_test(name) && name != "harness/build.rs").collect()
}

/// A source tree for a test.
fn tree(files: &[(&str, &str)]) -> Files {
    files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn assert_no(broken: Vec<String>, rule: &str) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

/// Complaints about `needles` in files whose paths under `harness/` do not begin with one of `allowed`, and about entries of
/// `allowed` that have none.
fn only(files: &Files, allowed: &[&str], needles: &[&str]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut needed = Vec::new();
    for (name, text) in files {
        let place = allowed.iter().find(|place| name["harness/".len()..].starts_with(**place));
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap();
            let Some(needle) = needles.iter().find(|needle| code.contains(**needle)) else { continue };
            match place {
                Some(place) => needed.push(*place),
                None => broken
                    .push(format!("{name}:{} has `{needle}`; move it to where it is allowed", number + 1)),
            }
        }
    }
    let unused = allowed.iter().filter(|place| !needed.contains(place));
    broken.extend(unused.map(|place| format!("{place} does not need to be allowed; remove it")));
    broken
}

#[test]
fn only_some_files_open_sockets_or_processes() {
    let needles = ["TcpStream", "TcpListener", "UdpSocket", "process::Command", "reqwest::", "MockServer"];
    let allowed = ["wire/client", "wire/endpoint", "subject/", "peers/sender/pooled.rs", "bench/generate/"];
    assert_no(only(&library(), &allowed, &needles), "only these open sockets or processes");
}

#[test]
fn only_cli_and_api_read_clock_randomness_and_environment() {
    let sources = ["Clock::system", "RandomState", "env::args", "env::var", "rand::random", "ctrl_c"];
    assert_no(
        only(&library(), &["cli/", "main.rs", "api/"], &sources),
        "only `cli` and `api` read these, and pass them on",
    );
    // What signs for a test is given the time.
    let allowed = ["clock.rs", "api/delivery.rs"];
    assert_no(only(&library(), &allowed, &["SystemTime"]), "only `clock` reads the time of day");
}

#[test]
fn only_the_command_line_prints_or_exits() {
    let exits = ["println!", "print!(", "process::exit", "std::process::abort"];
    assert_no(
        only(&library(), &["cli/signals.rs"], &exits),
        "the library never exits, and prints only to the console",
    );
    let streams = ["::stdout()", "::stderr()", ".print()"];
    assert_no(only(&library(), &["cli/console.rs"], &streams), "only the console, which escapes, prints");
}

#[test]
fn forbidden_needle_is_named() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let files = vec![file("harness/cli/a.rs", "print!()"), file("harness/b.rs", "// print!\n\nprint!()")];
    let expected = [
        "harness/b.rs:3 has `print!`; move it to where it is allowed",
        "main.rs does not need to be allowed; remove it",
    ];
    assert_eq!(only(&files, &["cli/", "main.rs"], &["print!"]), expected);
}

#[test]
fn every_file_begins_with_its_purpose() {
    let files = rust_files("harness").into_iter().chain(rust_files("benches"));
    let without = files.filter(|(_, text)| !text.starts_with("//! ")).map(|(name, _)| name);
    assert_no(without.collect(), "every file begins with //! and its purpose");
}

#[test]
fn library_does_not_unwrap() {
    let mut broken = Vec::new();
    for (name, text) in library() {
        let code = text.split("#[cfg(test)]").next().unwrap();
        for (number, line) in code.lines().enumerate() {
            if line.contains(".unwrap()") || line.contains(".expect(") {
                broken.push(format!("{name}:{}", number + 1));
            }
        }
    }
    assert_no(broken, "no unwrap in the library: handle it, or say in `unreachable!` why it cannot happen");
}

#[test]
fn tests_do_not_sleep() {
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
    assert_no(broken, "tests wait for a condition, not for a time");
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
    assert_eq!(ids.len(), count, "an id is used twice");
}

#[test]
fn top_level_has_only_known_entries() {
    let known = [
        ".ci",
        ".git",
        ".github",
        ".gitignore",
        ".pre-commit-hooks.yaml",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "action.yml",
        "benches",
        "deny.toml",
        "docs",
        "fixtures",
        "harness",
        "llms.txt",
        "packaging",
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
    assert_no(broken, "the top level has only the project's folders");
    assert!(!Path::new(&root()).join("proptest-regressions").exists());
}
