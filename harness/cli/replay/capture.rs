//! Captured requests as deliveries that can be sent again.

use std::path::Path;

use crate::capture::{Captured, Captures};
use crate::cli::captures::{Purpose, captures, fault};
use crate::cli::console::Console;
use crate::cli::messages::{self, captures as said};
use crate::error::Error;
use crate::redaction::Redaction;
use crate::webhook::signature::Secret;
use crate::wire::client::forwarding::passed;
use crate::wire::exchange::Delivery;

/// What authenticates at a proxy or an application. It is not for a file that others read.
const CREDENTIALS: [&str; 3] = ["Authorization", "Cookie", "Proxy-Authorization"];

/// A captured request, as it was recorded.
pub(super) struct Recorded {
    delivery: Delivery,
    /// Whether the suite replaced the secret in it.
    pub(super) redacted: bool,
}

impl Recorded {
    pub(super) fn target(&self) -> &str {
        &self.delivery.target
    }

    /// The delivery that arrived, with the secret where it was replaced.
    pub(super) fn delivery(&self, secret: &Secret) -> Delivery {
        if self.redacted { Redaction::new([secret]).restored(&self.delivery) } else { self.delivery.clone() }
    }

    /// The same without its credentials, and the names of their headers.
    pub(super) fn without_credentials(&self, secret: &Secret) -> (Delivery, Vec<String>) {
        let mut delivery = self.delivery(secret);
        let is_credential = |name: &str| CREDENTIALS.iter().any(|one| name.eq_ignore_ascii_case(one));
        let headers = std::mem::take(&mut delivery.headers.0);
        let (left_out, kept): (Vec<_>, Vec<_>) =
            headers.into_iter().partition(|(name, _)| is_credential(name));
        delivery.headers.0 = kept;
        (delivery, left_out.into_iter().map(|(name, _)| name).collect())
    }
}

/// The deliveries of the captured requests in a file, without the headers of their connections, or why one is none.
///
/// Errors: the file cannot be read, or is in no known form.
pub(super) fn deliveries(path: &Path, console: &mut Console) -> Result<Vec<Result<Recorded, String>>, Error> {
    let Captures { form, requests, notes, .. } = captures(Some(path), None, Purpose::Send)?;
    console.note(&said::taken_for(form.describe()));
    for note in notes.iter().chain(requests.iter().flat_map(|request| &request.notes)) {
        console.note(&said::note(note));
    }
    for fault in requests.iter().filter_map(|request| fault(request, request.bytes().ok()?)) {
        console.note(&messages::captured_is_not_whole(&fault));
    }
    Ok(requests.iter().map(recorded).collect())
}

fn recorded(request: &Captured) -> Result<Recorded, String> {
    let body = request.bytes().map_err(|why| why + said::capture_the_body())?.clone();
    let delivery = Delivery::new(&request.method, &request.target, passed(&request.headers), body);
    delivery.check()?;
    Ok(Recorded { delivery, redacted: request.redacted })
}
