//! The process's thread pools.
//!
//! Rayon's global pool does not survive `fork()`: a child that touches it waits for ever for threads that it does not
//! have. So pools are ours, kept by process and size; a child builds its own and never touches, nor drops, its parent's.

use std::sync::Arc;
use std::sync::Mutex;

use rayon::ThreadPool;
use rayon::ThreadPoolBuilder;

struct Kept {
    process: u32,
    n_threads: usize,
    pool: Arc<ThreadPool>,
}

static POOLS: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

/// How often a busy lock is tried. In a child that was forked while another thread held it, it stays busy for ever.
const TRIES: usize = 1000;

/// A pool of `n_threads` threads, or `None` if the system gives no threads.
pub(super) fn pool(n_threads: usize) -> Option<Arc<ThreadPool>> {
    for _ in 0..TRIES {
        if let Ok(mut pools) = POOLS.try_lock() {
            let process = std::process::id();
            if let Some(kept) = pools.iter().find(|kept| kept.process == process && kept.n_threads == n_threads) {
                return Some(Arc::clone(&kept.pool));
            }
            let pool = Arc::new(build(n_threads)?);
            pools.push(Kept { process, n_threads, pool: Arc::clone(&pool) });
            return Some(pool);
        }
        std::thread::yield_now();
    }
    // The lock is lost to a fork: a pool for this call alone.
    build(n_threads).map(Arc::new)
}

fn build(n_threads: usize) -> Option<ThreadPool> {
    ThreadPoolBuilder::new().num_threads(n_threads).thread_name(|i| format!("lawfit-{i}")).build().ok()
}
