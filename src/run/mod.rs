//! Threads, progress and cancellation: the only place that knows rayon.

mod chunks;
mod monitor;
mod pool;

pub(crate) use chunks::map_in_order;
pub use monitor::Monitor;
