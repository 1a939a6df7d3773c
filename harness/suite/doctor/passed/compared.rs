//! What is different between a request as sent and as arrived.

use std::collections::HashSet;

use super::change::{BodyChange, Changed};
use crate::suite::doctor::messages::passage as said;
use crate::suite::doctor::passage::{BYTES, Passed, TWICE};
use crate::terminal::{clipped, quoted, text};
use crate::webhook::rewriting::Rewriting;
use crate::webhook::serialiser::Serialiser;
use crate::wire::endpoint::witness::Witnessed;
use crate::wire::exchange::Headers;

/// How much of a name and of a value is shown.
const SHOWN: usize = 60;
/// How many bytes are shown where two bodies differ.
const EXCERPT: usize = 24;

/// Headers of one connection, which the next has its own of.
const OF_CONNECTION: [&str; 9] = [
    "host",
    "connection",
    "keep-alive",
    "content-length",
    "transfer-encoding",
    "expect",
    "te",
    "trailer",
    "proxy-connection",
];

/// The differences of headers. Names are as shown.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// Name and value.
    pub(super) added: Vec<(String, String)>,
    pub(super) removed: Vec<String>,
    pub(super) changed: Vec<Changed>,
    /// Names in another case: as sent and as arrived.
    pub(super) renamed: Vec<(String, String)>,
    pub(super) reordered: bool,
    /// `Host`, if it is another.
    pub(super) host: Option<Changed>,
}

/// The differences of the headers of a request.
pub(super) fn headers(passed: &Passed) -> Changes {
    let Some(first) = passed.first() else { return Changes::default() };
    compare(&passed.headers, &first.delivery.headers)
}

fn compare(sent: &Headers, arrived: &Headers) -> Changes {
    let mut changes = Changes { host: changed("Host", sent, arrived), ..Changes::default() };
    let mut seen = HashSet::new();
    for (name, _) in sent.0.iter().filter(|(name, _)| !is_of_connection(name)) {
        if !seen.insert(name.to_ascii_lowercase()) {
            continue;
        }
        let Some((arrived_name, _)) = arrived.0.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))
        else {
            changes.removed.push(name.clone());
            continue;
        };
        if arrived_name != name {
            changes.renamed.push((name.clone(), clipped(arrived_name, SHOWN)));
        }
        changes.changed.extend(changed(name, sent, arrived));
    }
    let is_new = |name: &str| !is_of_connection(name) && !seen.contains(&name.to_ascii_lowercase());
    let added = arrived.0.iter().filter(|(name, _)| is_new(name));
    changes.added = added.map(|(name, value)| (clipped(name, SHOWN), clipped(&text(value), SHOWN))).collect();
    changes.reordered = order(sent, arrived) != order(arrived, sent);
    changes
}

fn is_of_connection(name: &str) -> bool {
    OF_CONNECTION.iter().any(|one| one.eq_ignore_ascii_case(name))
}

/// The values of a header, if they are others.
fn changed(name: &str, sent: &Headers, arrived: &Headers) -> Option<Changed> {
    let values = |headers: &Headers| {
        let all: Vec<_> = headers.all(name).map(|value| text(value).into_owned()).collect();
        all.join(" | ")
    };
    let (sent, arrived) = (values(sent), values(arrived));
    (sent != arrived).then(|| Changed {
        name: name.to_owned(),
        sent: clipped(&sent, SHOWN),
        arrived: clipped(&arrived, SHOWN),
    })
}

/// The names in the order of the first, without those that the second does not have.
fn order(of: &Headers, other: &Headers) -> Vec<String> {
    let is_shared = |name: &str| other.0.iter().any(|(one, _)| one.eq_ignore_ascii_case(name));
    let names = of.0.iter().filter(|(name, _)| !is_of_connection(name) && is_shared(name));
    names.map(|(name, _)| name.to_ascii_lowercase()).collect()
}

/// The names of headers that an answer has in addition.
pub(super) fn added(given: &Headers, back: &Headers) -> Vec<String> {
    compare(given, back).added.into_iter().map(|(name, _)| name).collect()
}

/// Whether a header that was sent twice arrived twice, and one with a byte beyond ASCII with that byte.
pub(super) fn odd(passed: &Passed) -> (bool, bool) {
    let Some(first) = passed.first() else { return (false, false) };
    let same = |name: &str| {
        let sent: Vec<_> = passed.delivery.headers.all(name).collect();
        sent == first.delivery.headers.all(name).collect::<Vec<_>>()
    };
    (same(TWICE), same(BYTES))
}

