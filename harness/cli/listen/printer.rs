//! Prints on a thread of its own, so that an output that no one reads delays neither the deliveries nor the end.
//!
//! Invariant: texts are printed whole and in order. Once `listen` ends, an output that takes nothing is given up, and what is missing
//! is counted.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;

use super::ends::Early;
use crate::cli::console::Console;
use crate::error::Error;

/// How many texts wait to be printed.
const WAITING: usize = 64;
/// How long an output may take nothing at the end.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) struct Printer {
    /// `None` once nothing more is printed.
    queue: Option<mpsc::Sender<String>>,
    ended: oneshot::Receiver<Result<(), Error>>,
    printed: Arc<AtomicU64>,
    given: u64,
    ending: watch::Receiver<Option<Early>>,
}

/// Where a printer prints.
#[derive(Debug, Clone, Copy)]
pub(super) enum To {
    Stdout,
    Stderr,
}

impl Printer {
    /// Starts the thread. Errors: it cannot be started.
    pub(super) fn start(
        mut console: Console,
        to: To,
        ending: watch::Receiver<Option<Early>>,
    ) -> io::Result<Self> {
        let (queue, mut texts) = mpsc::channel::<String>(WAITING);
        let (end, ended) = oneshot::channel();
        let printed = Arc::<AtomicU64>::default();
        let count = printed.clone();
        let print = move || {
            while let Some(text) = texts.blocking_recv() {
                match to {
                    To::Stdout => {
                        if let Err(why) = console.print(&text) {
                            // Without a receiver, no one asks.
                            let _ = end.send(Err(why));
                            return;
                        }
                    }
                    To::Stderr => console.tell(&text),
                }
                count.fetch_add(lines_of(&text), Ordering::Relaxed);
            }
            let _ = end.send(Ok(()));
        };
        thread::Builder::new().name("printing".to_owned()).spawn(print)?;
        Ok(Self { queue: Some(queue), ended, printed, given: 0, ending })
    }

    /// Prints a text after those before it, and waits while too many wait. Errors: one could not be printed.
    pub(super) async fn print(&mut self, text: String) -> Result<(), Error> {
        self.given += lines_of(&text);
        let Some(queue) = self.queue.as_ref().filter(|_| !text.is_empty()) else { return Ok(()) };
        tokio::select! {
            biased;
            sent = queue.send(text) => if sent.is_ok() {
                return Ok(());
            },
            () = given_up(self.ending.clone()) => {}
        }
        self.queue = None;
        // The thread ends only if it has failed.
        self.ended.try_recv().unwrap_or(Ok(()))
    }

    /// Prints a text unless too many wait: nothing is delayed by it.
    pub(super) fn offer(&mut self, text: String) {
        if let Some(queue) = self.queue.as_ref().filter(|_| !text.is_empty()) {
            // Only a text that no one reads is dropped.
            let _ = queue.try_send(text);
        }
    }

    /// Waits until all is printed. Returns how many lines are not. Errors: one could not be printed.
    pub(super) async fn finish(&mut self) -> Result<u64, Error> {
        if self.queue.take().is_some() {
            tokio::select! {
                biased;
                // Without its sender, the thread has panicked; then lines are missing.
                ended = &mut self.ended => ended.unwrap_or(Ok(()))?,
                () = given_up(self.ending.clone()) => {}
            }
        }
        Ok(self.given.saturating_sub(self.printed.load(Ordering::Relaxed)))
    }
}

/// Ends some time after `listen` was asked to end.
async fn given_up(mut ending: watch::Receiver<Option<Early>>) {
    let ends = ending.wait_for(Option::is_some).await.is_ok();
    if !ends {
        std::future::pending::<()>().await;
    }
    sleep(PATIENCE).await;
}

fn lines_of(text: &str) -> u64 {
    text.matches('\n').count() as u64
}
