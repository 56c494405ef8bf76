//! Where fits begin.
//!
//! The default draws every parameter by its role in the law and the ranges of the data: exponents of the size that
//! papers report, shares of the response for amplitudes. On the Chinchilla points all such starts reach the optimum,
//! where a third of the customary grid does: most of that grid begins where a term has no effect left to be improved.

mod hoffmann;

use std::f64::consts::PI;

use crate::dispatch::Level;
use crate::dispatch::Plain;
use crate::dispatch::dispatch;
use crate::error::Error;
use crate::formula::program::Columns;
use crate::law::AllRows;
use crate::law::Context;
use crate::law::ParameterRole;
use crate::law::Residual;
use crate::law::Role;
use crate::law::Shape;
use crate::law::TermRows;
use crate::linalg::least_squares;
use crate::objective::Scratch;
use crate::objective::problem::Problem;
use crate::objective::typical_response;
use crate::rng::Purpose;
use crate::rng::Stream;
use crate::rng::stream;
use crate::solver::Space;
use crate::special;

pub(crate) use hoffmann::hoffmann_grid;

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

/// Times that a start outside the domain of the law is drawn anew.
const MOST_OUTSIDE: u32 = 7;
/// Draws of a law with waves or poles, of which the best is a start.
const DRAWS_OF_ROUGH: u32 = 16;

/// The rows that starts are drawn from, and what every start asks of them.
#[derive(Clone, Copy)]
pub(crate) struct Sample<'a> {
    pub(crate) problem: Problem<'a>,
    target: f64,
    /// Whether the response rises with the variables.
    is_rising: bool,
}

impl<'a> Sample<'a> {
    pub(crate) fn of(problem: Problem<'a>) -> Sample<'a> {
        let target = typical_response(problem.rows, problem.residual);
        Sample { problem, target, is_rising: rises(&problem) }
    }
}

/// Default start number `index`. `fixed` holds the values of fixed parameters, NaN elsewhere.
pub(crate) fn draw(
    sample: &Sample<'_>,
    space: &Space,
    fixed: &[f64],
    ranges: Ranges<'_>,
    seed: u64,
    index: usize,
    scratch: &mut Scratch,
) -> Vec<f64> {
    let problem = &sample.problem;
    // Every frequency has a valley of its own, and poles among the data part a rational function's: the start is the best of
    // a few.
    let is_rough = |role: &ParameterRole| {
        role.role == Role::Frequency || (role.role == Role::Rate && role.shape.context == Context::Divisor)
    };
    let n_wanted = if problem.law.roles.iter().any(is_rough) { DRAWS_OF_ROUGH } else { 1 };
    let mut found = 0;
    let mut best: Option<(f64, Vec<f64>)> = None;
    for attempt in 0..n_wanted + MOST_OUTSIDE {
        let mut random = stream(seed, index as u64, attempt, Purpose::Starts);
        let params = draw_once(sample, space, fixed, ranges, &mut random, index);
        let residuals = problem.residuals(&params, scratch);
        let sum: f64 = residuals.iter().zip(&problem.rows.weights).map(|(r, w)| w * r * r).sum();
        let size = if sum.is_finite() { sum } else { f64::INFINITY };
        found += u32::from(sum.is_finite());
        if best.as_ref().is_none_or(|(least, _)| size < *least) {
            best = Some((size, params));
        }
        if found == n_wanted {
            break;
        }
    }
    best.expect("at least one start is drawn").1
}

fn draw_once(
    sample: &Sample<'_>,
    space: &Space,
    fixed: &[f64],
    ranges: Ranges<'_>,
    random: &mut Stream,
    index: usize,
) -> Vec<f64> {
    let Sample { problem, target, .. } = sample;
    let law = problem.law;
    let mut params = vec![0.0; law.parameters.len()];
    // Every parameter takes its numbers from the stream, so that fixing one leaves the others' starts alone.
    let numbers: Vec<[f64; 2]> = params.iter().map(|_| [random.uniform(), random.uniform()]).collect();
    let is_fixed = |j: usize| !fixed[j].is_nan();
    let has_range = |j: usize| ranges.lower[j].is_finite() && ranges.upper[j].is_finite();
    let amplitudes: Vec<usize> =
        (0..params.len()).filter(|&j| !is_fixed(j) && !has_range(j) && law.amplitude_of[j].is_some()).collect();
    for &j in &amplitudes {
        params[j] = f64::from(u8::from(law.roles[j].role == Role::Linear));
    }
    for &j in law.draw_order.iter().filter(|j| !amplitudes.contains(j)) {
        let value = if is_fixed(j) {
            fixed[j]
        } else if has_range(j) {
            within(ranges.lower[j], ranges.upper[j], numbers[j][0])
        } else {
            Draw { sample, params: &params, j, numbers: numbers[j], index }.value(space)
        };
        params[j] = space.clamp(j, value);
    }
    set_amplitudes(problem, space, &mut params, &amplitudes, *target, random);
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
    let columns = rows.columns.chunks_exact(rows.padded.max(1)).zip(&problem.law.orientation);
    for (column, orientation) in columns.filter(|(_, orientation)| **orientation != 0.0) {
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
            total += orientation * correlation * correlation.abs();
        }
    }
    total > 0.0
}

