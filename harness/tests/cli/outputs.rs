//! Files that a command writes: nothing that it reads is overwritten, a path that cannot be written is found before the run, and a
//! failed write keeps the old file.
//!
//! Invariant: a rejected output changes no file, and nothing was sent.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;

use super::program::{Ran, finish, reference, run, twenty};
use super::transcripts::recorded;
use crate::peers::servers::always;
use crate::skip::{skip, skip_for_rights};

/// The files in a folder and below, with their content.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.push((name, fs::read(&path).unwrap_or_default()));
            }
        }
    }
    found.sort();
    found
}

/// Runs in a folder.
fn run_in(folder: &TempDir, arguments: &[&str]) -> Ran {
    let mut command = twenty(arguments);
    command.current_dir(folder.path());
    finish(command)
}

/// A folder with inputs, a link and a second name of one of them.
fn inputs() -> TempDir {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("in.jsonl"), recorded().content()).unwrap();
    fs::write(at("secret"), "s3cr3t").unwrap();
    fs::write(at("patterns"), "RCV-1\n").unwrap();
    fs::write(at("server.mjs"), "the receiver").unwrap();
    fs::write(at("body.json"), r#"{"event":"person.created","data":{"id":"x"}}"#).unwrap();
    fs::create_dir(at("bodies")).unwrap();
    fs::copy(at("body.json"), at("bodies/a.json")).unwrap();
    fs::create_dir(at("sub")).unwrap();
    folder
}

/// Runs in a folder, and fails unless the arguments are rejected with these words and no file has changed.
fn rejected(folder: &TempDir, arguments: &[&str], words: &[&str]) {
    let before = files(folder.path());
    let ran = run_in(folder, arguments).expect(2);
    ran.complains_of(words);
    assert_eq!((ran.stdout.as_str(), files(folder.path())), ("", before), "{arguments:?}");
}

#[test]
fn output_that_is_an_input_is_rejected_and_unchanged() {
    let folder = inputs();
    let url = always(200);
    let receiver = ["receiver", "--url", &url, "--secret-file", "secret"];
    let exec = ["bench", "receiver", "--exec", "no-such-program server.mjs", "--secret-file", "secret"];
    let sender = ["sender", "--transcript", "in.jsonl", "--secret-file", "secret"];
    for (command, more, named) in [
        (
            &sender[..],
            &["--report", "json=in.jsonl"][..],
            ["--report json=in.jsonl", "--transcript in.jsonl"],
        ),
        (&sender, &["--report", "text=./sub/../in.jsonl"], ["--report text=", "--transcript in.jsonl"]),
        (&sender, &["--report", "junit=secret"], ["--report junit=secret", "--secret-file secret"]),
        (
            &receiver,
            &["--run", "@patterns", "--report", "json=patterns"],
            ["json=patterns", "--run @patterns"],
        ),
        (
            &receiver,
            &["--skip", "@patterns", "--report", "json=patterns"],
            ["json=patterns", "--skip @patterns"],
        ),
        (
            &receiver,
            &["--report", "json=twenty-conform.toml"],
            ["json=twenty-conform.toml", "twenty-conform.toml"],
        ),
        (
            &receiver,
            &["--watch", "server.mjs", "--report", "json=server.mjs"],
            ["json=server.mjs", "--watch server.mjs"],
        ),
        (&exec, &["--report", "json=server.mjs"], ["--report json=server.mjs", "--exec server.mjs"]),
        (
            &exec,
            &["--corpus", "body.json", "--report", "json=body.json"],
            ["json=body.json", "--corpus body.json"],
        ),
        (
            &exec,
            &["--corpus", "bodies", "--report", "json=bodies/a.json"],
            ["json=bodies/a.json", "--corpus bodies"],
        ),
        (
            &["bench", "import", "in.jsonl"],
            &["--report", "json=in.jsonl"],
            ["--report json=in.jsonl", "in.jsonl are"],
        ),
        (
            &["bench", "compare", "body.json", "in.jsonl"],
            &["--report", "text=body.json"],
            ["--report text=body.json", "body.json are"],
        ),
        (
            &["bench", "pair", "--base", "node server.mjs", "--candidate", "x"],
            &["--report", "json=server.mjs"],
            ["json=server.mjs", "--base server.mjs"],
        ),
    ] {
        rejected(&folder, &[command, more].concat(), &named);
    }
}

