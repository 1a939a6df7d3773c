//! A command that waits for something that never comes is ended by the second signal.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::pty::openpty;
use nix::sys::signal::Signal;
use nix::sys::termios::tcgetattr;
use tempfile::TempDir;

use super::{Family, LONGEST, Running};
use crate::cli::program::twenty;
use crate::implementations::is_missing;
use crate::peers::servers::always;

/// Much longer than a signal takes to arrive, and shorter than what the first one grants.
const BETWEEN: Duration = Duration::from_secs(1);

/// A FIFO that no one reads, and its folder.
fn unread() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    (folder, path.display().to_string())
}

/// A stream that is full, as a pipe whose reader has stopped, and its other end.
fn full() -> (Stdio, UnixStream) {
    let (mut stream, reader) = UnixStream::pair().unwrap();
    stream.set_nonblocking(true).unwrap();
    for chunk in [&[b'x'; 4096][..], b"x"] {
        let full = loop {
            if let Err(why) = stream.write(chunk) {
                break why;
            }
        };
        assert_eq!(full.kind(), ErrorKind::WouldBlock);
    }
    // The stream's other handle is the same stream.
    stream.set_nonblocking(false).unwrap();
    (OwnedFd::from(stream).into(), reader)
}

/// Sends SIGINT until it ends. Returns its status, and whether it took more than one.
#[track_caller]
fn interrupted(running: &Running) -> (Option<i32>, bool) {
    let mut count = 0;
    while BETWEEN * count < LONGEST {
        running.signal(Signal::SIGINT);
        count += 1;
        if let Some(status) = running.ends_within(BETWEEN) {
            return (status.code(), count > 1);
        }
    }
    running.signal(Signal::SIGKILL);
    panic!("{count} signals do not end it");
}

/// Starts the command with a receiver, and waits until the receiver was stopped, so only reports are left to be written.
fn with_reports_left(command: &[&str], report: &str, stdout: Stdio) -> Running {
    let mut family = Family::new();
    let exec = family.command("accepts", &[]);
    let mut command = twenty(command.iter().copied().chain(["--exec", &exec]));
    if !report.is_empty() {
        command.arg("--report").arg(format!("json={report}"));
    }
    let running = Running::new(command.stdout(stdout).stderr(Stdio::null()).spawn().unwrap());
    family.gather(0);
    family.ends("after the run");
    running
}

const RUN: &[&str] = &["receiver", "--run", "RCV-1", "--cases", "1"];
const LOAD: &[&str] = &["bench", "receiver", "--warm-up", "0s", "--duration", "100ms", "--concurrency", "1"];

#[test]
fn second_signal_ends_a_blocked_report() {
    if is_missing("python3") {
        return;
    }
    for command in [RUN, LOAD] {
        let (_folder, fifo) = unread();
        let running = with_reports_left(command, &fifo, Stdio::null());
        assert_eq!(interrupted(&running), (Some(130), true), "{command:?}");
        let (stdout, _reader) = full();
        let running = with_reports_left(command, "", stdout);
        assert_eq!(interrupted(&running), (Some(130), true), "{command:?}");
    }
}

#[test]
fn first_signal_gives_a_blocked_report_some_time() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let ((_folder, read), (_other_folder, unread)) = (unread(), unread());
        let mut command = twenty(RUN.iter().copied().chain(["--url", &always(200), "--secret", "s3cr3t"]));
        command.args([format!("--report=json={read}"), format!("--report=json={unread}")]);
        let running = Running::new(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        // From the end of the first report on, the second is being written.
        assert!(fs::read_to_string(read).unwrap().contains("\"result\""));
        running.signal(signal);
        let sent = Instant::now();
        assert_eq!(running.end(), 130);
        let took = sent.elapsed();
        assert!(took > Duration::from_secs(1), "it took {took:?}");
    }
}

/// `npm run` passes Ctrl-C on to a program that the terminal has sent it already.
#[test]
fn signal_that_comes_twice_at_once_gives_a_blocked_report_some_time() {
    if is_missing("python3") {
        return;
    }
    let (stdout, _reader) = full();
    let running = with_reports_left(RUN, "", stdout);
    running.signal(Signal::SIGINT);
    running.signal(Signal::SIGINT);
    // The two may arrive as one. Then another signal is the second.
    let status = running.ends_within(4 * BETWEEN).map_or_else(|| interrupted(&running).0, |end| end.code());
    assert_eq!(status, Some(130));
}

#[test]
fn first_signal_ends_a_listen_whose_output_is_blocked() {
    let (stdout, _reader) = full();
    let mut command = twenty(["listen", "--port", "0"]);
    let mut child = command.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
    let mut notes = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    notes.read_line(&mut line).unwrap();
    let running = Running::new(child);
    let authority = line.trim().strip_prefix("listening on http://").unwrap().trim_end_matches('/');
    let mut sending = std::net::TcpStream::connect(authority).unwrap();
    sending.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}").unwrap();
    // Its answer.
    std::io::Read::read_exact(&mut sending, &mut [0; 12]).unwrap();
    running.signal(Signal::SIGINT);
    assert_eq!(running.end(), 70);
    let mut said = String::new();
    std::io::Read::read_to_string(&mut notes, &mut said).unwrap();
    assert!(said.contains("not printed: no one reads stdout"), "{said}");
    assert!(said.contains("RESULT: error received 1 judged 1 "), "{said}");
}

/// The second signal ends the process at once, but not before the mode of the terminal is restored.
#[test]
fn second_signal_restores_the_terminal() {
    let (stdout, _reader) = full();
    let terminal = openpty(None, None).unwrap();
    let before = tcgetattr(&terminal.slave).unwrap();
    let mut command = twenty(["listen", "--port", "0"]);
    command.stdin(terminal.slave.try_clone().unwrap()).stdout(stdout).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut notes = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let ready = notes.next().unwrap();
    assert!(notes.next().unwrap().starts_with("keys: "));
    assert_ne!(tcgetattr(&terminal.slave).unwrap(), before);
    let running = Running::new(child);
    let authority = ready.strip_prefix("listening on http://").unwrap().trim_end_matches('/');
    let mut sending = std::net::TcpStream::connect(authority).unwrap();
    sending.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}").unwrap();
    // Its answer.
    std::io::Read::read_exact(&mut sending, &mut [0; 12]).unwrap();
    running.signal(Signal::SIGINT);
    running.signal(Signal::SIGTERM);
    assert_eq!(running.end(), 130);
    assert_eq!(tcgetattr(&terminal.slave).unwrap(), before, "the mode of the terminal");
}

#[test]
fn second_signal_ends_a_wait_for_input() {
    let (_folder, fifo) = unread();
    let command = &mut twenty(["sender", "--transcript", &fifo, "--secret", "s3cr3t"]);
    let running = Running::new(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    // It opens when the command reads it.
    let _writer = fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    assert_eq!(interrupted(&running), (Some(130), true));
}
