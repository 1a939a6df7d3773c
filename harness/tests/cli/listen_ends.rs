//! What ends `listen`: a delivery that is waited for, every kind of event, a count, or a time limit.
//!
//! Invariant: a command that waits for a delivery prints one line on stdout, and its status says what the line says.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::listen::{SECRET, body, request, valid};
use super::program::{Served, run, serve, serve_with_json, twenty};

/// The line about a delivery comes this soon after it.
const SOON: Duration = Duration::from_millis(50);

/// `listen` with these arguments.
fn listen(arguments: &[&str]) -> Served {
    serve(twenty(["listen"].iter().chain(arguments)))
}

/// Sends a delivery, and waits for the whole answer.
pub(super) fn send(served: &Served, delivery: &[u8]) {
    let address = served.url.strip_prefix("http://").unwrap().trim_end_matches('/');
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(delivery).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
}

/// A delivery of this event.
fn event(name: &str, id: usize) -> Vec<u8> {
    valid("/", &body(id).replace("person.created", name))
}

/// The one line on stdout, and the exit status.
fn line(served: Served) -> (Value, Option<i32>) {
    let (status, text) = served.end();
    assert_eq!(text.matches('\n').count(), 1, "{text}");
    (serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}")), status)
}

#[test]
fn waits_for_a_delivery() {
    for (conditions, secret, status) in [
        (&["event=person.updated&record=r3"][..], SECRET, 0),
        (&["event=person.*", "data.name=Łódź", "record=r3"], SECRET, 0),
        (&["object=person&action=updated&record=r3"], "another", 1),
    ] {
        let waits = conditions.iter().flat_map(|one| ["--wait-for", one]);
        let arguments: Vec<&str> =
            ["--secret", secret, "--timeout", "60s"].into_iter().chain(waits).collect();
        let served = listen(&arguments);
        for (name, id) in [("person.created", 1), ("company.updated", 3), ("person.updated", 2)] {
            send(&served, &event(name, id));
        }
        send(&served, &event("person.updated", 3));
        let (found, ended) = line(served);
        assert_eq!(ended, Some(status), "{found}");
        assert_eq!(
            (&found["event"], &found["record"], &found["exit_status"]),
            (&"person.updated".into(), &"r3".into(), &status.into()),
            "{found}"
        );
        let matches = if status == 0 { "matches" } else { "does not match" };
        assert_eq!(found["signature"], matches, "{found}");
        assert_eq!(found["failed"].as_array().unwrap().is_empty(), status == 0, "{found}");
    }
}

#[test]
fn delivery_that_is_waited_for_has_its_cause() {
    let served = listen(&["--secret", SECRET, "--wait-for", "cause=message.*"]);
    send(&served, &event("person.updated", 1));
    send(&served, &request("/", &body(2), "close", |_, body| body.to_owned()));
    let (found, status) = line(served);
    assert_eq!((status, &found["cause"]["code"]), (Some(1), &"message.body-alone".into()), "{found}");
    assert!(found["cause"]["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "{found}");
    assert_eq!(found["failed"][0]["requirement"], "SIG-4");
}

#[test]
fn line_comes_at_once() {
    // A busy machine delays some.
    let tries = (0..10).map(|_| {
        let mut served = listen(&["--secret", SECRET, "--wait-for", "event=person.created"]);
        send(&served, &event("person.updated", 1));
        let began = Instant::now();
        send(&served, &event("person.created", 2));
        assert!(served.next_line().contains(r#""record":"r2""#));
        began.elapsed()
    });
    let fastest = tries.take_while(|took| *took > SOON).count();
    assert!(fastest < 10, "every line took longer than {SOON:?}");
}

#[test]
fn time_out_says_what_arrived_instead() {
    let served = listen(&["--secret", SECRET, "--wait-for", "event=note.*", "--timeout", "400ms"]);
    for name in ["person.created", "person.created", "company.deleted"] {
        send(&served, &event(name, 1));
    }
    send(&served, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let (found, status) = line(served);
    assert_eq!((status, &found["timed_out"], &found["came"]), (Some(3), &true.into(), &3.into()), "{found}");
    assert_eq!(found["came_instead"], json!({ "company.deleted": 1, "person.created": 2 }));
    assert_eq!((&found["passed_over"], &found["wait_for"]), (&1.into(), &json!(["event=note.*"])));
    let ran = run(["listen", "--wait-for", "event=a.b", "--timeout", "10ms"]).expect(3);
    ran.complains_of(&["event=a.b", "no delivery came at all"]);
}

#[test]
fn wrong_conditions_are_usage_errors() {
    for (condition, words) in
        [("evnt=a.b", "did you mean event="), ("event", "KEY=PATTERN"), ("datas.x=1", "did you mean data.x=")]
    {
        run(["listen", "--wait-for", condition]).expect(2).complains_of(&["--wait-for", words]);
    }
    run(["listen", "--wait-for", "event=a.b", "--count", "1"]).expect(2).complains_of(&["--count"]);
    run(["listen", "--until-covered", "--once"]).expect(2).complains_of(&["--once"]);
}

#[test]
fn ends_when_every_kind_has_come() {
    let kinds = ["created", "updated", "deleted"];
    let served = listen(&["--secret", SECRET, "--until-covered", "--timeout", "60s"]);
    for kind in kinds {
        send(&served, &event(&format!("person.{kind}"), 1));
    }
    let (status, text) = served.end();
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("seen: created 1, updated 1, deleted 1; not seen: none"), "{text}");

    // A dialect of an option has more kinds.
    let options = ["--until-covered", "--dialect", "shipped", "--json", "--timeout", "300ms"];
    let served = serve_with_json(twenty(["listen", "--secret", SECRET].iter().chain(&options)));
    let (status, text) = served.end();
    let summary: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let summary = &summary["summary"];
    assert_eq!((status, summary["kinds"]["missing"].as_array().unwrap().len()), (Some(3), 5), "{summary}");
}

#[test]
fn time_limit_ends_a_count() {
    let served = listen(&["--secret", SECRET, "--count", "3", "--timeout", "400ms"]);
    send(&served, &event("person.created", 1));
    let (status, text) = served.end();
    assert_eq!(status, Some(3), "{text}");
    assert!(text.contains("RESULT: incomplete received 1 judged 1 "), "{text}");
}

#[cfg(unix)]
#[test]
fn interrupted_wait_says_so() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    let served = listen(&["--wait-for", "event=person.updated"]);
    send(&served, &event("person.created", 1));
    let id = |child: &Child| Pid::from_raw(i32::try_from(child.id()).unwrap());
    kill(id(served.child()), Signal::SIGINT).unwrap();
    let (found, status) = line(served);
    assert_eq!(
        (status, &found["interrupted"], &found["came"]),
        (Some(130), &true.into(), &1.into()),
        "{found}"
    );
}
