//! Captured requests as deliveries that can be sent again.

use std::path::Path;

use crate::capture::{Captured, Captures};
use crate::cli::captures::{Purpose, captures, fault};
use crate::cli::console::Console;
use crate::cli::messages::{self, captures as said};
use crate::error::Error;
use crate::wire::client::forwarding::passed;
use crate::wire::exchange::Delivery;

/// The deliveries of the captured requests in a file, without the headers of their connections, or why one is none.
///
/// Errors: the file cannot be read, or is in no known form.
pub(super) fn deliveries(path: &Path, console: &mut Console) -> Result<Vec<Result<Delivery, String>>, Error> {
    let Captures { form, requests, notes, .. } = captures(Some(path), None, Purpose::Send)?;
    console.note(&said::taken_for(form.describe()));
    for note in notes.iter().chain(requests.iter().flat_map(|request| &request.notes)) {
        console.note(&said::note(note));
    }
    for fault in requests.iter().filter_map(|request| fault(request, request.bytes().ok()?)) {
        console.note(&messages::captured_is_not_whole(&fault));
    }
    Ok(requests.iter().map(delivery).collect())
}

fn delivery(request: &Captured) -> Result<Delivery, String> {
    let body = request.bytes().map_err(|why| why + said::capture_the_body())?.clone();
    let delivery = Delivery::new(&request.method, &request.target, passed(&request.headers), body);
    delivery.check()?;
    Ok(delivery)
}
