//! Subjects that misbehave. The report names and quotes what they do. The run needs bounded time and memory, and the rest of the
//! report is unaffected.
//!
//! Invariant: nothing that a subject does makes a run pass, hang, or end without a reason.

mod deliveries;
mod receivers;
mod senders;

use std::fs;
use std::io::{self, Read};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};

use tempfile::TempDir;

use crate::cli::program::{Ran, finish, twenty};
use crate::implementations::is_missing;
use crate::peers::servers::serve;

/// A Python program in its own folder.
struct Script {
    folder: TempDir,
    arguments: String,
}

impl Script {
    /// `None` if there is no Python. If so, the skipped test was reported.
    fn new(text: &str) -> Option<Self> {
        if is_missing("python3") {
            return None;
        }
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("script.py"), text).unwrap();
        Some(Self { folder, arguments: String::new() })
    }

    fn with(self, argument: &str) -> Self {
        Self { arguments: format!("{} '{argument}'", self.arguments), ..self }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command that runs it.
    fn command(&self) -> String {
        let path = self.path("script.py").display().to_string().replace('\\', "/");
        format!("python3 '{path}'{}", self.arguments)
    }
}

/// A connection that stays open while a subject, or anything it started, lives.
struct HeldConnection(Receiver<TcpStream>);

impl HeldConnection {
    /// Returns the URL to connect to, and the future connection.
    fn new() -> (String, Self) {
        let (connected, connection) = mpsc::channel();
        let url = serve(move |stream| connected.send(stream).map_err(io::Error::other));
        (url, Self(connection))
    }

    /// Waits until it is closed.
    fn wait_until_closed(self) {
        let mut stream = self.0.recv().unwrap();
        // A reset closes it as well.
        assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
    }
}

/// Runs the binary under Python, which measures its peak memory. Returns that in MiB if the units of the system are known.
fn run_and_measure_memory(arguments: &[&str]) -> Option<(Ran, Option<u64>)> {
    const MEASURE: &str = "
import os, sys
child = os.fork()
if child == 0:
    os.execv(sys.argv[2], sys.argv[2:])
_, status, usage = os.wait4(child, 0)
open(sys.argv[1], 'w').write(str(usage.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status) % 256)
";
    let script = Script::new(MEASURE)?;
    let peak = script.path("peak");
    // The same environment as for any other run.
    let plain = twenty(arguments);
    let mut command = std::process::Command::new("python3");
    command.arg(script.path("script.py")).arg(&peak).arg(plain.get_program()).args(plain.get_args());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.current_dir(plain.get_current_dir().unwrap());
    let ran = finish(command);
    let peak: u64 = fs::read_to_string(peak).unwrap_or_else(|why| panic!("{why}: {ran:#?}")).parse().unwrap();
    Some((ran, cfg!(target_os = "linux").then_some(peak / 1024)))
}

/// The memory limit of a run, in MiB.
const MOST_MEMORY: u64 = 200;
