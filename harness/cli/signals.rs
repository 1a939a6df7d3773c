//! When a command is asked to end: Ctrl-C, a request to terminate, a terminal that goes away.
//!
//! Invariant: signals are listened to from the call on, before a subject is started that would be left running.

#[cfg(unix)]
use std::fs;

use tokio::sync::watch;

/// Becomes true at Ctrl-C, and where the process is asked to end.
pub(super) fn interruption() -> watch::Receiver<bool> {
    let (pressed, receiver) = watch::channel(false);
    let asked = asked_to_end();
    tokio::spawn(async move {
        asked.await;
        // Nobody listens any more where the run is over.
        let _ = pressed.send(true);
        // Kept, so that the channel stays open.
        pressed.closed().await;
    });
    receiver
}

/// Ends with the signal. It is listened to from the call on, before a subject is started that would be left running.
#[cfg(unix)]
pub(super) fn asked_to_end() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    // Started with nohup, it is to outlive the terminal.
    let hangup = if hangs_up() { signal(SignalKind::hangup()).ok() } else { None };
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

/// Whether this process ends where its terminal goes away, as far as that can be told.
#[cfg(unix)]
fn hangs_up() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // A bit for each signal; the first is that one.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask & 1 == 0)
}

#[cfg(not(unix))]
pub(super) async fn asked_to_end() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
