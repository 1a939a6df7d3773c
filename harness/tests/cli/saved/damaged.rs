//! Folders that are no saved run, or a damaged one: each error names the file, what is wrong with it and what to do.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Folder, run};

/// Every file below a folder with its content, to see that nothing changes.
fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(content(&path));
        } else if path.is_file() {
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// Fails unless every command refuses the folder with these words, and changes and writes nothing.
fn refused(folder: &Folder, name: &str, words: &[&str]) {
    let before = content(folder.0.path());
    let (path, whole, out) = (folder.path(name), folder.path("whole"), folder.path("out"));
    let report = format!("junit={}", folder.path("junit.xml"));
    for arguments in [
        &["report", &path, "--report", &report][..],
        &["diff", &whole, &path, "--json"],
        &["merge", &whole, &path, "--out", &out, "--report", &report],
    ] {
        // The first error counts; `merge` reads the whole run first.
        let ran = run(arguments).expect(2);
        ran.complains_of(words);
        ran.prints_no_more_than_an_error();
    }
    assert_eq!(content(folder.0.path()), before);
    assert!(!folder.at("out").exists() && !folder.at("junit.xml").exists());
}

/// A folder with a whole run, and a copy of it to damage.
fn copies() -> Folder {
    let folder = Folder::new();
    folder.recorded("whole");
    restore(&folder);
    folder
}

/// Makes the copy whole again.
fn restore(folder: &Folder) {
    let _ = fs::remove_dir_all(folder.at("run"));
    fs::create_dir(folder.at("run")).unwrap();
    for name in ["run.json", "report.json", "exchanges.jsonl", "trials.jsonl"] {
        fs::copy(folder.at("whole").join(name), folder.at("run").join(name)).unwrap();
    }
}

#[test]
fn what_is_no_run_is_refused() {
    let folder = copies();
    fs::create_dir(folder.at("empty")).unwrap();
    fs::write(folder.at("text"), "some text").unwrap();
    fs::write(folder.at("nothing"), "").unwrap();
    refused(&folder, "missing", &["missing", "cannot read"]);
    refused(&folder, "empty", &["empty", "not the folder of a run", "--out"]);
    refused(&folder, "text", &["text", "not JSON", "line 1"]);
    refused(&folder, "nothing", &["nothing", "is cut"]);
    refused(&folder, "run/exchanges.jsonl", &["exchanges.jsonl", "not"]);
    refused(&folder, "run/run.json", &["run.json", "twenty-conform-report/2", "twenty-conform-run/2"]);
}

#[test]
fn damaged_files_are_named_with_what_is_wrong() {
    let folder = copies();
    let report = fs::read_to_string(folder.at("whole/report.json")).unwrap();
    let manifest = fs::read_to_string(folder.at("whole/run.json")).unwrap();
    let deep = format!("{{\"format\":\"twenty-conform-report/2\",\"notes\":{}", "[".repeat(100_000));
    let cases: &[(&str, &[u8], &[&str])] = &[
        ("report.json", &report.as_bytes()[..report.len() / 2], &["is cut"]),
        ("report.json", b"", &["is cut"]),
        ("report.json", b"garbage", &["not JSON"]),
        ("report.json", b"\xff\xfe{}", &["UTF-8", "byte 0"]),
        ("report.json", b"[1,2]", &["names no format"]),
        ("report.json", b"{}", &["names no format", "twenty-conform-report/2"]),
        ("report.json", b"{\"format\":17}", &["damaged"]),
        ("report.json", b"{\"format\":\"twenty-conform-report/2\"}", &["damaged", "missing field `tool`"]),
        ("report.json", deep.as_bytes(), &["report.json", "again"]),
        ("run.json", &manifest.as_bytes()[..manifest.len() - 9], &["is cut"]),
        ("run.json", b"", &["is cut"]),
        ("run.json", b"\x00\x01", &["not JSON"]),
        (
            "run.json",
            report.as_bytes(),
            &["twenty-conform-report/2", "not a file of format twenty-conform-run/2"],
        ),
        ("run.json", b"{\"format\":\"twenty-conform-run/2\"}", &["damaged", "missing field"]),
    ];
    for (name, bytes, words) in cases {
        fs::write(folder.at("run").join(name), bytes).unwrap();
        refused(&folder, "run", &[&[*name][..], words].concat());
        restore(&folder);
    }
}

#[test]
fn other_versions_are_named() {
    let folder = copies();
    for (name, format, tool, words) in [
        ("run.json", "twenty-conform-run/3", "9.1.0", &["twenty-conform-run/3", "9.1.0 or later"][..]),
        ("report.json", "twenty-conform-report/9", "9.1.0", &["twenty-conform-report/9", "9.1.0 or later"]),
        (
            "report.json",
            "twenty-conform-report/1",
            "0.0.9",
            &["twenty-conform-report/1", "old format", "0.0.9"],
        ),
        (
            "run.json",
            "twenty-conform-run/1",
            "0.0.9",
            &["twenty-conform-run/1", "old format", "run it again"],
        ),
        ("report.json", "someone-else/2", "1.0.0", &["someone-else/2", "not a file of format"]),
        (
            "report.json",
            "twenty-conform-report/x",
            "1.0.0",
            &["twenty-conform-report/x", "not a file of format"],
        ),
    ] {
        folder.change(&format!("run/{name}"), |value| {
            value["format"] = format.into();
            value["tool"]["version"] = tool.into();
        });
        refused(&folder, "run", &[&[name][..], words].concat());
        restore(&folder);
    }
    // A later version may have other members than these.
    fs::write(folder.at("run/report.json"), r#"{"format":"twenty-conform-report/3","tool":["x"]}"#).unwrap();
    refused(&folder, "run", &["twenty-conform-report/3", "a later version"]);
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let folder = copies();
    for (change, words) in [
        ((|value| value["seed"] = 2.into()) as fn(&mut serde_json::Value), "seed"),
        (|value| value["dialect"] = "other".into(), "dialect"),
        (|value| value["role"] = "receiver".into(), "role"),
        (|value| value["tool"]["version"] = "7.0.0".into(), "version"),
        (
            |value| {
                value["requirements"].as_array_mut().unwrap().pop();
                value["checks"].as_array_mut().unwrap().pop();
            },
            "requirements",
        ),
        (|value| drop(value["checks"].as_array_mut().unwrap().pop()), "do not agree"),
        (|value| value["requirements"][0]["verdict"] = "error".into(), "do not agree"),
    ] {
        folder.change("run/report.json", change);
        refused(&folder, "run", &["run", words]);
        restore(&folder);
    }
}

#[test]
fn missing_files_are_named() {
    let folder = copies();
    fs::remove_file(folder.at("run/report.json")).unwrap();
    refused(&folder, "run", &["did not end", "report.json", "run it again"]);
    restore(&folder);
    fs::remove_file(folder.at("run/run.json")).unwrap();
    refused(&folder, "run", &["has no run.json", "run/report.json"]);
    restore(&folder);
    // A demo has a folder for each role.
    for role in ["sender", "receiver"] {
        fs::create_dir_all(folder.at("demo").join(role)).unwrap();
    }
    fs::copy(folder.at("run/run.json"), folder.at("demo/sender/run.json")).unwrap();
    refused(&folder, "demo", &["demo/receiver/run.json", "cannot read"]);
}

#[test]
fn huge_files_are_not_read() {
    let folder = copies();
    for (name, length, limit) in [("report.json", 9 << 20, "8 MiB"), ("run.json", 2 << 20, "1 MiB")] {
        // A file with holes takes no room.
        fs::File::create(folder.at("run").join(name)).unwrap().set_len(length).unwrap();
        refused(&folder, "run", &[name, "larger than", limit]);
        restore(&folder);
    }
}

#[test]
#[cfg(unix)]
fn what_is_not_a_file_is_refused_at_once() {
    use std::os::unix::fs::symlink;
    let began = Instant::now();
    let folder = copies();
    for name in ["run.json", "report.json"] {
        let path = folder.at("run").join(name);
        fs::remove_file(&path).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        refused(&folder, "run", &[name, "not a file"]);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        refused(&folder, "run", &[name, "not a file"]);
        fs::remove_dir(&path).unwrap();
        symlink(&path, &path).unwrap();
        refused(&folder, "run", &[name, "cannot read", "symbolic links"]);
        fs::remove_file(&path).unwrap();
        symlink("/dev/zero", &path).unwrap();
        refused(&folder, "run", &[name, "not a file"]);
        restore(&folder);
    }
    symlink("loop", folder.at("loop")).unwrap();
    refused(&folder, "loop", &["loop", "cannot read"]);
    // Nothing waits for a program that writes to a pipe.
    assert!(began.elapsed() < Duration::from_secs(60));
}
