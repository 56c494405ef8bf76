//! The engine of lawfit: fits parametric laws to many data sets, from many starts, with many resamples.
//!
//! ```text
//!                py            the Python door (feature `python`)
//!                │
//!              batch           fits × replicates × starts in one call
//!         allocation           what a budget should buy
//!                │
//!   starts  scan  resample  solver  covariance  mixture
//!                │
//!            objective         what a solver minimises: law × loss × rows
//!                │
//!           law     loss
//!            │
//!         formula              text → graph → exact derivatives → programs over blocks of rows
//!            │
//!   special  linalg  rng  run
//!            │
//!   error  status  dispatch
//! ```
//!
//! A module may use what is below it. Nothing but `py` has heard of Python.

#![deny(unsafe_code)]

mod allocation;
mod batch;
mod covariance;
pub mod dispatch;
pub mod error;
pub mod formula;
mod law;
pub mod linalg;
mod loss;
mod mixture;
mod objective;
#[cfg(feature = "python")]
mod py;
mod resample;
pub mod rng;
mod run;
mod scan;
mod solver;
pub mod special;
mod starts;
pub mod status;

pub use allocation::AllocationSpec;
pub use allocation::Allocations;
pub use allocation::Ending;
pub use allocation::run as run_allocations;
pub use batch::BatchSpec;
pub use batch::Certificate;
pub use batch::FitResult;
pub use batch::GivenPrior;
pub use batch::GivenReplicates;
pub use batch::GivenStarts;
pub use batch::ReplicatePlan;
pub use batch::ReplicateRule;
pub use batch::Replicates;
pub use batch::ScaleRule;
pub use batch::Started;
pub use batch::run as run_batch;
pub use covariance::Covariance;
pub use covariance::Gap;
pub use dispatch::Level;
pub use error::Error;
pub use formula::Kind;
pub use law::Column;
pub use law::CompiledLaw;
pub use law::Residual;
pub use law::Role;
pub use law::evaluate;
pub use law::evaluate_columns;
pub use law::undefined_row;
pub use loss::Loss;
pub use mixture::MixtureFit;
pub use mixture::MixtureKind;
pub use mixture::MixtureSpec;
pub use mixture::log_moments;
pub use mixture::run as run_mixtures;
pub use resample::Resample;
pub use resample::bayesian_weights;
pub use run::Monitor;
pub use solver::Solver;
pub use starts::StartRule;
pub use status::Status;
