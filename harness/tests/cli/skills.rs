//! What programs and coding agents read: the skill, help and errors as JSON, and the list of pages.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::program::{Ran, as_given, finish, judged, run};
use crate::goldens::subcommands;
use crate::implementations::is_missing;

const SKILL: &str = ".agents/skills/twenty-conform/SKILL.md";

/// A server around the skill's example in JavaScript.
const NODE: &str = "
import { createServer } from 'node:http';
async function handle(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const { 'x-twenty-webhook-timestamp': timestamp, 'x-twenty-webhook-signature': signature } = request.headers;
  const answer = (status) => response.writeHead(status).end();
  if (request.method !== 'POST') return answer(405);
  if (!verify(process.env.TWENTY_WEBHOOK_SECRET, timestamp, signature, body)) return answer(401);
  try {
    const { event, eventName, data, record } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    const isObject = (value) => value === undefined || (value !== null && typeof value === 'object' && !Array.isArray(value));
    answer(typeof (event ?? eventName) === 'string' && isObject(data) && isObject(record) ? 200 : 400);
  } catch {
    answer(400);
  }
}
createServer((request, response) => handle(request, response).catch(() => response.destroy())).listen(Number(process.env.PORT), '127.0.0.1');
";

/// The same around the one in Python.
const PYTHON: &str = r#"
import json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        of = lambda name: ", ".join(self.headers.get_all("X-Twenty-Webhook-" + name, []))
        status = 401
        if verify(os.environ["TWENTY_WEBHOOK_SECRET"], of("Timestamp"), of("Signature"), body):
            status = 200 if self.is_delivery(body) else 400
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def is_delivery(self, body):
        try:
            event = json.loads(body.decode())
        except ValueError:
            return False
        if not isinstance(event, dict) or not all(isinstance(event.get(name, {}), dict) for name in ("data", "record")):
            return False
        return isinstance(event.get("event", event.get("eventName")), str)

    def log_message(self, *_):
        pass

class Server(ThreadingHTTPServer):
    request_queue_size = 128

Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"#;

fn install(folder: &Path, more: &[&str]) -> Ran {
    let mut command = as_given(["skills", "install"].iter().chain(more));
    command.current_dir(folder);
    finish(command)
}

#[test]
fn skill_is_installed_once_and_never_over_edits() {
    let folder = TempDir::new().unwrap();
    let read = || fs::read_to_string(folder.path().join(SKILL)).unwrap();
    let first = install(folder.path(), &[]).expect(0);
    assert_eq!(first.stdout.matches(": written\n").count(), 2, "{first:?}");
    let skill = read();
    assert!(skill.starts_with("---\nname: twenty-conform\n") && skill.lines().count() < 100, "{skill}");
    assert_eq!(skill, fs::read_to_string(folder.path().join(SKILL.replace("agents", "claude"))).unwrap());
    let again = install(folder.path(), &[]).expect(0);
    assert_eq!((again.stdout.matches(": up to date\n").count(), read()), (2, skill.clone()), "{again:?}");
    fs::write(folder.path().join(SKILL), skill.clone() + "Ours.\n").unwrap();
    let edited = install(folder.path(), &[]).expect(1);
    assert!(
        edited.stdout.contains("SKILL.md: edited, and left as it is") && read().ends_with("Ours.\n"),
        "{edited:?}"
    );
    let other = install(folder.path(), &["--into", "docs/skills"]).expect(0);
    assert!(folder.path().join("docs/skills/twenty-conform/SKILL.md").is_file(), "{other:?}");
    // At the top of a repository.
    let inside = folder.path().join("repository/src/webhooks");
    fs::create_dir_all(&inside).unwrap();
    fs::create_dir(folder.path().join("repository/.git")).unwrap();
    install(&inside, &[]).expect(0);
    assert!(folder.path().join("repository").join(SKILL).is_file());
    fs::write(folder.path().join("file"), "").unwrap();
    install(folder.path(), &["--into", "file"]).expect(70).complains_of(&["file/twenty-conform/SKILL.md"]);
    fs::create_dir_all(folder.path().join("folder/twenty-conform/SKILL.md")).unwrap();
    install(folder.path(), &["--into", "folder"]).expect(2).complains_of(&["is not a regular file"]);
    let shown = run(["skills", "show"]).expect(0).stdout;
    assert_eq!(skill, shown, "it can take the place of an edited file");
}

#[test]
fn code_of_the_skill_passes_the_suite() {
    let shown = run(["skills", "show"]).expect(0).stdout;
    let folder = TempDir::new().unwrap();
    for (language, around, file, program) in
        [("js", NODE, "server.mjs", "node"), ("python", PYTHON, "server.py", "python3")]
    {
        if is_missing(program) {
            continue;
        }
        let (_, after) = shown.split_once(&format!("```{language}\n")).unwrap();
        let code = after.split("```").next().unwrap();
        let path = folder.path().join(file);
        fs::write(&path, format!("{code}{around}")).unwrap();
        let command = format!("{program} {}", path.display());
        let (ran, report) = judged(["receiver", "--exec", &command, "--fail-on", "should"]);
        assert_eq!(ran.status, Some(0), "{ran:#?}\n{:?}", report.with("fail"));
    }
}

