//! The engine's integration tests: one binary, one module per subject.
#![allow(
    clippy::unwrap_used,
    reason = "a test may fail where it stands; clippy.toml's switch sees only #[test] functions"
)]

mod architecture;
mod calls;
mod fits;
mod formulas;
mod noise;
mod problems;
mod replicates;
mod starts;
