//! Input that is no capture: what it is, the fix, and status 2.

use std::fs;

use tempfile::TempDir;

use super::SECRET;
use crate::cli::program::{run, run_on};

#[test]
fn input_in_no_known_form_is_named_with_the_nearest() {
    for (input, words) in [
        (
            "",
            &[
                "stdin is not a captured request in a known form: it is empty",
                "forms: raw HTTP, a curl command (bash), ",
            ][..],
        ),
        (
            "{\"event\":\"a.b\",\"data\":{}}",
            &["it is a body without its headers", "--timestamp and --signature"],
        ),
        ("{\"a\":[1,2]}", &["no object in it has the headers", "nearest: JSON with headers and a body"]),
        ("{\"log\":{\"entries\":[", &["line 1: EOF", "nearest: HAR"]),
        ("{\"log\":1}", &["nearest: JSON with headers"]),
        ("[1,\n{\"headers\" 3}]", &["line 1", "it begins like JSON and is not", "line 2 column"]),
        ("curl 'https://a.b/ -H x\n", &["line 1: ' is not closed", "nearest: a curl command (bash)"]),
        ("a\ncurl https://a.b/ -H \"a: $SIG\"", &["nearest: a curl command (bash)"]),
        (
            "curl a.b -H \"a: $SIG\"",
            &["the command has $SIG, whose value is not in it; write the value there"],
        ),
        ("curl a.b -d @- <<'EOF'\n{}\n", &["line 1: the here-document does not end with a line EOF"]),
        (
            "curl a.b -d @- <<EOF\n{$BODY}\nEOF\n",
            &["line 2: the command has $BODY}, whose value is not in it"],
        ),
        (
            "wget -O - http://a.b/",
            &[
                "line 1: \"wget -O - http://a.b/\" is neither a request line nor a header",
                "nearest: a curl command",
            ],
        ),
        ("HTTP/1.1 401 Unauthorized\nA: b\n\nno", &["an answer of a server"]),
        (
            "type: collection.insomnia.rest/5.0\nname: a b\ncollection:\n  - url: x\n",
            &["nearest: the JSON of Insomnia"],
        ),
        ("\u{1f}rubbish\r\n\r\n", &["is neither a request line nor a header"]),
        (
            "GET / HTTP/1.1\nA: b\n\n\nGET / HTTP/1.1\nA: b\n\n",
            &["none of 2 requests in stdin has a header of Twenty's"],
        ),
        ("POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n5\nab", &["a chunk of 5 bytes is cut off after 2"]),
    ] {
        run_on(["verify", "--secret", SECRET], input).expect(2).complains_of(words);
    }
    for (input, words) in [
        (&b"\x1f\x8b\x08\0\0"[..], "compressed with gzip"),
        (b"PK\x03\x04\0", "ZIP archive"),
        (b"\x0a\x0d\x0d\x0a\0", "packets of a network"),
        (b"\x7fELF\0\0\0", "it is binary"),
    ] {
        run_on(["verify", "--secret", SECRET], input).expect(2).complains_of(&[words]);
    }
}

#[test]
fn file_of_a_command_that_is_missing_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("command.sh");
    fs::write(&file, "curl a.b -d @gone.json\n").unwrap();
    let gone = folder.path().join("gone.json");
    let name = file.to_str().unwrap();
    run(["verify", "--secret", SECRET, name])
        .expect(2)
        .complains_of(&[gone.to_str().unwrap(), "put the file next to the capture"]);
    run(["verify", "--secret", SECRET, gone.to_str().unwrap()])
        .expect(2)
        .complains_of(&["cannot read", gone.to_str().unwrap()]);
}