/// Each option and command of the skill exists.
#[test]
fn commands_of_the_skill_are_those_of_help() {
    let shown = run(["skills", "show"]).expect(0).stdout;
    let help: Value = serde_json::from_str(&run(["help", "--json"]).expect(0).stdout).unwrap();
    let named = |list: &Value, name: &str| {
        list.as_array().unwrap().iter().find(|one| one["name"] == name || one["long"] == name).cloned()
    };
    let mut count = 0;
    for part in shown.split("twenty-conform ").skip(1) {
        let line = part.lines().next().unwrap().split('`').next().unwrap();
        let mut words = line.split_whitespace();
        // In a sentence, the program's name is followed by another word.
        let Some(name) = words.next().filter(|_| line.contains(' ') || !line.is_empty()) else { continue };
        let is_prose = !part_is_code(&shown, part);
        let Some(command) = named(&help["commands"], name) else {
            assert!(is_prose, "{name} in {line}");
            continue;
        };
        count += 1;
        for word in words.filter(|word| word.starts_with("--")) {
            assert!(named(&command["arguments"], word).is_some(), "{word} in {line}");
        }
    }
    assert!(count >= 12, "{count}");
}

/// Whether what follows the program's name at the end of `before` is in code: after a backtick, or at the beginning of a line.
fn part_is_code(shown: &str, part: &str) -> bool {
    let at = part.as_ptr() as usize - shown.as_ptr() as usize - "twenty-conform ".len();
    let before = &shown[..at];
    before.ends_with('`') || before.lines().last().is_none_or(|line| line.trim().is_empty())
}

#[test]
fn help_as_json_has_every_command_and_option() {
    let help: Value = serde_json::from_str(&run(["help", "--json"]).expect(0).stdout).unwrap();
    assert_eq!(help["format"], "twenty-conform-help/1");
    let names: BTreeSet<&str> =
        help["commands"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    let page = as_given(["--help"]);
    let page = finish(page).expect(0).stdout;
    assert_eq!(names, subcommands(&page).collect::<BTreeSet<_>>());
    let bench: Value =
        serde_json::from_str(&run(["help", "bench", "receiver", "--json"]).expect(0).stdout).unwrap();
    let arguments = bench["arguments"].as_array().unwrap();
    let option = |long: &str| {
        arguments.iter().find(|one| one["long"] == long).unwrap_or_else(|| panic!("{long}: {bench}"))
    };
    assert_eq!(option("--rate")["variable"], "TWENTY_CONFORM_RATE");
    assert_eq!(option("--color")["default"], "auto");
    assert!(option("--dialect")["values"].as_array().unwrap().iter().any(|one| one["name"] == "shipped"));
    assert!(bench["examples"].as_array().unwrap().len() >= 2, "{bench}");
    let receiver: Value =
        serde_json::from_str(&run(["help", "receiver", "--json"]).expect(0).stdout).unwrap();
    assert!(
        receiver["exit_statuses"].as_array().unwrap().iter().any(|one| one["status"] == 130),
        "{receiver}"
    );
    assert_eq!(run(["help", "sign"]).expect(0).stdout, run(["sign", "--help"]).expect(0).stdout);
    run(["help", "sing"]).expect(2).complains_of(&["\"sing\" is not a command", "sign"]);
}

#[test]
fn errors_are_json_where_json_is_asked_for() {
    for (arguments, status, words) in [
        (&["explain", "VER-99", "--json"][..], 2, "VER-99"),
        (&["list", "--jsn", "--json"], 2, "--jsn"),
        (&["list", "no-role", "--json"], 2, "no-role"),
        (&["sign", "--json", "--secret", "s3cr3t", "no/such/file"], 2, "no/such/file"),
        (&["diff", "no/such/run", "no/such/other", "--json"], 2, "no/such/run"),
        (&["list", "--config", "no/such.toml", "--json"], 2, "no/such.toml"),
        (
            &[
                "receiver",
                "--url",
                "http://127.0.0.1:9/",
                "--run",
                "NO-1",
                "--secret",
                "s3cr3t",
                "--report",
                "json=-",
            ],
            2,
            "NO-1",
        ),
    ] {
        let ran = run(arguments).expect(status);
        let error: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|why| panic!("{why}: {ran:?}"));
        assert_eq!(
            (&error["format"], &error["error"]["status"]),
            (&"twenty-conform-error/1".into(), &status.into())
        );
        assert!(error["error"]["message"].as_str().unwrap().contains(words), "{ran:?}");
        assert!(!ran.stdout.contains("s3cr3t") && ran.stderr.contains(words), "{ran:?}");
    }
    assert_eq!(run(["explain", "VER-99"]).expect(2).stdout, "");
}

#[test]
fn every_page_is_listed_for_programs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = fs::read_to_string(root.join("llms.txt")).unwrap();
    let links: BTreeSet<&str> =
        listed.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    for link in &links {
        assert!(root.join(link).is_file(), "{link}");
    }
    for entry in fs::read_dir(root.join("docs")).unwrap() {
        let name = format!("docs/{}", entry.unwrap().file_name().to_str().unwrap());
        assert!(links.contains(&*name), "llms.txt does not list {name}");
    }
}
