//! A delivery as a `curl` command for any POSIX shell.
//!
//! The command sends the bytes of the delivery and nothing else: no header of curl's own, no setting of the user's. Where curl
//! cannot send a delivery, there is no command.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::shell::posix::{is_typed, printed, quoted, word};
use crate::wire::codec::is_token;
use crate::wire::exchange::{Delivery, ExchangeId, Headers, Transfer, Trust};

/// Past this body length some versions of curl send `Expect: 100-continue` by themselves.
const EXPECTS_PAST: usize = 1024;

/// The longest argument: every system allows 128 KiB.
const LONGEST_WORD: usize = 100_000;

/// The longest body that is shown in a command if a file can have it instead.
const SHOWN_BODY: usize = 512;

/// Headers that belong to the connection. curl moves or interprets them.
const OF_CONNECTION: [&str; 3] = ["Host", "Content-Length", "Transfer-Encoding"];

/// Headers that curl sends unless they are taken out.
const OWN_HEADERS: [&str; 3] = ["User-Agent", "Accept", "Content-Type"];

/// The file with the body of an exchange, in the folder of a run's evidence.
pub(super) fn body_name(id: ExchangeId) -> PathBuf {
    Path::new("bodies").join(format!("{}.bin", id.0))
}

/// Whether a body is better read from a file: it is long, or cannot be typed.
pub(super) fn wants_file(body: &[u8]) -> bool {
    let is_typed = body.split(|&byte| byte == b'\n').all(is_typed) && !body.starts_with(b"@");
    body.len() > SHOWN_BODY || !is_typed
}

/// The command that sends this delivery to the server of a URL, with the body from a file if one is given. `None` if curl cannot
/// send it.
pub(super) fn command(url: &str, trust: &Trust, delivery: &Delivery, file: Option<&Path>) -> Option<String> {
    let Delivery { method, headers, transfer, .. } = delivery;
    if !is_token(method.as_bytes()) || matches!(transfer, Transfer::Aborted(_)) {
        return None;
    }
    let (mut body, mut framing) = (&delivery.body[..], Vec::new());
    let announced = format!("Content-Length: {}", body.len());
    // With -q first, no file with settings is read.
    let mut words: Vec<String> = ["curl", "-q", "-sS"].map(str::to_owned).into();
    // curl chooses the lengths of chunks and segments itself, so only the framing can be repeated.
    match *transfer {
        Transfer::Chunks(_) => framing.push("Transfer-Encoding: chunked".to_owned()),
        Transfer::Expecting => framing.extend([announced.clone(), "Expect: 100-continue".to_owned()]),
        Transfer::Broken(sent) => {
            framing.push(announced.clone());
            body = &body[..body.len().min(sent)];
            words.extend(["--max-time", "1"].map(str::to_owned));
        }
        Transfer::Whole | Transfer::Segments(_) | Transfer::Aborted(_) => {}
    }
    let is_whole = matches!(transfer, Transfer::Whole | Transfer::Segments(_));
    // Any other HEAD lets curl wait for the body of the answer.
    let is_plain_head = method == "HEAD" && body.is_empty() && is_whole;
    if is_plain_head {
        words.push("-I".to_owned());
        framing.push(announced);
    } else {
        if method == "HEAD" && !matches!(transfer, Transfer::Broken(_)) {
            words.extend(["-N", "--max-time", "5"].map(str::to_owned));
        }
        words.extend(["-i".to_owned(), "-X".to_owned(), word(method.as_bytes())?]);
    }
    words.extend(address(url, &delivery.target)?);
    words.extend(["--noproxy".to_owned(), "'*'".to_owned()]);
    if url.starts_with("https:") {
        // Without it, curl may choose HTTP/2.
        words.push("--http1.1".to_owned());
        match trust {
            Trust::System => {}
            Trust::File(path) => {
                words.extend(["--cacert".to_owned(), quoted(path.as_os_str().as_encoded_bytes())?]);
            }
            Trust::Any => words.push("-k".to_owned()),
        }
    }
    let waits = (body.len() > EXPECTS_PAST || !is_whole) && *transfer != Transfer::Expecting;
    for header in lines(headers, waits)?.into_iter().chain(framing.into_iter().map(String::into_bytes)) {
        words.extend(["-H".to_owned(), quoted(&header)?]);
    }
    if is_plain_head {
        return Some(words.join(" "));
    }
    words.push("--data-binary".to_owned());
    let (source, data) = data(body, file.filter(|_| body.len() == delivery.body.len()))?;
    words.push(data);
    Some(source.unwrap_or_default() + &words.join(" "))
}

