//! How the receiver's address is reached: its name, its addresses, TLS and the certificate.

use std::net::IpAddr;
use std::time::Duration;

use super::messages::reached as messages;
use super::visit::{Speaks, Surroundings};
use super::{Row, State, Topic};
use crate::wire::client::look::{Accepts, Address, Dated, Host, Place, Shown};
use crate::wire::exchange::{Outcome, Trust};

/// A certificate that ends within this time is reported.
const SOON_MS: i64 = 14 * 24 * 60 * 60 * 1000;

pub(super) fn rows(seen: &Surroundings) -> Vec<Row> {
    let Some(place) = &seen.place else { return Vec::new() };
    let mut rows = vec![name(seen, place)];
    if !place.addresses.is_empty() {
        rows.push(connection(seen, place));
    }
    rows.extend(plain_port(seen));
    if let Some(shown) = &seen.tls {
        rows.extend(tls(seen, shown));
    }
    rows
}

fn name(seen: &Surroundings, place: &Place) -> Row {
    let found: Vec<IpAddr> = place.addresses.iter().map(|address| address.ip).collect();
    let host = &seen.target.host;
    match &place.host {
        Host::Literal => Row::new(Topic::Name, State::Ok, messages::literal(host)),
        Host::Unknown(why) => Row::new(Topic::Name, State::Unreachable, messages::name_unknown(host, why))
            .fixed_by(messages::check_name(host)),
        Host::Name(took) => {
            Row::new(Topic::Name, State::Ok, messages::name_found(host, &found, place.more, *took))
        }
        Host::Localhost(of_system) => localhost(host, &found, of_system, place),
    }
}

/// `localhost` is both loopback addresses for this program. Others ask the system, and may try only the first.
fn localhost(host: &str, found: &[IpAddr], of_system: &[IpAddr], place: &Place) -> Row {
    let accepting: Vec<IpAddr> =
        place.addresses.iter().filter(|one| accepts(one)).map(|address| address.ip).collect();
    let differs = !accepting.is_empty()
        && !of_system.is_empty()
        && !of_system.iter().any(|address| accepting.contains(address));
    if differs {
        let seen = messages::localhost_elsewhere(host, of_system, &accepting);
        return Row::new(Topic::Name, State::Warning, seen).fixed_by(messages::name_the_address(&accepting));
    }
    Row::new(Topic::Name, State::Ok, messages::localhost(host, found))
}

fn accepts(address: &Address) -> bool {
    matches!(address.accepts, Accepts::Yes(_))
}

fn connection(seen: &Surroundings, place: &Place) -> Row {
    let (fine, failed): (Vec<&Address>, Vec<&Address>) =
        place.addresses.iter().partition(|address| accepts(address));
    let fastest = fine.iter().filter_map(|one| match one.accepts {
        Accepts::Yes(took) => Some((one.ip, took)),
        _ => None,
    });
    let port = seen.target.port;
    let failures: Vec<(IpAddr, String)> =
        failed.iter().map(|one| (one.ip, messages::not_accepted(&one.accepts))).collect();
    let Some((ip, took)) = fastest.min_by_key(|(_, took)| *took) else {
        let row = Row::new(Topic::Connection, State::Unreachable, messages::no_connection(port, &failures));
        return row.fixed_by(fix_of_silence(seen, &failed));
    };
    let is_localhost = matches!(place.host, Host::Localhost(_));
    match (failures.is_empty(), is_localhost, fine.iter().all(|one| one.ip.is_ipv6())) {
        (true, ..) | (false, true, false) => {
            Row::new(Topic::Connection, State::Ok, messages::connected(ip, port, took))
        }
        (false, true, true) => {
            Row::new(Topic::Connection, State::Warning, messages::only_version_6(ip, port, &failures))
                .fixed_by(messages::listen_on_both())
        }
        (false, false, _) => {
            Row::new(Topic::Connection, State::Warning, messages::some_connect(ip, port, &failures))
                .fixed_by(messages::remove_address())
        }
    }
}

fn fix_of_silence(seen: &Surroundings, failed: &[&Address]) -> String {
    let refused = failed.iter().any(|one| one.accepts == Accepts::Refused);
    let silent = failed.iter().any(|one| one.accepts == Accepts::TimedOut);
    match (refused, silent) {
        (true, _) => messages::start_or_correct_port(&seen.target.address()),
        (false, true) => messages::open_firewall(seen.target.port),
        _ => messages::check_network(),
    }
}

/// The port of an `http` URL that speaks TLS.
fn plain_port(seen: &Surroundings) -> Option<Row> {
    (seen.speaks == Some(Speaks::Tls)).then(|| {
        let url = seen.target.url();
        Row::new(Topic::Tls, State::Unreachable, messages::speaks_tls(seen.target.port))
            .fixed_by(messages::use_url(&url.replacen("http:", "https:", 1)))
    })
}

fn tls(seen: &Surroundings, shown: &Result<Shown, Outcome>) -> Vec<Row> {
    let shown = match (shown, &seen.speaks) {
        (Err(_), Some(Speaks::Plain(_))) => {
            let url = seen.target.url();
            let row = Row::new(Topic::Tls, State::Unreachable, messages::speaks_no_tls(seen.target.port));
            return vec![row.fixed_by(messages::use_url(&url.replacen("https:", "http:", 1)))];
        }
        (Err(outcome), _) => {
            let row = Row::new(Topic::Tls, State::Unreachable, messages::no_handshake(outcome));
            return vec![row.fixed_by(messages::check_tls_port())];
        }
        (Ok(shown), _) => shown,
    };
    let version = match shown.version {
        Some(version) => Row::new(Topic::Tls, State::Ok, messages::tls_version(version)),
        None => Row::new(Topic::Tls, State::NotKnown, messages::tls_version_unknown()),
    };
    vec![version, certificate(seen, shown)]
}

fn certificate(seen: &Surroundings, shown: &Shown) -> Row {
    let described = shown.certificate.as_ref().map(messages::certificate).unwrap_or_default();
    if let Some(rejected) = &shown.rejected {
        let seen = messages::rejected(&rejected.why, &described);
        let row = Row::new(Topic::Certificate, State::Unreachable, seen);
        let alone = shown.certificate.as_ref().filter(|one| shown.sent == 1 && !one.is_self_signed());
        return match alone {
            // Its issuer may be trusted, and only what links the two be missing.
            Some(one) if rejected.has_unknown_issuer => {
                row.fixed_by(messages::send_intermediate(&one.issuer, rejected.fix))
            }
            _ => row.fixed_by(rejected.fix),
        };
    }
    let Some(certificate) = &shown.certificate else {
        return Row::new(Topic::Certificate, State::NotKnown, messages::certificate_unreadable());
    };
    if seen.target.trust() == Trust::Any {
        return Row::new(Topic::Certificate, State::NotKnown, messages::not_checked(&described))
            .fixed_by(messages::check_certificate());
    }
    match remaining(certificate, seen.at_ms) {
        left if left < SOON_MS => Row::new(
            Topic::Certificate,
            State::Warning,
            messages::ends_soon(&described, Duration::from_millis(left.max(0).unsigned_abs())),
        )
        .fixed_by(messages::renew()),
        _ => Row::new(Topic::Certificate, State::Ok, messages::certificate_is_fine(&described)),
    }
}

fn remaining(certificate: &Dated, at_ms: u64) -> i64 {
    certificate.not_after_ms - i64::try_from(at_ms).unwrap_or(i64::MAX)
}
