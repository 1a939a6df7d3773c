//! Faulty processing: wrappers around the reference receiver's observer. Answers do not change.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::peers::receiver::Observer;

pub(super) fn nothing(_: Observer) -> Observer {
    Arc::new(|_| {})
}

pub(super) fn only_the_first(observer: Observer) -> Observer {
    let any = AtomicBool::new(false);
    Arc::new(move |observed| {
        if !any.swap(true, Ordering::SeqCst) {
            observer(observed);
        }
    })
}

pub(super) fn once_per_record(observer: Observer) -> Observer {
    let known = Mutex::new(HashSet::new());
    Arc::new(move |observed| {
        if known.lock().unwrap_or_else(PoisonError::into_inner).insert(observed.id.clone()) {
            observer(observed);
        }
    })
}