/// The URL with the options that keep curl from changing it. `None` if curl cannot ask for this target.
fn address(url: &str, target: &str) -> Option<Vec<String>> {
    if target.is_empty() || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let host = url.find("://").map_or(0, |at| at + 3);
    let origin = &url[..url[host..].find(['/', '?', '#']).map_or(url.len(), |at| host + at)];
    let is_kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%[]{}".contains(&byte);
    let mut options = Vec::new();
    let url = if target.starts_with('/') && target.bytes().all(is_kept) {
        let path = target.split('?').next().unwrap_or_default().to_ascii_lowercase().replace("%2e", ".");
        if path.split('/').any(|segment| segment == "." || segment == "..") {
            options.push("--path-as-is".to_owned());
        }
        format!("{origin}{target}")
    } else {
        options.extend(["--request-target".to_owned(), quoted(target.as_bytes())?]);
        format!("{origin}/")
    };
    if url.contains(['[', ']', '{', '}']) {
        options.push("-g".to_owned());
    }
    options.push(quoted(url.as_bytes())?);
    Some(options)
}

/// The arguments of `-H`. With `waits`, curl would ask for 100 Continue by itself. `None` if curl would change a header.
fn lines(headers: &Headers, waits: bool) -> Option<Vec<Vec<u8>>> {
    let has = |name: &str| headers.0.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
    let unasked = OWN_HEADERS.into_iter().chain(waits.then_some("Expect"));
    let mut lines: Vec<Vec<u8>> =
        unasked.filter(|name| !has(name)).map(|name| format!("{name}:").into_bytes()).collect();
    for (name, value) in &headers.0 {
        let is_blank = value.iter().all(|byte| b" \t\x0b\x0c".contains(byte));
        let is_broken = value.iter().any(|byte| b"\r\n\0".contains(byte));
        let is_of_connection = OF_CONNECTION.iter().any(|other| name.eq_ignore_ascii_case(other));
        if !is_token(name.as_bytes()) || is_of_connection || is_broken || is_blank && !value.is_empty() {
            return None;
        }
        // curl drops a header with an empty value unless it ends with a semicolon.
        lines.push(if value.is_empty() {
            format!("{name};").into_bytes()
        } else {
            [name.as_bytes(), b": ", value].concat()
        });
    }
    Some(lines)
}

