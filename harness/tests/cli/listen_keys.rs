//! The keys of `listen` on a terminal, and the mode of the terminal afterwards.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use nix::pty::openpty;
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, Termios, tcgetattr};
use nix::unistd::Pid;

use super::listen::{SECRET, body, valid};
use super::program::{Running, twenty};
use super::screen::Screen;
use crate::peers::servers::always;
use crate::processes::{SIGNALS, is_ignored};

/// `listen` on a terminal.
struct OnTerminal {
    running: Running,
    keys: File,
    slave: File,
    output: Screen,
    before: Termios,
}

impl OnTerminal {
    fn new(arguments: &[&str]) -> Self {
        let terminal = openpty(None, None).unwrap();
        let before = tcgetattr(&terminal.slave).unwrap();
        let slave = || Stdio::from(terminal.slave.try_clone().unwrap());
        let mut command = twenty(["listen", "--secret", SECRET].iter().chain(arguments));
        command.env("TERM", "xterm-256color").stdin(slave()).stdout(slave()).stderr(slave());
        let running = Running(command.spawn().unwrap());
        let keys = File::from(terminal.master);
        let output = Screen::of(&keys);
        Self { running, keys, slave: File::from(terminal.slave), output, before }
    }

    fn press(&mut self, key: u8) {
        self.keys.write_all(&[key]).unwrap();
    }

    /// The address where it listens, once it reads keys.
    fn address(&self) -> String {
        self.output.until("listening on http://");
        let address = self.output.until("/").trim_end_matches('/').to_owned();
        let keys = self.output.until("q ends");
        assert!(keys.contains("keys: ") && keys.contains("v shows"), "{keys}");
        address
    }

    fn child(&mut self) -> &mut Child {
        &mut self.running.0
    }

    fn signal(&mut self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child().id()).unwrap()), signal).unwrap();
    }

    /// Its exit status. The terminal is as it was before.
    fn end(mut self) -> Option<i32> {
        let status = self.child().wait().unwrap().code();
        assert_eq!(tcgetattr(&self.slave).unwrap(), self.before, "the mode of the terminal");
        status
    }
}

fn send(address: &str) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(&valid("/hooks", &body(1))).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn keys_send_again_show_details_and_end() {
    let mut listen = OnTerminal::new(&["--forward", &always(204)]);
    let address = listen.address();
    assert!(!tcgetattr(&listen.slave).unwrap().local_flags.contains(LocalFlags::ICANON));
    listen.press(b'r');
    listen.output.until("no delivery has come yet");
    send(&address);
    listen.output.until("forwarded, 204");
    listen.press(b'r');
    listen.output.until("#1 sent again: answered 204");
    listen.press(b'v');
    let details = listen.output.until("passed: ");
    for words in ["POST /hooks", "Content-Type:", "Łódź", "signature matches"] {
        assert!(details.contains(words), "{words}: {details}");
    }
    listen.press(b'q');
    listen.output.until("RESULT: pass received 1 judged 1 failed 0 malformed 0 passed on 1 not passed on 0");
    assert_eq!(listen.end(), Some(0));
}

#[test]
fn nowhere_to_send_again_is_said() {
    let mut listen = OnTerminal::new(&[]);
    let address = listen.address();
    send(&address);
    listen.output.until("signature matches");
    listen.press(b'r');
    listen.output.until("--forward URL");
    listen.press(b'q');
    assert_eq!(listen.end(), Some(0));
}

#[test]
fn signals_restore_the_terminal() {
    for signal in SIGNALS.into_iter().filter(|signal| !is_ignored(*signal)) {
        let mut listen = OnTerminal::new(&[]);
        listen.address();
        listen.signal(signal);
        assert_eq!(listen.end(), Some(3), "{signal}");
    }
}

#[test]
fn keys_are_not_read_for_programs() {
    for arguments in [&["--json"][..], &["--wait-for", "event=person.updated"]] {
        let mut listen = OnTerminal::new(arguments);
        listen.output.until("http://");
        assert!(tcgetattr(&listen.slave).unwrap().local_flags.contains(LocalFlags::ICANON));
        listen.signal(Signal::SIGINT);
        listen.end();
    }
}
