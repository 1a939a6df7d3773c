//! What programs print on a terminal, read while they run.

use std::fs::File;
use std::io::Read;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The longest wait for a text, on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);

/// The output on a terminal.
pub(super) struct Screen(mpsc::Receiver<u8>);

impl Screen {
    /// Reads from the other side of the terminal.
    pub(super) fn of(master: &File) -> Self {
        let mut reading = master.try_clone().unwrap();
        let (send, output) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 1];
            while let Ok(1) = reading.read(&mut buffer) {
                // The test may be over.
                let _ = send.send(buffer[0]);
            }
        });
        Self(output)
    }

    /// Reads until this text comes. Returns all until then.
    #[track_caller]
    pub(super) fn until(&self, text: &str) -> String {
        let mut seen = Vec::new();
        while !seen.ends_with(text.as_bytes()) {
            match self.0.recv_timeout(LONGEST) {
                Ok(byte) => seen.push(byte),
                Err(why) => panic!("{why}: no {text:?} in {:?}", String::from_utf8_lossy(&seen)),
            }
        }
        String::from_utf8_lossy(&seen).into_owned()
    }
}
