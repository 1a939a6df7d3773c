//! The signals that end a command: Ctrl-C, Ctrl-\, a request to terminate, a closed terminal.
//!
//! The first asks the command to end with its report. The second ends the process at once, with all programs under test,
//! whatever else it does: a thread of its own waits for signals, so a blocked write or a long computation does not delay it.
//! Commands that never call this are ended by the first signal, as the system does it.
//!
//! Invariant: signals are caught from the first call on, before a program is started that they would leave running.

use std::process;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::keyboard;
use crate::exit::ExitStatus;
use crate::subject::process::end_all;

/// How long the reports may take after a signal that arrives while they are written.
const REPORT_WAIT: Duration = Duration::from_secs(2);
/// The same signal within this time may be the same Ctrl-C: a parent such as `npm run` passes it on. The reports then get
/// `REPORT_WAIT` too.
const SAME_WAIT: Duration = Duration::from_millis(50);
/// How long the process may take to end. It then kills itself.
const EXIT_WAIT: Duration = Duration::from_millis(200);

/// Becomes true with the first signal. `None`: signals cannot be caught, so the first one ends the process.
static ASKED: OnceLock<Option<watch::Sender<bool>>> = OnceLock::new();
/// Whether there is nothing left to end, only reports to write.
static IS_WRITING: AtomicBool = AtomicBool::new(false);
/// Whether the second signal is ending the process.
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// Becomes true when the process is asked to end.
pub(super) fn interruption() -> watch::Receiver<bool> {
    match ASKED.get_or_init(catch) {
        Some(asked) => asked.subscribe(),
        None => watch::channel(false).1,
    }
}

/// Ends with the signal, which is caught from the call on.
pub(super) fn asked_to_end() -> impl Future<Output = ()> {
    let mut asked = interruption();
    async move {
        if asked.wait_for(|asked| *asked).await.is_err() {
            std::future::pending().await
        }
    }
}

/// From the call on, the command only writes reports, while the value lives. A first signal then gives it `REPORT_WAIT`, and
/// ends the process.
pub(super) struct Writing(());

/// Does not return if the process is ending: the end of a program under test must not bring a report that is cut off.
pub(super) fn writing() -> Writing {
    while IS_ENDING.load(Ordering::SeqCst) {
        thread::park();
    }
    IS_WRITING.store(true, Ordering::SeqCst);
    Writing(())
}

impl Drop for Writing {
    fn drop(&mut self) {
        IS_WRITING.store(false, Ordering::SeqCst);
    }
}

/// Starts the thread that waits for signals, and returns when they are caught.
fn catch() -> Option<watch::Sender<bool>> {
    let (asked, _) = watch::channel(false);
    let (caught, is_caught) = mpsc::channel();
    let asking = asked.clone();
    let wait = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async move {
            let Some(mut signals) = signals() else { return };
            // The command waits for this.
            let _ = caught.send(());
            let first = signals.next().await;
            let asked_at = Instant::now();
            asking.send_replace(true);
            let (mut is_limited, mut is_repeated) = (IS_WRITING.load(Ordering::SeqCst), false);
            loop {
                let limit = if is_limited { REPORT_WAIT } else { Duration::MAX };
                match tokio::time::timeout(limit, signals.next()).await {
                    Ok(again) if again == first && !is_repeated && asked_at.elapsed() < SAME_WAIT => {
                        (is_limited, is_repeated) = (true, true);
                    }
                    _ => break,
                }
            }
            end_at_once();
        });
    };
    thread::Builder::new().name("signals".to_owned()).spawn(wait).ok()?;
    is_caught.recv().ok().map(|()| asked)
}

/// Ends the programs under test and this process, without a report.
fn end_at_once() {
    IS_ENDING.store(true, Ordering::SeqCst);
    keyboard::restore();
    // On threads of their own, since each could be blocked. If there can be no thread, the process still ends.
    let apart = |name: &str, act: fn()| drop(thread::Builder::new().name(name.to_owned()).spawn(act));
    apart("end", || {
        end_all();
        exit();
    });
    thread::sleep(EXIT_WAIT);
    apart("exit", exit);
    // Output that is not written yet could block the exit.
    thread::sleep(EXIT_WAIT);
    kill_itself();
}

fn exit() {
    process::exit(ExitStatus::Interrupted.code().into())
}

#[cfg(unix)]
fn kill_itself() {
    use nix::sys::signal::{Signal, raise};
    // SIGKILL cannot be refused.
    let _ = raise(Signal::SIGKILL);
}

#[cfg(not(unix))]
fn kill_itself() {
    process::abort();
}

#[cfg(unix)]
use unix::signals;
#[cfg(windows)]
use windows::signals;

#[cfg(unix)]
mod unix {
    use std::fs;

    use futures_util::future::select_all;
    use tokio::signal::unix::{Signal, SignalKind, signal};

    pub(super) struct Signals(Vec<Signal>);

    impl Signals {
        /// Waits for one of the signals. Returns which.
        pub(super) async fn next(&mut self) -> usize {
            select_all(self.0.iter_mut().map(|signal| Box::pin(signal.recv()))).await.1
        }
    }

    /// `None`: they cannot be caught.
    pub(super) fn signals() -> Option<Signals> {
        let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
        // With nohup the process outlives its terminal, and a shell script shields what it starts with & from Ctrl-\.
        let ignored = ignored();
        let others = [SignalKind::hangup(), SignalKind::quit()];
        kinds.extend(others.into_iter().filter(|kind| ignored & (1 << (kind.as_raw_value() - 1)) == 0));
        kinds.into_iter().map(signal).collect::<Result<_, _>>().ok().map(Signals)
    }

    /// The signals that this process ignores, one bit each; none if the system does not say.
    fn ignored() -> u64 {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
    }
}

#[cfg(windows)]
mod windows {
    use tokio::signal::windows::{CtrlBreak, CtrlC, CtrlClose, ctrl_break, ctrl_c, ctrl_close};

    pub(super) struct Signals(CtrlC, CtrlBreak, CtrlClose);

    impl Signals {
        /// Waits for one of the signals. Returns which.
        pub(super) async fn next(&mut self) -> usize {
            tokio::select! {
                _ = self.0.recv() => 0,
                _ = self.1.recv() => 1,
                _ = self.2.recv() => 2,
            }
        }
    }

    /// `None`: they cannot be caught.
    pub(super) fn signals() -> Option<Signals> {
        Some(Signals(ctrl_c().ok()?, ctrl_break().ok()?, ctrl_close().ok()?))
    }
}
