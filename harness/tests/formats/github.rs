//! What a run tells GitHub Actions: annotations and the summary of the step. And that nothing else is a command to its runner.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::process::Command;

use tempfile::TempDir;
use twenty_conform::report::{Report, annotations};

use super::readers::READERS;
use crate::cli::program::{Ran, finish, judged, reference, twenty};
use crate::implementations::is_missing;
use crate::peers::servers::{always, read_request, serve};

/// A command as the runner reads it.
#[derive(Debug, PartialEq)]
pub(super) struct Parsed {
    pub(super) name: String,
    pub(super) properties: BTreeMap<String, String>,
    pub(super) message: String,
}

/// The lines of an output that the runner takes for commands: white space before `::` is skipped, and `##[` may be anywhere.
pub(crate) fn commands_in(output: &str) -> Vec<String> {
    let is_command = |line: &&str| line.trim_start().starts_with("::") || line.contains("##[");
    output.lines().filter(is_command).map(str::to_owned).collect()
}

/// Reads a command as the runner does.
pub(super) fn parsed(line: &str) -> Parsed {
    let rest = line.strip_prefix("::").unwrap_or_else(|| panic!("{line}"));
    let (head, message) = rest.split_once("::").unwrap_or_else(|| panic!("{line}"));
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let unescaped = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n");
    let property = |text: &str| unescaped(text).replace("%3A", ":").replace("%2C", ",").replace("%25", "%");
    let pair = |text: &str| text.split_once('=').map(|(name, value)| (name.to_owned(), property(value)));
    Parsed {
        name: name.to_owned(),
        properties: properties
            .split(',')
            .map(|text| pair(text).unwrap_or_else(|| panic!("{line}")))
            .collect(),
        message: unescaped(message).replace("%25", "%"),
    }
}

/// A run as a step of GitHub Actions.
fn on_github(arguments: &[&str], summary: Option<&std::path::Path>) -> Command {
    let mut command = twenty(arguments);
    command.env("GITHUB_ACTIONS", "true");
    command.envs(summary.map(|path| ("GITHUB_STEP_SUMMARY", path)));
    command
}

#[test]
fn failures_are_annotations() {
    let url = always(200);
    let run = [
        "receiver",
        "--url",
        &url,
        "--secret",
        "s",
        "--run",
        "RCV-1,VER-1,VER-4,VER-9,VER-21",
        "--cases",
        "2",
    ];
    let source = ["--source", "fixtures/hostile/receiver.py:3"];
    let ran = finish(on_github(&[&run[..], &source].concat(), None)).expect(1);
    assert_eq!(commands_in(&ran.stdout), Vec::<String>::new());
    let all: Vec<Parsed> = commands_in(&ran.stderr).iter().map(|line| parsed(line)).collect();
    let place = |one: &Parsed| (one.properties["file"].clone(), one.properties["line"].clone());
    assert!(all.iter().all(|one| place(one) == ("fixtures/hostile/receiver.py".to_owned(), "3".to_owned())));
    let [failed, open] = &all[..] else { panic!("{all:#?}") };
    assert_eq!((&*failed.name, &*open.name), ("error", "warning"));
    let title = &failed.properties["title"];
    assert!(title.starts_with("VER-1 VER-4") && title.ends_with(" accepts.everything"), "{title}");
    assert!(failed.message.contains("\nFix: "), "{failed:#?}");
    assert_eq!(open.properties["title"], "VER-9 not judged");
    // Only below the gate.
    let run = ["receiver", "--url", &url, "--secret", "s", "--run", "RCV-1,VER-11", "--cases", "2"];
    let ran = finish(on_github(&run, None)).expect(0);
    let names: Vec<String> = commands_in(&ran.stderr).iter().map(|line| parsed(line).name).collect();
    assert_eq!(names, ["warning"]);
    // Elsewhere nothing of this is printed.
    assert_eq!(finish(twenty(run)).expect(0).stderr, "");
}

