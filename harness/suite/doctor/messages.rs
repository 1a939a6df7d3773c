//! What an examination of the surroundings says, in the order of its rows: what was seen, then the fix.

use std::net::IpAddr;
use std::time::Duration;

use crate::plural::counted;
use crate::wire::client::look::{Accepts, Dated};
use crate::wire::exchange::Outcome;

pub(super) mod passage;

/// A duration in milliseconds, or in seconds if it is long.
pub(super) fn time(took: Duration) -> String {
    let ms = took.as_secs_f64() * 1000.0;
    match ms {
        ..10.0 => format!("{ms:.1} ms"),
        ..1000.0 => format!("{ms:.0} ms"),
        _ => format!("{:.1} s", ms / 1000.0),
    }
}

/// A size, in the unit that is readable.
pub(super) fn size(bytes: usize) -> String {
    match bytes {
        ..1024 => format!("{bytes} bytes"),
        ..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}

fn list<T: ToString>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

// The name.

pub(super) fn literal(host: &str) -> String {
    format!("{host} is an address; nothing is looked up")
}

pub(super) fn name_unknown(host: &str, why: &str) -> String {
    format!("{host} does not resolve: {why}")
}

pub(super) fn check_name(host: &str) -> String {
    format!("correct the name {host} in the URL, or add it to the DNS or the file of hosts; a new record may take a while")
}

pub(super) fn name_found(host: &str, found: &[IpAddr], more: usize, took: Duration) -> String {
    let four = found.iter().filter(|one| one.is_ipv4()).count();
    let families = match (four, found.len() - four) {
        (_, 0) => "IPv4 only",
        (0, _) => "IPv6 only",
        _ => "IPv4 and IPv6",
    };
    let more = if more > 0 { format!(" and {more} more, which were not tried") } else { String::new() };
    format!("{host} is {}{more} ({families}; looked up in {})", list(found), time(took))
}

pub(super) fn localhost(host: &str, found: &[IpAddr]) -> String {
    format!("{host} is this machine: {}", list(found))
}

pub(super) fn localhost_elsewhere(host: &str, of_system: &[IpAddr], accepting: &[IpAddr]) -> String {
    format!("{host} is {} for programs of this system, but only {} accepts", list(of_system), list(accepting))
}

pub(super) fn name_the_address(accepting: &[IpAddr]) -> String {
    let address = match accepting.first() {
        Some(IpAddr::V6(address)) => format!("[{address}]"),
        Some(address) => address.to_string(),
        None => String::new(),
    };
    format!("have the receiver listen on both 127.0.0.1 and ::1, or write {address} in URLs")
}

// The connection.

pub(super) fn not_accepted(accepts: &Accepts) -> String {
    match accepts {
        Accepts::Yes(_) => "accepts".to_owned(),
        Accepts::Refused => Outcome::Refused.to_string(),
        Accepts::TimedOut => "no answer to the connection".to_owned(),
        Accepts::No(why) => why.clone(),
    }
}

fn each(failures: &[(IpAddr, String)]) -> String {
    failures.iter().map(|(ip, why)| format!("{ip}: {why}")).collect::<Vec<_>>().join("; ")
}

pub(super) fn connected(ip: IpAddr, port: u16, took: Duration) -> String {
    format!("{ip} accepts connections on port {port} ({})", time(took))
}

pub(super) fn no_connection(port: u16, failures: &[(IpAddr, String)]) -> String {
    format!("no connection to port {port}: {}", each(failures))
}

pub(super) fn start_or_correct_port(address: &str) -> String {
    format!("start the receiver so that it listens on {address}, or correct the port in the URL")
}

pub(super) fn open_firewall(port: u16) -> String {
    format!("open port {port} in the firewall or the security group of that machine, or correct the address")
}

pub(super) fn check_network() -> String {
    "check the network of this machine, a VPN, and the address".to_owned()
}

pub(super) fn only_version_6(ip: IpAddr, port: u16, failures: &[(IpAddr, String)]) -> String {
    format!("only {ip} accepts on port {port} ({}): a program that uses 127.0.0.1 does not reach it", each(failures))
}

pub(super) fn listen_on_both() -> String {
    "listen on 127.0.0.1 too, or write [::1] in URLs".to_owned()
}

pub(super) fn some_connect(ip: IpAddr, port: u16, failures: &[(IpAddr, String)]) -> String {
    format!("{ip} accepts connections on port {port}, but not every address does: {}", each(failures))
}

pub(super) fn remove_address() -> String {
    "remove the address that does not answer from the DNS, or serve on it: some senders try only one address".to_owned()
}

// TLS.

pub(super) fn speaks_tls(port: u16) -> String {
    format!("port {port} speaks TLS, but the URL begins with http:")
}

pub(super) fn speaks_no_tls(port: u16) -> String {
    format!("port {port} speaks plain HTTP, but the URL begins with https:")
}

pub(super) fn use_url(url: &str) -> String {
    format!("use --url {url}")
}

pub(super) fn no_handshake(outcome: &Outcome) -> String {
    format!("no TLS handshake: {outcome}")
}

pub(super) fn check_tls_port() -> String {
    "check that this port serves HTTPS, with TLS 1.2 or 1.3".to_owned()
}

pub(super) fn tls_version(version: &str) -> String {
    format!("{version} was agreed on")
}

pub(super) fn tls_version_unknown() -> &'static str {
    "the version of TLS was not seen"
}

