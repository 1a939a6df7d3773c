//! The line of code of a finding: it is that of the receiver's framework, and there is none where the framework is not known.

use std::fs;

use tempfile::TempDir;

use super::program::{judged, reference};
use crate::implementations::is_missing;

/// A receiver in Python without a framework that answers this to everything.
const ANSWERS: &str = r#"
import http.server, os

class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "SERVER", ""

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = BODY
        self.send_response(STATUS)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Receiver).serve_forever()
"#;

/// The code and the line of the first finding on a receiver that this command starts.
fn first(exec: &str) -> (String, Option<String>) {
    let (_, report) = judged(["receiver", "--exec", exec, "--dialect", "documented", "--run", "RCV-1,VER-1"]);
    let finding = &report.0["findings"][0];
    let text = |member: &str| finding[member].as_str().map(str::to_owned);
    (text("cause").unwrap_or_default(), text("code_line"))
}

#[test]
fn language_of_a_command_decides_on_the_line() {
    if is_missing("node") {
        return;
    }
    let (cause, line) = first("node fixtures/implementations/receivers/node-body-alone/server.mjs");
    assert_eq!(cause, "message.body-alone");
    let line = line.unwrap_or_default();
    assert!(line.contains("hmac.update(timestamp + \":\").update(rawBody)"), "{line:?}");
}

#[test]
fn answer_decides_on_the_line() {
    if is_missing("python3") {
        return;
    }
    let guard = "b'<h1>Forbidden</h1><p>CSRF verification failed. Request aborted.</p>'";
    let nowhere = "b'<!DOCTYPE html><title>Error</title><pre>Cannot POST /</pre>'";
    for (server, status, body, expected, code) in [
        ("WSGIServer/0.2", "403", guard, "route.csrf", Some("@csrf_exempt")),
        ("nginx", "404", nowhere, "route.not-found", Some("app.post(")),
        // A page of one framework, and the server of another.
        ("Werkzeug/3.1", "404", nowhere, "route.not-found", None),
        ("nginx", "404", "b'nothing here'", "route.not-found", None),
    ] {
        let text = ANSWERS.replace("SERVER", server).replace("STATUS", status).replace("BODY", body);
        let folder = TempDir::new().unwrap();
        let script = folder.path().join("app.py");
        fs::write(&script, text).unwrap();
        // The interpreter alone names no framework.
        let (cause, line) = first(&format!("python3 '{}'", script.display().to_string().replace('\\', "/")));
        assert_eq!(cause, expected, "{server} {body}");
        let is_right =
            code.map_or(line.is_none(), |code| line.as_ref().is_some_and(|line| line.contains(code)));
        assert!(is_right, "{server} {body}: {line:?}");
    }
}

#[test]
fn unknown_framework_has_no_line() {
    let refuses = reference("receiver").replace("serve receiver", "serve receiver --secret another-secret");
    let (cause, line) = first(&refuses);
    assert!(!cause.is_empty() && line.is_none(), "{cause}: {line:?}");
}
