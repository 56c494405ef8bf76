//! What a running batch shares with whoever waits for it: a flag that stops it and a count of what is done.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// Shared by the workers and the caller.
#[derive(Debug, Default)]
pub struct Monitor {
    cancel: AtomicBool,
    done: AtomicU64,
    total: AtomicU64,
}

impl Monitor {
    /// Asks the workers to stop; they look between iterations and between blocks of rows.
    pub fn cancel(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }

    /// Whether the workers were asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    /// Solutions done and solutions in all.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }

    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.cancel
    }

    pub(crate) fn expect(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    pub(crate) fn tick(&self, by: u64) {
        self.done.fetch_add(by, Ordering::Relaxed);
    }
}
