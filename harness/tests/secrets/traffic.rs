//! Requests with the secret at `listen` and `bench endpoint`, and in files for `verify` and `sender --transcript`.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use tempfile::TempDir;

use super::scan::Windows;
use crate::cli::program::{finish, serve, serve_with_json, twenty};

const SECRET: &str = "s3cr3t-Value-9Kx2Lm7Q";

/// Requests with the secret in each place; some are malformed.
fn requests() -> Vec<Vec<u8>> {
    let delivery = |start: &str, header: &str, body: &str| {
        format!("{start}\r\nHost: x\r\n{header}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    };
    let post = "POST / HTTP/1.1";
    let event = format!(r#"{{"event":"a.{SECRET}","data":{{"id":"{SECRET}"}},"{SECRET}":1}}"#);
    let mut all = vec![
        delivery(post, &format!("X-Key-{SECRET}: 1\r\n"), "{}"),
        delivery(post, &format!("x-key-{}: 1\r\n", SECRET.to_lowercase()), "{}"),
        delivery(post, &format!("X-Key: {SECRET}\r\nX-Twenty-Webhook-Signature: {SECRET}\r\n"), &event),
        // Without a header of Twenty it would be passed over as a probe.
        delivery(&format!("{SECRET} /x HTTP/1.1"), "X-Twenty-Webhook-Nonce: 1\r\n", ""),
        delivery(&format!("POST /{SECRET}?a={SECRET} HTTP/1.1"), "", SECRET),
        delivery(post, &format!("X Y{SECRET}: 1\r\n"), "{}"),
    ];
    // A quote has 120 bytes, and a line 80 characters.
    all.extend(
        (60..120).step_by(5).map(|width| format!("{}{SECRET}\r\n\r\n", "y".repeat(width)).into_bytes()),
    );
    all
}

fn send(url: &str, request: &[u8]) {
    let authority = url.strip_prefix("http://").unwrap().strip_suffix('/').unwrap();
    let mut stream = TcpStream::connect(authority).unwrap();
    stream.write_all(request).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    // The endpoint may close after what it takes for the end.
    let _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn listen_keeps_no_part_of_the_secret() {
    let windows = Windows::of([SECRET]);
    for json in [&["--json"][..], &[]] {
        let folder = TempDir::new().unwrap();
        let mut command = twenty(["listen", "--count", "6", "--secret", SECRET]);
        command.args(json).arg("--out").arg(folder.path());
        let served = if json.is_empty() { serve(command) } else { serve_with_json(command) };
        let url = served.url.clone();
        let malformed = requests();
        malformed.iter().skip(5).for_each(|request| send(&url, request));
        malformed.iter().take(5).for_each(|request| send(&url, request));
        send(&url, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        let (status, rest) = served.end();
        assert_eq!(status, Some(1), "{rest}");
        assert_eq!(windows.found_in(rest.as_bytes()), None);
        assert!(rest.contains("SIG-8"), "{rest}");
        assert_eq!(windows.assert_not_under(folder.path(), "listen"), 8);
        // With the secret, what was kept is judged as it was; without, it stays redacted.
        let kept = folder.path().join("deliveries.jsonl").display().to_string();
        let ran = finish(twenty(["sender", "--transcript", &kept, "--secret", SECRET, "--run", "SIG-8"]));
        ran.says(&["SIG-8", "5 of 6"]);
        windows.assert_not_in(&ran, "transcript");
        windows.assert_not_in(&finish(twenty(["sender", "--transcript", &kept])), "transcript");
        for number in 1..=6 {
            let file = folder.path().join(format!("{number}.http")).display().to_string();
            windows.assert_not_in(&finish(twenty(["verify", "--secret", SECRET, &file])), "verify");
        }
        let raw = folder.path().join("raw");
        for request in requests() {
            fs::write(&raw, request).unwrap();
            let file = raw.display().to_string();
            windows.assert_not_in(&finish(twenty(["verify", "--secret", SECRET, &file])), "verify");
        }
    }
}
