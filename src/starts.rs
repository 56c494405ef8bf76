//! Where fits begin.
//!
//! The default draws every parameter by its role in the law and the ranges of the data: exponents of the size that
//! papers report, shares of the response for amplitudes. On the Chinchilla points all such starts reach the optimum,
//! where a third of the customary grid does: most of that grid begins where a term has no effect left to be improved.

use crate::dispatch::Plain;
use crate::dispatch::dispatch;
use crate::error::Error;
use crate::formula::program::Columns;
use crate::law::Residual;
use crate::law::Role;
use crate::law::TermRows;
use crate::linalg::least_squares;
use crate::objective::problem::Problem;
use crate::objective::typical_response;
use crate::rng::Purpose;
use crate::rng::Stream;
use crate::rng::stream;
use crate::solver::Space;
use crate::special;

/// How starts are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartRule {
    /// From the data, by the role of each parameter.
    Auto,
    /// The 4,500-point grid of Hoffmann et al. (2022) over A, B, E, alpha and beta.
    Hoffmann2022,
    /// The caller's own.
    Given,
}

impl StartRule {
    /// The words that users type.
    pub const NAMES: [&'static str; 2] = ["auto", "hoffmann2022"];

    /// The rule of that name; `"given"` goes with an array of starts.
    ///
    /// # Errors
    /// [`Error::UnknownName`] with the list of names.
    pub fn from_name(name: &str) -> Result<StartRule, Error> {
        match name {
            "auto" => Ok(StartRule::Auto),
            "hoffmann2022" => Ok(StartRule::Hoffmann2022),
            "given" => Ok(StartRule::Given),
            _ => Err(Error::unknown_name("starts", name, StartRule::NAMES)),
        }
    }
}

/// Ranges that the law or the user declares for starts; NaN where the role decides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ranges<'a> {
    pub(crate) lower: &'a [f64],
    pub(crate) upper: &'a [f64],
}

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

/// Default start number `index`. `fixed` holds the values of fixed parameters, NaN elsewhere.
pub(crate) fn draw(
    problem: &Problem<'_>,
    space: &Space,
    fixed: &[f64],
    ranges: Ranges<'_>,
    seed: u64,
    index: usize,
) -> Vec<f64> {
    let mut random = stream(seed, index as u64, 0, Purpose::Starts);
    let law = problem.law;
    let target = typical_response(problem.rows, problem.residual);
    let mut params = vec![0.0; law.parameters.len()];
    let mut amplitudes = Vec::new();
    for j in 0..params.len() {
        // Every parameter takes its numbers from the stream, so that fixing one leaves the others' starts alone.
        let numbers = [random.uniform(), random.uniform()];
        let has_range = ranges.lower[j].is_finite() && ranges.upper[j].is_finite();
        params[j] = if !fixed[j].is_nan() {
            fixed[j]
        } else if has_range {
            within(ranges.lower[j], ranges.upper[j], numbers[0])
        } else if law.amplitude_of[j].is_some() {
            amplitudes.push(j);
            f64::from(u8::from(law.roles[j].role == Role::Linear))
        } else {
            by_role(problem, space, j, numbers, target, index)
        };
        if !amplitudes.contains(&j) {
            params[j] = space.clamp(j, params[j]);
        }
    }
    set_amplitudes(problem, space, &mut params, &amplitudes, target, &mut random);
    params
}

/// Starts are the same on every machine: portable arithmetic throughout.
fn exp(x: f64) -> f64 {
    special::exp::<Plain>(x)
}

fn ln(x: f64) -> f64 {
    special::ln::<Plain>(x)
}

/// A power of a positive base.
fn power(base: f64, exponent: f64) -> f64 {
    exp(exponent * ln(base))
}

/// Uniform between two numbers; in the logarithm if both are positive and far apart.
fn within(lower: f64, upper: f64, u: f64) -> f64 {
    if lower > 0.0 && upper / lower > 20.0 { lower * power(upper / lower, u) } else { lower + u * (upper - lower) }
}