#[test]
fn run_that_does_not_pass_has_an_error() {
    let exec = reference("receiver");
    for (arguments, status) in [
        (&["receiver", "--exec", "'twenty-conform-is-not-here'", "--run", "VER-19"][..], 3),
        (&["receiver", "--exec", &exec, "--run", "VER-19", "--level", "must"], 4),
        (&["receiver", "--exec", &exec, "--run", "PRC-1", "--require", "PRC-1"], 3),
        (&["sender", "--exec", "cat", "--run", "DLV-1"], 70),
        // Without a report.
        (&["receiver", "--exec", &exec, "--run", "VER-999"], 2),
        (&["receiver", "--exec", &exec, "--source", "none.mjs"], 2),
    ] {
        let ran = finish(on_github(arguments, None)).expect(status);
        let errors = commands_in(&ran.stderr).iter().filter(|line| line.starts_with("::error ")).count();
        assert!(errors >= 1, "{ran:#?}");
    }
}

#[test]
fn at_most_ten_of_each_level_are_printed() {
    let url = always(200);
    let (_, report) =
        judged(["receiver", "--url", &url, "--secret", "s", "--run", "RCV-1,VER-4,VER-11", "--cases", "2"]);
    let mut report = report.0;
    let finding = report["findings"][0].clone();
    for (count, shown) in [(1, 1), (10, 10), (11, 10), (30, 10)] {
        report["findings"] = vec![finding.clone(); count].into();
        let report: Report = serde_json::from_value(report.clone()).unwrap();
        let text = annotations::render(&report);
        let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("::error ")).collect();
        assert_eq!(errors.len(), shown, "{text}");
        if count > shown {
            let more = format!("::{} more findings are in the report of this step", count - 9);
            assert!(errors[9].ends_with(&more), "{text}");
        }
    }
}

#[test]
fn summary_is_appended() {
    let folder = TempDir::new().unwrap();
    let summary = folder.path().join("summary.md");
    fs::write(&summary, "# Before\n").unwrap();
    let url = always(200);
    let run = ["receiver", "--url", &url, "--secret", "s", "--run", "RCV-1,VER-4", "--cases", "2"];
    for _ in 0..2 {
        let ran = finish(on_github(&run, Some(&summary))).expect(1);
        assert!(ran.result_line().starts_with("RESULT: fail "), "{ran:#?}");
    }
    let text = fs::read_to_string(&summary).unwrap();
    assert!(text.starts_with("# Before\n### twenty-conform receiver: fail\n"), "{text}");
    assert_eq!(text.matches("### twenty-conform receiver: fail\n").count(), 2);
    // Without GITHUB_ACTIONS too, and without a file that exists.
    let other = folder.path().join("other.md");
    let mut command = twenty(run);
    command.env("GITHUB_STEP_SUMMARY", &other);
    assert_eq!(finish(command).expect(1).stderr, "");
    assert!(fs::read_to_string(&other).unwrap().starts_with("### twenty-conform receiver: fail\n"));
}

#[test]
fn summary_that_cannot_be_written_is_a_warning() {
    let folder = TempDir::new().unwrap();
    let full = folder.path().join("full.md");
    fs::write(&full, vec![b'x'; 1024 * 1024]).unwrap();
    let url = always(200);
    let run = ["receiver", "--url", &url, "--secret", "s", "--run", "RCV-1", "--cases", "2"];
    for (path, words) in [
        (folder.path().join("none/summary.md"), "cannot write"),
        (folder.path().to_owned(), "no regular file"),
        (full.clone(), "more than 1 MiB"),
    ] {
        let ran = finish(on_github(&run, Some(&path))).expect(0);
        ran.complains_of(&["warning: no step summary: ", &path.display().to_string(), words]);
    }
    assert_eq!(fs::metadata(full).unwrap().len(), 1024 * 1024);
}

