//! How a program under test is attached: what it is started with, and what is said where that is wrong.
//!
//! Invariant: a secret that is put into a command is in no output.

use std::fs;

use twenty_conform::subject::port::free_port;

use crate::implementations::is_missing;

use super::program::{Ran, judged, reference, run, serve_receiver};

const SECRET: &str = "s3cr3t-of-the-command";

/// A run of the first requirement alone on a receiver that this command starts.
fn started(command: &str, more: &[&str]) -> Ran {
    let arguments =
        ["receiver", "--exec", command, "--secret", SECRET, "--run", "RCV-1", "--ready-timeout", "20s"];
    run([&arguments[..], more].concat())
}

#[test]
fn port_and_secret_are_put_into_the_command() {
    let command = reference("receiver --port {port} --secret {secret}");
    // The variables are wrong, so that only the arguments can be right.
    let wrong = ["--env", "PORT=1", "--env", "TWENTY_WEBHOOK_SECRET=other,one"];
    let arguments = ["receiver", "--exec", &command, "--secret", SECRET, "--run", "RCV-1"];
    let (ran, report) = judged([&arguments[..], &wrong].concat());
    let ran = ran.expect(0);
    assert!(!ran.stdout.contains(SECRET) && !report.0.to_string().contains(SECRET), "{ran:#?}");
    ran.says(&["--port {port} --secret {secret}"]);
}

#[test]
fn port_and_secret_are_put_into_variables() {
    let command = reference("receiver");
    started(&command, &["--env", "PORT={port}", "--env", "TWENTY_WEBHOOK_SECRET={secret}"]).expect(0);
    let refused = started(&command, &["--env", "TWENTY_WEBHOOK_SECRET=x{secret}"]);
    assert_eq!(refused.status, Some(1), "{refused:#?}");
}

#[test]
fn port_that_is_fixed_is_used_or_refused() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let folder = tempfile::TempDir::new().unwrap();
    let mark = folder.path().join("started");
    let marks = format!("touch '{}'", mark.display());
    started(&marks, &["--port", &port])
        .expect(2)
        .complains_of(&[&format!("port {port} of --port is in use"), "leave out --port"]);
    assert!(!mark.exists(), "it was started all the same");
    let port = free_port().unwrap().to_string();
    let (ran, report) =
        judged(["receiver", "--exec", &reference("receiver"), "--port", &port, "--run", "RCV-1"]);
    assert_eq!((ran.status, report.with("pass").len()), (Some(0), 1), "{ran:#?}");
}

#[cfg(unix)]
#[test]
fn program_starts_in_its_folder() {
    let folder = tempfile::TempDir::new().unwrap();
    fs::write(folder.path().join("words"), "read in the folder\n").unwrap();
    let folder = folder.path().to_str().unwrap();
    started("sh -c 'cat words >&2; exit 3'", &["--cwd", folder]).says(&["read in the folder"]);
    let sender = ["sender", "--exec", "sh -c 'cat words >&2; echo $MADE >&2; exit 3'", "--cwd", folder];
    run([&sender[..], &["--env", "MADE=with a variable"]].concat())
        .says(&["read in the folder", "with a variable"]);
    started("true", &["--cwd", "no-such-folder"])
        .expect(2)
        .complains_of(&["--cwd no-such-folder is not a folder"]);
}

#[test]
fn options_of_a_start_need_exec() {
    for option in [["--env", "A=1"], ["--cwd", "."], ["--port", "1"]] {
        let receiver = ["receiver", "--url", "http://127.0.0.1:9/", "--secret", "x"];
        run([&receiver[..], &option].concat()).expect(2).complains_of(&[option[0], "--exec"]);
    }
    run(["sender", "--control", "http://127.0.0.1:9/", "--cwd", "."])
        .expect(2)
        .complains_of(&["--cwd", "--exec"]);
    run(["receiver", "--exec", "true", "--env", "=x"]).expect(2).complains_of(&["NAME=VALUE"]);
}

