//! Tests for Go. Every value is a string, which may have any bytes.

use std::collections::BTreeSet;

use super::vitest::named;
use super::{Parts, Sent, escaped, hexed, shifted};
use crate::report::case::expression::{Algorithm, Expression as E, Unit};

const TEMPLATE: &str = include_str!("go.go.txt");
/// The packages that every test needs.
const NEEDED: [&str; 5] = ["bytes", "net/http", "os", "testing", "time"];

/// What an expression needs: packages, and names of functions.
fn needed(one: &E) -> &'static [&'static str] {
    match one {
        E::Mac(Algorithm::Sha256, ..) => &["mac", "crypto/hmac", "hash", "crypto/sha256"],
        E::Mac(Algorithm::Sha1, ..) => &["mac", "crypto/hmac", "hash", "crypto/sha1"],
        E::Mac(Algorithm::Sha512, ..) => &["mac", "crypto/hmac", "hash", "crypto/sha512"],
        E::Digest(_) => &["digest", "crypto/sha256"],
        E::Hex(_) => &["encoding/hex"],
        E::FromHex(_) => &["decoded", "encoding/hex"],
        E::Base64(_) | E::Base64Url(_) => &["encoding/base64"],
        E::FromBase64(_) => &["decoded", "encoding/base64"],
        E::Nonce(_) => &["nonce", "crypto/rand", "encoding/hex"],
        E::Repeated(..) | E::Lower(_) | E::Upper(_) => &["strings"],
        E::Moved(..) => &["moved", "strings"],
        E::Time(_, Unit::Milliseconds | Unit::Seconds) => &["fmt"],
        _ => &[],
    }
}

/// Functions that are written if they are used.
const FUNCTIONS: [(&str, &str); 5] = [
    (
        "mac",
        "\tmac := func(algorithm func() hash.Hash, key, text string) string {\n\t\tsum := hmac.New(algorithm, []byte(key))\n\t\tsum.Write([]byte(text))\n\t\treturn string(sum.Sum(nil))\n\t}\n",
    ),
    (
        "digest",
        "\tdigest := func(text string) string {\n\t\tsum := sha256.Sum256([]byte(text))\n\t\treturn string(sum[:])\n\t}\n",
    ),
    (
        "decoded",
        "\tdecoded := func(bytes []byte, err error) string {\n\t\tif err != nil {\n\t\t\tt.Fatal(err)\n\t\t}\n\t\treturn string(bytes)\n\t}\n",
    ),
    (
        "moved",
        "\tmoved := func(digit string, by int) string {\n\t\treturn string(\"0123456789abcdef\"[(strings.Index(\"0123456789abcdef\", digit)+by)%16])\n\t}\n",
    ),
    (
        "nonce",
        "\tnonce := func() string {\n\t\tdigits := make([]byte, 16)\n\t\tif _, err := rand.Read(digits); err != nil {\n\t\t\tt.Fatal(err)\n\t\t}\n\t\treturn hex.EncodeToString(digits)\n\t}\n",
    ),
];

