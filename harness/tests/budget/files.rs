//! Files that are too long, have no end, or are pipes: an error with the file and the limit, and status 2.

use std::fs;

use serde_json::json;
use tempfile::TempDir;

use super::{Measured, measured};

#[track_caller]
fn refused(arguments: &[&str], words: &[&str]) {
    let Some(run) = measured(arguments) else { return };
    run.check(&format!("{arguments:?}"), &[2]);
    for word in words {
        assert!(run.stderr.contains(word), "{word:?} is not in {run:#?}");
    }
}

#[test]
fn file_without_an_end_is_refused_with_its_limit() {
    let zero = "/dev/zero";
    let small = ["/dev/zero", "larger than 64 KiB"];
    for (arguments, words) in [
        (&["sign", "--secret-file", zero][..], small),
        (&["sign", "--secret", "s3cr3t", zero], [zero, "larger than 16 MiB"]),
        (&["verify", "--secret", "s3cr3t", zero], [zero, "larger than 16 MiB"]),
        (
            &["send", "--url", "http://127.0.0.1:9/", "--secret", "s3cr3t", "--data", zero],
            [zero, "larger than 16 MiB"],
        ),
        (
            &["send", "--url", "https://127.0.0.1:9/", "--secret", "s3cr3t", "--ca", zero],
            [zero, "larger than 16 MiB"],
        ),
        (&["demo", "--run", "@/dev/zero"], small),
        (&["sender", "--transcript", zero], [zero, "longer than 32 MiB"]),
        (&["bench", "compare", "old.json", "new.json", "--config", zero], small),
        (&["bench", "import", zero], [zero, "64 MiB"]),
        (
            &["bench", "receiver", "--url", "http://127.0.0.1:9/", "--secret", "s3cr3t", "--corpus", zero],
            [zero, "64 MiB"],
        ),
    ] {
        refused(arguments, &words);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn pipe_is_read_and_one_without_a_writer_is_refused() {
    let folder = TempDir::new().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let name = pipe.to_str().unwrap();
    refused(&["sign", "--secret-file", name, "Cargo.toml"], &[name, "nothing was written to it within 10 s"]);
    let writer = {
        let pipe = pipe.clone();
        // Opening it waits until it is read.
        std::thread::spawn(move || fs::write(pipe, "s3cr3t\n").unwrap())
    };
    let run: Measured = measured(&["sign", "--secret-file", name, "Cargo.toml"]).unwrap();
    run.check("a pipe", &[0]);
    writer.join().unwrap();
}

/// Reports of the greatest length that is read, with as many values as possible.
#[test]
fn saved_run_with_huge_members_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("report");
    let name = path.to_str().unwrap();
    let entry = r#"{"id":"","requirements":[""],"level":"must","verdict":"pass","cases":0,"duration_us":0},"#;
    for (member, value) in [
        ("notes", r#""","#),
        ("findings", r#"{"level":"must","requirements":[],"text":"","exchanges":[]},"#),
        ("checks", entry),
        ("unknown", "[],"),
    ] {
        let count = (8 << 20) / value.len() - 20;
        let values = value.repeat(count);
        let values = values.trim_end_matches(',');
        let text = format!(r#"{{"format":"twenty-conform-report/2","{member}":[{values}]}}"#);
        fs::write(&path, text).unwrap();
        refused(&["report", name], &[name, "damaged", "missing field"]);
    }
}

/// A case with one member replaced by 40 MiB of it.
#[test]
fn case_with_a_huge_member_is_refused() {
    let delivery =
        json!({"method": "POST", "target": "/", "headers": [["A", "b"]], "body": "{}", "transfer": "whole"});
    let case = json!({
        "format": "twenty-conform-case/2", "requirement": "VER-1", "check": "c", "level": "must",
        "dialect": "documented", "what": "w", "respect": {}, "expected": "rejected", "actual": "200", "seed": 1,
        "exchanges": [1], "at_ms": 1, "controls": [delivery], "trial": delivery,
    });
    let text = case.to_string();
    let zeros = format!("[{}0]", "0,".repeat(20 << 20));
    let headers = format!("[{}[\"\",\"\"]]", "[\"\",\"\"],".repeat(5 << 20));
    let folder = TempDir::new().unwrap();
    for (member, with, words) in [
        (r#""respect":{}"#, format!(r#""respect":{zeros}"#), "a value of more than 64 KiB"),
        (r#""what":"w""#, format!(r#""what":{zeros}"#), "expected a string"),
        (r#""transfer":"whole""#, format!(r#""transfer":{{"chunks":{zeros}}}"#), "more than 1048576 pieces"),
        (r#""headers":[["A","b"]]"#, format!(r#""headers":{headers}"#), "more than 1024 headers"),
        (r#""body":"{}""#, format!(r#""body":{zeros}"#), "a string, or an object"),
        (r#""format":"twenty-conform-case/2""#, format!(r#""format":{zeros}"#), "its `format` is [0,0"),
    ] {
        assert!(text.contains(member), "{member} is not in {text}");
        let path = folder.path().join("case.json");
        fs::write(&path, text.replacen(member, &with, 1)).unwrap();
        refused(
            &["replay", path.to_str().unwrap(), "--url", "http://127.0.0.1:9/", "--secret", "s3cr3t"],
            &[words],
        );
    }
}
