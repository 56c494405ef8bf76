//! A flat program over blocks of rows: one vectorised operation per loop, no branches inside.

use crate::dispatch::Arith;
use crate::dispatch::Work;
use crate::dispatch::dispatch;
use crate::formula::graph::Binary;
use crate::formula::graph::Unary;
use crate::special;
use crate::special::BetaFail;

/// Rows per block: registers of a block stay in the first-level cache, and a loop is long enough to hide its start.
pub(crate) const BLOCK: usize = 256;

/// Rows are padded to a multiple of this, so that no loop has a tail.
pub(crate) const LANES: usize = 8;

/// Where an operand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// One value for all rows.
    Scalar(usize),
    /// A block that the program computes.
    Register(usize),
    /// A column of the data, or one computed from the data beforehand.
    Column(usize),
}

/// One operation; the result always goes to a register that is none of the operands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Unary(Unary, usize, Place),
    Binary(Binary, usize, Place, Place),
    /// `a * b + c`; only `a` and `c` may be scalars.
    MulAdd(usize, Place, Place, Place),
    PowI(usize, Place, i32),
    /// Registers and columns only.
    Select(usize, Place, Place, Place),
    BetaFail(BetaFail, usize, [Place; 3]),
    Fill(usize, usize),
}

/// The same over scalars; the result goes to the first slot.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ScalarStep {
    Unary(Unary, usize, usize),
    Binary(Binary, usize, usize, usize),
    PowI(usize, usize, i32),
    Select(usize, usize, usize, usize),
    BetaFail(BetaFail, usize, [usize; 3]),
}

/// A compiled list of expressions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Program {
    /// Slots with the constants in place.
    pub(crate) constants: Vec<f64>,
    /// (slot, parameter).
    pub(crate) parameters: Vec<(usize, usize)>,
    pub(crate) scalar_steps: Vec<ScalarStep>,
    pub(crate) steps: Vec<Step>,
    pub(crate) n_registers: usize,
    /// Where each expression is when the steps have run.
    pub(crate) outputs: Vec<Place>,
}

/// Columns of data, one after the other, each `stride` long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns<'a> {
    pub(crate) values: &'a [f64],
    pub(crate) stride: usize,
}

/// An operand of a loop.
#[derive(Clone, Copy)]
pub(crate) enum Operand<'a> {
    Rows(&'a [f64]),
    One(f64),
}

impl Operand<'_> {
    fn at(self, row: usize) -> f64 {
        match self {
            Operand::Rows(rows) => rows[row],
            Operand::One(value) => value,
        }
    }
}

#[inline(always)]
fn unary_value<A: Arith>(function: Unary, x: f64) -> f64 {
    match function {
        Unary::Neg => -x,
        Unary::Exp => special::exp::<A>(x),
        Unary::Log => special::ln::<A>(x),
        Unary::Log1p => special::log1p::<A>(x),
        Unary::Expm1 => special::expm1::<A>(x),
        Unary::Sqrt => x.sqrt(),
        Unary::Abs => x.abs(),
        Unary::Sign => (if x > 0.0 { 1.0 } else { 0.0 }) - (if x < 0.0 { 1.0 } else { 0.0 }),
        Unary::Sin => special::sin::<A>(x),
        Unary::Cos => special::cos::<A>(x),
        Unary::Atan => special::atan::<A>(x),
        Unary::Tanh => special::tanh::<A>(x),
        Unary::Sigmoid => special::sigmoid::<A>(x),
        Unary::Softplus => special::softplus::<A>(x),
        Unary::Lgamma => special::lgamma::<A>(x),
        Unary::Digamma => special::digamma::<A>(x),
        Unary::Trigamma => special::trigamma::<A>(x),
        Unary::Detach => x,
    }
}

