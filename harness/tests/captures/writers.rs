//! Writes a request in every form in which tools record one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use twenty_conform::capture::Form;

/// A request as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

pub(crate) const HOST: &str = "hooks.example.com";
pub(crate) const TARGET: &str = "/webhooks/twenty?tenant=7";

/// A writer: its name, the form that it writes, and whether a body that is written has to be JSON text without control characters.
pub(crate) type Writer = (&'static str, Form, fn(&Sent) -> String);

pub(crate) const WRITERS: &[Writer] = &[
    ("raw", Form::RawHttp, |sent| raw(sent, "\r\n", "POST /webhooks/twenty?tenant=7 HTTP/1.1\r\n")),
    ("raw with line feeds", Form::RawHttp, |sent| {
        raw(sent, "\n", "POST /webhooks/twenty?tenant=7 HTTP/1.1\n")
    }),
    ("raw, absolute, no version", Form::RawHttp, |sent| {
        raw(sent, "\n", "POST https://hooks.example.com/webhooks/twenty?tenant=7\n")
    }),
    ("raw with pseudo-headers", Form::RawHttp, |sent| {
        raw(sent, "\n", ":method: POST\n:path: /webhooks/twenty?tenant=7\n:scheme: https\n")
    }),
    ("raw with a mark", Form::RawHttp, |sent| {
        raw(sent, "\r\n", "\u{feff}POST /webhooks/twenty?tenant=7 HTTP/1.1\r\n")
    }),
    ("chunks", Form::RawHttp, |sent| {
        let mut chunked = sent.clone();
        chunked.headers.push(("Transfer-Encoding".to_owned(), "chunked".to_owned()));
        let split = sent.body.char_indices().nth(sent.body.chars().count() / 2).map_or(0, |(at, _)| at);
        let (first, second) = sent.body.split_at(split);
        let chunk = |text: &str| match text {
            "" => String::new(),
            text => format!("{:x};a=b\r\n{text}\r\n", text.len()),
        };
        chunked.body = format!("{}{}0\r\nX-Trailer: 1\r\n\r\n", chunk(first), chunk(second));
        raw(&chunked, "\r\n", "POST /webhooks/twenty?tenant=7 HTTP/1.1\r\n").replacen(
            "Content-Length",
            "X-Length",
            1,
        )
    }),
    ("curl", Form::Curl, |sent| {
        curl(sent, "-H", " \\\n  ", |text| format!("'{}'", text.replace('\'', r"'\''")))
    }),
    ("curl with dollar quotes", Form::Curl, |sent| {
        curl(sent, "--header", " \\\n", |text| {
            let text =
                text.replace('\\', r"\\").replace('\'', r"\'").replace('\n', r"\n").replace('\t', r"\x09");
            format!("$'{}'", text.replace('!', r"\u0021"))
        })
    }),
    ("curl with double quotes", Form::Curl, |sent| {
        curl(sent, "-H", " ", |text| {
            let escaped =
                text.replace('\\', r"\\").replace('"', "\\\"").replace('$', r"\$").replace('`', r"\`");
            format!("\"{escaped}\"")
        })
    }),
    ("curl of a browser for cmd", Form::CurlCmd, |sent| curl(sent, "-H", " ^\r\n  ", cmd)),
    ("PowerShell of a browser", Form::PowerShell, power_shell),
    ("fetch", Form::Fetch, |sent| {
        let headers: serde_json::Map<String, Value> =
            sent.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let options = json!({"headers": headers, "body": sent.body, "method": "POST", "mode": "cors"});
        format!("fetch(\"https://{HOST}{TARGET}\", {options:#});\n")
    }),
    ("a trace of curl", Form::CurlVerbose, |sent| {
        let whole = raw(sent, "\r\n", "POST /webhooks/twenty?tenant=7 HTTP/1.1\r\n");
        let (head, body) = whole.split_at(whole.len() - sent.body.len());
        let part = |what: &str, text: &str| {
            format!("=> Send {what}, {0} bytes (0x{0:x})\n{1}", text.len(), hex(text))
        };
        format!("== Info: a\n{}{}== Info: b\n", part("header", head), part("data", body))
    }),
    ("HAR", Form::Har, |sent| {
        let request = har_request(sent, json!({"mimeType": "application/json", "text": sent.body}));
        json!({"log": {"version": "1.2", "entries": [{"time": 1.0, "request": request}]}}).to_string()
    }),
    ("HAR with base64", Form::Har, |sent| {
        let request = har_request(sent, json!({"text": STANDARD.encode(&sent.body), "encoding": "base64"}));
        format!(
            "{:#}",
            json!({"log": {"entries": [{"startedDateTime": "2026-01-02T03:04:05Z", "request": request}]}})
        )
    }),
    ("an entry of HAR", Form::HarEntry, |sent| {
        json!({"request": har_request(sent, json!({"text": sent.body})), "time": 3}).to_string()
    }),
    ("ngrok", Form::Ngrok, |sent| {
        let raw = raw(sent, "\r\n", "POST /webhooks/twenty?tenant=7 HTTP/1.1\r\n");
        let request =
            json!({"method": "POST", "uri": TARGET, "headers": lists(sent), "raw": STANDARD.encode(raw)});
        json!({"requests": [{"id": "airt_1", "tunnel_name": "command_line", "request": request}]}).to_string()
    }),
    ("webhook.site", Form::WebhookSite, |sent| {
        json!({"uuid": "1", "token_id": "2", "method": "POST", "url": format!("https://{HOST}{TARGET}"),
            "headers": lists(sent), "content": sent.body})
        .to_string()
    }),
    ("Postman", Form::Postman, |sent| {
        let pairs: Vec<Value> =
            sent.headers.iter().map(|(name, value)| json!({"key": name, "value": value})).collect();
        let request = json!({"method": "POST", "header": pairs, "body": {"mode": "raw", "raw": sent.body},
            "url": {"raw": format!("https://{HOST}{TARGET}")}});
        json!({"info": {"name": "a"}, "item": [{"name": "folder", "item": [{"name": "b", "request": request}]}]}).to_string()
    }),
    ("Insomnia", Form::Insomnia, |sent| {
        let request = json!({"_type": "request", "method": "POST", "url": format!("https://{HOST}{TARGET}"),
            "headers": pairs(sent), "body": {"mimeType": "application/json", "text": sent.body}});
        json!({"_type": "export", "__export_format": 4, "resources": [{"_type": "workspace", "name": "w"}, request]}).to_string()
    }),
    ("Pipedream", Form::RequestBin, |sent| {
        json!({"event": {"method": "POST", "path": TARGET, "headers": map(sent), "bodyRaw": sent.body, "body": {"a": 1}}})
            .to_string()
    }),
    ("Lambda, version 2", Form::Lambda, |sent| {
        json!({"version": "2.0", "rawPath": TARGET, "headers": map(sent), "isBase64Encoded": true,
            "requestContext": {"http": {"method": "POST"}}, "body": STANDARD.encode(&sent.body)})
        .to_string()
    }),
    ("a load balancer's event", Form::Lambda, |sent| {
        json!({"httpMethod": "POST", "path": TARGET, "multiValueHeaders": lists(sent), "isBase64Encoded": false,
            "requestContext": {"elb": {}}, "body": sent.body})
        .to_string()
    }),
    ("deliveries.jsonl", Form::Deliveries, |sent| {
        let headers: Vec<Value> = sent.headers.iter().map(|(name, value)| json!([name, value])).collect();
        let delivery = json!({"method": "POST", "target": TARGET, "headers": headers, "body": sent.body, "transfer": "whole"});
        json!({"number": 1, "at_ms": 1, "took_us": 1, "delivery": delivery}).to_string() + "\n"
    }),
    ("a log", Form::Log, |sent| {
        json!({"level": "info", "req": {"method": "POST", "url": TARGET, "headers": map(sent), "rawBody": sent.body}}).to_string()
    }),
    ("a log with a buffer", Form::Log, |sent| {
        let data: Vec<u8> = sent.body.bytes().collect();
        json!({"method": "POST", "path": TARGET, "headers": pairs(sent), "body": {"type": "Buffer", "data": data}}).to_string()
    }),
];

fn raw(sent: &Sent, end: &str, line: &str) -> String {
    let headers: String = sent.headers.iter().map(|(name, value)| format!("{name}: {value}{end}")).collect();
    format!("{line}{headers}Content-Length: {}{end}{end}{}", sent.body.len(), sent.body)
}

fn curl(sent: &Sent, option: &str, between: &str, quote: impl Fn(&str) -> String) -> String {
    let mut words =
        vec![format!("curl --location --request POST {}", quote(&format!("https://{HOST}{TARGET}")))];
    words.extend(
        sent.headers.iter().map(|(name, value)| format!("{option} {}", quote(&format!("{name}: {value}")))),
    );
    words.push(format!("--data-raw {} --compressed", quote(&sent.body)));
    words.join(between) + "\n"
}

/// As `curl --trace` writes bytes.
fn hex(text: &str) -> String {
    let line = |(at, bytes): (usize, &[u8])| {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x} ")).collect();
        let shown: String = bytes
            .iter()
            .map(|&byte| if (b' '..=b'~').contains(&byte) { char::from(byte) } else { '.' })
            .collect();
        format!("{:04x}: {digits:48}{shown}\n", at * 16)
    };
    text.as_bytes().chunks(16).enumerate().map(line).collect()
}

