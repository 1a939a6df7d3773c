//! What the reference sender says: answers to operations that it cannot do, and deliveries that it cannot send.

use std::fmt;
use std::path::Path;

pub(crate) fn not_http(url: &str) -> String {
    format!("{url:?} is neither an http nor an https URL")
}

pub(crate) fn unknown_webhook(webhook: &str) -> String {
    format!("there is no webhook {webhook:?}")
}

pub(crate) fn other_dialect(own: &str, asked: &str) -> String {
    format!("this sender speaks the dialect {own}, not {asked}")
}

pub(crate) fn no_tls(ca: &Path) -> String {
    format!("this transport does not support TLS; it cannot use the CA file {}", ca.display())
}

pub(crate) fn ca_unusable(ca: &Path, why: impl fmt::Display) -> String {
    format!("the CA file {} cannot be used: {why}", ca.display())
}
