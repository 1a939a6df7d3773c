//! The functions of `docs/twenty-applications.md`.
//!
//! Invariant: each block of code is a part of a file in `fixtures/implementations/`, which the suite is run on.

use std::fs;
use std::path::Path;

use crate::readme::pages::blocks;

#[test]
fn code_of_the_page_is_that_of_the_examples() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let receivers = root.join("fixtures/implementations/receivers");
    let folders = ["twenty-app", "twenty-app-server-route"].map(|name| receivers.join(name));
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let examples: Vec<String> =
        files.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    let page = fs::read_to_string(root.join("docs/twenty-applications.md")).unwrap();
    let code: Vec<&str> =
        blocks(&page).into_iter().filter(|(language, _)| *language == "js").map(|(_, code)| code).collect();
    assert_eq!(code.len(), 3);
    for block in code {
        assert!(examples.iter().any(|example| example.contains(block)), "in no example:\n{block}");
    }
}
