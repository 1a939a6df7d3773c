//! Captures that are too long, have too many requests, or are made to take much memory.

use std::fs;
use std::io::{BufWriter, Write as _};

use tempfile::TempDir;

use super::measured;
use crate::captures::{SECRET, signed};

#[test]
fn huge_captures_take_little_memory() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("huge");
    // Without blocks on the disk, as long as 1 GiB of zeros.
    fs::File::create(&file).unwrap().set_len(1 << 30).unwrap();
    let arguments = ["verify", "--secret", SECRET, file.to_str().unwrap()];
    let Some(ran) = measured(&arguments) else { return };
    ran.check("1 GiB", &[2]);
    assert!(ran.stderr.contains("larger than 16 MiB; take the request out of it"), "{ran:#?}");

    for (name, unit, times) in [
        ("values", "[1,1,1,1,1,1,1,1],", 800_000),
        ("requests", "POST / HTTP/1.1\nA: b\n\n{}\n", 500_000),
        ("commands", "curl a -d b\n", 500_000),
        ("escaped commands", "curl ^\"a^\" -d b\n", 400_000),
        ("scripts", "$a = \"$a$a\"\nirm a -Body $a\n", 200_000),
    ] {
        let begin = if name == "values" { "[" } else { "$a = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'\n" };
        let begin = if name == "requests" { "" } else { begin };
        fs::write(&file, begin.to_owned() + &unit.repeat(times)).unwrap();
        let ran = measured(&arguments).unwrap();
        ran.check(name, &[2]);
        assert!(ran.took.as_secs() < 30, "{name}: {ran:#?}");
    }
}

#[test]
fn har_with_80000_entries_is_read_entry_by_entry() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("long.har");
    let sent = signed("{\"event\":\"a.b\"}");
    let pairs: Vec<_> =
        sent.headers.iter().map(|(name, value)| serde_json::json!({"name": name, "value": value})).collect();
    let other = serde_json::json!({"request": {"method": "GET", "url": "https://a.b/", "headers": [], "bodySize": 0},
        "response": {"status": 200, "content": {"text": "x".repeat(200)}}});
    let own = serde_json::json!({"request": {"method": "POST", "url": "https://a.b/", "headers": pairs,
        "postData": {"text": sent.body}}});
    let mut file = BufWriter::new(fs::File::create(&path).unwrap());
    write!(file, "{{\"log\":{{\"entries\":[").unwrap();
    for at in 0..80_000 {
        let entry = if at == 60_000 { &own } else { &other };
        write!(file, "{}{entry}", if at == 0 { "" } else { ",\n" }).unwrap();
    }
    write!(file, "]}}}}").unwrap();
    file.into_inner().unwrap();
    let Some(ran) = measured(&["verify", "--secret", SECRET, path.to_str().unwrap()]) else { return };
    ran.check("80,000 entries", &[0]);
    assert!(ran.stderr.contains("left out 79999 of 80000"), "{ran:#?}");
    let ran = measured(&["verify", "--secret", SECRET, "--entry", "60001", path.to_str().unwrap()]).unwrap();
    ran.check("one entry", &[0]);
}