#[inline(always)]
fn binary_value(function: Binary, a: f64, b: f64) -> f64 {
    match function {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul => a * b,
        Binary::Div => a / b,
        // A value that is not a number comes through, whichever side it is on.
        Binary::Min | Binary::And => {
            if a <= b || a.is_nan() {
                a
            } else {
                b
            }
        }
        Binary::Max | Binary::Or => {
            if a >= b || a.is_nan() {
                a
            } else {
                b
            }
        }
        Binary::Less => f64::from(u8::from(a < b)),
        Binary::LessEqual => f64::from(u8::from(a <= b)),
        Binary::Equal => f64::from(u8::from(a == b)),
        Binary::Rise(which) => special::log_rise(which, a, b),
    }
}

#[inline(always)]
fn map_one(out: &mut [f64], a: &[f64], f: impl Fn(f64) -> f64) {
    for (o, &x) in out.iter_mut().zip(a) {
        *o = f(x);
    }
}

#[inline(always)]
fn map_two(out: &mut [f64], a: Operand<'_>, b: Operand<'_>, f: impl Fn(f64, f64) -> f64) {
    match (a, b) {
        (Operand::Rows(a), Operand::Rows(b)) => {
            for ((o, &x), &y) in out.iter_mut().zip(a).zip(b) {
                *o = f(x, y);
            }
        }
        (Operand::Rows(a), Operand::One(y)) => {
            for (o, &x) in out.iter_mut().zip(a) {
                *o = f(x, y);
            }
        }
        (Operand::One(x), Operand::Rows(b)) => {
            for (o, &y) in out.iter_mut().zip(b) {
                *o = f(x, y);
            }
        }
        (Operand::One(x), Operand::One(y)) => out.fill(f(x, y)),
    }
}

/// Sources of a step, read while its destination is written.
struct Sources<'a> {
    scalars: &'a [f64],
    columns: Columns<'a>,
    first: usize,
    rows: usize,
    destination: usize,
    before: &'a [f64],
    after: &'a [f64],
}

impl<'a> Sources<'a> {
    #[inline(always)]
    fn get(&self, place: Place) -> Operand<'a> {
        match place {
            Place::Scalar(slot) => Operand::One(self.scalars[slot]),
            Place::Register(r) if r < self.destination => Operand::Rows(&self.before[r * BLOCK..][..self.rows]),
            Place::Register(r) => Operand::Rows(&self.after[(r - self.destination - 1) * BLOCK..][..self.rows]),
            Place::Column(c) => {
                Operand::Rows(&self.columns.values[c * self.columns.stride + self.first..][..self.rows])
            }
        }
    }

    #[inline(always)]
    fn rows(&self, place: Place) -> &'a [f64] {
        match self.get(place) {
            Operand::Rows(rows) => rows,
            // The compiler fills a register wherever a step reads rows only.
            Operand::One(_) => &[],
        }
    }
}

impl Program {
    /// Computes everything that depends on parameters alone.
    #[inline(always)]
    fn scalars_with<A: Arith>(&self, parameters: &[f64], scalars: &mut Vec<f64>) {
        scalars.clear();
        scalars.extend_from_slice(&self.constants);
        for &(slot, parameter) in &self.parameters {
            scalars[slot] = parameters[parameter];
        }
        for step in &self.scalar_steps {
            match *step {
                ScalarStep::Unary(function, out, a) => scalars[out] = unary_value::<A>(function, scalars[a]),
                ScalarStep::Binary(function, out, a, b) => {
                    scalars[out] = binary_value(function, scalars[a], scalars[b]);
                }
                ScalarStep::PowI(out, a, n) => scalars[out] = special::powi::<A>(scalars[a], n),
                ScalarStep::Select(out, c, a, b) => scalars[out] = scalars[if scalars[c] == 0.0 { b } else { a }],
                ScalarStep::BetaFail(which, out, [m, s, k]) => {
                    scalars[out] = special::beta_log_fail(which, scalars[m], scalars[s], scalars[k]);
                }
            }
        }
    }

