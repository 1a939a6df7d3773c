//! What `doctor` says besides its rows.

use std::fmt::Display;
use std::net::SocketAddr;

pub(crate) fn not_an_address() -> &'static str {
    "expected a port, or an address with a port, such as 4000 or 0.0.0.0:4000"
}

pub(crate) fn nothing_named() -> &'static str {
    "no receiver is given; use --url URL, --exec 'COMMAND', --through URL with --listen-on PORT, or --twenty URL"
}

pub(crate) fn cannot_listen(address: SocketAddr, why: impl Display) -> String {
    format!(
        "cannot listen on {address}: {why}; stop the receiver that listens there, or choose another --listen-on"
    )
}

pub(crate) fn measuring(url: &str, address: SocketAddr) -> String {
    format!("listening on {address}; sending to {url}, which must lead there")
}

/// `host` is how Twenty reaches this machine.
pub(crate) fn looking_at_twenty(url: &str, host: &str) -> String {
    format!(
        "looking at {url}: a webhook, a record and a custom object are made there, and removed in the end; deliveries should \
         arrive at {host} within 15 s"
    )
}

/// A secret with --twenty.
pub(crate) fn secret_with_twenty() -> &'static str {
    "--secret and --secret-file are for a receiver; the webhook of --twenty gets a secret of its own"
}

/// After a run; `words` are the command and its options.
pub(crate) fn examine_surroundings(words: &str) -> String {
    format!("to check what surrounds the receiver: twenty-conform {words}")
}