#[test]
fn output_that_is_another_output_is_rejected() {
    let folder = inputs();
    let url = always(200);
    let receiver = ["receiver", "--url", &url, "--secret-file", "secret"];
    for (command, more, named) in [
        (
            &receiver[..],
            &["--report", "json=a", "--report", "text=sub/../a"][..],
            ["--report json=a", "--report text=sub/../a"],
        ),
        (&receiver, &["--report", "json=e", "--out", "e"], ["--report json=e", "--out e"]),
        (&receiver, &["--report", "json=e", "--out", "e/f"], ["--report json=e", "--out e/f"]),
        (&receiver, &["--report", "json=e/report.json", "--out", "e"], ["json=e/report.json", "--out e"]),
        (
            &receiver,
            &["--report", "json=e/Exchanges.jsonl", "--out", "e"],
            ["json=e/Exchanges.jsonl", "--out e"],
        ),
        (&["demo"], &["--report", "json=e/sender", "--out", "e"], ["json=e/sender", "--out e"]),
    ] {
        rejected(&folder, &[command, more].concat(), &named);
    }
}

#[cfg(unix)]
#[test]
fn links_and_redirected_streams_are_seen_through() {
    use std::os::unix::fs::symlink;
    let folder = inputs();
    let at = |name: &str| folder.path().join(name);
    symlink("in.jsonl", at("soft")).unwrap();
    fs::hard_link(at("in.jsonl"), at("hard")).unwrap();
    symlink("new", at("dangling")).unwrap();
    symlink(".", at("here")).unwrap();
    let before = files(folder.path());
    for (transcript, report) in [
        ("in.jsonl", "soft"),
        ("soft", "in.jsonl"),
        ("in.jsonl", "hard"),
        ("hard", "soft"),
        ("in.jsonl", "here/hard"),
    ] {
        let report = format!("json={report}");
        let ran = run_in(&folder, &["sender", "--transcript", transcript, "--report", &report]).expect(2);
        ran.complains_of(&[&report, transcript, "same file"]);
    }
    run_in(&folder, &["demo", "--report", "json=new", "--report", "text=dangling"])
        .expect(2)
        .complains_of(&["json=new", "text=dangling"]);
    // Input on stdin, and the report where stdout or stderr goes.
    let open = || fs::OpenOptions::new().read(true).append(true).open(at("in.jsonl")).unwrap();
    for stream in ["stdin", "stdout"] {
        let mut command = twenty(["sender", "--transcript", "-", "--report", "json=in.jsonl"]);
        command.current_dir(folder.path()).stderr(Stdio::piped());
        match stream {
            "stdin" => command.stdin(open()).stdout(Stdio::piped()),
            _ => command.stdin(Stdio::null()).stdout(open()),
        };
        let ran = Ran::new(command.spawn().unwrap().wait_with_output().unwrap()).expect(2);
        ran.complains_of(&["json=in.jsonl", stream]);
    }
    assert_eq!(files(folder.path()), before);
}

#[test]
fn report_in_the_folder_of_the_evidence_is_written() {
    let folder = TempDir::new().unwrap();
    let url = always(401);
    let arguments = ["receiver", "--url", &url, "--secret", "s3cr3t", "--run", "RCV-1", "--out", "new/e"];
    run_in(&folder, &[&arguments[..], &["--report", "json=new/e/mine.json"]].concat()).expect(1);
    let read = |name: &str| fs::read_to_string(folder.path().join("new/e").join(name)).unwrap();
    assert_eq!(read("mine.json"), read("report.json"));
}

