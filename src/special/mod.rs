//! Elementary and special functions of one number, each with its domain and its error bound.
//!
//! They are written without branches, so that a loop over a block vectorises when it is compiled inside
//! [`crate::dispatch::dispatch`]; none calls the platform's mathematics library. Those that branch say so: the gamma
//! family, the trigonometric functions, [`powi`] and the tails of distributions. Error bounds are in ulp, units in the last place of the result;
//! the tests assert them at every level against reference values with 50 digits.

mod beta;
mod deviance;
mod exp;
mod gamma;
mod ln;
mod logistic;
mod power;
mod tails;
mod trigonometric;

#[cfg(test)]
mod tests;

pub use beta::BetaFail;
pub use beta::Rise;
pub use beta::beta_log_fail;
pub use beta::log_rise;
pub use exp::exp;
pub use exp::expm1;
pub use gamma::digamma;
pub use gamma::lgamma;
pub use gamma::trigamma;
pub use ln::ln;
pub use ln::log1p;
pub use logistic::sigmoid;
pub use logistic::softplus;
pub use logistic::tanh;
pub use power::powi;
pub use tails::MOST_FREEDOM;
pub use tails::chi2_quantile;
pub use tails::chi2_sf;
pub use tails::f_quantile;
pub use tails::f_sf;
pub use tails::t_quantile;
pub use tails::t_sf;
pub use trigonometric::atan;
pub use trigonometric::cos;
pub use trigonometric::sin;
