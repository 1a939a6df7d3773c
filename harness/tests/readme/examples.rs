//! The code on the page of test suites is that of the examples, which are run.

use std::fs;
use std::path::PathBuf;

use super::pages::{blocks, page, root};

/// Every file of the examples, and the page whose code is run as documentation tests.
fn examples() -> Vec<String> {
    let mut open = vec![root().join("fixtures/test-suites"), root().join("docs/library.md")];
    let mut texts = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let inside: Vec<PathBuf> =
                fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
            open.extend(inside.into_iter().filter(|path| !path.ends_with("node_modules")));
        } else if let Ok(text) = fs::read_to_string(&path) {
            texts.push(text);
        }
    }
    texts
}

#[test]
fn code_of_the_page_is_that_of_the_examples() {
    let (page, examples) = (page("docs/test-suites.md"), examples());
    let mut count = 0;
    for (language, code) in blocks(&page.text) {
        if ["python", "js", "go", "rust"].contains(&language) {
            count += 1;
            assert!(examples.iter().any(|text| text.contains(code.trim())), "in no example:\n{code}");
        }
    }
    assert!(count >= 7, "{count}");
}
