//! Tails and quantiles of distributions, elementwise over arrays of one shape; their documentation is `_core.pyi`.

use numpy::IntoPyArray;
use numpy::PyArray1;
use numpy::PyReadonlyArrayDyn;
use pyo3::prelude::*;

use crate::Error;
use crate::py::arrays::Named;
use crate::py::error::to_python;
use crate::py::run::guard;
use crate::special;
use crate::special::MOST_FREEDOM;

type Array<'py> = PyReadonlyArrayDyn<'py, f64>;
type Values<'py> = PyResult<Bound<'py, PyArray1<f64>>>;

/// Degrees of freedom with their name and the most that are allowed.
struct Freedom<'a, 'py> {
    name: &'static str,
    array: &'a Array<'py>,
    most: f64,
}

/// `function` of every point, `p` if probabilities, and its degrees of freedom.
fn elementwise<'py, const K: usize>(
    py: Python<'py>,
    (name, points): (&'static str, &Array<'py>),
    freedoms: [Freedom<'_, 'py>; K],
    function: impl Fn(f64, [f64; K]) -> f64 + Send,
) -> Values<'py> {
    let raise = |name, message: String| to_python(py, &Error::argument(name, message), None);
    let points = Named { name, array: points }.slice(py, &[None])?;
    if name == "p"
        && let Some(p) = points.iter().find(|p| !(0.0..=1.0).contains(*p))
    {
        return Err(raise(name, format!("{p}: probabilities are from 0 to 1")));
    }
    let mut columns: [&[f64]; K] = [&[]; K];
    for (column, Freedom { name, array, most }) in columns.iter_mut().zip(freedoms) {
        *column = Named { name, array }.slice(py, &[Some(points.len())])?;
        if let Some(df) = column.iter().find(|df| !(**df > 0.0 && **df <= most)) {
            let limit = if most.is_finite() { format!(" and at most {most:e}") } else { String::new() };
            return Err(raise(name, format!("{df}: degrees of freedom are above 0{limit}")));
        }
    }
    let all =
        move || (0..points.len()).map(|i| function(points[i], columns.map(|column| column[i]))).collect::<Vec<f64>>();
    Ok(guard(py, all)?.into_pyarray(py))
}

#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over owned arguments")]
pub(super) fn t_sf<'py>(py: Python<'py>, t: Array<'py>, df: Array<'py>) -> Values<'py> {
    let df = Freedom { name: "df", array: &df, most: f64::INFINITY };
    elementwise(py, ("t", &t), [df], |t, [df]| special::t_sf(t, df))
}

#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over owned arguments")]
pub(super) fn t_quantile<'py>(py: Python<'py>, p: Array<'py>, df: Array<'py>) -> Values<'py> {
    let df = Freedom { name: "df", array: &df, most: f64::INFINITY };
    elementwise(py, ("p", &p), [df], |p, [df]| special::t_quantile(p, df))
}

#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over owned arguments")]
pub(super) fn f_sf<'py>(py: Python<'py>, f: Array<'py>, dfn: Array<'py>, dfd: Array<'py>) -> Values<'py> {
    let dfn = Freedom { name: "dfn", array: &dfn, most: MOST_FREEDOM };
    let dfd = Freedom { name: "dfd", array: &dfd, most: f64::INFINITY };
    elementwise(py, ("f", &f), [dfn, dfd], |f, [dfn, dfd]| special::f_sf(f, dfn, dfd))
}

#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over owned arguments")]
pub(super) fn f_quantile<'py>(py: Python<'py>, p: Array<'py>, dfn: Array<'py>, dfd: Array<'py>) -> Values<'py> {
    let dfn = Freedom { name: "dfn", array: &dfn, most: MOST_FREEDOM };
    let dfd = Freedom { name: "dfd", array: &dfd, most: f64::INFINITY };
    elementwise(py, ("p", &p), [dfn, dfd], |p, [dfn, dfd]| special::f_quantile(p, dfn, dfd))
}

#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over owned arguments")]
pub(super) fn chi2_sf<'py>(py: Python<'py>, x: Array<'py>, df: Array<'py>) -> Values<'py> {
    let df = Freedom { name: "df", array: &df, most: MOST_FREEDOM };
    elementwise(py, ("x", &x), [df], |x, [df]| special::chi2_sf(x, df))
}

#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 hands over owned arguments")]
pub(super) fn chi2_quantile<'py>(py: Python<'py>, p: Array<'py>, df: Array<'py>) -> Values<'py> {
    let df = Freedom { name: "df", array: &df, most: MOST_FREEDOM };
    elementwise(py, ("p", &p), [df], |p, [df]| special::chi2_quantile(p, df))
}
