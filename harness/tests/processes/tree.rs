//! Whatever a program under test starts has ended when the command has, however that ends.

use std::fs;
use std::io::BufRead;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use twenty_conform::subject::process::Process;

use super::{Family, Running, SIGNALS, is_ignored};
use crate::cli::program::twenty;
use crate::implementations::is_missing;

/// Children that only their ancestry, their group or their environment tells.
const KINDS: &[&str] = &["ignores-term", "own-group", "own-session", "daemon"];
/// Children that are found on Linux only, because this program adopts them.
#[cfg(target_os = "linux")]
const MORE_KINDS: &[&str] = &["cleared", "cleared-daemon"];
#[cfg(not(target_os = "linux"))]
const MORE_KINDS: &[&str] = &[];

/// How a command ends.
#[derive(Debug, Clone, Copy)]
enum Ending {
    Normal,
    First(Signal),
    /// SIGTERM after SIGINT, while that waits for the end of the program.
    Second,
}

/// Runs the command until it ends that way, and returns its status and what it printed.
fn ended(command: &[&str], role: &str, kinds: &[&str], ending: Ending) -> (i32, String) {
    let mut family = Family::new();
    let exec = family.command(role, kinds);
    let mut command = twenty(command.iter().copied().chain(["--exec", &exec]));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let output = child.stdout.take().unwrap();
    let running = Running::new(child);
    let id = running.id;
    family.gather(kinds.len());
    if ["hangs", "stubborn"].contains(&role) {
        family.leader_says("request\n");
    }
    match ending {
        Ending::Normal => {}
        Ending::First(signal) => running.signal(signal),
        Ending::Second => {
            running.signal(Signal::SIGINT);
            family.leader_says("SIGTERM\n");
            running.signal(Signal::SIGTERM);
        }
    }
    let status = running.end();
    family.ends(&format!("{ending:?}"));
    no_watchdog(id.as_raw());
    (status, std::io::read_to_string(output).unwrap())
}

/// Waits until the watchdog of that process has ended.
fn no_watchdog(of: i32) {
    let argument = format!("--watchdog-of\0{of}-");
    let runs = || {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let mut commands = processes.map(|one| fs::read(one.path().join("cmdline")).unwrap_or_default());
        commands.any(|command| String::from_utf8_lossy(&command).contains(&argument))
    };
    let begun = std::time::Instant::now();
    while runs() {
        assert!(begun.elapsed() < super::LONGEST, "the watchdog of {of} still runs");
        std::thread::yield_now();
    }
}

impl Family {
    /// Waits until the program says this line.
    fn leader_says(&mut self, line: &str) {
        let mut said = String::new();
        while said != line {
            said.clear();
            assert!(self.leader().connection.read_line(&mut said).unwrap() > 0, "it ended before {line:?}");
        }
    }
}

fn all_kinds() -> Vec<&'static str> {
    KINDS.iter().chain(MORE_KINDS).copied().collect()
}

#[test]
fn normal_end_leaves_no_process() {
    if is_missing("python3") {
        return;
    }
    let run = ["receiver", "--run", "RCV-1", "--cases", "1"];
    let (status, output) = ended(&run, "accepts", &all_kinds(), Ending::Normal);
    assert_eq!(status, 0, "{output}");
    let bench = ["bench", "receiver", "--warm-up", "0s", "--duration", "100ms", "--concurrency", "1"];
    let (status, output) = ended(&bench, "accepts", &all_kinds(), Ending::Normal);
    assert!(output.contains("RESULT: "), "{status}: {output}");
}

#[test]
fn first_signal_ends_a_run_with_its_report_and_leaves_no_process() {
    if is_missing("python3") {
        return;
    }
    for signal in SIGNALS.into_iter().filter(|signal| !is_ignored(*signal)) {
        for command in [&["receiver"][..], &["bench", "receiver", "--duration", "60m"]] {
            let (status, output) = ended(command, "hangs", &all_kinds(), Ending::First(signal));
            assert_eq!(status, 130, "{signal}: {output}");
            assert!(output.contains("RESULT: interrupted "), "{signal}: {output}");
        }
    }
    let (status, output) = ended(&["sender"], "sender", &all_kinds(), Ending::First(Signal::SIGINT));
    assert_eq!(status, 130, "{output}");
}

#[test]
fn second_signal_ends_at_once_and_leaves_no_process() {
    if is_missing("python3") {
        return;
    }
    for command in [&["receiver"][..], &["bench", "receiver", "--duration", "60m"]] {
        let (status, output) = ended(command, "stubborn", &all_kinds(), Ending::Second);
        assert_eq!(status, 130, "{output}");
        // It did not wait for the end of the program, and wrote no report.
        assert!(!output.contains("RESULT: "), "{output}");
    }
}

/// Without the children whom only their adoption tells: that it is killed may be before it notices them.
#[test]
fn being_killed_leaves_no_process() {
    if is_missing("python3") {
        return;
    }
    for (command, role) in [
        (&["receiver"][..], "hangs"),
        (&["bench", "receiver", "--duration", "60m"], "hangs"),
        (&["sender"], "sender"),
    ] {
        let (status, output) = ended(command, role, KINDS, Ending::First(Signal::SIGKILL));
        assert_eq!(status, -9, "{output}");
    }
}

/// As a library, without adopting anything.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn stopping_one_command_leaves_the_children_of_another() {
    if is_missing("python3") {
        return;
    }
    let (mut one, mut other) = (Family::new(), Family::new());
    let environment = [("PORT", "0".to_owned())];
    let mut stopped = Process::start(&one.command("hangs", KINDS), &environment, false).unwrap();
    let mut dropped = Process::start(&other.command("hangs", KINDS), &environment, false).unwrap();
    one.gather(KINDS.len());
    other.gather(KINDS.len());
    assert_eq!(dropped.ended().await, None);
    stopped.stop().await;
    one.ends("stopped");
    for member in &mut other.members {
        assert!(member.runs(), "{} ended with another command", member.kind);
    }
    drop(dropped);
    other.ends("dropped");
}

/// A receiver that ends by itself is started again on the same port, so what it left must not hold the port.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn children_of_a_program_that_ended_by_itself_are_ended() {
    if is_missing("python3") {
        return;
    }
    let mut family = Family::new();
    let environment = [("PORT", "0".to_owned())];
    let mut process = Process::start(&family.command("hangs", KINDS), &environment, false).unwrap();
    family.gather(KINDS.len());
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(family.leader().id), Signal::SIGKILL).unwrap();
    assert!(process.ends_within(Duration::from_secs(30)).await.is_some());
    family.ends("its leader was killed");
}

/// A shell script that starts something and then becomes the command: that child is not the command's.
#[test]
fn children_from_before_the_command_are_left_alone() {
    if is_missing("python3") {
        return;
    }
    let (mut before, mut family) = (Family::new(), Family::new());
    let exec = family.command("accepts", KINDS);
    let this = twenty(["receiver", "--run", "RCV-1", "--cases", "1"]);
    let words = [this.get_program()].into_iter().chain(this.get_args()).map(|word| word.to_str().unwrap());
    let line = shlex::try_join(words.chain(["--exec", &exec])).unwrap();
    let script = format!("{} & exec {line}", before.command("waits", &["leader"]));
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let running = Running::new(command.spawn().unwrap());
    before.gather(0);
    family.gather(KINDS.len());
    assert_eq!(running.end(), 0);
    family.ends("after a normal end");
    assert!(before.leader().runs());
}
