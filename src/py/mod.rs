//! The Python door: `lawfit._core`. A table of contents; `calls` holds the functions.

mod allocations;
mod arrays;
mod calls;
mod error;
mod fit;
mod mixtures;
mod run;
mod tails;

use pyo3::prelude::*;

/// The compiled engine of lawfit.
#[pymodule(gil_used = false)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(calls::names, module)?)?;
    module.add_function(wrap_pyfunction!(calls::compile_law, module)?)?;
    module.add_function(wrap_pyfunction!(calls::evaluate, module)?)?;
    module.add_function(wrap_pyfunction!(calls::evaluate_columns, module)?)?;
    module.add_function(wrap_pyfunction!(calls::hash_keys, module)?)?;
    module.add_function(wrap_pyfunction!(calls::undefined_row, module)?)?;
    module.add_function(wrap_pyfunction!(calls::row_keys, module)?)?;
    module.add_function(wrap_pyfunction!(calls::bayesian_weights, module)?)?;
    module.add_function(wrap_pyfunction!(calls::default_threads, module)?)?;
    module.add_function(wrap_pyfunction!(calls::fail_on_purpose, module)?)?;
    module.add_function(wrap_pyfunction!(calls::registries, module)?)?;
    module.add_function(wrap_pyfunction!(allocations::allocate, module)?)?;
    module.add_function(wrap_pyfunction!(fit::fit_batch, module)?)?;
    module.add_function(wrap_pyfunction!(mixtures::fit_mixtures, module)?)?;
    module.add_function(wrap_pyfunction!(mixtures::mixture_log_moments, module)?)?;
    module.add_function(wrap_pyfunction!(tails::t_sf, module)?)?;
    module.add_function(wrap_pyfunction!(tails::t_quantile, module)?)?;
    module.add_function(wrap_pyfunction!(tails::f_sf, module)?)?;
    module.add_function(wrap_pyfunction!(tails::f_quantile, module)?)?;
    module.add_function(wrap_pyfunction!(tails::chi2_sf, module)?)?;
    module.add_function(wrap_pyfunction!(tails::chi2_quantile, module)?)?;
    Ok(())
}