/// Whether the response rises with the variables, by the correlations with all that depends on data alone.
fn rises(problem: &Problem<'_>) -> bool {
    let rows = problem.rows;
    let n = rows.n as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
    let response = &rows.response[..rows.n];
    let middle = mean(response);
    let mut total = 0.0;
    for column in rows.columns.chunks_exact(rows.padded.max(1)) {
        let column = &column[..rows.n];
        let center = mean(column);
        let (mut joint, mut square, mut spread) = (0.0, 0.0, 0.0);
        for (x, y) in column.iter().zip(response) {
            joint += (x - center) * (y - middle);
            square += (x - center) * (x - center);
            spread += (y - middle) * (y - middle);
        }
        let correlation = joint / (square * spread).sqrt();
        if correlation.is_finite() {
            total += correlation * correlation.abs();
        }
    }
    total > 0.0
}

/// Values of a nonlinear parameter, rising, that a scan looks at: the quantiles of its starts, both signs where they may be.
pub(crate) fn grid(problem: &Problem<'_>, space: &Space, ranges: Ranges<'_>, j: usize, n: usize) -> Vec<f64> {
    let target = typical_response(problem.rows, problem.residual);
    let has_range = ranges.lower[j].is_finite() && ranges.upper[j].is_finite();
    let mut out = Vec::with_capacity(2 * n);
    for i in 0..n {
        let u = (i as f64 + 0.5) / n as f64;
        if has_range {
            out.push(within(ranges.lower[j], ranges.upper[j], u));
            continue;
        }
        // The number of a start and its second random number choose the sign.
        for (v, index) in [(0.25, 3), (0.75, 3)] {
            out.push(space.clamp(j, by_role(problem, space, j, [u, v], target, index)));
        }
    }
    if problem.law.roles[j].role == Role::Exponent && !has_range {
        // A term that matters at one end of the data only has an exponent far beyond those of scaling laws.
        let tail = [2.0, 3.0, 5.0, 8.0, 13.0, 20.0];
        out.extend(tail.iter().flat_map(|x| [*x, -*x]).map(|x| space.clamp(j, x)));
    }
    out.retain(|value| value.is_finite());
    out.sort_by(f64::total_cmp);
    out.dedup();
    out
}

fn by_role(problem: &Problem<'_>, space: &Space, j: usize, numbers: [f64; 2], target: f64, index: usize) -> f64 {
    let role = problem.law.roles[j];
    let [u, v] = numbers;
    let is_positive = space.lower[j] >= 0.0;
    let sign = if is_positive || v < 0.5 { 1.0 } else { -1.0 };
    let column = role.column.map(|c| &problem.rows.columns[c * problem.rows.padded..][..problem.rows.n]);
    let (lowest, highest) = column.map_or((0.0, 1.0), |values| {
        (values.iter().copied().fold(f64::INFINITY, f64::min), values.iter().copied().fold(f64::NEG_INFINITY, f64::max))
    });
    let largest = lowest.abs().max(highest.abs()).max(f64::MIN_POSITIVE);
    match role.role {
        // Of four starts three let every term move as the response does, the fourth either way.
        Role::Exponent => {
            let falling = if role.is_negated || is_positive { 1.0 } else { -1.0 };
            let along = if rises(problem) && !is_positive { -falling } else { falling };
            (0.05 + 1.45 * u) * if index % 4 == 3 { sign } else { along }
        }
        Role::Scale => {
            let middle = column.map_or(1.0, |values| {
                let logs = values.iter().map(|x| ln(x.abs().max(f64::MIN_POSITIVE))).sum::<f64>();
                exp(logs / values.len().max(1) as f64)
            });
            // A constant of nature in a power, such as Kaplan's 8.8e13, lies far beyond the data.
            let factor = power(10.0, 6.0 * u - 1.0);
            sign * if role.is_inverted { middle * factor } else { factor / middle }
        }
        Role::Rate => {
            let spread = (highest - lowest).max(0.01 * largest);
            sign * power(10.0, 3.0 * u - 1.5) / spread
        }
        Role::Shift if role.is_negated => lowest + u * (highest - lowest),
        Role::Shift if is_positive => largest * power(10.0, 3.0 * u - 3.0),
        Role::Shift => -(lowest + u * (highest - lowest)),
        _ => sign * target * power(10.0, 4.0 * u - 2.0),
    }
}

