//! Single keys from a terminal on stdin, without Enter.
//!
//! Invariant: the mode of the terminal is restored however the process ends, unless it is killed: when the value is dropped, also by
//! a panic, and by the thread that ends the process after a second signal. Ctrl-C stays a signal, and output is not changed. Nothing
//! is read if stdin is no terminal, or while the process is in its background.

#[cfg(unix)]
pub(super) use unix::{Keyboard, restore};

#[cfg(not(unix))]
pub(super) use others::{Keyboard, restore};

#[cfg(unix)]
mod unix {
    use std::io::{self, IsTerminal as _};
    use std::sync::{Mutex, PoisonError};
    use std::thread;
    use std::time::Duration;

    use nix::errno::Errno;
    use nix::sys::signal::{SigSet, Signal};
    use nix::sys::termios::{LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr};
    use nix::unistd::{getpgrp, read, tcgetpgrp};
    use tokio::signal::unix::{SignalKind, signal};

    /// How often a process in the background looks whether it is in the foreground again.
    const PAUSE: Duration = Duration::from_millis(300);

    /// The mode to restore.
    static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

    /// A terminal whose keys are read one by one, until the value is dropped.
    pub(in crate::cli) struct Keyboard(());

    impl Keyboard {
        /// Reads keys on a thread of its own, until `pressed` returns `false`. `None` if there is no terminal to read from. Call it
        /// within the runtime.
        pub(in crate::cli) fn read(pressed: impl FnMut(u8) -> bool + Send + 'static) -> Option<Self> {
            let stdin = io::stdin();
            if !stdin.is_terminal() || is_in_background() {
                return None;
            }
            let before = tcgetattr(&stdin).ok()?;
            let mut single = before.clone();
            single.local_flags -= LocalFlags::ICANON | LocalFlags::ECHO;
            single.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
            single.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
            *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
            let keyboard = Self(());
            tcsetattr(&stdin, SetArg::TCSANOW, &single).ok()?;
            let again = single.clone();
            read_singly_when_continued(single);
            thread::Builder::new().name("keys".to_owned()).spawn(move || read_all(pressed, &again)).ok()?;
            Some(keyboard)
        }
    }

    /// Sets the mode again whenever the process is continued after Ctrl-Z: the shell has changed it.
    fn read_singly_when_continued(single: Termios) {
        let Ok(mut continued) = signal(SignalKind::from_raw(Signal::SIGCONT as i32)) else { return };
        tokio::spawn(async move {
            while continued.recv().await.is_some() {
                read_singly(&single);
            }
        });
    }

    /// Sets the mode again, unless it was restored already.
    fn read_singly(single: &Termios) {
        let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
        if before.is_some() && !is_in_background() {
            // If the terminal is gone, it has no mode.
            let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, single);
        }
    }

    impl Drop for Keyboard {
        fn drop(&mut self) {
            restore();
        }
    }

    /// Restores the mode of the terminal, if it was changed.
    pub(in crate::cli) fn restore() {
        let before = std::mem::take(&mut *BEFORE.lock().unwrap_or_else(PoisonError::into_inner));
        // In the background, the terminal and its mode belong to another program, and to change it would stop this one.
        if let Some(before) = before.filter(|_| !is_in_background()) {
            // If the terminal is gone, it has no mode.
            let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &before);
        }
    }

    /// Whether another program has the terminal. A terminal that is not the one of this session has no foreground.
    fn is_in_background() -> bool {
        tcgetpgrp(io::stdin()).is_ok_and(|group| group != getpgrp())
    }

    fn read_all(mut pressed: impl FnMut(u8) -> bool, single: &Termios) {
        let mut stopping = SigSet::empty();
        stopping.add(Signal::SIGTTIN);
        // Without it, a read in the background would stop the process; now it is an error.
        if stopping.thread_block().is_err() {
            return;
        }
        loop {
            let mut key = [0];
            match read(io::stdin(), &mut key) {
                Ok(1..) if pressed(key[0]) => {}
                Err(Errno::EINTR) => {}
                Err(Errno::EIO) if is_in_background() => {
                    while is_in_background() {
                        thread::sleep(PAUSE);
                    }
                    read_singly(single);
                }
                _ => return,
            }
        }
    }
}

#[cfg(not(unix))]
mod others {
    /// Keys are not read here, so there is no such value.
    pub(in crate::cli) enum Keyboard {}

    impl Keyboard {
        pub(in crate::cli) fn read(_pressed: impl FnMut(u8) -> bool + Send + 'static) -> Option<Self> {
            None
        }
    }

    pub(in crate::cli) fn restore() {}
}
