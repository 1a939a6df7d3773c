//! Tests for Go. Every value is a string, which may have any bytes.

use super::expression::{Expression as E, Unit};
use super::vitest::named;
use super::{Parts, Sent, escaped, hexed, shifted};

const TEMPLATE: &str = include_str!("go.go.txt");
/// The packages that a test may need, and what shows that it does.
const PACKAGES: [(&str, &str); 15] = [
    ("bytes", ""),
    ("crypto/hmac", "hmac."),
    ("crypto/rand", "rand."),
    ("crypto/sha1", "sha1."),
    ("crypto/sha256", "sha256."),
    ("crypto/sha512", "sha512."),
    ("encoding/base64", "base64."),
    ("encoding/hex", "hex."),
    ("fmt", "fmt."),
    ("hash", "hash."),
    ("net/http", ""),
    ("os", ""),
    ("strings", "strings."),
    ("testing", ""),
    ("time", ""),
];
/// Functions that are written if they are used.
const FUNCTIONS: [(&str, &str); 5] = [
    (
        "mac(",
        "\tmac := func(algorithm func() hash.Hash, key, text string) string {\n\t\tsum := hmac.New(algorithm, []byte(key))\n\t\tsum.Write([]byte(text))\n\t\treturn string(sum.Sum(nil))\n\t}\n",
    ),
    (
        "digest(",
        "\tdigest := func(text string) string {\n\t\tsum := sha256.Sum256([]byte(text))\n\t\treturn string(sum[:])\n\t}\n",
    ),
    (
        "decoded(",
        "\tdecoded := func(bytes []byte, err error) string {\n\t\tif err != nil {\n\t\t\tt.Fatal(err)\n\t\t}\n\t\treturn string(bytes)\n\t}\n",
    ),
    (
        "moved(",
        "\tmoved := func(digit string, by int) string {\n\t\treturn string(\"0123456789abcdef\"[(strings.Index(\"0123456789abcdef\", digit)+by)%16])\n\t}\n",
    ),
    (
        "nonce(",
        "\tnonce := func() string {\n\t\tdigits := make([]byte, 16)\n\t\tif _, err := rand.Read(digits); err != nil {\n\t\t\tt.Fatal(err)\n\t\t}\n\t\treturn hex.EncodeToString(digits)\n\t}\n",
    ),
];

pub(super) fn render(sent: &[Sent<'_>], nonces: usize) -> Result<Parts, String> {
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
    let functions = FUNCTIONS.iter().filter(|(call, _)| steps.contains(call)).map(|(_, function)| *function);
    let secret = if steps.contains("string(secret)") { "" } else { "\t_ = now\n" };
    let mut all: String = functions.collect();
    all += if steps.contains("(now") || steps.contains("now ") { "" } else { secret };
    all += &steps;
    let is_used = |(_, sign): &&(&str, &str)| all.contains(sign);
    let imports: Vec<String> =
        PACKAGES.iter().filter(is_used).map(|(name, _)| format!("\t\"{name}\"")).collect();
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
            format!("mac({new}, {}, {})", expression(key), expression(text))
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
