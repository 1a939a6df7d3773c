//! `completions` and `man`, which are generated from the same declaration as help.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use clap::Arg;
use tempfile::TempDir;
use twenty_conform::cli;
use twenty_conform::suite::requirement::Role;
use twenty_conform::suite::requirements;

use super::program::{finish, run, twenty};
use crate::skip::skip;

const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "powershell", "elvish"];

/// Completes the last of these words in bash, as the shell does when a user presses Tab.
fn completed(script: &Path, folder: &Path, words: &[&str]) -> BTreeSet<String> {
    let call = r#"
        source "$1"
        shift
        COMP_WORDS=("$@")
        COMP_CWORD=$(( $# - 1 ))
        COMP_LINE="$*"
        COMP_POINT=${#COMP_LINE}
        # Only in a completion does bash have `compopt`.
        compopt() { :; }
        _twenty__conform twenty-conform "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let mut bash = Command::new("bash");
    bash.args(["--norc", "--noprofile", "-c", call, "bash"]).arg(script).args(words).current_dir(folder);
    let ran = finish(bash).expect(0);
    assert!(ran.stderr.is_empty(), "{words:?}: {ran:#?}");
    ran.stdout.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_values() {
    let folder = TempDir::new().unwrap();
    let script = folder.path().join("script");
    fs::write(&script, run(["completions", "bash"]).expect(0).stdout).unwrap();
    fs::create_dir(folder.path().join("kept")).unwrap();
    fs::write(folder.path().join("secret file.txt"), "").unwrap();
    let complete = |words: &[&str]| completed(&script, folder.path(), words);
    let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
    for (words, expected) in [
        (&["twenty-conform", "rece"][..], &["receiver"][..]),
        (&["twenty-conform", "bench", "re"], &["receiver"]),
        (&["twenty-conform", "receiver", "--fail"], &["--fail-on"]),
        (&["twenty-conform", "receiver", "--dialect", ""], &["auto", "documented", "shipped"]),
        (&["twenty-conform", "sender", "--level", "s"], &["should"]),
        (&["twenty-conform", "demo", "--color", "a"], &["auto", "always"]),
        (&["twenty-conform", "receiver", "--secret-file", "sec"], &["secret file.txt"]),
        (&["twenty-conform", "receiver", "--seed", "4"], &["4"]),
        (&["twenty-conform", "receiver", "--run", "VER-16"], &["VER-16"]),
        // Another role's.
        (&["twenty-conform", "sender", "--skip", "VER-"], &[]),
        (&["twenty-conform", "explain", "message.body-al"], &["message.body-alone"]),
        (&["twenty-conform", "list", "r"], &["receiver"]),
        (&["twenty-conform", "completions", "f"], &["fish"]),
    ] {
        assert_eq!(complete(words), set(expected), "{words:?}");
    }
    let ids = |role: Role| requirements::of(role).map(|one| one.id.to_owned()).collect::<BTreeSet<_>>();
    for (command, role) in [("receiver", Role::Receiver), ("sender", Role::Sender)] {
        for option in ["--run", "--skip", "--require"] {
            let offered = complete(&["twenty-conform", command, option, ""]);
            assert!(offered.is_superset(&ids(role)), "{command} {option}: {offered:?}");
        }
    }
    // Each visible command and no other word.
    let commands = cli::declared();
    let visible = commands.get_subcommands().filter(|one| !one.is_hide_set()).map(|one| one.get_name());
    let expected: BTreeSet<String> = visible.map(str::to_owned).collect();
    let offered = complete(&["twenty-conform", ""]);
    assert_eq!(offered.into_iter().filter(|word| !word.starts_with('-')).collect::<BTreeSet<_>>(), expected);
}

#[test]
fn scripts_parse_in_the_shells_that_are_here() {
    let folder = TempDir::new().unwrap();
    for shell in SHELLS {
        let script = run(["completions", shell]).expect(0).stdout;
        assert!(script.contains("twenty-conform"), "{shell}: {script}");
        let path = folder.path().join(shell);
        fs::write(&path, script).unwrap();
        // The others can only be checked where they are installed.
        if matches!(shell, "bash" | "zsh" | "fish") && Command::new(shell).arg("--version").output().is_ok() {
            let mut check = Command::new(shell);
            check.arg("-n").arg(&path);
            finish(check).expect(0);
        }
    }
    run(["completions", "tcsh"]).expect(2).complains_of(&["tcsh", "bash", "zsh"]);
}

#[test]
fn offered_values_do_not_change_what_is_parsed() {
    run(["explain", "no-such-thing"]).expect(2).complains_of(&["no-such-thing"]);
    let wrong = run(["demo", "--run", "VER-99"]).expect(2);
    wrong.complains_of(&["did you mean VER-9"]);
    assert!(!wrong.stderr.contains("possible values"), "{wrong:#?}");
    run(["demo", "--run", "VER-1?", "--seed", "1"]).expect(2);
}

/// A page of `man` as its text, without requests and escapes, in one line.
fn plain(page: &str) -> String {
    let mut text = String::new();
    for line in page.lines().filter(|line| !line.starts_with(".\\\"")) {
        let heading = line.strip_prefix(".SH ").or_else(|| line.strip_prefix(".SS "));
        let line = heading.map_or(line, |heading| heading.trim_matches('"'));
        let words = line.replace("\\fB", "").replace("\\fI", "").replace("\\fR", "").replace("\\-", "-");
        text.push(' ');
        text.push_str(words.replace("\\*(Aq", "'").trim_start_matches("\\&"));
    }
    text.replace("\\e", "\\").replace("\\\\", "\\").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Fails unless the page has everything that help says.
fn assert_complete(name: &str, page: &str, command: &clap::Command) {
    let requests: Vec<&str> = page.lines().filter(|line| !line.starts_with(".\\\"")).collect();
    assert!(requests[0].starts_with(".TH twenty-conform"), "{name} begins with {:?}", requests[0]);
    let text = plain(page);
    let says = |what: &str| {
        let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(&what), "{name} does not say {what:?}:\n{text}");
    };
    says(&command.get_about().unwrap().to_string());
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        if let Some(long) = arg.get_long() {
            says(&format!("--{long}"));
        }
        if let Some(help) = arg.get_long_help().or_else(|| arg.get_help()) {
            help.to_string().split("\n\n").for_each(says);
        }
        let values = arg.get_possible_values();
        values.iter().filter_map(|value| value.get_help()).for_each(|help| says(&help.to_string()));
        if Arg::get_action(arg).takes_values() {
            arg.get_default_values().iter().for_each(|value| says(&value.to_string_lossy()));
        }
    }
    let after = command.get_after_long_help().or_else(|| command.get_after_help());
    let after = after.unwrap().to_string();
    let lines = after.lines().filter(|line| !line.ends_with(':') || line.starts_with(' '));
    lines.for_each(says);
    for one in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        says(&format!("{name}-{}(1)", one.get_name()));
        says(&one.get_about().unwrap().to_string());
    }
}

/// The pages that there must be: the command's and those below it.
fn assert_pages(folder: &Path, name: &str, command: &clap::Command) -> usize {
    let page =
        fs::read_to_string(folder.join(format!("{name}.1"))).unwrap_or_else(|why| panic!("{name}: {why}"));
    assert_complete(name, &page, command);
    let below = command.get_subcommands().filter(|one| !one.is_hide_set());
    1 + below.map(|one| assert_pages(folder, &format!("{name}-{}", one.get_name()), one)).sum::<usize>()
}

#[test]
fn manual_pages_say_everything_that_help_says() {
    let folder = TempDir::new().unwrap();
    let place = folder.path().join("new/man1");
    let ran = run(["man".as_ref(), place.as_os_str()]).expect(0);
    let count = assert_pages(&place, "twenty-conform", &cli::declared());
    assert!(count > 20);
    assert_eq!(fs::read_dir(&place).unwrap().count(), count);
    assert_eq!(ran.stdout.lines().count(), count);
    assert!(ran.stdout.lines().all(|line| Path::new(line).is_file()), "{}", ran.stdout);
    // Pages of this program are replaced.
    fs::write(place.join("twenty-conform-demo.1"), ".TH twenty-conform-demo 1 \"\" \"old\"\n").unwrap();
    run(["man".as_ref(), place.as_os_str()]).expect(0);
    assert!(fs::read_to_string(place.join("twenty-conform-demo.1")).unwrap().contains("EXIT STATUS"));
}

#[test]
fn manual_pages_replace_no_other_file() {
    let folder = TempDir::new().unwrap();
    let other = folder.path().join("twenty-conform-verify.1");
    fs::write(&other, "my notes").unwrap();
    let refused = run(["man".as_ref(), folder.path().as_os_str()]).expect(2);
    refused.complains_of(&["twenty-conform-verify.1", "not a page of this program"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(&other).unwrap(), "my notes");
    // A file where the folder should be.
    run(["man".as_ref(), other.as_os_str()]).expect(2).complains_of(&["cannot create the folder"]);
    fs::remove_file(&other).unwrap();
    fs::create_dir(&other).unwrap();
    run(["man".as_ref(), folder.path().as_os_str()]).expect(2).complains_of(&["not a regular file"]);
}

#[cfg(unix)]
#[test]
fn manual_page_that_cannot_be_written_is_named() {
    let folder = TempDir::new().unwrap();
    let old = folder.path().join("twenty-conform.1");
    fs::write(&old, ".TH twenty-conform 1 \"\" \"old\"\n").unwrap();
    // Files of no size at all: as on a full disk, a file is created and cannot be written.
    let call = r#"ulimit -f 0; trap "" XFSZ; exec "$@""#;
    let mut bash = Command::new("bash");
    bash.args(["-c", call, "bash"]).arg(assert_cmd::cargo::cargo_bin!("twenty-conform"));
    bash.arg("man").arg(folder.path());
    finish(bash).expect(70).complains_of(&["cannot write", "twenty-conform.1"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(fs::read_to_string(&old).unwrap().contains("old"));
}

#[cfg(unix)]
#[test]
fn completions_on_a_full_disk_are_an_error() {
    let full = match fs::OpenOptions::new().write(true).open("/dev/full") {
        Ok(full) => full,
        Err(why) => return skip("a full disk", &format!("/dev/full: {why}")),
    };
    let mut call = twenty(["completions", "zsh"]);
    call.stdout(full);
    // `finish` reads stdout itself.
    assert_eq!(call.status().unwrap().code(), Some(70));
}