    #[inline(always)]
    fn block_with<A: Arith>(
        &self,
        scalars: &[f64],
        columns: Columns<'_>,
        first: usize,
        rows: usize,
        registers: &mut [f64],
    ) {
        for step in &self.steps {
            let destination = match *step {
                Step::Unary(_, out, _)
                | Step::Binary(_, out, ..)
                | Step::MulAdd(out, ..)
                | Step::PowI(out, ..)
                | Step::Select(out, ..)
                | Step::BetaFail(_, out, _)
                | Step::Fill(out, _) => out,
            };
            let (before, rest) = registers.split_at_mut(destination * BLOCK);
            let (out, after) = rest.split_at_mut(BLOCK);
            let out = &mut out[..rows];
            let sources = Sources { scalars, columns, first, rows, destination, before, after };
            match *step {
                Step::Unary(function, _, a) => unary_block::<A>(function, out, sources.rows(a)),
                Step::Binary(function, _, a, b) => binary_block(function, out, sources.get(a), sources.get(b)),
                Step::MulAdd(_, a, b, c) => mul_add_block::<A>(out, sources.get(a), sources.rows(b), sources.get(c)),
                Step::PowI(_, a, n) => powi_block::<A>(out, sources.rows(a), n),
                Step::Select(_, c, a, b) => {
                    let (c, a, b) = (sources.rows(c), sources.rows(a), sources.rows(b));
                    for (((o, &c), &a), &b) in out.iter_mut().zip(c).zip(a).zip(b) {
                        *o = if c == 0.0 { b } else { a };
                    }
                }
                Step::BetaFail(which, _, places) => {
                    let [mean, size, k] = places.map(|place| sources.get(place));
                    for (row, o) in out.iter_mut().enumerate() {
                        *o = special::beta_log_fail(which, mean.at(row), size.at(row), k.at(row));
                    }
                }
                Step::Fill(_, slot) => out.fill(scalars[slot]),
            }
        }
    }

    /// Computes everything that depends on parameters alone.
    pub(crate) fn run_scalars<A: Arith>(&self, parameters: &[f64], scalars: &mut Vec<f64>) {
        dispatch(A::LEVEL, RunScalars { program: self, parameters, scalars });
    }

    /// Runs the steps for `rows` rows from row `first`; `registers` holds `n_registers` blocks.
    pub(crate) fn run_block<A: Arith>(
        &self,
        scalars: &[f64],
        columns: Columns<'_>,
        first: usize,
        rows: usize,
        registers: &mut [f64],
    ) {
        dispatch(A::LEVEL, RunBlock { program: self, scalars, columns, first, rows, registers });
    }

    /// Where output `index` is after [`Program::run_block`].
    #[inline(always)]
    pub(crate) fn output<'a>(
        &self,
        index: usize,
        scalars: &'a [f64],
        columns: Columns<'a>,
        first: usize,
        rows: usize,
        registers: &'a [f64],
    ) -> Operand<'a> {
        match self.outputs[index] {
            Place::Scalar(slot) => Operand::One(scalars[slot]),
            Place::Register(r) => Operand::Rows(&registers[r * BLOCK..][..rows]),
            Place::Column(c) => Operand::Rows(&columns.values[c * columns.stride + first..][..rows]),
        }
    }
}

/// The interpreter is large: entering it anew, rather than inlining it into every evaluation, keeps one copy per level.
struct RunScalars<'a> {
    program: &'a Program,
    parameters: &'a [f64],
    scalars: &'a mut Vec<f64>,
}

impl Work for RunScalars<'_> {
    type Out = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        self.program.scalars_with::<A>(self.parameters, self.scalars);
    }
}

struct RunBlock<'a> {
    program: &'a Program,
    scalars: &'a [f64],
    columns: Columns<'a>,
    first: usize,
    rows: usize,
    registers: &'a mut [f64],
}

impl Work for RunBlock<'_> {
    type Out = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        self.program.block_with::<A>(self.scalars, self.columns, self.first, self.rows, self.registers);
    }
}

