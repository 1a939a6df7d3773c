//! Wrong ways of taking in: what the reference receiver's observer is wrapped in, and what the gate remembers for it.
//!
//! Invariant: answers stay as they are; only what is taken in differs.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use crate::peers::fault::ReceiverFault;
use crate::peers::receiver::{Observer, Settings};

/// The observer as the fault has it.
pub(super) fn wrap(fault: ReceiverFault, observer: Observer) -> Observer {
    match fault {
        ReceiverFault::DropsDeliveries => Arc::new(|_| {}),
        ReceiverFault::DedupesOnConstant => {
            let any = AtomicBool::new(false);
            Arc::new(move |observed| {
                if !any.swap(true, Ordering::SeqCst) {
                    observer(observed);
                }
            })
        }
        ReceiverFault::DedupesOnRecord => {
            let known = Mutex::new(HashSet::new());
            Arc::new(move |observed| {
                if known.lock().unwrap_or_else(PoisonError::into_inner).insert(observed.id.clone()) {
                    observer(observed);
                }
            })
        }
        _ => observer,
    }
}

/// The reference receiver's settings as the fault has them.
pub(super) fn settings(fault: ReceiverFault, settings: Settings) -> Settings {
    match fault {
        ReceiverFault::DedupesNothing | ReceiverFault::DedupesOnNonce => {
            Settings { remembered: 0, ..settings }
        }
        _ => settings,
    }
}

/// Keys that came before.
#[derive(Default)]
pub(super) struct Known(Mutex<HashSet<Bytes>>);

impl Known {
    /// Remembers a key. Returns whether it was known.
    pub(super) fn knew(&self, key: Bytes) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key)
    }
}