pub(super) fn render(sent: &[Sent<'_>], nonces: usize, needs: &[&E]) -> Result<Parts, String> {
    let mut steps = String::new();
    for number in 0..nonces {
        steps += &format!("\tnonce{number} := nonce()\n");
    }
    for one in sent {
        let name = |plain: &str| named(one.request.which.prefix(), plain);
        let (body, timestamp, status) = (name("body"), name("timestamp"), name("status"));
        steps += &one.comment.map(|comment| format!("\t// {comment}\n")).unwrap_or_default();
        steps += &format!("\t{body} := {}\n", expression(&one.request.body));
        if let Some(value) = &one.request.timestamp {
            steps += &format!("\t{timestamp} := {}\n", expression(value));
        }
        let method = text(one.request.method.as_bytes());
        steps += &format!("\t{status} := send({method}, [][2]string{{\n");
        for (name, value) in &one.request.headers {
            steps += &format!("\t\t{{{}, {}}},\n", text(name.as_bytes()), expression(value));
        }
        steps += &format!("\t}}, []byte({body}))\n");
        let (least, most, is) = one.statuses;
        let wrong = if is {
            format!("{status} < {least} || {status} > {most}")
        } else {
            format!("{status} >= {least} && {status} <= {most}")
        };
        let failure = text(format!("{}%d", one.failure.replace('%', "%%")).as_bytes());
        steps += &format!("\tif {wrong} {{\n\t\tt.Fatalf({failure}, {status})\n\t}}\n");
    }
    let needs_time = needs.iter().any(|one| matches!(one, E::Time(..)));
    let needs: BTreeSet<&str> = needs.iter().flat_map(|one| needed(one)).copied().collect();
    let functions = FUNCTIONS.iter().filter(|(name, _)| needs.contains(name));
    let mut all: String = functions.map(|(_, function)| *function).collect();
    if !needs_time {
        all += "\t_ = now\n";
    }
    all += &steps;
    let is_package = |name: &&str| FUNCTIONS.iter().all(|(function, _)| function != name);
    let packages: BTreeSet<&str> = needs.into_iter().filter(is_package).chain(NEEDED).collect();
    let imports: Vec<String> = packages.iter().map(|name| format!("\t\"{name}\"")).collect();
    Ok((TEMPLATE, vec![("imports", imports.join("\n")), ("steps", all.trim_end().to_owned())]))
}

/// A literal of text or bytes.
pub(super) fn text(text: &[u8]) -> String {
    match escaped(text, '"') {
        // Without escapes, which few bodies need otherwise.
        Some(plain)
            if text.contains(&b'"')
                && plain.replace("\\\"", "\"").as_bytes() == text
                && !text.contains(&b'`') =>
        {
            format!("`{}`", String::from_utf8_lossy(text))
        }
        Some(escaped) => format!("\"{escaped}\""),
        None => format!("\"{}\"", hexed(text)),
    }
}

fn expression(one: &E) -> String {
    match one {
        E::Fixed(bytes) => text(bytes),
        E::Repeated(byte, times) => format!("strings.Repeat({}, {times})", text(&[*byte])),
        E::Secret => "string(secret)".to_owned(),
        E::Body(which) => named(which.prefix(), "body"),
        E::Timestamp(which) => named(which.prefix(), "timestamp"),
        E::Nonce(number) => format!("nonce{number}"),
        E::Time(offset, Unit::Milliseconds) => format!("fmt.Sprint({})", shifted(*offset)),
        E::Time(offset, Unit::Seconds) => format!("fmt.Sprint(({}) / 1000)", shifted(*offset)),
        E::Time(offset, Unit::Date) => {
            format!("time.UnixMilli({}).UTC().Format(\"2006-01-02T15:04:05.000Z\")", shifted(*offset))
        }
        E::Join(parts) => parts.iter().map(expression).collect::<Vec<_>>().join(" + "),
        E::Lower(text) => format!("strings.ToLower({})", expression(text)),
        E::Upper(text) => format!("strings.ToUpper({})", expression(text)),
        E::FromHex(text) => format!("decoded(hex.DecodeString({}))", expression(text)),
        E::FromBase64(text) => format!("decoded(base64.StdEncoding.DecodeString({}))", expression(text)),
        E::Mac(algorithm, key, text) => {
            let new = match algorithm.name() {
                "sha256" => "sha256.New",
                "sha1" => "sha1.New",
                _ => "sha512.New",
            };
            // As gofmt writes them among several arguments.
            format!("mac({new}, {}, {})", tight(key), tight(text))
        }
        E::Digest(text) => format!("digest({})", expression(text)),
        E::Hex(bytes) => format!("hex.EncodeToString([]byte({}))", expression(bytes)),
        E::Base64(bytes) => format!("base64.StdEncoding.EncodeToString([]byte({}))", expression(bytes)),
        E::Base64Url(bytes) => format!("base64.RawURLEncoding.EncodeToString([]byte({}))", expression(bytes)),
        E::Part(text, from, to) => match &**text {
            E::Join(_) => format!("({})[{from}:{to}]", expression(text)),
            other => format!("{}[{from}:{to}]", expression(other)),
        },
        E::Moved(digit, by) => format!("moved({}, {by})", expression(digit)),
    }
}

/// A sum without blanks.
fn tight(one: &E) -> String {
    match one {
        E::Join(parts) => parts.iter().map(expression).collect::<Vec<_>>().join("+"),
        other => expression(other),
    }
}