/// Values of a nonlinear parameter, rising, that a scan looks at: `n` quantiles of its starts for either sign, and beyond. What
/// they depend on is as in `params`.
pub(crate) fn grid(
    sample: &Sample<'_>,
    space: &Space,
    params: &[f64],
    ranges: Ranges<'_>,
    j: usize,
    n: usize,
) -> Vec<f64> {
    let role = sample.problem.law.roles[j].role;
    let has_range = ranges.lower[j].is_finite() && ranges.upper[j].is_finite();
    // Exponents of a declared sign have half of the quantiles and are smooth; steps and places in the data are not.
    let is_single = space.lower[j] >= 0.0 || role == Role::Shift;
    let n = if is_single && role != Role::Exponent { 2 * n } else { n };
    let at = |u: f64, v: f64, index: usize| Draw { sample, params, j, numbers: [u, v], index }.value(space);
    // The first starts take the sign that moves the term as the response does.
    let usual = if role == Role::Exponent { at(0.5, 0.5, 0).signum() } else { 0.0 };
    let mut out = Vec::with_capacity(2 * n + TAIL.len());
    for i in 0..n {
        let u = (i as f64 + 0.5) / n as f64;
        if has_range {
            out.push(within(ranges.lower[j], ranges.upper[j], u));
            continue;
        }
        // The number of a start and its second random number choose the sign.
        for v in [0.25, 0.75] {
            let draw = Draw { sample, params, j, numbers: [u, v], index: 3 };
            let value = match role {
                // Multiples of one step: what is exponential in them is made of products.
                Role::Exponent => draw.exponent(space, STEEPEST * (i + 1) as f64 / n as f64),
                _ => draw.value(space),
            };
            if value * usual < 0.0 && i % COARSER != (n - 1) % COARSER {
                continue;
            }
            out.push(value);
            if role == Role::Rate && i == n - 1 {
                out.extend(STEEP.map(|factor| factor * value));
            }
        }
    }
    if role == Role::Exponent && !has_range {
        // As many as half of the quantiles, if there are.
        let step = (2 * TAIL.len()).div_ceil(n);
        out.extend(TAIL.iter().step_by(step).map(|x| usual * x));
        out.extend(TAIL.iter().skip(1).step_by(step * COARSER).skip(step - 1).map(|x| -usual * x));
    }
    out.retain(|value| value.is_finite());
    for value in &mut out {
        *value = space.clamp(j, *value);
    }
    out.sort_by(f64::total_cmp);
    out.dedup();
    out
}

/// Sizes of the exponents of scaling laws.
const FLATTEST: f64 = 0.05;
const STEEPEST: f64 = 1.5;
/// A term that matters at one end of the data only has an exponent far beyond those. Each from the third on is the sum of the
/// two before it.
const TAIL: [f64; 6] = [2.0, 3.0, 5.0, 8.0, 13.0, 21.0];
/// An exponent of the other sign than the data suggest is looked at with a mesh so many times as wide.
const COARSER: usize = 3;
/// A step between two rows is so many times as steep as what draws assume.
const STEEP: [f64; 4] = [2.0, 5.0, 15.0, 60.0];

/// One parameter's draw, after those that its companion depends on.
struct Draw<'a> {
    sample: &'a Sample<'a>,
    params: &'a [f64],
    j: usize,
    numbers: [f64; 2],
    index: usize,
}

