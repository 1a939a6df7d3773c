//! What `doctor` says besides its rows.

use std::fmt::Display;
use std::net::SocketAddr;

pub(crate) fn not_an_address() -> &'static str {
    "expected a port, or an address with a port, such as 4000 or 0.0.0.0:4000"
}

pub(crate) fn nothing_named() -> &'static str {
    "no receiver is given; use --url URL, --exec 'COMMAND', or --through URL with --listen-on PORT"
}

pub(crate) fn cannot_listen(address: SocketAddr, why: impl Display) -> String {
    format!(
        "cannot listen on {address}: {why}; stop the receiver that listens there, or choose another --listen-on"
    )
}

pub(crate) fn measuring(url: &str, address: SocketAddr) -> String {
    format!("listening on {address}; sending to {url}, which must lead there")
}

/// After a run; `words` are the command and its options.
pub(crate) fn examine_surroundings(words: &str) -> String {
    format!("to check what surrounds the receiver: twenty-conform {words}")
}
