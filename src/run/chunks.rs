//! Work in chunks: results by index, whatever thread did them.

use rayon::prelude::*;

use crate::run::Monitor;
use crate::run::pool::pool;

/// `work(memory, index)` for each index below `n`, in chunks of `chunk` that threads take one after the other; the results
/// in the order of the indices. Each chunk starts with fresh memory, so that a result depends on its index alone. Once
/// `monitor` is cancelled nothing more is begun, and the results are incomplete.
pub(crate) fn map_in_order<M: Default, T: Send>(
    n: usize,
    chunk: usize,
    n_threads: usize,
    monitor: &Monitor,
    work: impl Fn(&mut M, usize) -> T + Sync,
) -> Vec<T> {
    let chunk = chunk.max(1);
    let one_chunk = |c: usize| -> Vec<T> {
        let mut memory = M::default();
        let indices = (c * chunk..((c + 1) * chunk).min(n)).take_while(|_| !monitor.is_cancelled());
        indices.map(|index| work(&mut memory, index)).collect()
    };
    let n_chunks = n.div_ceil(chunk);
    let pool = if n_threads > 1 && n_chunks > 1 { pool(n_threads) } else { None };
    let chunks: Vec<Vec<T>> = match pool {
        None => (0..n_chunks).map(one_chunk).collect(),
        Some(pool) => pool.install(|| (0..n_chunks).into_par_iter().with_max_len(1).map(one_chunk).collect()),
    };
    chunks.into_iter().flatten().collect()
}