impl Draw<'_> {
    fn value(&self, space: &Space) -> f64 {
        let ParameterRole { role, shape, companion } = self.sample.problem.law.roles[self.j];
        let [u, v] = self.numbers;
        let is_positive = space.lower[self.j] >= 0.0;
        let either = either(is_positive, v);
        let usual = |sign: f64| self.usual(is_positive, sign);
        // Exponents ask nothing of what they stand beside, which is looked up row by row.
        let companion = companion.filter(|_| role != Role::Exponent);
        let Companion { lowest, highest, values } = self.companion(companion, shape.is_divided);
        let largest = lowest.abs().max(highest.abs()).max(f64::MIN_POSITIVE);
        let spread = (highest - lowest).max(0.01 * largest);
        match role {
            Role::Exponent => self.exponent(space, FLATTEST + (STEEPEST - FLATTEST) * u),
            Role::Scale => {
                let middle = exp(mean_log(&values));
                // A constant of nature in a power, such as Kaplan's 8.8e13, lies far beyond the data.
                let factor = power(10.0, 6.0 * u - 1.0);
                either * if shape.power < 0.0 { middle * factor } else { factor / middle }
            }
            // From half a cycle over the whole range to two rows a cycle.
            Role::Frequency => {
                let most = 0.5 * distinct(&values) as f64;
                let cycles = 0.5 * power((most / 0.5).max(1.0), u);
                usual(1.0) * root(2.0 * PI * cycles / spread, shape)
            }
            // From the whole range of what is divided to a thirtieth of it.
            Role::Width => {
                let narrowing = power(10.0, 1.5 * u);
                let size = if shape.degree == 2 { narrowing * narrowing } else { narrowing };
                usual(1.0) * root(size / largest, shape)
            }
            Role::Rate => {
                let unit = if shape.is_data { spread } else { exp(mean_log(&values)) };
                let sign = if shape.context == Context::Argument { usual(1.0) } else { either };
                sign * root(power(10.0, 3.0 * u - 1.5) / unit, shape)
            }
            Role::Shift if is_positive && shape.factor > 0.0 => largest * power(10.0, 3.0 * u - 3.0),
            // The sum is zero at a place among the data, or beyond them where it must not be zero.
            Role::Shift => {
                let beyond = spread * power(10.0, 3.0 * u - 1.5);
                let is_above = if shape.context == Context::Base { shape.is_reversed } else { v < 0.5 };
                let place = match shape.context {
                    Context::Base | Context::Divisor if is_above => highest + beyond,
                    Context::Base | Context::Divisor => lowest - beyond,
                    _ => lowest + u * (highest - lowest),
                };
                signed_root(-place, shape)
            }
            // The sum is zero in some row, or, where it must not be zero, as large as what it is added to.
            Role::Offset => {
                let at = values.get(chosen(v, values.len())).copied().unwrap_or(0.0);
                let wanted = if shape.context == Context::Divisor { at * power(10.0, 2.0 * u - 1.0) } else { -at };
                signed_root(wanted, shape)
            }
            _ => either * self.sample.target * power(10.0, 4.0 * u - 2.0),
        }
    }

    /// An exponent of this size. Terms move as the response does, where it is data that the exponent stands on.
    fn exponent(&self, space: &Space, size: f64) -> f64 {
        let shape = self.sample.problem.law.roles[self.j].shape;
        let is_positive = space.lower[self.j] >= 0.0;
        let falling = if shape.factor < 0.0 || is_positive { 1.0 } else { -1.0 };
        let moves = if self.sample.is_rising && !is_positive { -falling } else { falling };
        let sign = self.usual(is_positive, if shape.is_data { moves } else { 1.0 });
        sign * if shape.power < 0.0 { 1.0 / size } else { size }
    }

    /// A sign that is free or not: of four starts three take the one that the formula was written for, the fourth either.
    fn usual(&self, is_positive: bool, sign: f64) -> f64 {
        if self.index % 4 == 3 { either(is_positive, self.numbers[1]) } else { sign }
    }

    fn companion(&self, output: Option<usize>, is_divided: bool) -> Companion {
        let rows = self.sample.problem.rows;
        let Some(output) = output else { return Companion { lowest: 0.0, highest: 1.0, values: Vec::new() } };
        let program = &self.sample.problem.law.companions;
        let registers = &mut Vec::new();
        let work = AllRows { program, columns: rows.columns(), n_rows: rows.n, parameters: self.params, registers };
        let all = dispatch(Level::Portable, work);
        let as_factor = |&value: &f64| if is_divided { 1.0 / value } else { value };
        let values: Vec<f64> = all[output * rows.n..][..rows.n].iter().map(as_factor).collect();
        let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Companion { lowest, highest, values }
    }
}

/// Plus or minus, as the second random number says, where a parameter may be either.
fn either(is_positive: bool, v: f64) -> f64 {
    if is_positive || v < 0.5 { 1.0 } else { -1.0 }
}

/// What a parameter stands beside, over the rows.
struct Companion {
    lowest: f64,
    highest: f64,
    values: Vec<f64>,
}

/// The positive parameter that makes `|factor × parameter ^ power|` a number.
fn root(size: f64, shape: Shape) -> f64 {
    power(size / shape.factor.abs().max(f64::MIN_POSITIVE), 1.0 / shape.power)
}

/// The parameter that makes `factor × parameter ^ power` a number; positive where both signs do, or neither.
fn signed_root(value: f64, shape: Shape) -> f64 {
    let sign = if shape.power.abs() == 1.0 { (value * shape.factor).signum() } else { 1.0 };
    sign * root(value.abs().max(f64::MIN_POSITIVE), shape)
}

/// One of `n` by a number between 0 and 1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a number of rows")]
fn chosen(u: f64, n: usize) -> usize {
    (u * n as f64) as usize
}

/// The mean of `ln |value|` over the values that are not zero.
fn mean_log(values: &[f64]) -> f64 {
    let logs = values.iter().map(|x| ln(x.abs().max(f64::MIN_POSITIVE))).sum::<f64>();
    logs / values.len().max(1) as f64
}

/// How many different values there are.
fn distinct(values: &[f64]) -> usize {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    sorted.len()
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
    let registers = &mut Vec::new();
    let work = TermRows { law, columns, n_rows: problem.rows.n, parameters: params, registers };
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
