//! Tests as scripts for sh, with curl and openssl. Every value is a command that prints it.

use super::{Parts, Sent, shifted};
use crate::report::case::expression::{Expression as E, Unit};
use crate::report::messages::written as messages;
use crate::shell::posix::{printed, word};

const TEMPLATE: &str = include_str!("curl.sh.txt");
const DIGITS: &str = "0123456789abcdef";

pub(super) fn render(sent: &[Sent<'_>], nonces: usize, _: &[&E]) -> Result<Parts, String> {
    let mut steps = String::new();
    for number in 0..nonces {
        steps += &format!("nonce_{number}=$(openssl rand -hex 16)\n");
    }
    for one in sent {
        let prefix = one.request.which.prefix();
        let words = |text: &[u8]| word(text).ok_or_else(|| messages::not_written().to_owned());
        steps += &one.comment.map(|comment| format!("\n# {comment}\n")).unwrap_or_else(|| "\n".to_owned());
        steps += &format!("{prefix}body() {{ {}; }}\n", command(&one.request.body)?);
        if let Some(timestamp) = &one.request.timestamp {
            steps += &format!("{prefix}timestamp() {{ {}; }}\n", command(timestamp)?);
        }
        steps +=
            &format!("{prefix}status=$({prefix}body | send -X {}", words(one.request.method.as_bytes())?);
        let names = || one.request.headers.iter().map(|(name, _)| name.to_ascii_lowercase());
        if !names().any(|name| name == "content-type") {
            steps += " \\\n  -H 'Content-Type:'";
        }
        steps += " \\\n  -H 'Expect:'";
        for (name, value) in &one.request.headers {
            steps += &match value {
                E::Fixed(bytes) if bytes.is_empty() => {
                    format!(" \\\n  -H {}", words(format!("{name};").as_bytes())?)
                }
                E::Fixed(bytes) => {
                    format!(" \\\n  -H {}", words(&[name.as_bytes(), b": ", bytes].concat())?)
                }
                value => {
                    format!(" \\\n  -H {}\"$({})\"", words(format!("{name}: ").as_bytes())?, command(value)?)
                }
            };
        }
        steps += ")\n";
        let (least, most, is) = one.statuses;
        let pattern = if least == most { least.to_string() } else { format!("{}??", least / 100) };
        let failure = words(one.failure.as_bytes())?;
        let wrong = format!("printf '%s\\n' {failure}\"${prefix}status\" >&2; exit 1");
        steps += &if is {
            format!("case ${prefix}status in {pattern}) ;; *) {wrong} ;; esac\n")
        } else {
            format!("case ${prefix}status in {pattern}) {wrong} ;; esac\n")
        };
    }
    Ok((TEMPLATE, vec![("steps", steps.trim_end().to_owned())]))
}

/// A literal in an expansion with braces in double quotes.
pub(super) fn text(text: &[u8]) -> String {
    let mut escaped = String::new();
    for one in String::from_utf8_lossy(text).chars() {
        if "\"\\$`}".contains(one) {
            escaped.push('\\');
        }
        escaped.push(one);
    }
    escaped
}

/// A command that prints the value. Errors: no usual program computes it.
fn command(one: &E) -> Result<String, String> {
    Ok(match one {
        E::Fixed(bytes) => printed(bytes),
        E::Repeated(byte, times) => format!("head -c {times} /dev/zero | tr '\\000' '\\{byte:03o}'"),
        E::Secret => "printf %s \"$TWENTY_WEBHOOK_SECRET\"".to_owned(),
        E::Body(which) => format!("{}body", which.prefix()),
        E::Timestamp(which) => format!("{}timestamp", which.prefix()),
        E::Nonce(number) => format!("printf %s \"$nonce_{number}\""),
        E::Time(offset, Unit::Milliseconds) => format!("printf %s \"$(({}))\"", shifted(*offset)),
        E::Time(offset, Unit::Seconds) => format!("printf %s \"$((({}) / 1000))\"", shifted(*offset)),
        E::Time(offset, Unit::Date) => {
            format!("date -u -d \"@$((({}) / 1000))\" +%Y-%m-%dT%H:%M:%S.000Z", shifted(*offset))
        }
        E::Join(parts) => {
            let parts: Vec<String> = parts.iter().map(command).collect::<Result<_, _>>()?;
            format!("{{ {}; }}", parts.join("; "))
        }
        E::Lower(text) => format!("{} | tr A-Z a-z", command(text)?),
        E::Upper(text) => format!("{} | tr a-z A-Z", command(text)?),
        E::FromHex(_) => return Err(messages::not_written().to_owned()),
        E::FromBase64(text) => format!("{} | openssl base64 -d -A", command(text)?),
        E::Mac(algorithm, key, text) => {
            let key = match &**key {
                // Shorter keys are filled up with zeros.
                E::Fixed(bytes) if bytes.is_empty() => "00".to_owned(),
                E::FromHex(text) => format!("$({})", command(text)?),
                key => format!("$({} | hex)", command(key)?),
            };
            format!("{} | mac {} \"{key}\"", command(text)?, algorithm.name())
        }
        E::Digest(text) => format!("{} | openssl dgst -sha256 -binary", command(text)?),
        E::Hex(bytes) => format!("{} | hex", command(bytes)?),
        E::Base64(bytes) => format!("{} | openssl base64 -A", command(bytes)?),
        E::Base64Url(bytes) => format!("{} | openssl base64 -A | tr '+/' '-_' | tr -d =", command(bytes)?),
        E::Part(text, from, to) => format!("{} | cut -b {}-{to} | tr -d '\\n'", command(text)?, from + 1),
        E::Moved(digit, by) => {
            let by = usize::from(*by) % DIGITS.len();
            format!("{} | tr {DIGITS} {}{}", command(digit)?, &DIGITS[by..], &DIGITS[..by])
        }
    })
}