#[cfg(unix)]
#[test]
fn program_that_does_not_listen_is_asked_for_its_port() {
    let waits = ["--ready-timeout", "200ms"];
    let command = ["receiver", "--secret", SECRET, "--exec"];
    run([&command[..], &["sleep 60"], &waits].concat()).says(&[
        "does `sleep 60` read the port from the variable PORT?",
        "{port} in its place",
        "--port",
    ]);
    let hint = "the program got the text $PORT itself: write {port}";
    let dies = "env -u X false --port $PORT";
    run([&command[..], &[dies]].concat()).says(&[hint, "sh -c '…'"]);
    let silent = run([&command[..], &["sh -c 'exec false $PORT'"]].concat());
    assert!(
        !silent.stdout.contains("no shell runs") && !silent.stderr.contains("no shell runs"),
        "{silent:#?}"
    );
}

#[test]
fn url_without_scheme_is_taken_as_http() {
    let served = serve_receiver(SECRET);
    let url = served.url.strip_prefix("http://").unwrap();
    run(["receiver", "--url", url, "--secret", SECRET, "--run", "RCV-1"])
        .expect(0)
        .complains_of(&[&format!("{url} has no scheme; {} is used", served.url)]);
    // It does not get around the rule about other machines.
    run(["receiver", "--url", "example.com/hooks", "--secret", "x"])
        .expect(2)
        .complains_of(&["--allow-remote"]);
    run(["receiver", "--url", "3000", "--secret", "x"]).expect(2);
}

#[test]
fn odd_file_of_a_secret_is_told_and_used_as_it_is() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("secret.txt");
    let path = file.to_str().unwrap();
    let quoted = format!("\"{SECRET}\"");
    fs::write(&file, format!("{quoted}\n")).unwrap();
    let served = serve_receiver(&quoted);
    let ran = run(["receiver", "--url", &served.url, "--secret-file", path, "--run", "RCV-1"]).expect(0);
    ran.complains_of(&["warning: the secret in", "secret.txt has quotes around it"]);
    run(["receiver", "--url", &served.url, "--secret", &quoted, "--run", "RCV-1"])
        .expect(0)
        .complains_of(&["warning: the secret that is given has quotes around it"]);
    assert!(!ran.stderr.contains(SECRET), "{ran:#?}");
    fs::write(&file, format!("{SECRET}\n")).unwrap();
    let served = serve_receiver(SECRET);
    let ran = run(["receiver", "--url", &served.url, "--secret-file", path, "--run", "RCV-1"]).expect(0);
    assert!(!ran.stderr.contains("warning"), "{ran:#?}");
}

#[cfg(unix)]
#[test]
fn sender_that_logs_to_stdout_is_told_in_one_line() {
    let ran = run(["sender", "--exec", "sh -c 'echo Listening, ready; cat'"]);
    let told: Vec<&str> = ran.stdout.lines().filter(|line| line.contains("Listening")).collect();
    let is_finding =
        |line: &&&str| line.contains("wrote \"Listening, ready\" to stdout, which is for replies only");
    assert_eq!(told.iter().filter(is_finding).count(), 1, "{ran:#?}");
}

/// A receiver of one dialect, which writes a line when it starts.
const ONE_DIALECT: &str = "node fixtures/dialects/receiver.mjs shipped";

