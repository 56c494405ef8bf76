//! Many fits at once: fits × starts, then fits × replicates, in one call.
//!
//! Results are written by index and every solution depends on its own index alone, so they have the same bits for any
//! number of threads. Where there are many fits, threads take fits; where there are few, threads take starts and replicates.

mod begins;
mod certificate;
mod check;
mod describe;
mod ends;
mod fit;
mod lost;
mod path;
mod prior;
mod replicates;
mod results;
mod scale;
mod search;
mod spec;

pub use certificate::Certificate;
pub use results::FitResult;
pub use results::Replicates;
pub use results::Started;
pub use scale::ScaleRule;
pub use spec::BatchSpec;
pub use spec::GivenPrior;
pub use spec::GivenReplicates;
pub use spec::GivenStarts;
pub use spec::ReplicatePlan;
pub use spec::ReplicateRule;

use crate::error::Error;
use crate::run::Monitor;
use crate::run::map_in_order;

/// Runs a batch.
///
/// # Errors
/// Any [`Error`] of a call that cannot mean anything, before work starts; [`Error::Cancelled`] if `monitor` was cancelled.
pub fn run(spec: &BatchSpec<'_>, monitor: &Monitor) -> Result<Vec<FitResult>, Error> {
    let plan = check::check(spec)?;
    let n_fits = spec.offsets.len() - 1;
    let per_fit = plan.n_points + spec.n_replicates();
    monitor.expect((n_fits * per_fit) as u64);
    let n_threads = spec.n_threads.max(1);
    let results = if n_fits >= 2 * n_threads {
        // Short enough that threads end together, long enough that memory is not made anew for every small fit.
        let chunk = (n_fits / 64).clamp(1, 16);
        map_in_order(n_fits, chunk, n_threads, monitor, |workspace, f| fit::fit(spec, &plan, f, 1, workspace, monitor))
    } else {
        map_in_order(n_fits, n_fits, 1, monitor, |workspace, f| fit::fit(spec, &plan, f, n_threads, workspace, monitor))
    };
    if monitor.is_cancelled() { Err(Error::Cancelled) } else { Ok(results) }
}
