//! Visits to servers on bare sockets, each of which does one thing to all or some deliveries.
//!
//! Invariant: what a server writes is bounded by the client, and shown without control characters.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use tokio::join;
use twenty_conform::report::doctor::text;
use twenty_conform::suite::cause::Code;
use twenty_conform::suite::doctor::visit::MOST_REQUESTS;
use twenty_conform::suite::doctor::{Cut, Findings, State, Topic};
use twenty_conform::suite::max_time::MaxTime;
use twenty_conform::wire::client::Target;

use super::{examined, examined_at, expect, plan, rest_is_fine, row};
use crate::peers::proxy::{Message, Proxy};
use crate::peers::servers::{ClosedPort, read_request, serve};

/// Examines a server that answers each request like this.
async fn answered(answer: impl Fn(&Message) -> Message + Send + Sync + 'static) -> Findings {
    let server = Proxy::answering(move |request, _| answer(&request));
    examined_at(&format!("{}hooks", server.url)).await
}

/// Examines a server that writes these bytes to each connection and closes it.
async fn writing(bytes: impl Into<Vec<u8>>) -> Findings {
    let bytes = bytes.into();
    let url = serve(move |mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        stream.write_all(&bytes)
    });
    examined_at(&url).await
}

fn ok() -> Message {
    Message::answer(200, "ok")
}

#[tokio::test]
async fn plain_receiver_has_nothing_to_report() {
    let findings = answered(|_| ok()).await;
    assert_eq!((findings.result(), findings.requests <= MOST_REQUESTS), ("ok", true), "{findings:#?}");
    // The server sends no Date.
    rest_is_fine(&findings, &[Topic::Clock]);
    expect(&findings, Topic::Size, State::Ok, &["bodies up to 10 MiB are accepted", "Twenty's events"]);
    expect(&findings, Topic::Clock, State::NotKnown, &["no answer has a Date"]);
}

#[tokio::test]
async fn obstacles_have_the_causes_of_the_suite() {
    let html = "<html><form><input type=\"password\"></form></html>";
    let answer = |status, name: &'static str, value: &'static str, body: &'static str| {
        Message::answer(status, body).with(name, value)
    };
    for (answer, code, words) in [
        (answer(301, "Location", "/hooks/", ""), Code::RouteRedirect, &["/hooks/", "slash", "use --url"][..]),
        (answer(308, "Location", "https://127.0.0.1/hooks", ""), Code::RouteRedirect, &["HTTPS", "https://"]),
        (answer(302, "Location", "http://other.example/x", ""), Code::RouteRedirect, &["another host"]),
        (answer(302, "Location", "/login?next=hooks", ""), Code::RouteLogin, &["/login"]),
        (answer(405, "Allow", "GET, HEAD", "no"), Code::RouteMethod, &["405", "GET, HEAD"]),
        (answer(404, "X-A", "b", "no route"), Code::RouteNotFound, &["/hooks is answered 404"]),
        (answer(401, "WWW-Authenticate", "Basic realm=x", ""), Code::RouteLogin, &["Basic realm=x"]),
        (answer(403, "X-A", "b", "CSRF token missing"), Code::RouteCsrf, &["403"]),
        (answer(429, "Retry-After", "7", ""), Code::RouteRateLimit, &["429", "Retry-After: 7"]),
        (answer(502, "Server", "nginx", "Bad Gateway"), Code::RouteProxy, &["502", "Server: nginx"]),
        (answer(200, "X-A", "b", html), Code::RouteLogin, &["page for people"]),
    ] {
        let findings = answered(move |_| answer.clone()).await;
        expect(&findings, Topic::Route, State::Problem, words);
        assert_eq!(row(&findings, Topic::Route).cause, Some(code), "{findings:#?}");
        assert_eq!(findings.result(), "problem");
        let most = if code == Code::RouteRateLimit { 1 } else { 12 };
        assert!(findings.requests <= most, "{findings:#?}");
    }
}

