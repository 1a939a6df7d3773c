//! Probes and browsers at `listen`: they are shown, and are no deliveries.

use super::listen::{Listening, SECRET, body, valid};
use super::program::twenty;

fn bare(method: &str, target: &str) -> Vec<u8> {
    format!("{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").into_bytes()
}

#[test]
fn probes_are_passed_over() {
    let mut listening = Listening::new(&["--secret", SECRET, "--once"]);
    for (method, target) in [("GET", "/"), ("HEAD", "/hooks"), ("OPTIONS", "/hooks"), ("GET", "/favicon.ico")]
    {
        let answer = listening.send(&bare(method, target));
        assert!(answer.starts_with("HTTP/1.1 405 ") && answer.contains("Allow: POST"), "{answer}");
        assert!(method != "HEAD" || answer.ends_with("\r\n\r\n"), "{answer}");
        let shown = &listening.next()["passed_over"];
        assert_eq!((&shown["method"], &shown["target"]), (&method.into(), &target.into()));
    }
    listening.send(&valid("/", &body(1)));
    assert_eq!(listening.next()["verdict"], "pass");
    let (status, summary) = listening.end();
    assert_eq!(status, Some(0), "{summary}");
    assert_eq!((&summary["received"], &summary["passed_over"]), (&1.into(), &4.into()));
}

#[test]
fn deliveries_by_another_method_fail() {
    let mut listening = Listening::new(&["--secret", SECRET, "--once"]);
    let put = String::from_utf8(valid("/", &body(1))).unwrap().replacen("POST", "PUT", 1);
    listening.send(put.as_bytes());
    let judged = listening.next();
    assert_eq!(judged["failed"][0]["requirement"], "DLV-1", "{judged}");
    assert_eq!(listening.end().0, Some(1));
}

#[test]
fn probes_are_told_in_one_line() {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::process::Stdio;
    let mut command = twenty(["listen", "--once", "--color", "never"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("http://") {
        line.clear();
        assert!(stderr.read_line(&mut line).unwrap() > 0);
    }
    let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap().trim().to_owned();
    for request in [bare("GET", "/"), valid("/", &body(1))] {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        stream.write_all(&request).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
    }
    let mut shown = String::new();
    child.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
    assert!(shown.starts_with("GET /, no delivery: passed over\n"), "{shown}");
    assert!(shown.contains("passed over: 1 request that was no delivery"), "{shown}");
    assert_eq!(child.wait().unwrap().code(), Some(0), "{shown}");
}
