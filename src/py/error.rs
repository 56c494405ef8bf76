//! Engine errors to Python exceptions: the only place.

use crate::Error;
use pyo3::exceptions::PyRuntimeError;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The exception class of that name in `lawfit.errors`, raised with `message`.
fn exception(py: Python<'_>, class: &str, message: &str) -> PyErr {
    let raised =
        py.import("lawfit.errors").and_then(|module| module.getattr(class)).and_then(|class| class.call1((message,)));
    match raised {
        Ok(value) => PyErr::from_value(value),
        // Only a broken installation gets here; the message is worth more than the class.
        Err(_) if class == "InternalError" => PyRuntimeError::new_err(message.to_owned()),
        Err(_) => PyValueError::new_err(message.to_owned()),
    }
}

/// What a wrong call raises. `argument` is the user's name for the text that a formula error points into.
pub(super) fn to_python(py: Python<'_>, error: &Error, argument: Option<&str>) -> PyErr {
    match error {
        Error::Formula { .. } | Error::Law(_) => {
            let message = match argument {
                Some(argument) => format!("{argument}: {error}"),
                None => error.to_string(),
            };
            let class = if argument.is_some() { "DataError" } else { "LawError" };
            exception(py, class, &message)
        }
        Error::Argument { .. } | Error::UnknownName { .. } => exception(py, "DataError", &error.to_string()),
        Error::Cancelled => exception(py, "InternalError", "cancelled without an exception to say why"),
    }
}

/// What a panic in the engine raises.
pub(super) fn internal(py: Python<'_>, payload: &(dyn std::any::Any + Send)) -> PyErr {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    let message = format!(
        "the engine failed: {text}. This is a bug in lawfit {}; please report it with the law, the options and, if you can, the data",
        env!("CARGO_PKG_VERSION")
    );
    exception(py, "InternalError", &message)
}