#[inline(always)]
fn unary_block<A: Arith>(function: Unary, out: &mut [f64], a: &[f64]) {
    // One arm, one loop: the function is known inside each loop, so each is vectorised on its own.
    match function {
        Unary::Neg => map_one(out, a, |x| unary_value::<A>(Unary::Neg, x)),
        Unary::Exp => map_one(out, a, |x| unary_value::<A>(Unary::Exp, x)),
        Unary::Log => map_one(out, a, |x| unary_value::<A>(Unary::Log, x)),
        Unary::Log1p => map_one(out, a, |x| unary_value::<A>(Unary::Log1p, x)),
        Unary::Expm1 => map_one(out, a, |x| unary_value::<A>(Unary::Expm1, x)),
        Unary::Sqrt => map_one(out, a, |x| unary_value::<A>(Unary::Sqrt, x)),
        Unary::Abs => map_one(out, a, |x| unary_value::<A>(Unary::Abs, x)),
        Unary::Sign => map_one(out, a, |x| unary_value::<A>(Unary::Sign, x)),
        Unary::Tanh => map_one(out, a, |x| unary_value::<A>(Unary::Tanh, x)),
        Unary::Sigmoid => map_one(out, a, |x| unary_value::<A>(Unary::Sigmoid, x)),
        Unary::Softplus => map_one(out, a, |x| unary_value::<A>(Unary::Softplus, x)),
        Unary::Detach => out.copy_from_slice(a),
        Unary::Sin | Unary::Cos | Unary::Atan | Unary::Lgamma | Unary::Digamma | Unary::Trigamma => {
            map_one(out, a, |x| unary_value::<A>(function, x));
        }
    }
}

#[inline(always)]
fn binary_block(function: Binary, out: &mut [f64], a: Operand<'_>, b: Operand<'_>) {
    match function {
        Binary::Add => map_two(out, a, b, |x, y| binary_value(Binary::Add, x, y)),
        Binary::Sub => map_two(out, a, b, |x, y| binary_value(Binary::Sub, x, y)),
        Binary::Mul => map_two(out, a, b, |x, y| binary_value(Binary::Mul, x, y)),
        Binary::Div => map_two(out, a, b, |x, y| binary_value(Binary::Div, x, y)),
        Binary::Min | Binary::And => map_two(out, a, b, |x, y| binary_value(Binary::Min, x, y)),
        Binary::Max | Binary::Or => map_two(out, a, b, |x, y| binary_value(Binary::Max, x, y)),
        Binary::Less | Binary::LessEqual | Binary::Equal | Binary::Rise(_) => {
            map_two(out, a, b, |x, y| binary_value(function, x, y));
        }
    }
}

#[inline(always)]
fn mul_add_block<A: Arith>(out: &mut [f64], a: Operand<'_>, b: &[f64], c: Operand<'_>) {
    match (a, c) {
        (Operand::One(a), Operand::One(c)) => map_one(out, b, |b| A::mul_add(a, b, c)),
        (Operand::One(a), Operand::Rows(c)) => {
            for ((o, &b), &c) in out.iter_mut().zip(b).zip(c) {
                *o = A::mul_add(a, b, c);
            }
        }
        (Operand::Rows(a), Operand::One(c)) => {
            for ((o, &a), &b) in out.iter_mut().zip(a).zip(b) {
                *o = A::mul_add(a, b, c);
            }
        }
        (Operand::Rows(a), Operand::Rows(c)) => {
            for (((o, &a), &b), &c) in out.iter_mut().zip(a).zip(b).zip(c) {
                *o = A::mul_add(a, b, c);
            }
        }
    }
}

#[inline(always)]
fn powi_block<A: Arith>(out: &mut [f64], a: &[f64], n: i32) {
    match n {
        2 => map_one(out, a, |x| x * x),
        -1 => map_one(out, a, |x| 1.0 / x),
        _ => map_one(out, a, |x| special::powi::<A>(x, n)),
    }
}