/// The difference of two bodies; `None` if there is none.
pub(super) fn bodies(passed: &Passed, arrived: &Witnessed) -> Option<BodyChange> {
    let (sent, got) = (&passed.delivery.body, &arrived.delivery.body);
    // Of a body that is not kept as a whole, only the length is known.
    let is_kept = got.len() as u64 == arrived.length;
    if arrived.whole && (sent == got || !is_kept && sent.len() as u64 == arrived.length) {
        return None;
    }
    let at = sent.iter().zip(got).take_while(|(one, other)| one == other).count();
    let excerpt = |body: &[u8]| quoted(body.get(at..body.len().min(at + EXCERPT)).unwrap_or_default());
    let coding = arrived.delivery.headers.all("content-encoding").next();
    Some(BodyChange {
        sent: sent.len(),
        arrived: arrived.length,
        at,
        there: [excerpt(sent), excerpt(got)],
        printed_by: printed_by(sent, got),
        encoding: coding.map(|value| clipped(&text(value), SHOWN)),
    })
}

/// What prints a body like this.
fn printed_by(sent: &[u8], arrived: &[u8]) -> Option<String> {
    let serialiser = Serialiser::ALL.iter().find(|one| {
        one.reprint(sent).is_some_and(|printed| printed == arrived || printed == arrived.trim_ascii_end())
    });
    if let Some(serialiser) = serialiser {
        return Some(serialiser.describe().to_owned());
    }
    if sent.trim_ascii() == arrived {
        return Some(said::trimmed().to_owned());
    }
    let written = std::str::from_utf8(sent).ok()?;
    let trimmed = written.trim_end();
    let same = |one: &Rewriting| {
        [written, trimmed].iter().any(|text| one.of(text).is_some_and(|out| out.as_bytes() == arrived))
    };
    Rewriting::all().iter().find(|one| same(one)).map(|one| one.describe(written))
}

#[cfg(test)]
mod tests {
    use super::{Changed, Changes, compare, printed_by};
    use crate::wire::exchange::Headers;

    fn headers(all: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::default();
        all.iter().for_each(|(name, value)| headers.add(*name, (*value).to_owned()));
        headers
    }

    #[test]
    fn equal_headers_have_no_changes() {
        let sent = headers(&[("Host", "a"), ("Content-Type", "x"), ("X-A", "1"), ("Content-Length", "3")]);
        let arrived = headers(&[("Host", "a"), ("Content-Type", "x"), ("X-A", "1"), ("Connection", "close")]);
        assert_eq!(compare(&sent, &arrived), Changes::default());
    }

    #[test]
    fn each_change_of_headers_is_told() {
        let sent = headers(&[("Host", "a"), ("X-A", "1"), ("X-B", "2"), ("X-C", "3")]);
        let arrived = headers(&[("Host", "b"), ("X-C", "3"), ("x-a", "9"), ("Via", "1.1 p")]);
        let changed = |name: &str, sent: &str, arrived: &str| Changed {
            name: name.to_owned(),
            sent: sent.to_owned(),
            arrived: arrived.to_owned(),
        };
        let expected = Changes {
            added: vec![("Via".to_owned(), "1.1 p".to_owned())],
            removed: vec!["X-B".to_owned()],
            changed: vec![changed("X-A", "1", "9")],
            renamed: vec![("X-A".to_owned(), "x-a".to_owned())],
            reordered: true,
            host: Some(changed("Host", "a", "b")),
        };
        assert_eq!(compare(&sent, &arrived), expected);
    }

    #[test]
    fn printers_of_bodies_are_named() {
        let sent = "{ \"a\" : 1.0, \"b\":\"é\" }\n".as_bytes();
        for (arrived, by) in [
            ("{\"a\":1,\"b\":\"é\"}", Some("JavaScript's JSON.stringify")),
            ("{\"a\": 1.0, \"b\": \"\\u00e9\"}", Some("Python's json.dumps")),
            ("{ \"a\" : 1.0, \"b\":\"é\" }", Some("trimmed: without white space at its ends")),
            ("something else", None),
        ] {
            assert_eq!(printed_by(sent, arrived.as_bytes()).as_deref(), by, "{arrived}");
        }
    }
}