pub(super) fn certificate(one: &Dated) -> String {
    let names = if one.names.is_empty() { one.subject.clone() } else { one.names.join(", ") };
    let issuer = if one.is_self_signed() { "itself".to_owned() } else { one.issuer.clone() };
    format!("for {names}; issued by {issuer}; valid until {}", date(one.not_after_ms))
}

/// The day of a time.
fn date(ms: i64) -> String {
    let time = jiff::Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 {
        jiff::Timestamp::MIN
    } else {
        jiff::Timestamp::MAX
    });
    time.to_string().chars().take(10).collect()
}

pub(super) fn rejected(why: &str, described: &str) -> String {
    if described.is_empty() { why.to_owned() } else { format!("{why} ({described})") }
}

pub(super) fn send_intermediate(issuer: &str, fix: &str) -> String {
    format!(
        "the server sends only its own certificate: if {issuer} is an intermediate authority, have the server send that \
         certificate too (the full chain); otherwise {fix}"
    )
}

pub(super) fn certificate_unreadable() -> &'static str {
    "the certificate was accepted, but cannot be read"
}

pub(super) fn not_checked(described: &str) -> String {
    format!("not checked because of --insecure: {described}")
}

pub(super) fn check_certificate() -> String {
    "leave out --insecure, or name the authority with --ca FILE: a sender does check it".to_owned()
}

pub(super) fn ends_soon(described: &str, left: Duration) -> String {
    let days = left.as_secs() / 86_400;
    format!("it ends in {}: {described}", counted(days, "day", "days"))
}

pub(super) fn renew() -> String {
    "renew the certificate now; no delivery arrives once it has expired".to_owned()
}

pub(super) fn certificate_is_fine(described: &str) -> String {
    format!("trusted, {described}")
}

// The route.

pub(super) fn accepted(status: u16, dialect: &str, took: Duration) -> String {
    format!("a valid delivery (dialect {dialect}) is accepted: {status} after {}", time(took))
}

pub(super) fn page(status: u16) -> String {
    format!("a delivery is answered {status} with a page for people")
}

pub(super) fn use_path_of_receiver() -> String {
    "put the path of the receiver into the URL: this is the page of another route, or of something before the receiver".to_owned()
}

pub(super) fn fails(status: u16, server: Option<String>) -> String {
    let server = server.map(|server| format!(" (Server: {server})")).unwrap_or_default();
    format!("valid, forged and unsigned deliveries are all answered {status}{server}")
}

pub(super) fn run_receiver() -> String {
    "read the log of the receiver: it, or what is before it, fails whatever is sent".to_owned()
}

pub(super) fn rejects_valid(status: u16, others: &[u16]) -> String {
    match others {
        [forged, unsigned] if forged == unsigned && *forged == status => {
            format!("a valid delivery is answered {status}, as a forged and an unsigned one are")
        }
        [forged, unsigned] => {
            format!("a valid delivery is answered {status}, a forged one {forged}, an unsigned one {unsigned}")
        }
        _ => format!("a valid delivery is answered {status}"),
    }
}

pub(super) fn check_secret_by_run() -> String {
    "check that the secret is the receiver's; why it rejects a delivery is what `receiver` finds out".to_owned()
}

pub(super) fn redirects(status: u16, place: &str) -> String {
    format!("every delivery is redirected ({status}) to {place}")
}

pub(super) fn other_host() -> &'static str {
    "another host"
}

pub(super) fn to_https() -> &'static str {
    "HTTPS"
}

