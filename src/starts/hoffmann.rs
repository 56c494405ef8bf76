//! The customary starts of the Chinchilla law: the grid of Hoffmann et al. (2022), approach 3.

use crate::error::Error;
use crate::starts::exp;

/// Names of the grid's parameters, in the order of its loops.
const GRID_NAMES: [&str; 5] = ["alpha", "beta", "E", "A", "B"];

/// The grid of Hoffmann et al. (2022), approach 3, as rows of parameter vectors.
///
/// # Errors
/// [`Error::Argument`] if the law has other parameters.
pub(crate) fn hoffmann_grid(parameters: &[String]) -> Result<Vec<f64>, Error> {
    const EXPONENTS: [f64; 5] = [0.0, 0.5, 1.0, 1.5, 2.0];
    const LOG_FLOORS: [f64; 5] = [-1.0, -0.5, 0.0, 0.5, 1.0];
    const LOG_AMPLITUDES: [f64; 6] = [0.0, 5.0, 10.0, 15.0, 20.0, 25.0];
    let place = |name: &str| parameters.iter().position(|known| known == name);
    let places: Option<Vec<usize>> = GRID_NAMES.iter().map(|name| place(name)).collect();
    let Some(places) = places.filter(|_| parameters.len() == GRID_NAMES.len()) else {
        let message = format!(
            "\"hoffmann2022\" is a grid over the parameters A, B, E, alpha and beta; this law has {}",
            parameters.join(", ")
        );
        return Err(Error::argument("starts", message));
    };
    let mut out = Vec::with_capacity(4500 * 5);
    for alpha in EXPONENTS {
        for beta in EXPONENTS {
            for e in LOG_FLOORS {
                for a in LOG_AMPLITUDES {
                    for b in LOG_AMPLITUDES {
                        let mut row = [0.0; 5];
                        let values = [alpha, beta, exp(e), exp(a), exp(b)];
                        for (&place, value) in places.iter().zip(values) {
                            row[place] = value;
                        }
                        out.extend(row);
                    }
                }
            }
        }
    }
    Ok(out)
}
