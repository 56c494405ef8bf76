//! Small dense linear algebra for a handful of parameters: slices of the caller, no allocation, no threads.
//!
//! The matrices have 3 to some tens of rows, where a general library spends its time on packing and dispatch. Matrices are
//! row-major, except the tall one of [`least_squares`]. The order of every sum is part of the contract.

mod cholesky;
mod gram;
mod qr;
mod singular;
mod sums;

pub use cholesky::factor;
pub use cholesky::solve;
pub(crate) use gram::add_products;
pub use qr::least_squares;
pub use singular::SingularValues;
pub use singular::singular_values;
pub use sums::dot;
pub use sums::sum;
pub use sums::triple_dot;
pub use sums::weighted_dots;
