//! The exported test vectors: written, read back, and checked by programs in other languages.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::cli::program::run;
use crate::implementations::is_missing;

/// A folder with the files.
fn exported() -> TempDir {
    let folder = TempDir::new().unwrap();
    run(["vectors", "export", folder.path().to_str().unwrap()]).expect(0).says(&["vectors.json", "check.py"]);
    folder
}

/// Runs a program in a folder.
fn ran(program: &str, arguments: &[&str], folder: &Path) -> Output {
    Command::new(program).args(arguments).current_dir(folder).output().unwrap()
}

/// Runs the exported check, then with one change of its verification, which it must find.
fn check(program: &str, arguments: &[&str], file: &str, from: &str, to: &str, found: &str) {
    if is_missing(program) {
        return;
    }
    let folder = exported();
    let right = ran(program, arguments, folder.path());
    assert!(right.status.success(), "{right:#?}");
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches(from).count(), 1, "{from}");
    fs::write(&path, text.replace(from, to)).unwrap();
    let wrong = ran(program, arguments, folder.path());
    let said = String::from_utf8_lossy(&wrong.stdout);
    assert!(!wrong.status.success() && said.contains(found), "{wrong:#?}");
}

#[test]
fn node_agrees_with_the_vectors() {
    let found = "documented/VER-11/stale: must be rejected (VER-11)";
    check("node", &["check.mjs"], "check.mjs", "> FRESH_MS) return false", "> FRESH_MS) {}", found);
}

#[test]
fn python_agrees_with_the_vectors() {
    let (from, to) = ("> FRESH_MS:\n        return False", "> FRESH_MS:\n        pass");
    check("python3", &["check.py"], "check.py", from, to, "shipped/VER-11/future: must be rejected (VER-11)");
}

#[test]
fn go_agrees_with_the_vectors() {
    let found = "documented/VER-12/signed-not-utf-8";
    check(
        "go",
        &["test", "check_test.go"],
        "check_test.go",
        " || !utf8.Valid(body)",
        " || !utf8.Valid(nil)",
        found,
    );
}

#[test]
fn check_names_what_was_changed() {
    let folder = exported();
    let place = folder.path().to_str().unwrap();
    run(["vectors", "check", place]).expect(0).says(&["are those of this one"]);
    let path = folder.path().join("vectors.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"your-secret\"", "\"my-secret\"", 1)).unwrap();
    run(["vectors", "check", place]).expect(1).says(&["signature/documentation-sample: it was changed"]);
    // Written again over an export, but not over what is none.
    let program = folder.path().join("check.py");
    let own = fs::read_to_string(&program).unwrap() + "\n# ours\n";
    fs::write(&program, &own).unwrap();
    let again = run(["vectors", "export", place]).expect(0);
    assert!(again.stderr.contains("check.py was changed, and stays as it is"), "{again:?}");
    assert_eq!(fs::read_to_string(&program).unwrap(), own);
    run(["vectors", "check", place]).expect(0);
    // That of another version is replaced.
    let older = "print('older')\n";
    let hash: String = Sha256::digest(older)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(&program, format!("{older}# written by twenty-conform 0.0.9, {hash}\n")).unwrap();
    let again = run(["vectors", "export", place]).expect(0);
    assert!(again.stderr.is_empty() && fs::read_to_string(&program).unwrap().contains("verify"), "{again:?}");
    fs::write(&path, "{}").unwrap();
    run(["vectors", "check", place]).expect(2).complains_of(&["vectors.json", "vectors export"]);
    fs::write(folder.path().join("check.py"), "mine").unwrap();
    run(["vectors", "export", place]).expect(2).complains_of(&["check.py", "is not replaced"]);
    assert_eq!(fs::read_to_string(folder.path().join("check.py")).unwrap(), "mine");
    run(["vectors", "check", "/no/such/folder"]).expect(2).complains_of(&["/no/such/folder"]);
}
