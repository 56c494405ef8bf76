//! A formula with a statistical reading: which names are variables, which are fitted, and everything that is derived
//! from that once, when the law is compiled.

mod cache;
mod compiled;
mod evaluate;
mod in_logs;
mod role;
mod separable;
mod table;
mod terms;

pub use compiled::CompiledLaw;
pub use compiled::Residual;
pub use evaluate::evaluate;
pub use evaluate::undefined_row;
pub use role::Role;
pub use table::Column;
pub use table::evaluate_columns;

pub(crate) use compiled::ParameterRole;
#[cfg(test)]
pub(crate) use compiled::{Declared, compile_interpreted};
pub(crate) use evaluate::AllRows;
pub(crate) use evaluate::TermRows;
pub(crate) use in_logs::InLogs;
pub(crate) use in_logs::Outer;
pub(crate) use in_logs::in_logs;
pub(crate) use role::Context;
pub(crate) use role::Shape;
pub(crate) use separable::Amplitude;
pub(crate) use separable::Exponent;
pub(crate) use separable::Power;
pub(crate) use separable::Product;
pub(crate) use separable::Separable;