#[test]
fn unwritable_output_is_found_before_the_run() {
    let folder = inputs();
    for (more, words) in [
        (&["--report", "json=no/report.json"][..], ["--report json=no/report.json", "no folder no;"]),
        (&["--report", "json=sub"], ["--report json=sub is a folder", "path of a file"]),
        (&["--report", "json=sub/"], ["--report json=sub/ is a folder", "path of a file"]),
        (&["--report", "json=secret/report.json"], ["--report json=secret/report.json", "another path"]),
        (&["--report", "text=ok", "--report", "json=no/a"], ["json=no/a", "no folder no;"]),
        (&["--out", "secret/e"], ["secret/e", "cannot create the folder"]),
        (&["--out", "sub/e", "--report", "json=sub/e/deep/a"], ["json=sub/e/deep/a", "no folder"]),
    ] {
        let before = files(folder.path());
        // The receiver cannot be started, so a run would say that.
        let command = ["receiver", "--exec", "no-such-program"];
        let ran = run_in(&folder, &[&command[..], more].concat()).expect(2);
        ran.complains_of(&words);
        assert!(!ran.stderr.contains("no-such-program"), "{ran:?}");
        assert_eq!(files(folder.path()), before, "{more:?}");
        assert!(!folder.path().join("sub/e").exists());
    }
    for command in [&["bench", "sender"][..], &["bench", "pair", "--base", "x", "--candidate", "y"]] {
        let ran = run_in(&folder, &[command, &["--report", "json=no/a"]].concat()).expect(2);
        ran.complains_of(&["--report json=no/a", "no folder no;"]);
    }
    let ran = run_in(&folder, &["bench", "sender", "--save", "a", "--baseline-dir", "secret"]).expect(2);
    ran.complains_of(&["--save a"]);
}

/// Permissions do not stop root, so these are file systems that cannot be written.
#[cfg(target_os = "linux")]
#[test]
fn read_only_file_system_is_found_before_the_run() {
    let folder = TempDir::new().unwrap();
    let script = r#"mount -t tmpfs -o size=64k none "$0" && echo old >"$0/old" && mount -o remount,ro "$0" || exit 99
        for report in new old; do "$@" --report "json=$0/$report"; echo "status $?"; done; cat "$0/old""#;
    let mut command = std::process::Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", script])
        .arg(folder.path())
        .arg(assert_cmd::cargo::cargo_bin!("twenty-conform"));
    command.args(["receiver", "--exec", "no-such-program"]);
    let Some(ran) = mounted(command) else { return };
    assert_eq!(ran.stdout, "status 2\nstatus 2\nold\n", "{ran:?}");
    assert_eq!(ran.stderr.matches("cannot write --report json=").count(), 2, "{ran:?}");
}

/// Runs a command that mounts a file system; `None` if this machine does not allow that.
#[cfg(target_os = "linux")]
fn mounted(command: std::process::Command) -> Option<Ran> {
    let ran = finish(command);
    if ran.status == Some(99) || ran.status == Some(1) {
        skip_for_rights("a file system of its own", ran.stderr.trim());
        return None;
    }
    Some(ran)
}

#[cfg(target_os = "linux")]
#[test]
fn full_disk_keeps_the_old_report_and_leaves_no_other_file() {
    let folder = TempDir::new().unwrap();
    // The disk has room for the old report, and for a part of the new one.
    let script = r#"mount -t tmpfs -o size=32k none "$0" && cd "$0" && echo old >report && head -c 20000 /dev/zero >fill || exit 99
        "$@" --report json=report --report junit=new --report text=-; echo "status $?"; cat report; ls -A; "#;
    let mut command = std::process::Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", script])
        .arg(folder.path())
        .arg(assert_cmd::cargo::cargo_bin!("twenty-conform"));
    command.args(["receiver", "--url", &always(200), "--secret", "s3cr3t"]);
    let Some(ran) = mounted(command) else { return };
    assert!(ran.stdout.ends_with("status 70\nold\nfill\nreport\n"), "{ran:?}");
    ran.complains_of(&["cannot write the report report: No space left on device"]);
}

