//! The command: its report, its JSON, its statuses, and where a run points to it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use serde_json::Value;

use crate::cli::program::{Running, reference, run, serve_receiver, twenty};
use crate::peers::proxy::Proxy;
use crate::peers::servers::{ClosedPort, always, serve};

#[test]
fn example_receiver_has_nothing_to_report() {
    let command = reference("receiver");
    let ran = run(["doctor", "--exec", &command]).expect(0);
    ran.says(&["RESULT: ok problems 0 warnings 0 not-known 0 requests ", "  ok         route  "]);
    let ran = run(["doctor", "--exec", &command, "--path", "/other", "--json"]).expect(0);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&report["format"], &report["result"]), (&"twenty-conform-doctor/1".into(), &"ok".into()));
    assert_eq!(
        (&report["exit_status"], report["rows"].as_array().unwrap().len()),
        (&0.into(), 11),
        "{report:#}"
    );
}

#[test]
fn statuses_differ() {
    let served = serve_receiver("s3cr3t");
    run(["doctor", "--url", &served.url, "--secret", "s3cr3t"]).expect(0);
    let redirecting = always(308);
    let ran = run(["doctor", "--url", &redirecting, "--secret", "x"]).expect(1);
    ran.says(&["[route.redirect]", "RESULT: problem problems 1 "]);
    let closed = ClosedPort::new();
    let ran = run(["doctor", "--url", &closed.url(), "--secret", "x"]).expect(3);
    ran.says(&["connection refused", "RESULT: unreachable problems 1 "]);
    run(["doctor"]).expect(2).complains_of(&["--url", "--through"]);
    let url = "http://192.0.2.1/";
    run(["doctor", "--url", url, "--secret", "x"]).expect(2).complains_of(&["--allow-remote"]);
    run(["doctor", "--through", url, "--listen-on", "0"]).expect(2).complains_of(&["--allow-remote"]);
    run(["doctor", "--through", url]).expect(2).complains_of(&["--listen-on"]);
    let ran = run(["doctor", "--through", "http://127.0.0.1:9/", "--listen-on", "x"]).expect(2);
    ran.complains_of(&["expected a port"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ran = run(["doctor", "--through", "http://127.0.0.1:9/", "--listen-on", &port]).expect(2);
    ran.complains_of(&["cannot listen on 127.0.0.1:", "stop the receiver"]);
    run(["doctor", "--through", "http://127.0.0.1:9/", "--listen-on", "0", "--port", "5"]).expect(2);
}

#[test]
fn passage_is_measured_by_the_command() {
    let proxy = Proxy::of_bytes();
    let mut command = twenty(["doctor", "--through", &proxy.url, "--listen-on", "0"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut running = Running(child);
    let mut line = String::new();
    BufReader::new(running.0.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let place = line.strip_prefix("listening on ").and_then(|line| line.split(';').next()).unwrap();
    proxy.leads_to(place.parse().unwrap());
    let mut said = String::new();
    running.0.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(running.0.wait().unwrap().success(), "{said}");
    assert!(said.contains("RESULT: ok problems 0 warnings 0 not-known 0 requests 7"), "{said}");
}

#[cfg(unix)]
#[test]
fn interruption_prints_what_was_seen() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    let (sender, asked) = std::sync::mpsc::channel();
    let url = serve(move |mut stream| {
        let mut buffer = [0; 4096];
        while stream.read(&mut buffer)? > 0 {
            sender.send(()).ok();
        }
        Ok(())
    });
    let mut command = twenty(["doctor", "--url", &url, "--secret", "x"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut running = Running(child);
    asked.recv().unwrap();
    kill(Pid::from_raw(running.0.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    let mut said = String::new();
    running.0.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(running.0.wait().unwrap().code(), Some(130), "{said}");
    assert!(said.contains("accepts connections") && said.contains("RESULT: interrupted "), "{said}");
}

#[test]
fn runs_point_to_it_where_it_helps() {
    let redirecting = always(308);
    let words = format!("to check what surrounds the receiver: twenty-conform doctor --url {redirecting}");
    let run_of = |more: &[&str]| {
        run([&["receiver", "--url", &redirecting, "--secret", "x", "--run", "RCV-1"][..], more].concat())
    };
    run_of(&[]).complains_of(&[&words]);
    assert!(!run_of(&["-q"]).stderr.contains("doctor"));
    let closed = ClosedPort::new();
    run(["receiver", "--url", &closed.url(), "--secret", "x"])
        .expect(3)
        .complains_of(&["twenty-conform doctor --url"]);
    let served = serve_receiver("s3cr3t");
    let ran = run(["receiver", "--url", &served.url, "--secret", "s3cr3t", "--run", "RCV-1"]).expect(0);
    assert!(!ran.stderr.contains("doctor"), "{ran:#?}");
}

#[test]
fn receiver_that_does_not_start_is_told_in_json_too() {
    let ran = run(["doctor", "--exec", "no-such-program-anywhere", "--json"]).expect(3);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["result"], "unreachable", "{report:#}");
    run(["doctor", "--exec", "no-such-program-anywhere"])
        .expect(3)
        .complains_of(&["no-such-program-anywhere"]);
}