/// Sets amplitudes so that the law has the size of the response: by least squares where signs are free, else, or where
/// that violates a bound, by shares drawn uniformly from the simplex.
fn set_amplitudes(
    problem: &Problem<'_>,
    space: &Space,
    params: &mut [f64],
    amplitudes: &[usize],
    target: f64,
    random: &mut Stream,
) {
    if amplitudes.is_empty() {
        return;
    }
    let law = problem.law;
    let columns = Columns { values: &problem.rows.columns, stride: problem.rows.padded };
    let work = TermRows { law, columns, n_rows: problem.rows.n, parameters: params };
    let terms = dispatch(problem.level, work);
    let n = problem.rows.n;
    let term_of = |j: usize| law.amplitude_of[j].map_or(0, |t| t);
    let values = |j: usize| &terms[term_of(j) * n..][..n];
    let is_free_sign = amplitudes.iter().all(|&j| space.lower[j] < 0.0 && law.roles[j].role == Role::Linear);
    if is_free_sign && solve_amplitudes(problem, space, params, amplitudes, &terms) {
        return;
    }
    let shares: Vec<f64> = amplitudes.iter().map(|_| random.exponential()).collect();
    let total: f64 = shares.iter().sum();
    for (&j, share) in amplitudes.iter().zip(shares) {
        let size = values(j).iter().map(|t| t.abs()).sum::<f64>() / n.max(1) as f64;
        let wanted = share / total * target / size.max(f64::MIN_POSITIVE);
        let value = if law.roles[j].role == Role::LogAmplitude { ln(wanted) } else { wanted };
        params[j] = if value.is_finite() { space.clamp(j, value) } else { 1.0 };
    }
}

/// Least squares for linear amplitudes given everything else; false if the answer cannot be a start.
fn solve_amplitudes(
    problem: &Problem<'_>,
    space: &Space,
    params: &mut [f64],
    amplitudes: &[usize],
    terms: &[f64],
) -> bool {
    let (law, rows) = (problem.law, problem.rows);
    let n = rows.n;
    let is_log = problem.residual == Residual::Log;
    let sign = |t: usize| if law.is_negative_term[t] { -1.0 } else { 1.0 };
    let solved: Vec<usize> = amplitudes.iter().filter_map(|&j| law.amplitude_of[j]).collect();
    let mut rest = vec![0.0; n];
    for t in (0..law.term_texts.len()).filter(|t| !solved.contains(t)) {
        for (r, value) in rest.iter_mut().zip(&terms[t * n..][..n]) {
            *r += sign(t) * value;
        }
    }
    // Relative residuals stand for logarithmic ones.
    let natural: Vec<f64> = rows.response[..n].iter().map(|y| if is_log { exp(*y) } else { *y }).collect();
    let unit = |i: usize| if is_log { 1.0 / natural[i] } else { 1.0 } * rows.weights[i].sqrt();
    let mut design: Vec<f64> = Vec::with_capacity(n * solved.len());
    for &t in &solved {
        design.extend(terms[t * n..][..n].iter().enumerate().map(|(i, value)| sign(t) * value * unit(i)));
    }
    if design.iter().any(|v| !v.is_finite()) {
        return false;
    }
    let mut wanted: Vec<f64> = (0..n).map(|i| (natural[i] - rest[i]) * unit(i)).collect();
    let mut found = vec![0.0; solved.len()];
    if n < solved.len() || least_squares(&mut design, n, solved.len(), &mut wanted, &mut found) == 0 {
        return false;
    }
    let is_positive = |i: usize| {
        let total: f64 = solved.iter().zip(&found).map(|(&t, c)| sign(t) * c * terms[t * n + i]).sum();
        total + rest[i] > 0.0
    };
    if is_log && !(0..n).all(is_positive) {
        return false;
    }
    if amplitudes.iter().zip(&found).any(|(&j, &c)| !c.is_finite() || c != space.clamp(j, c)) {
        return false;
    }
    for (&j, c) in amplitudes.iter().zip(found) {
        params[j] = c;
    }
    true
}