/// The same without a file system of its own: the limit of a file's size ends the write in its middle.
#[cfg(unix)]
#[test]
fn write_that_fails_in_its_middle_keeps_the_old_file() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("report"), "old").unwrap();
    let limited = |arguments: &[&str]| {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh"]).current_dir(folder.path());
        command.arg(assert_cmd::cargo::cargo_bin!("twenty-conform")).args(arguments);
        finish(command)
    };
    let url = always(200);
    let receiver = ["receiver", "--url", &url, "--secret", "s3cr3t", "-q"];
    let ran =
        limited(&[&receiver[..], &["--report", "json=report", "--report", "junit=new"]].concat()).expect(70);
    ran.complains_of(&["cannot write the report report: File too large"]);
    assert!(ran.result_line().starts_with("RESULT: fail "), "{ran:?}");
    assert_eq!(files(folder.path()), [("report".to_owned(), b"old".to_vec())]);
    // A baseline, and the files for another tool.
    limited(&["bench", "sender", "--events", "20", "--save", "a"])
        .expect(70)
        .complains_of(&["a.json", "File too large"]);
    limited(&["bench", "export", "locust", "l"])
        .expect(70)
        .complains_of(&["locustfile.py", "File too large"]);
    // The evidence that grows line by line may be cut; the rest is whole or missing.
    limited(&[&receiver[..], &["--out", "e"]].concat()).expect(70).complains_of(&["evidence is incomplete"]);
    let names: Vec<String> = files(folder.path()).into_iter().map(|(name, _)| name).collect();
    assert!(!names.iter().any(|name| name.contains("report.") || name.contains(".tmp")), "{names:?}");
}

#[cfg(unix)]
#[test]
fn devices_and_pipes_are_written_directly() {
    use std::os::unix::fs::FileTypeExt;
    let folder = TempDir::new().unwrap();
    let exec = reference("receiver");
    let receiver = ["receiver", "--exec", &exec, "--run", "RCV-1"];
    let ran = run([&receiver[..], &["--report", "json=/dev/null", "--report", "text=/dev/stdout"]].concat())
        .expect(0);
    assert!(ran.result_line().starts_with("RESULT: pass "), "{ran:?}");
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if !made.is_ok_and(|made| made.success()) {
        return skip("a named pipe", "mkfifo");
    }
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || fs::read_to_string(pipe).unwrap())
    };
    run([&receiver[..], &["--report", &format!("json={}", pipe.display())]].concat()).expect(0);
    assert!(reader.join().unwrap().contains("twenty-conform-report/2"));
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    if !Path::new("/dev/full").exists() {
        return skip("a full disk", "/dev/full");
    }
    run([&receiver[..], &["--report", "json=/dev/full"]].concat())
        .expect(70)
        .complains_of(&["cannot write the report /dev/full"]);
}

#[test]
fn existing_baseline_is_replaced_only_with_force() {
    let folder = TempDir::new().unwrap();
    let save = |more: &[&str]| {
        run_in(&folder, &[&["bench", "sender", "--events", "20", "--save", "main"][..], more].concat())
    };
    let baseline = folder.path().join(".twenty-conform/baselines/main.json");
    save(&[]).expect(0);
    let before = fs::read(&baseline).unwrap();
    let ran = save(&[]).expect(2);
    ran.complains_of(&["baseline \"main\" exists already", "--force"]);
    assert!(!ran.stderr.contains("measuring"), "{ran:?}");
    // Also if nothing can be read from it.
    fs::write(&baseline, "not a report").unwrap();
    save(&[]).expect(2).complains_of(&["--force"]);
    assert_eq!(fs::read(&baseline).unwrap(), b"not a report");
    save(&["--force"]).expect(0).complains_of(&["saved as \"main\""]);
    assert_ne!(fs::read(&baseline).unwrap(), before);
    save(&["--report", "json=.twenty-conform/baselines/main.json", "--force"])
        .expect(2)
        .complains_of(&["--save main", "--report json="]);
    let compared = ["bench", "sender", "--events", "20", "--baseline", "main"];
    run_in(&folder, &[&compared[..], &["--report", "json=.twenty-conform/baselines/main.json"]].concat())
        .expect(2)
        .complains_of(&["--baseline", "--report json="]);
}
