//! NumPy arrays to slices, with their shapes checked. Nothing is copied.

use numpy::PyReadonlyArrayDyn;
use numpy::PyUntypedArrayMethods;
use pyo3::prelude::*;

use crate::Error;
use crate::py::error::to_python;

/// An array argument with its name, for messages.
pub(super) struct Named<'a, 'py, T: numpy::Element> {
    pub(super) name: &'static str,
    pub(super) array: &'a PyReadonlyArrayDyn<'py, T>,
}

impl<'a, T: numpy::Element> Named<'a, '_, T> {
    /// The values in C order. `shape` gives each wanted length, `None` for any.
    pub(super) fn slice(&self, py: Python<'_>, shape: &[Option<usize>]) -> PyResult<&'a [T]> {
        let found = self.array.shape();
        let fits = found.len() == shape.len() && found.iter().zip(shape).all(|(f, w)| w.is_none_or(|w| w == *f));
        if !fits {
            let wanted: Vec<String> = shape.iter().map(|w| w.map_or("any".to_owned(), |w| w.to_string())).collect();
            let message = format!("shape {found:?} does not fit; wanted ({})", wanted.join(", "));
            return Err(to_python(py, &Error::argument(self.name, message), None));
        }
        // A slice of an array in Fortran's order exists too, but its values come in another order.
        let slice = if self.array.is_c_contiguous() { self.array.as_slice().ok() } else { None };
        slice.ok_or_else(|| to_python(py, &Error::argument(self.name, "the array must be C-contiguous"), None))
    }
}