pub(super) fn trailing_slash() -> &'static str {
    "the path that differs in the slash at its end"
}

pub(super) fn other_path() -> &'static str {
    "another path"
}

pub(super) fn follow_redirect(what: &str, url: &str) -> String {
    format!("Twenty does not follow redirects; this one leads to {what}: use --url {url}, and register that URL in Twenty")
}

pub(super) fn method(status: u16, allow: Option<&str>) -> String {
    match allow {
        Some(allow) => format!("POST is answered {status}; allowed there: {allow}"),
        None => format!("POST is answered {status}, without a header Allow"),
    }
}

pub(super) fn login(status: u16, demand: Option<&str>) -> String {
    match demand {
        Some(demand) => format!("every delivery is answered {status} and asked for credentials ({demand})"),
        None => format!("every delivery is answered {status} with a login"),
    }
}

pub(super) fn limited(status: u16, retry: Option<&str>) -> String {
    let retry = retry.map(|retry| format!(" (Retry-After: {retry})")).unwrap_or_default();
    format!("a rate limit answers {status}{retry}")
}

pub(super) fn not_found(path: &str) -> String {
    format!("{path} is answered 404, as a path is that no program has")
}

pub(super) fn instead(status: u16, what: &str, server: Option<String>) -> String {
    let server = server.map(|server| format!("; Server: {server}")).unwrap_or_default();
    format!("every delivery is answered {status}: {what}{server}")
}

pub(super) fn no_http(why: &str) -> String {
    format!("what answers there does not speak HTTP/1.1: {why}")
}

pub(super) fn check_port_of_http() -> String {
    "correct the port in the URL: another program listens on this one".to_owned()
}

pub(super) fn no_answer_in_time() -> &'static str {
    "a valid delivery was not answered in time"
}

pub(super) fn wait_longer() -> String {
    "wait longer with --timeout and --max-time, or find out what is slow".to_owned()
}

pub(super) fn no_answer(outcome: &Outcome) -> String {
    format!("a valid delivery was not answered: {outcome}")
}

pub(super) fn check_log() -> String {
    "read the log of the receiver, and of what is before it: something closes the connection".to_owned()
}

// What is between.

pub(super) fn nothing_named() -> String {
    "no answer names a server or a proxy".to_owned()
}

pub(super) fn server_named(server: &str) -> String {
    format!("answers name one server: {server}")
}

pub(super) fn several_servers(servers: &[String]) -> String {
    format!("answers come from different servers: {}", servers.join("; "))
}

pub(super) fn via(value: &str) -> String {
    format!("a proxy (Via: {value})")
}

pub(super) fn between(names: &[String]) -> String {
    format!("answers pass through {}", names.join(", "))
}

pub(super) fn go_around() -> String {
    "malformed, cut-off and unusual requests may be answered there, not by the receiver: test the receiver's own port, and \
     measure what is between with `doctor --through URL --listen PORT`"
        .to_owned()
}

// Forms of deliveries.

pub(super) fn text_delivery() -> &'static str {
    "a valid delivery with characters beyond ASCII"
}

pub(super) fn text_arrives() -> &'static str {
    "characters beyond ASCII arrive: that delivery is accepted too"
}

pub(super) fn measure_text() -> String {
    "the receiver, or something that rewrites bodies before it: measure the latter with `doctor --through URL --listen PORT`".to_owned()
}

pub(super) fn chunked_delivery() -> &'static str {
    "a valid delivery in chunks"
}

pub(super) fn chunks_arrive() -> &'static str {
    "a delivery in chunks is accepted too"
}

pub(super) fn allow_chunks() -> String {
    "allow Transfer-Encoding: chunked in the server and in what is before it (WSGI servers and old proxies drop such bodies)".to_owned()
}

pub(super) fn expecting_delivery() -> &'static str {
    "a valid delivery with Expect: 100-continue"
}

pub(super) fn plain_rejected_too(what: &str) -> String {
    format!("{what} is answered like the plain one, which is not accepted")
}

pub(super) fn differs(what: &str, outcome: &Outcome, plain: Option<&Outcome>) -> String {
    let plain = plain.map(|plain| format!("; the plain one: {plain}")).unwrap_or_default();
    format!("{what}: {outcome}{plain}")
}

pub(super) fn continued() -> &'static str {
    "100 Continue is sent when it is asked for"
}

pub(super) fn never_continued(took: Duration) -> String {
    format!("100 Continue is never sent, so that a client that waits for it loses time (answered after {})", time(took))
}

