//! How a program under test is attached: what it is started with, and what is said where that is wrong.
//!
//! Invariant: a secret that is put into a command is in no output.

use twenty_conform::subject::port::free_port;

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
    std::fs::write(folder.path().join("words"), "read in the folder\n").unwrap();
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
    std::fs::write(&file, format!("{quoted}\n")).unwrap();
    let served = serve_receiver(&quoted);
    let ran = run(["receiver", "--url", &served.url, "--secret-file", path, "--run", "RCV-1"]).expect(0);
    ran.complains_of(&["warning: the secret in", "secret.txt has quotes around it"]);
    assert!(!ran.stderr.contains(SECRET), "{ran:#?}");
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
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