#[tokio::test]
async fn rejections_of_the_receiver_are_no_problem() {
    let not_found = answered(|request| match request.start.contains("/hooks") {
        true => Message::answer(404, "{\"error\":\"unknown signature\"}"),
        false => Message::answer(404, "<html>nothing is here</html>").with("Content-Type", "text/html"),
    });
    expect(&not_found.await, Topic::Route, State::NotKnown, &["404", "check that the secret"]);
    let page = answered(|_| Message::answer(403, "<html><h1>Forbidden</h1></html>").with("Server", "own"));
    expect(&page.await, Topic::Route, State::Warning, &["403 with a page", "Server: own", "firewall"]);
    let unknown = answered(|_| Message::answer(501, "Unsupported method"));
    expect(&unknown.await, Topic::Route, State::Problem, &["501"]);
    let unauthorised = answered(|request| match request.value("X-Twenty-Webhook-Signature") {
        Some(_) => Message::answer(401, "bad signature"),
        None => Message::answer(400, "no signature"),
    });
    let findings = unauthorised.await;
    expect(&findings, Topic::Route, State::NotKnown, &["401", "a forged one 401, an unsigned one 400"]);
    expect(&findings, Topic::Text, State::NotKnown, &["not accepted"]);
    assert_eq!(findings.result(), "ok");
}

#[tokio::test]
async fn other_forms_are_told_apart() {
    let findings = answered(|request| match request.body.is_ascii() {
        true => ok(),
        false => Message::answer(401, "bad signature"),
    });
    let findings = findings.await;
    expect(&findings, Topic::Text, State::Warning, &["beyond ASCII: 401", "plain one: 200", "--through"]);
    rest_is_fine(&findings, &[Topic::Text, Topic::Clock]);
    let findings = answered(|request| match request.body.len() {
        ..102_400 => ok(),
        _ => Message::answer(413, "request entity too large").with("Server", "nginx"),
    });
    let findings = findings.await;
    let words = ["bodies of 96 KiB pass; of 128 KiB: 413 by Server: nginx", "limit"];
    expect(&findings, Topic::Size, State::Warning, &words);
    rest_is_fine(&findings, &[Topic::Size, Topic::Clock]);
    let between = answered(|_| ok().with("CF-Ray", "1-FRA").with("Via", "1.1 squid"));
    expect(&between.await, Topic::Between, State::Warning, &["Cloudflare", "Via: 1.1 squid", "--through"]);
    let one = answered(|_| ok().with("Server", "gunicorn"));
    expect(&one.await, Topic::Between, State::Ok, &["gunicorn"]);
}

/// Answers 200 to each request, but first looks at its head.
async fn looking(act: impl Fn(&str, &mut TcpStream) -> io::Result<bool> + Send + Sync + 'static) -> Findings {
    let url = serve(move |mut stream| {
        let mut head = [0; 16 * 1024];
        loop {
            let count = stream.peek(&mut head)?;
            let text = String::from_utf8_lossy(&head[..count]).into_owned();
            if count == 0 || !act(&text, &mut stream)? {
                return Ok(());
            }
        }
    });
    examined_at(&url).await
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn chunks_and_expectations_that_are_refused_are_told() {
    let findings = looking(|head, stream| {
        let refused = match () {
            () if head.contains("chunked") => &b"HTTP/1.1 411 \r\nContent-Length: 0\r\n\r\n"[..],
            () if head.contains("100-continue") => b"HTTP/1.1 417 \r\nContent-Length: 0\r\n\r\n",
            () => OK,
        };
        if refused.starts_with(b"HTTP/1.1 417") {
            let _ = stream.read(&mut [0; 16 * 1024])?;
            stream.write_all(refused)?;
            return Ok(false);
        }
        read_request(stream)?;
        stream.write_all(refused)?;
        Ok(true)
    });
    let findings = findings.await;
    expect(&findings, Topic::Chunks, State::Warning, &["in chunks: 411", "chunked"]);
    expect(&findings, Topic::Expect, State::Warning, &["417"]);
    rest_is_fine(&findings, &[Topic::Chunks, Topic::Expect, Topic::Clock]);
}

#[tokio::test]
async fn connections_are_told() {
    let answering = |answer: &'static [u8], goes_on: bool| {
        looking(move |_, stream| {
            read_request(stream)?;
            stream.write_all(answer)?;
            Ok(goes_on)
        })
    };
    let closing = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let old = b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n";
    let (closing, old, silent) =
        join!(answering(closing, false), answering(old, false), answering(OK, false));
    expect(&closing, Topic::KeepAlive, State::Ok, &["closed after each answer"]);
    expect(&old, Topic::Version, State::Warning, &["HTTP/1.0", "HTTP/1.1"]);
    // The client never gets 100 Continue from this server.
    expect(&old, Topic::Expect, State::Warning, &["never sent"]);
    assert_eq!(row(&silent, Topic::KeepAlive).state, State::Warning, "{silent:#?}");
}

