//! What is said about the address of a receiver: its name, the connection, TLS and the certificate.

use std::net::IpAddr;
use std::time::Duration;

use super::time;
use crate::plural::counted;
use crate::wire::client::look::{Accepts, Dated};
use crate::wire::exchange::Outcome;

fn list<T: ToString>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

// The name.

pub(in crate::suite::doctor) fn literal(host: &str) -> String {
    format!("{host} is an address; nothing is looked up")
}

pub(in crate::suite::doctor) fn name_unknown(host: &str, why: &str) -> String {
    format!("{host} does not resolve: {why}")
}

pub(in crate::suite::doctor) fn check_name(host: &str) -> String {
    format!(
        "correct the name {host} in the URL, or add it to the DNS or the file of hosts; a new record may take a while"
    )
}

pub(in crate::suite::doctor) fn name_found(
    host: &str,
    found: &[IpAddr],
    more: usize,
    took: Duration,
) -> String {
    let four = found.iter().filter(|one| one.is_ipv4()).count();
    let families = match (four, found.len() - four) {
        (_, 0) => "IPv4 only",
        (0, _) => "IPv6 only",
        _ => "IPv4 and IPv6",
    };
    let more = if more > 0 { format!(" and {more} more, which were not tried") } else { String::new() };
    format!("{host} is {}{more} ({families}; looked up in {})", list(found), time(took))
}

pub(in crate::suite::doctor) fn localhost(host: &str, found: &[IpAddr]) -> String {
    format!("{host} is this machine: {}", list(found))
}

pub(in crate::suite::doctor) fn localhost_elsewhere(
    host: &str,
    of_system: &[IpAddr],
    accepting: &[IpAddr],
) -> String {
    format!("{host} is {} for programs of this system, but only {} accepts", list(of_system), list(accepting))
}

pub(in crate::suite::doctor) fn name_the_address(accepting: &[IpAddr]) -> String {
    let address = match accepting.first() {
        Some(IpAddr::V6(address)) => format!("[{address}]"),
        Some(address) => address.to_string(),
        None => String::new(),
    };
    format!("have the receiver listen on both 127.0.0.1 and ::1, or write {address} in URLs")
}

// The connection.

pub(in crate::suite::doctor) fn not_accepted(accepts: &Accepts) -> String {
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

pub(in crate::suite::doctor) fn connected(ip: IpAddr, port: u16, took: Duration) -> String {
    format!("{ip} accepts connections on port {port} ({})", time(took))
}

pub(in crate::suite::doctor) fn no_connection(port: u16, failures: &[(IpAddr, String)]) -> String {
    format!("no connection to port {port}: {}", each(failures))
}

pub(in crate::suite::doctor) fn start_or_correct_port(address: &str) -> String {
    format!("start the receiver so that it listens on {address}, or correct the port in the URL")
}

pub(in crate::suite::doctor) fn open_firewall(port: u16) -> String {
    format!("open port {port} in the firewall or the security group of that machine, or correct the address")
}

pub(in crate::suite::doctor) fn check_network() -> String {
    "check the network of this machine, a VPN, and the address".to_owned()
}

pub(in crate::suite::doctor) fn only_version_6(
    ip: IpAddr,
    port: u16,
    failures: &[(IpAddr, String)],
) -> String {
    format!(
        "only {ip} accepts on port {port} ({}): a program that uses 127.0.0.1 does not reach it",
        each(failures)
    )
}

pub(in crate::suite::doctor) fn listen_on_both() -> String {
    "listen on 127.0.0.1 too, or write [::1] in URLs".to_owned()
}

pub(in crate::suite::doctor) fn some_connect(ip: IpAddr, port: u16, failures: &[(IpAddr, String)]) -> String {
    format!("{ip} accepts connections on port {port}, but not every address does: {}", each(failures))
}

pub(in crate::suite::doctor) fn remove_address() -> String {
    "remove the address that does not answer from the DNS, or serve on it: some senders try only one address"
        .to_owned()
}

// TLS.

pub(in crate::suite::doctor) fn speaks_tls(port: u16) -> String {
    format!("port {port} speaks TLS, but the URL begins with http:")
}

pub(in crate::suite::doctor) fn speaks_no_tls(port: u16) -> String {
    format!("port {port} speaks plain HTTP, but the URL begins with https:")
}

pub(in crate::suite::doctor) fn use_url(url: &str) -> String {
    format!("use --url {url}")
}

pub(in crate::suite::doctor) fn no_handshake(outcome: &Outcome) -> String {
    format!("no TLS handshake: {outcome}")
}

pub(in crate::suite::doctor) fn check_tls_port() -> String {
    "check that this port serves HTTP/1.1 over TLS 1.2 or 1.3".to_owned()
}

pub(in crate::suite::doctor) fn tls_version(version: &str) -> String {
    format!("{version} was agreed on")
}

pub(in crate::suite::doctor) fn tls_version_unknown() -> &'static str {
    "the version of TLS was not seen"
}

pub(in crate::suite::doctor) fn certificate(one: &Dated) -> String {
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

pub(in crate::suite::doctor) fn rejected(why: &str, described: &str) -> String {
    if described.is_empty() { why.to_owned() } else { format!("{why} ({described})") }
}

pub(in crate::suite::doctor) fn send_intermediate(issuer: &str, fix: &str) -> String {
    format!(
        "the server sends only its own certificate: if {issuer} is an intermediate authority, have the server send that \
         certificate too (the full chain); otherwise {fix}"
    )
}

pub(in crate::suite::doctor) fn certificate_unreadable() -> &'static str {
    "the certificate was accepted, but cannot be read"
}

pub(in crate::suite::doctor) fn not_checked(described: &str) -> String {
    format!("not checked because of --insecure: {described}")
}

pub(in crate::suite::doctor) fn check_certificate() -> String {
    "leave out --insecure, or name the authority with --ca FILE: a sender does check it".to_owned()
}

pub(in crate::suite::doctor) fn ends_soon(described: &str, left: Duration) -> String {
    let days = left.as_secs() / 86_400;
    format!("it ends in {}: {described}", counted(days, "day", "days"))
}

pub(in crate::suite::doctor) fn renew() -> String {
    "renew the certificate now; no delivery arrives once it has expired".to_owned()
}

pub(in crate::suite::doctor) fn certificate_is_fine(described: &str) -> String {
    format!("trusted, {described}")
}