/// As Chromium quotes an argument for `cmd`.
fn cmd(text: &str) -> String {
    let mut quoted = String::from("^\"");
    for character in text.replace('\\', r"\\").replace('"', "\\\"").chars() {
        match character {
            '\n' => quoted.push_str("^\n\n"),
            plain if plain.is_ascii_alphanumeric() || " \t_-:=+~'/.,?;()*`".contains(plain) => {
                quoted.push(plain)
            }
            other => quoted.extend(['^', other]),
        }
    }
    quoted + "^\""
}

fn power_shell(sent: &Sent) -> String {
    let quote = |text: &str| {
        let mut quoted = String::from("\"");
        for unit in text.encode_utf16() {
            match char::from_u32(u32::from(unit)).filter(|c| matches!(c, ' '..='~')) {
                Some(special @ ('`' | '$' | '"')) => quoted.extend(['`', special]),
                Some(plain) => quoted.push(plain),
                None => quoted += &format!("$([char]{unit})"),
            }
        }
        quoted + "\""
    };
    let headers: String =
        sent.headers.iter().map(|(name, value)| format!("  {}={}\n", quote(name), quote(value))).collect();
    format!(
        "$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession\n\
         $session.UserAgent = \"Mozilla/5.0 (X11; Linux x86_64)\"\n\
         Invoke-WebRequest -UseBasicParsing -Uri \"https://{HOST}{TARGET}\" `\n-Method \"POST\" `\n\
         -WebSession $session `\n-Headers @{{\n{headers}}} `\n-ContentType \"application/json\" `\n-Body {}\n",
        quote(&sent.body)
    )
}

fn har_request(sent: &Sent, post_data: Value) -> Value {
    json!({"method": "POST", "url": format!("https://{HOST}{TARGET}"), "headers": pairs(sent),
        "bodySize": sent.body.len(), "postData": post_data})
}

fn pairs(sent: &Sent) -> Value {
    sent.headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

fn map(sent: &Sent) -> serde_json::Map<String, Value> {
    sent.headers.iter().map(|(name, value)| (name.to_lowercase(), json!(value))).collect()
}

fn lists(sent: &Sent) -> serde_json::Map<String, Value> {
    sent.headers.iter().map(|(name, value)| (name.clone(), json!([value]))).collect()
}
