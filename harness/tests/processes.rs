//! How the programs under test end, and the processes that they start; and how a command ends when it is asked to.
//!
//! Invariant: no test leaves a process, and none is ended other than by its id.

#![cfg(unix)]

mod stuck;
mod tree;

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Longer than anything here takes on a busy machine.
const LONGEST: Duration = Duration::from_secs(30);

/// The signals that end a command.
pub(crate) const SIGNALS: [Signal; 4] = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT];

/// Whether the test ignores a signal, which the binary inherits: under nohup, or after & in a script.
pub(crate) fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0");
    u64::from_str_radix(ignored.trim(), 16).unwrap() & (1 << (signal as i32 - 1)) != 0
}

/// The processes of `fixtures/hostile/tree.py`.
struct Family {
    listener: TcpListener,
    members: Vec<Member>,
}

/// A connection that lasts as long as its process.
struct Member {
    kind: String,
    id: i32,
    connection: BufReader<TcpStream>,
}

impl Family {
    fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").unwrap(), members: Vec::new() }
    }

    /// The command that starts a program of this role with these children.
    fn command(&self, role: &str, kinds: &[&str]) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/hostile/tree.py");
        format!("python3 '{script}' {role} {} {}", self.listener.local_addr().unwrap(), kinds.join(" "))
    }

    /// Waits until the program and its children run, and lets it begin.
    fn gather(&mut self, children: usize) {
        for _ in 0..=children {
            let (stream, _) = self.listener.accept().unwrap();
            stream.set_read_timeout(Some(LONGEST)).unwrap();
            let mut connection = BufReader::new(stream);
            let mut line = String::new();
            connection.read_line(&mut line).unwrap();
            let (kind, id) = line.trim().split_once(' ').unwrap();
            self.members.push(Member { kind: kind.to_owned(), id: id.parse().unwrap(), connection });
        }
        self.leader().connection.get_mut().write_all(b"!").unwrap();
    }

    fn leader(&mut self) -> &mut Member {
        self.members.iter_mut().find(|member| member.kind == "leader").unwrap()
    }

    /// Fails unless all have ended, or end soon.
    #[track_caller]
    fn ends(&mut self, how: &str) {
        let left: Vec<String> =
            self.members.iter_mut().filter_map(|one| (!one.ends()).then(|| one.kind.clone())).collect();
        assert!(left.is_empty(), "{how}: {left:?} still run");
    }
}

impl Member {
    /// Whether it ends. What it says before is read.
    fn ends(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.connection.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(why) => why.kind() == ErrorKind::ConnectionReset,
        }
    }

    /// Whether it runs now.
    fn runs(&mut self) -> bool {
        self.connection.get_ref().set_nonblocking(true).unwrap();
        let read = self.connection.read(&mut [0]);
        self.connection.get_ref().set_nonblocking(false).unwrap();
        read.is_err_and(|why| why.kind() == ErrorKind::WouldBlock)
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        for member in &mut self.members {
            if member.runs() {
                let _ = kill(Pid::from_raw(member.id), Signal::SIGKILL);
            }
        }
    }
}

/// A running command. It is killed if it does not end.
struct Running {
    id: Pid,
    ended: mpsc::Receiver<ExitStatus>,
}

impl Running {
    fn new(mut child: Child) -> Self {
        let id = Pid::from_raw(child.id().try_into().unwrap());
        let (ended, end) = mpsc::channel();
        thread::spawn(move || ended.send(child.wait().unwrap()));
        Self { id, ended: end }
    }

    fn signal(&self, signal: Signal) {
        kill(self.id, signal).unwrap();
    }

    /// Its exit status if it ends in time.
    fn ends_within(&self, wait: Duration) -> Option<ExitStatus> {
        self.ended.recv_timeout(wait).ok()
    }

    /// Its exit status, or the signal that ended it as a negative number.
    #[track_caller]
    fn end(&self) -> i32 {
        match self.ends_within(LONGEST) {
            Some(status) => status.code().unwrap_or_else(|| -status.signal().unwrap()),
            None => {
                let _ = kill(self.id, Signal::SIGKILL);
                panic!("it does not end");
            }
        }
    }
}