pub(super) fn answered_before_body() -> &'static str {
    "Expect: 100-continue is answered before the body is sent"
}

pub(super) fn answer_expect() -> String {
    "have the server, or what is before it, answer Expect: 100-continue; curl sends it with large bodies".to_owned()
}

pub(super) fn kept() -> &'static str {
    "two deliveries passed over one connection"
}

pub(super) fn kept_and_closed(outcome: &Outcome) -> String {
    format!("the second delivery on a connection was lost: {outcome}")
}

pub(super) fn closes_each() -> &'static str {
    "the connection is closed after each answer, which says so"
}

pub(super) fn closed_at_once() -> &'static str {
    "the connection is closed after an answer that does not say so"
}

pub(super) fn say_close() -> String {
    "send Connection: close in answers if the server does not keep connections; otherwise deliveries are lost at random".to_owned()
}

pub(super) fn version(minor: u8) -> String {
    format!("answers are HTTP/1.{minor}")
}

pub(super) fn versions_differ() -> &'static str {
    "some answers are HTTP/1.0, others HTTP/1.1"
}

pub(super) fn use_http_11() -> String {
    "serve HTTP/1.1: with 1.0 there are no chunks and no 100 Continue (nginx: proxy_http_version 1.1)".to_owned()
}

// Sizes.

fn usual(bytes: usize) -> String {
    format!("the samples of Twenty's events have up to {bytes} bytes")
}

pub(super) fn sizes_pass(largest: usize, usual_size: usize, is_accepted: bool) -> String {
    let largest = size(largest);
    if is_accepted {
        format!("bodies up to {largest} are accepted; {}", usual(usual_size))
    } else {
        format!("bodies up to {largest} are answered like the plain one, which is not accepted")
    }
}

pub(super) fn no_time_for_larger(told: &str) -> String {
    format!("{told}; there was no time for larger ones")
}

pub(super) fn size_stops(
    bytes: usize,
    outcome: &Outcome,
    plain: u16,
    largest: Option<usize>,
    usual_size: usize,
) -> String {
    let passed = largest.map_or_else(
        || "only small bodies pass".to_owned(),
        |largest| format!("bodies of {} pass", size(largest)),
    );
    format!("{passed}; of {}: {outcome} (a small one: {plain}); {}", size(bytes), usual(usual_size))
}

pub(super) fn raise_limit(bytes: usize) -> String {
    format!(
        "raise the limit of bodies beyond {}, in the receiver and in what is before it (nginx: client_max_body_size; Express: \
         the option limit, 100kb by default)",
        size(bytes.max(1_048_576))
    )
}

// The clock.

/// `middle` is the difference, `least` what it is at least, both in milliseconds.
pub(super) fn difference(middle: i64, least: i64) -> String {
    let way = if middle < 0 { "back" } else { "ahead" };
    let seconds = middle.unsigned_abs() / 1000;
    match (least, seconds) {
        (0, _) => "no difference beyond a second".to_owned(),
        (_, ..120) => format!("{} {way}", counted(seconds, "second", "seconds")),
        (_, ..7200) => format!("{} {way}", counted(seconds / 60, "minute", "minutes")),
        _ => format!("{} h {} min {way}", seconds / 3600, seconds % 3600 / 60),
    }
}

pub(super) fn clock_agrees(difference: &str, answers: usize) -> String {
    format!("Date in {}: {difference}", counted(answers, "answer", "answers"))
}

pub(super) fn clock_is_off(difference: &str) -> String {
    format!("Date differs from this machine's clock ({difference}); deliveries may be 5 minutes off. A proxy may have set it")
}

pub(super) fn clock_is_out(difference: &str) -> String {
    format!(
        "Date differs from this machine's clock ({difference}), more than the 5 minutes that a delivery may be off. A proxy may have set it"
    )
}

pub(super) fn clock_of_another(difference: &str) -> String {
    format!(
        "Date differs from this machine's clock ({difference}), but a delivery dated now is accepted: another program sets it, or timestamps \
         are not checked"
    )
}

pub(super) fn set_clock() -> String {
    "set both clocks by NTP, and check the time zone and the clock of the virtual machine or container".to_owned()
}

pub(super) fn no_date() -> &'static str {
    "no answer has a Date"
}

pub(super) fn date_unreadable() -> &'static str {
    "the Date of answers is not a date of HTTP"
}

pub(super) fn dates_contradict(answers: usize) -> String {
    format!("the Dates of {answers} answers contradict each other: several programs answer, or a cache does")
}
