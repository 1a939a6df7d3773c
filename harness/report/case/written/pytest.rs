//! Tests for pytest. Every value is a byte string.

use std::collections::BTreeSet;

use super::{Parts, Sent, escaped, hexed, shifted};
use crate::report::case::expression::{Expression as E, Unit};

const TEMPLATE: &str = include_str!("pytest.py.txt");
/// The modules that every test needs.
const NEEDED: [&str; 4] = ["http.client", "os", "time", "urllib.parse"];

/// The modules that an expression needs.
fn modules(one: &E) -> &'static [&'static str] {
    match one {
        E::Mac(..) => &["hashlib", "hmac"],
        E::Digest(_) => &["hashlib"],
        E::Base64(_) | E::Base64Url(_) | E::FromBase64(_) => &["base64"],
        E::Nonce(_) => &["secrets"],
        E::Time(_, Unit::Date) => &["datetime"],
        _ => &[],
    }
}

pub(super) fn render(sent: &[Sent<'_>], nonces: usize, needs: &[&E]) -> Result<Parts, String> {
    let mut steps = String::new();
    for number in 0..nonces {
        steps += &format!("    nonce_{number} = secrets.token_hex(16).encode()\n");
    }
    for one in sent {
        let prefix = one.request.which.prefix();
        steps += &one.comment.map(|comment| format!("    # {comment}\n")).unwrap_or_default();
        steps += &format!("    {prefix}body = {}\n", expression(&one.request.body));
        if let Some(timestamp) = &one.request.timestamp {
            steps += &format!("    {prefix}timestamp = {}\n", expression(timestamp));
        }
        steps += &format!("    {prefix}headers = [\n");
        for (name, value) in &one.request.headers {
            steps += &format!("        ({}, {}),\n", text(name.as_bytes()), expression(value));
        }
        steps += "    ]\n";
        let method = text(one.request.method.as_bytes());
        steps += &format!("    {prefix}status = send({method}, {prefix}headers, {prefix}body)\n");
        let (least, most, is) = one.statuses;
        let not = if is { "" } else { "not " };
        let failure = text(one.failure.as_bytes());
        steps += &format!(
            "    assert {not}{least} <= {prefix}status <= {most}, {failure} + str({prefix}status)\n"
        );
    }
    let modules: BTreeSet<&str> = needs.iter().flat_map(|one| modules(one)).chain(&NEEDED).copied().collect();
    let imports: Vec<String> = modules.iter().map(|module| format!("import {module}")).collect();
    Ok((TEMPLATE, vec![("imports", imports.join("\n")), ("steps", steps.trim_end().to_owned())]))
}

/// A literal of text.
pub(super) fn text(text: &[u8]) -> String {
    let quote = quote_for(text);
    escaped(text, quote)
        .map_or_else(|| format!("{}.decode()", fixed(text)), |text| format!("{quote}{text}{quote}"))
}

/// A literal of bytes.
fn fixed(bytes: &[u8]) -> String {
    let quote = quote_for(bytes);
    match escaped(bytes, quote) {
        Some(text) if text.is_ascii() => format!("b{quote}{text}{quote}"),
        Some(text) => format!("{quote}{text}{quote}.encode()"),
        None => format!("b\"{}\"", hexed(bytes)),
    }
}

/// The quotation mark that needs fewer escapes.
fn quote_for(bytes: &[u8]) -> char {
    if bytes.contains(&b'"') && !bytes.contains(&b'\'') { '\'' } else { '"' }
}

fn expression(one: &E) -> String {
    match one {
        E::Fixed(bytes) => fixed(bytes),
        E::Repeated(byte, times) => format!("{} * {times}", fixed(&[*byte])),
        E::Secret => "SECRET".to_owned(),
        E::Body(which) => format!("{}body", which.prefix()),
        E::Timestamp(which) => format!("{}timestamp", which.prefix()),
        E::Nonce(number) => format!("nonce_{number}"),
        E::Time(offset, Unit::Milliseconds) => format!("str({}).encode()", shifted(*offset)),
        E::Time(offset, Unit::Seconds) => format!("str(({}) // 1000).encode()", shifted(*offset)),
        E::Time(offset, Unit::Date) => format!(
            "datetime.datetime.fromtimestamp(({}) / 1000, datetime.timezone.utc).isoformat(timespec=\"milliseconds\")[:23].encode() + b\"Z\"",
            shifted(*offset)
        ),
        E::Join(parts) => parts.iter().map(expression).collect::<Vec<_>>().join(" + "),
        E::Lower(text) => format!("{}.lower()", inner(text)),
        E::Upper(text) => format!("{}.upper()", inner(text)),
        E::FromHex(text) => format!("bytes.fromhex({}.decode())", inner(text)),
        E::FromBase64(text) => format!("base64.b64decode({})", expression(text)),
        E::Mac(algorithm, key, text) => {
            format!(
                "hmac.new({}, {}, hashlib.{}).digest()",
                expression(key),
                expression(text),
                algorithm.name()
            )
        }
        E::Digest(text) => format!("hashlib.sha256({}).digest()", expression(text)),
        E::Hex(bytes) => match &**bytes {
            E::Mac(..) | E::Digest(_) => expression(bytes).replace(".digest()", ".hexdigest().encode()"),
            other => format!("{}.hex().encode()", inner(other)),
        },
        E::Base64(bytes) => format!("base64.b64encode({})", expression(bytes)),
        E::Base64Url(bytes) => format!("base64.urlsafe_b64encode({}).rstrip(b\"=\")", expression(bytes)),
        E::Part(text, from, to) => format!("{}[{from}:{to}]", inner(text)),
        E::Moved(digit, by) => {
            format!("b\"%x\" % ((int({}, 16) + {by}) % 16)", expression(digit))
        }
    }
}

/// An expression before an operator that binds more than addition.
fn inner(one: &E) -> String {
    match one {
        E::Join(_) | E::Repeated(..) | E::Moved(..) => format!("({})", expression(one)),
        other => expression(other),
    }
}
