//! Files do not import each other in circles.
//!
//! A private child (`mod x;`) is part of its parent: a parent and a private child may use each other. Public children (`pub mod
//! x;`, `pub(crate) mod x;`) and siblings may not.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::{self, Import};
use super::source::{is, tokens};
use super::{Files, assert_no, library, tree};

/// Known circles, each sorted, with the reason. An entry that is no longer needed fails the test.
const CIRCLES: &[(&[&str], &str)] = &[];

/// Complaints about circles, and about known circles that are gone.
fn circles(files: &Files, known: &[(&[&str], &str)]) -> Vec<String> {
    let private = private_parents(files);
    let mut uses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let imports = imports::imports(files);
    let counted: Vec<&Import> = imports.iter().filter(|import| !is_part(import, &private)).collect();
    for import in &counted {
        uses.entry(&import.from).or_default().insert(&import.to);
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        uses.keys().map(|file| (*file, reach(file, &uses))).collect();
    let mut complaints = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut found: Vec<Vec<&str>> = Vec::new();
    for (file, from_here) in &reached {
        if !from_here.contains(file) || seen.contains(file) {
            continue;
        }
        let comes_back = |other: &&&str| reached.get(**other).is_some_and(|back| back.contains(file));
        let circle: Vec<&str> = from_here.iter().filter(comes_back).copied().collect();
        seen.extend(&circle);
        if !known.iter().any(|(files, _)| *files == circle) {
            let mut complaint =
                String::from("a circle of files; move what they share into a file of its own:");
            for import in &counted {
                if circle.contains(&import.from.as_str()) && circle.contains(&import.to.as_str()) {
                    complaint += &format!("\n    {}:{} uses {}", import.from, import.line, import.path);
                }
            }
            complaints.push(complaint);
        }
        found.push(circle);
    }
    let unneeded = known.iter().filter(|(files, _)| !found.iter().any(|circle| circle == files));
    complaints.extend(
        unneeded.map(|(files, why)| format!("the circle {} ({why}) is gone; remove it", files.join(" <-> "))),
    );
    complaints
}

/// All files that a file uses, directly or indirectly.
fn reach<'a>(file: &str, uses: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = uses.get(file).into_iter().flatten().copied().collect();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend(uses.get(next).into_iter().flatten());
        }
    }
    reached
}

/// The parent of each private child.
fn private_parents(files: &Files) -> BTreeMap<String, &str> {
    let mut parents = BTreeMap::new();
    for (name, text) in files {
        let folder = name.strip_suffix("/mod.rs").or(name.strip_suffix(".rs")).unwrap_or(name);
        let tokens = tokens(text);
        for at in 0..tokens.len().saturating_sub(2) {
            let is_private = at == 0 || ![")", "pub"].contains(&tokens[at - 1].text);
            if is_private && is(&tokens[at..], &["mod"]) && tokens[at + 2].text == ";" {
                for child in ["", "/mod"].map(|end| format!("{folder}/{}{end}.rs", tokens[at + 1].text)) {
                    parents.insert(child, name.as_str());
                }
            }
        }
    }
    parents
}

/// Whether a file uses its own parent, of which it is a part.
fn is_part(import: &Import, parents: &BTreeMap<String, &str>) -> bool {
    let mut file = import.from.as_str();
    while let Some(parent) = parents.get(file) {
        if *parent == import.to {
            return true;
        }
        file = parent;
    }
    false
}

#[test]
fn files_do_not_import_in_circles() {
    assert_no(circles(&library(), CIRCLES), "files do not import each other in circles");
}

#[test]
fn circle_is_named_with_its_imports() {
    let files = tree(&[
        // A private child is part of its parent, and so is a grandchild. A re-export counts as the file of the item.
        ("harness/wire/mod.rs", "mod a;\npub mod e;\npub use a::A;\nstruct Own;\nfn f() { a::f() }"),
        ("harness/wire/a.rs", "mod b;\nuse super::Own;\nfn f() { b::f() }"),
        ("harness/wire/a/b.rs", "use super::super::Own;\nuse super::f;"),
        // A public child is not.
        ("harness/wire/e.rs", "use super::Own;"),
        ("harness/suite/mod.rs", "mod x;\nmod y;\nmod z;\npub mod p;\nuse p::P;\nstruct Own;\npub use y::Y;"),
        ("harness/suite/p.rs", "use super::Own;"),
        // Two siblings, one through a re-export, and a third that is in no circle.
        ("harness/suite/x.rs", "use crate::suite::Y;"),
        ("harness/suite/y.rs", "\nuse super::{z, Own};\nfn f() -> super::x::X {}"),
        ("harness/suite/z.rs", "use crate::wire::A;"),
        ("harness/bench/mod.rs", "pub mod a;\npub mod b;"),
        ("harness/bench/a.rs", "use super::b;"),
        ("harness/bench/b.rs", "use super::a;"),
    ]);
    let known: [(&[&str], &str); 2] = [
        (&["harness/bench/a.rs", "harness/bench/b.rs"], "known"),
        (&["harness/suite/x.rs", "harness/suite/z.rs"], "once"),
    ];
    let head = "a circle of files; move what they share into a file of its own:";
    let expected = [
        format!(
            "{head}\n    harness/suite/mod.rs:5 uses crate::suite::p::P\n    harness/suite/p.rs:1 uses crate::suite::Own"
        ),
        format!(
            "{head}\n    harness/suite/x.rs:1 uses crate::suite::y::Y\n    harness/suite/y.rs:3 uses crate::suite::x::X"
        ),
        "the circle harness/suite/x.rs <-> harness/suite/z.rs (once) is gone; remove it".to_owned(),
    ];
    assert_eq!(circles(&files, &known), expected);
}
