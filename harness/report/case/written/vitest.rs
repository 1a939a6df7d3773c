//! Tests for Vitest. Every value is a Buffer.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Parts, Sent, escaped, shifted};
use crate::report::case::expression::{Expression as E, Unit};

const TEMPLATE: &str = include_str!("vitest.mjs.txt");

pub(super) fn render(sent: &[Sent<'_>], nonces: usize, needs: &[&E]) -> Result<Parts, String> {
    let mut steps = String::new();
    for number in 0..nonces {
        steps += &format!("  const nonce{number} = Buffer.from(randomBytes(16).toString('hex'));\n");
    }
    for one in sent {
        let name = |plain: &str| named(one.request.which.prefix(), plain);
        let (body, timestamp, headers, status) =
            (name("body"), name("timestamp"), name("headers"), name("status"));
        steps += &one.comment.map(|comment| format!("  // {comment}\n")).unwrap_or_default();
        steps += &format!("  const {body} = {};\n", expression(&one.request.body));
        if let Some(value) = &one.request.timestamp {
            steps += &format!("  const {timestamp} = {};\n", expression(value));
        }
        steps += &format!("  const {headers} = [\n");
        for (name, value) in &one.request.headers {
            steps += &format!("    [{}, {}],\n", text(name.as_bytes()), expression(value));
        }
        steps += "  ];\n";
        let method = text(one.request.method.as_bytes());
        steps += &format!("  const {status} = await send({method}, {headers}, {body});\n");
        let (least, most, is) = one.statuses;
        let failure = text(one.failure.as_bytes());
        steps += &format!(
            "  expect({status} >= {least} && {status} <= {most}, {failure} + {status}).toBe({is});\n"
        );
    }
    let functions: BTreeSet<&str> = needs
        .iter()
        .filter_map(|one| match one {
            E::Mac(..) => Some("createHmac"),
            E::Digest(_) => Some("createHash"),
            E::Nonce(_) => Some("randomBytes"),
            _ => None,
        })
        .collect();
    let import = |functions| format!("import {{ {functions} }} from 'node:crypto';\n");
    let functions: Vec<&str> = functions.into_iter().collect();
    let needed = if functions.is_empty() { String::new() } else { import(functions.join(", ")) };
    Ok((TEMPLATE, vec![("crypto", needed), ("steps", steps.trim_end().to_owned())]))
}

/// A name in the case of JavaScript and Go.
pub(super) fn named(prefix: &str, plain: &str) -> String {
    match prefix {
        "" => plain.to_owned(),
        prefix => format!("{}{}{}", prefix.trim_end_matches('_'), plain[..1].to_uppercase(), &plain[1..]),
    }
}

/// A literal of text.
pub(super) fn text(text: &[u8]) -> String {
    escaped(text, '\'').map_or_else(|| format!("{}.toString()", fixed(text)), |text| format!("'{text}'"))
}

/// A literal of bytes.
fn fixed(bytes: &[u8]) -> String {
    match escaped(bytes, '\'') {
        Some(text) => format!("Buffer.from('{text}')"),
        None => format!("Buffer.from('{}', 'base64')", STANDARD.encode(bytes)),
    }
}

fn expression(one: &E) -> String {
    match one {
        E::Fixed(bytes) => fixed(bytes),
        E::Repeated(byte, times) => format!("Buffer.alloc({times}, {byte})"),
        E::Secret => "secret".to_owned(),
        E::Body(which) => named(which.prefix(), "body"),
        E::Timestamp(which) => named(which.prefix(), "timestamp"),
        E::Nonce(number) => format!("nonce{number}"),
        E::Time(offset, Unit::Milliseconds) => format!("Buffer.from(String({}))", shifted(*offset)),
        E::Time(offset, Unit::Seconds) => {
            format!("Buffer.from(String(Math.floor(({}) / 1000)))", shifted(*offset))
        }
        E::Time(offset, Unit::Date) => format!("Buffer.from(new Date({}).toISOString())", shifted(*offset)),
        E::Join(parts) => {
            format!("Buffer.concat([{}])", parts.iter().map(expression).collect::<Vec<_>>().join(", "))
        }
        E::Lower(text) => format!("Buffer.from({}.toString().toLowerCase())", expression(text)),
        E::Upper(text) => format!("Buffer.from({}.toString().toUpperCase())", expression(text)),
        E::FromHex(text) => format!("Buffer.from({}.toString(), 'hex')", expression(text)),
        E::FromBase64(text) => format!("Buffer.from({}.toString(), 'base64')", expression(text)),
        E::Mac(..) | E::Digest(_) => format!("{}.digest()", hashed(one)),
        E::Hex(bytes) => coded(bytes, "hex"),
        E::Base64(bytes) => coded(bytes, "base64"),
        E::Base64Url(bytes) => coded(bytes, "base64url"),
        E::Part(text, from, to) => format!("{}.subarray({from}, {to})", expression(text)),
        E::Moved(digit, by) => {
            format!(
                "Buffer.from(((parseInt({}.toString(), 16) + {by}) % 16).toString(16))",
                expression(digit)
            )
        }
    }
}

/// A hash before it is read.
fn hashed(one: &E) -> String {
    match one {
        E::Mac(algorithm, key, text) => {
            format!("createHmac('{}', {}).update({})", algorithm.name(), expression(key), expression(text))
        }
        E::Digest(text) => format!("createHash('sha256').update({})", expression(text)),
        other => expression(other),
    }
}

fn coded(bytes: &E, form: &str) -> String {
    match bytes {
        E::Mac(..) | E::Digest(_) => format!("Buffer.from({}.digest('{form}'))", hashed(bytes)),
        other => format!("Buffer.from({}.toString('{form}'))", expression(other)),
    }
}
