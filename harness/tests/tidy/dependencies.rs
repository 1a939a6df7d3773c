//! Every dependency has a reason, and the crates that decide trust are named in CONTRIBUTING.md.

use std::collections::BTreeSet;
use std::fs;

use super::{assert_no, root};

/// The dependencies in a manifest: each name, and whether a comment stands directly above it.
fn dependencies(manifest: &str) -> Vec<(&str, bool)> {
    let mut found = Vec::new();
    let (mut inside, mut before) = (false, "");
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.ends_with("dependencies]");
        } else if inside && let Some((name, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            found.push((name, before.starts_with("# ") && before.len() > 2));
        }
        before = line;
    }
    found
}

/// The crates in the first column of the table in CONTRIBUTING.md.
fn trusted(page: &str) -> Vec<&str> {
    let (_, rest) = page.split_once("<!-- trust:begin -->").unwrap();
    let (table, _) = rest.split_once("<!-- trust:end -->").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2)).collect()
}

fn complaints(manifest: &str, page: &str) -> Vec<String> {
    let known = dependencies(manifest);
    let without = known.iter().filter(|(_, has_reason)| !has_reason);
    let mut broken: Vec<String> = without
        .map(|(name, _)| format!("Cargo.toml: {name} has no reason; add a comment above it"))
        .collect();
    let names: BTreeSet<&str> = known.iter().map(|(name, _)| *name).collect();
    let unknown = trusted(page).into_iter().filter(|name| !names.contains(name));
    broken.extend(unknown.map(|name| format!("CONTRIBUTING.md: {name} is not a dependency; remove it")));
    broken
}

#[test]
fn dependencies_have_reasons_and_trusted_crates_are_dependencies() {
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    let (manifest, page) = (read("Cargo.toml"), read("CONTRIBUTING.md"));
    assert!(dependencies(&manifest).len() > 30 && trusted(&page).len() > 10);
    assert_no(complaints(&manifest, &page), "every dependency has a reason");
}

#[test]
fn dependency_without_a_reason_is_named() {
    let manifest = "[package]\nname = \"x\"\n\n[dependencies]\n# Why.\na = \"1\"\nb = \"2\"\n\
        [target.'cfg(unix)'.dependencies]\n#\nc = \"1\"\n# Why.\nd = { version = \"1\" }\n[lints.rust]\ne = \"f\"\n";
    let page = "<!-- trust:begin -->\n| crate | what |\n|---|---|\n| `a`, `gone` | all |\n<!-- trust:end -->";
    let expected = [
        "Cargo.toml: b has no reason; add a comment above it",
        "Cargo.toml: c has no reason; add a comment above it",
        "CONTRIBUTING.md: gone is not a dependency; remove it",
    ];
    assert_eq!(complaints(manifest, page), expected);
}