/// A command that writes the body to curl's stdin, if there is one, and the argument of `--data-binary`.
fn data(body: &[u8], file: Option<&Path>) -> Option<(Option<String>, String)> {
    if let Some(file) = file {
        return Some((None, quoted(&[b"@", file.as_os_str().as_encoded_bytes()].concat())?));
    }
    if is_typed(body) && body.len() <= LONGEST_WORD && !body.starts_with(b"@") {
        return Some((None, quoted(body)?));
    }
    // The shell's builtin printf accepts arguments of any length.
    let source = if std::str::from_utf8(body).is_ok() || body.len() <= SHOWN_BODY {
        printed(body)
    } else {
        format!("printf %s {} | base64 -d", STANDARD.encode(body))
    };
    Some((Some(format!("{source} | ")), "@-".to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::path::Path;

    use bytes::Bytes;

    use super::command;
    use crate::wire::exchange::{Delivery, Headers, Transfer, Trust};

    fn delivery(body: &'static [u8]) -> Delivery {
        let mut headers = Headers::default();
        headers.add("Content-Type", "it's");
        Delivery::new("POST", "/", headers, Bytes::from_static(body))
    }

    fn to(target: &str, delivery: &Delivery) -> Option<String> {
        let delivery = Delivery { target: target.to_owned(), ..delivery.clone() };
        command("http://h/", &Trust::System, &delivery, None)
    }

    fn plain(delivery: &Delivery) -> String {
        command("http://h/", &Trust::System, delivery, None).unwrap()
    }

    #[test]
    fn quotes_shell_metacharacters() {
        assert_eq!(
            to("/?a=1&b=2", &delivery(b"{\"a\":\"it's\"}")).unwrap(),
            r#"curl -q -sS -i -X POST 'http://h/?a=1&b=2' --noproxy '*' -H 'User-Agent:' -H 'Accept:' -H 'Content-Type: it'\''s' --data-binary '{"a":"it'\''s"}'"#
        );
        let method = plain(&Delivery { method: "A`id`$&|!*'".to_owned(), ..delivery(b"") });
        assert!(method.contains(r" -X 'A`id`$&|!*'\''' "), "{method}");
    }

    #[test]
    fn pipes_bodies_that_are_binary_or_too_long() {
        let command = plain(&delivery(b"@\xff\n\x00"));
        assert!(command.starts_with(r"printf '@\377\n\000' | curl "), "{command}");
        assert!(command.ends_with(" --data-binary @-"), "{command}");
        let command = plain(&Delivery { body: vec![0xff; 1000].into(), ..delivery(b"") });
        assert!(command.starts_with("printf %s ////") && command.contains(" | base64 -d | curl "));
        let long = plain(&Delivery { body: vec![b'x'; 200_000].into(), ..delivery(b"") });
        assert!(long.starts_with("printf 'xxx") && long.ends_with("--data-binary @-"));
    }

    #[test]
    fn keeps_header_values_or_has_no_command() {
        let with = |name: &str, value: &'static [u8]| {
            let mut delivery = delivery(b"{}");
            delivery.headers.add(name, value);
            command("http://h/", &Trust::System, &delivery, None)
        };
        for (value, shown) in [
            (&b"\xe9a'\\\x01"[..], r#" -H "$(printf 'X-A: \351a'\''\\\001')" "#),
            ("日本 é".as_bytes(), " -H 'X-A: 日本 é' "),
            ("\u{202e}".as_bytes(), r#" -H "$(printf 'X-A: \342\200\256')" "#),
            (b"", " -H 'X-A;' "),
        ] {
            let command = with("X-A", value).unwrap();
            assert!(command.contains(shown), "{command}");
        }
        assert!(!with("Accept", b"*/*").unwrap().contains("'Accept:'"));
        for (name, value) in
            [("X-A", &b" \t"[..]), ("X-A", b"a\r\nb"), ("X-A", b"\0"), ("@file", b"a"), ("host", b"other")]
        {
            assert_eq!(with(name, value), None, "{name}");
        }
    }

    #[test]
    fn keeps_curl_from_changing_the_target() {
        for (target, words) in [
            ("/a[1-3]{b,c}", " -g 'http://h/a[1-3]{b,c}' "),
            ("/a/../b", " --path-as-is 'http://h/a/../b' "),
            ("/a/%2E./b?/..", " --path-as-is 'http://h/a/%2E./b?/..' "),
            ("/.well-known/a..b", " POST 'http://h/.well-known/a..b' "),
            ("/a#b", " --request-target '/a#b' 'http://h/' "),
            ("http://other/a", " --request-target 'http://other/a' 'http://h/' "),
        ] {
            let command = to(target, &delivery(b"")).unwrap();
            assert!(command.contains(words), "{command}");
        }
        assert_eq!(to("/a b", &delivery(b"")), None);
        let one = command("http://[::1]:3000/hook", &Trust::System, &delivery(b""), None).unwrap();
        assert!(one.contains(" -g 'http://[::1]:3000/' "), "{one}");
    }

    #[test]
    fn repeats_the_framing_of_the_body() {
        let mut delivery = delivery(b"{\"a\":1}");
        for (transfer, words) in [
            (Transfer::Chunks(vec![1]), " -H 'Transfer-Encoding: chunked' "),
            (Transfer::Expecting, " -H 'Content-Length: 7' -H 'Expect: 100-continue' "),
            (Transfer::Broken(2), " -H 'Content-Length: 7' "),
        ] {
            delivery.transfer = transfer;
            assert!(plain(&delivery).contains(words), "{}", plain(&delivery));
        }
        assert!(plain(&delivery).contains(" --max-time 1 "), "{}", plain(&delivery));
        assert!(plain(&delivery).ends_with(r#"--data-binary '{"'"#), "{}", plain(&delivery));
        (delivery.transfer, delivery.body) = (Transfer::Whole, vec![b'x'; 2 * 1024 * 1024].into());
        assert!(plain(&delivery).contains(" -H 'Expect:' "));
        (delivery.method, delivery.body) = ("HEAD".to_owned(), Bytes::new());
        assert!(plain(&delivery).ends_with(r" -H 'Content-Type: it'\''s' -H 'Content-Length: 0'"));
    }

    #[test]
    fn says_which_certificates_are_trusted() {
        let https = |trust: Trust| command("https://h/", &trust, &delivery(b"{}"), None).unwrap();
        assert!(https(Trust::System).contains(" --http1.1 -H "));
        assert!(https(Trust::File("a b.pem".into())).contains(" --http1.1 --cacert 'a b.pem' -H "));
        assert!(https(Trust::Any).contains(" --http1.1 -k -H "));
        assert!(!plain(&delivery(b"{}")).contains("http1"));
    }

    #[test]
    fn reads_long_or_binary_bodies_from_a_file() {
        let long = [b'x'; super::SHOWN_BODY + 1];
        for (body, wants) in
            [(&b"{}"[..], false), (b"\xff", true), (b"@file", true), (b"a\nb", false), (&long, true)]
        {
            assert_eq!(super::wants_file(body), wants, "{body:?}");
        }
        let file = Path::new("out dir/bodies/7.bin");
        let command = command("http://h/", &Trust::System, &delivery(b"\xff"), Some(file)).unwrap();
        assert!(command.ends_with(" --data-binary '@out dir/bodies/7.bin'"), "{command}");
    }
}
