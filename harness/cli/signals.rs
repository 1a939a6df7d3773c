//! The signals that end a command: Ctrl-C, a request to terminate, a closed terminal.
//!
//! Invariant: signals are caught from the call on, before a program is started that they would leave running.

#[cfg(unix)]
use std::fs;

use tokio::sync::watch;

/// Becomes true when the process is asked to end.
pub(super) fn interruption() -> watch::Receiver<bool> {
    let (pressed, receiver) = watch::channel(false);
    let asked = asked_to_end();
    tokio::spawn(async move {
        asked.await;
        // After the run there is no receiver left.
        let _ = pressed.send(true);
        // Keeps the channel open.
        pressed.closed().await;
    });
    receiver
}

/// Ends with the signal, which is caught from the call on.
#[cfg(unix)]
pub(super) fn asked_to_end() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    // With nohup the process outlives its terminal.
    let hangup = if ends_with_terminal() { signal(SignalKind::hangup()).ok() } else { None };
    async {
        let (Ok(mut interrupt), Ok(mut terminate)) = signals else { return std::future::pending().await };
        let hung_up = async {
            match hangup {
                Some(mut hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hung_up => {}
        }
    }
}

/// Whether a closed terminal ends this process; true if the system does not say.
#[cfg(unix)]
fn ends_with_terminal() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // Bit 0 is SIGHUP.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask & 1 == 0)
}

#[cfg(not(unix))]
pub(super) async fn asked_to_end() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