#[cfg(target_os = "linux")]
#[test]
fn summary_on_a_full_disk_stays_as_it_was() {
    use crate::skip::skip_for_rights;
    // A file system of one page.
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4k", "none"]).arg(at).output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        return skip_for_rights("a full disk", "a file system cannot be mounted");
    }
    let summary = at.join("summary.md");
    fs::write(&summary, vec![b'x'; 4000]).unwrap();
    let url = always(200);
    let run = ["receiver", "--url", &url, "--secret", "s", "--run", "RCV-1", "--cases", "2"];
    let ran = finish(on_github(&run, Some(&summary)));
    let length = fs::metadata(&summary).map(|summary| summary.len());
    let unmounted = Command::new("umount").arg(at).status().unwrap();
    assert!(unmounted.success());
    ran.expect(0).complains_of(&["warning: no step summary: cannot write"]);
    assert_eq!(length.unwrap(), 4000);
}

/// What a hostile program writes.
const WRITTEN: &str = "::add-mask::x\\n  ::error file=a::b\\n##[error]c\\nsaid ##[group]d\\n";

/// Every command in the output of a run is an annotation.
fn assert_only_annotations(ran: &Ran) {
    assert_eq!(commands_in(&ran.stdout), Vec::<String>::new(), "{ran:#?}");
    for line in commands_in(&ran.stderr) {
        let name = parsed(&line).name;
        assert!(["error", "warning"].contains(&&*name), "{line}");
        assert!(!line.contains("##["), "{line}");
    }
}

#[test]
fn program_under_test_cannot_command_the_runner() {
    if is_missing("python3") {
        return;
    }
    // It prints commands, answers with commands, and ends.
    let exec = format!(
        "python3 -c \"import sys; sys.stdout.write('{WRITTEN}'); sys.stderr.write('{WRITTEN}'); sys.exit(1)\""
    );
    for (command, status) in [("receiver", 3), ("sender", 70)] {
        let arguments = [command, "--exec", &exec, "--show-output", "--run", "RCV-1,DLV-1"];
        let arguments = if command == "receiver" {
            &[&arguments[..4], &["--run", "RCV-1"]].concat()[..]
        } else {
            &[&arguments[..4], &["--run", "DLV-1"]].concat()[..]
        };
        let ran = finish(on_github(arguments, None));
        assert!(ran.status == Some(status) || ran.status == Some(3), "{ran:#?}");
        assert!(ran.stderr.contains("add-mask"), "{ran:#?}");
        assert_only_annotations(&ran);
    }
}

#[test]
fn answers_cannot_command_the_runner() {
    let body = "::add-mask::x\n  ::error file=a::b\n##[error]c said ##[group]d ".repeat(20);
    let url = serve(move |mut stream| {
        while read_request(&mut stream)? {
            let head = format!(
                "HTTP/1.1 500 x\r\nX-Y: ##[error]z\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes())?;
            stream.write_all(body.as_bytes())?;
        }
        Ok(())
    });
    let run =
        ["receiver", "--url", &url, "--secret", "::add-mask::s", "--run", "RCV-1,VER-4", "--cases", "2"];
    for more in [&[][..], &["-v"], &["-q"]] {
        assert_only_annotations(&finish(on_github(&[&run[..], more].concat(), None)).expect(1));
    }
    let folder = TempDir::new().unwrap();
    for (format, read) in READERS {
        let report = format!("{format}=-");
        let ran = finish(on_github(&[&run[..], &["--report", &report]].concat(), None)).expect(1);
        assert!(!read(&ran.stdout).passes, "{format}");
        assert_only_annotations(&ran);
    }
    // A step may print a file that another wrote.
    let mut command = on_github(&run, None);
    for (format, _) in READERS {
        command.arg(format!("--report={format}={}", folder.path().join(format).display()));
    }
    finish(command).expect(1);
    for (format, _) in READERS {
        let text = fs::read_to_string(folder.path().join(format)).unwrap();
        assert_eq!(commands_in(&text), Vec::<String>::new(), "{format}");
    }
    // An argument, too.
    let ran = finish(on_github(&["receiver", "--exec", "x", "--run", "\n::add-mask::x\n##[error]y"], None))
        .expect(2);
    assert_only_annotations(&ran);
}
