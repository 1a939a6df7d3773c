//! The record ids in a request, by which a script and a log tell events apart.

/// The UUIDs that stand in a body. The suite's record ids are UUIDs of its own, so they tell which events a body carries
/// whatever else it is: no JSON, form-encoded, several events at once.
pub fn uuids(body: &[u8]) -> impl Iterator<Item = &str> {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    let fits = |(at, byte): (usize, &u8)| {
        if DASHES.contains(&at) { *byte == b'-' } else { byte.is_ascii_hexdigit() }
    };
    // The first dash leads to the others: most bodies have few of them.
    memchr::memchr_iter(b'-', body).filter_map(move |dash| {
        let window = body.get(dash.checked_sub(DASHES[0])?..dash + 36 - DASHES[0])?;
        window.iter().enumerate().all(fits).then(|| std::str::from_utf8(window).ok()).flatten()
    })
}
