//! The record ids in a request, by which scripts, logs and transcripts identify events.

/// The UUIDs in a body. The suite's record ids are unique UUIDs, so they show which events a body carries, whatever its
/// form: not JSON, form-encoded, several events at once.
pub fn uuids(body: &[u8]) -> impl Iterator<Item = &str> {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    let fits = |(at, byte): (usize, &u8)| {
        if DASHES.contains(&at) { *byte == b'-' } else { byte.is_ascii_hexdigit() }
    };
    // Search for the first dash: most bodies have few dashes.
    memchr::memchr_iter(b'-', body).filter_map(move |dash| {
        let window = body.get(dash.checked_sub(DASHES[0])?..dash + 36 - DASHES[0])?;
        window.iter().enumerate().all(fits).then(|| std::str::from_utf8(window).ok()).flatten()
    })
}