#[test]
fn output_of_a_program_is_kept_and_shown_without_secrets() {
    if is_missing("node") {
        return;
    }
    let folder = tempfile::TempDir::new().unwrap();
    let log = |name: &str| fs::read_to_string(folder.path().join(name).join("subject.log"));
    let out = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let receiver = ["receiver", "--secret", SECRET, "--run", "RCV-1", "--exec"];

    let kept = run([&receiver[..], &[ONE_DIALECT, "--out", &out("kept")]].concat()).expect(0);
    assert!(log("kept").unwrap().ends_with("Z stderr accepts shipped\n"), "{:?}", log("kept"));
    assert!(!kept.stderr.contains("accepts shipped"), "{kept:#?}");

    // Also what it wrote at its end, and never the secret.
    let says = "sh -c 'echo begins; printf \"a \\033[31m %s\" $TWENTY_WEBHOOK_SECRET >&2; exit 3'";
    let shown = ["--out", &out("shown"), "--show-output"];
    let ran = run([&receiver[..], &[says], &shown].concat()).expect(3);
    ran.complains_of(&["stdout │ begins", "stderr │ a \\u{1b}[31m [redacted]"]);
    let text = log("shown").unwrap();
    for line in [" stdout begins\n", " stderr a \\u{1b}[31m [redacted]\n"] {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }

    // The secrets of a sender are made during the run.
    let tells = "const lines = require('readline').createInterface({ input: process.stdin }); lines.on('line', \
                 (line) => { const { id, op, secret } = JSON.parse(line); if (secret) console.error('got ' + secret); \
                 console.log(JSON.stringify({ id, ok: op === 'hello' ? { name: 'x', version: '1', capabilities: \
                 [] } : { webhook: 'w' } })); });";
    let sender =
        ["sender", "--exec", &format!("node -e \"{tells}\""), "--run", "DLV-1", "--deadline", "100ms"];
    let ran = run([&sender[..], &["--out", &out("sender"), "--show-output"]].concat());
    ran.complains_of(&["stderr │ got [redacted"]);
    assert!(log("sender").unwrap().contains(" stderr got [redacted"), "{:?}", log("sender"));

    run(["receiver", "--url", "http://127.0.0.1:9/", "--secret", "x", "--show-output"])
        .expect(2)
        .complains_of(&["--show-output", "--exec"]);
}

#[test]
fn command_that_repeats_a_failure_has_all_options_but_the_secret() {
    if is_missing("node") {
        return;
    }
    let folder = tempfile::TempDir::new().unwrap();
    let command = format!("node \"{}/fixtures/dialects/receiver.mjs\" shipped", env!("CARGO_MANIFEST_DIR"));
    let own = ["--env", "A=b c", "--path", "/hook?x=1", "--timeout", "7s", "--cases", "9", "--jobs", "3"];
    let dialect = ["--dialect", "documented", "--seed", "5", "--run", "RCV-1"];
    let attached =
        ["receiver", "--exec", &command, "--secret", SECRET, "--cwd", folder.path().to_str().unwrap()];
    let (_, report) = judged([&attached[..], &own, &dialect].concat());
    let again = report.check("RCV-1")["rerun"].as_str().unwrap().to_owned();
    assert!(!again.contains(SECRET), "{again}");
    let words = shlex::split(&again).unwrap();
    let after = |name: &str| words.iter().skip_while(|word| *word != name).nth(1).map(String::as_str);
    for (name, value) in [
        ("--exec", command.as_str()),
        ("--env", "A=b c"),
        ("--path", "/hook?x=1"),
        ("--cwd", folder.path().to_str().unwrap()),
        ("--timeout", "7000ms"),
        ("--cases", "9"),
        ("--jobs", "3"),
        ("--dialect", "documented"),
        ("--seed", "5"),
        ("--run", "RCV-1"),
    ] {
        assert_eq!(after(name), Some(value), "{again}");
    }
    let (_, repeated) = judged(&words[1..]);
    assert_eq!(repeated.cause("RCV-1"), "refuses.dialect", "{again}");

    let sender = "node fixtures/dialects/sender.mjs shipped";
    let attached =
        ["sender", "--exec", sender, "--env", "A=b c", "--dialect", "documented", "--run", "PAY-1"];
    let (_, report) = judged(attached);
    let again = report.check("PAY-1")["rerun"].as_str().unwrap().to_owned();
    let (_, repeated) = judged(&shlex::split(&again).unwrap()[1..]);
    assert!(again.contains("--env 'A=b c'"), "{again}");
    assert_eq!(repeated.cause("PAY-1"), report.cause("PAY-1"), "{again}");
}

#[test]
fn path_with_a_url_is_refused() {
    run(["receiver", "--url", "http://127.0.0.1:9/a", "--path", "/b", "--secret", "x"])
        .expect(2)
        .complains_of(&["--path", "--url"]);
}