#[tokio::test]
async fn clocks_are_compared() {
    let at = |ms: i64, status: u16| {
        answered(move |request| {
            // Large bodies show nothing here.
            let status = if request.body.len() > 50_000 { 413 } else { status };
            let now = i64::try_from(super::CLOCK.now_ms()).unwrap() + ms;
            let now = jiff::Timestamp::from_millisecond(now).unwrap();
            let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap();
            Message::answer(status, "no").with("Date", &date)
        })
    };
    let minute = 60_000;
    expect(&at(0, 200).await, Topic::Clock, State::Ok, &["no difference"]);
    expect(&at(3 * minute, 200).await, Topic::Clock, State::Warning, &["minutes ahead", "NTP"]);
    expect(&at(-3 * minute, 401).await, Topic::Clock, State::Warning, &["minutes back"]);
    expect(&at(-60 * minute, 401).await, Topic::Clock, State::Problem, &["minutes back", "proxy"]);
    expect(&at(60 * minute, 200).await, Topic::Clock, State::Warning, &["dated now is accepted"]);
    let unreadable = answered(|_| ok().with("Date", "yesterday"));
    expect(&unreadable.await, Topic::Clock, State::NotKnown, &["not a date"]);
}

#[tokio::test]
async fn what_is_no_http_is_told_and_bounded() {
    expect(&writing("SSH-2.0-x\r\n").await, Topic::Route, State::Unreachable, &["HTTP/1.1", "SSH-2.0-x"]);
    expect(&writing("").await, Topic::Route, State::Unreachable, &["was not answered", "log"]);
    let endless = [&b"HTTP/1.1 200 OK\r\nX: "[..], &vec![b'x'; 1 << 21]].concat();
    let findings = writing(endless).await;
    let told = text(&findings, 100);
    assert!(findings.exit_status().code() == 3 && told.len() < 4000, "{told}");
    let large = format!("HTTP/1.1 401 \r\n{}\r\n", format!("X-A: {}\r\n", "y".repeat(1000)).repeat(1000));
    assert!(text(&writing(large).await, 100).len() < 4000);
    let escapes = "HTTP/1.1 301 \r\nLocation: /\x1b]0;x\x07\r\nServer: \x1b[2J\u{202e}evil\r\nVia: 1 \x1b[31m\r\n\
                   Content-Length: 0\r\n\r\n";
    let findings = writing(escapes).await;
    let shown = findings.rows.iter().flat_map(|row| [Some(row.seen.clone()), row.fix.clone()]).flatten();
    let shown: String = shown.collect();
    assert!(!shown.contains(['\x1b', '\x07', '\u{202e}']), "{shown:?}");
}

#[tokio::test]
async fn addresses_that_are_not_reached_are_told() {
    let closed = ClosedPort::new();
    let findings = examined_at(&closed.url()).await;
    expect(&findings, Topic::Connection, State::Unreachable, &["connection refused", "start the receiver"]);
    assert_eq!((findings.result(), findings.requests), ("unreachable", 0));
    let findings = examined_at("http://no-such-host.invalid/").await;
    expect(&findings, Topic::Name, State::Unreachable, &["does not resolve", "DNS"]);
    // A machine may have no IPv6.
    let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else { return };
    let port = listener.local_addr().unwrap().port();
    if TcpListener::bind(("127.0.0.1", port)).is_err() {
        return;
    }
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || -> io::Result<()> {
                while read_request(&mut stream)? {
                    stream.write_all(OK)?;
                }
                Ok(())
            });
        }
    });
    let findings = examined_at(&format!("http://localhost:{port}/")).await;
    expect(
        &findings,
        Topic::Connection,
        State::Warning,
        &["only ::1 accepts", "127.0.0.1: connection refused"],
    );
}

#[tokio::test]
async fn time_limit_ends_it_with_what_was_seen() {
    let url = serve(|mut stream| {
        let mut buffer = [0; 4096];
        while stream.read(&mut buffer)? > 0 {}
        Ok(())
    });
    let mut plan = plan(Target::parse(&url).unwrap());
    plan.max_time = MaxTime::new(Duration::from_millis(200));
    let findings = examined(&plan).await;
    assert_eq!((findings.cut, findings.result()), (Some(Cut::Time), "incomplete"), "{findings:#?}");
    expect(&findings, Topic::Connection, State::Ok, &["accepts connections"]);
    plan.max_time = MaxTime::new(Duration::from_secs(60));
    plan.timeout = Duration::from_millis(200);
    let findings = examined(&plan).await;
    expect(&findings, Topic::Route, State::Unreachable, &["not answered in time", "--timeout"]);
}
