//! The basis functions of a separable law over a block of rows, and their derivatives.

use crate::dispatch::Arith;
use crate::formula::program::BLOCK;
use crate::formula::program::Columns;
use crate::formula::program::Operand;
use crate::formula::program::Program;
use crate::law::Exponent;
use crate::law::Power;
use crate::law::Separable;
use crate::special;

/// A block of rows of the prepared data.
#[derive(Clone, Copy)]
pub(super) struct Block<'a> {
    pub(super) columns: Columns<'a>,
    pub(super) first: usize,
    pub(super) rows: usize,
}

impl<'a> Block<'a> {
    pub(super) fn column(&self, c: usize) -> &'a [f64] {
        &self.columns.values[c * self.columns.stride + self.first..][..self.rows]
    }
}

/// Every basis function, and with `with_slopes` every derivative, each to a stretch of [`BLOCK`] values of `out`. `theta` are
/// the nonlinear parameters in the order of `separable.nonlinear`; each power is divided by the exponential of its shift.
#[inline(always)]
pub(super) fn fill_powers<A: Arith>(
    separable: &Separable,
    powers: &[Power],
    theta: &[f64],
    shifts: &[f64],
    block: Block<'_>,
    with_slopes: bool,
    out: &mut [f64],
) {
    let n_terms = powers.len();
    let (values, slopes) = out.split_at_mut(n_terms * BLOCK);
    let mut slot = 0;
    for ((power, value), &shift) in powers.iter().zip(values.chunks_exact_mut(BLOCK)).zip(shifts) {
        let value = &mut value[..block.rows];
        let n_slots = power.exponents.len();
        fill_power::<A>(power, theta, shift, block, value);
        if with_slopes {
            for (exponent, slope) in power.exponents.iter().zip(slopes[slot * BLOCK..].chunks_exact_mut(BLOCK)) {
                let column = block.column(exponent.column);
                for ((s, &v), &u) in slope[..block.rows].iter_mut().zip(&*value).zip(column) {
                    *s = exponent.sign * u * v;
                }
            }
        }
        slot += n_slots;
    }
    debug_assert_eq!(slot, separable.slots.len(), "a power has a slope for each of its exponents");
}

/// One basis function, divided by the exponential of `shift`.
#[inline(always)]
pub(super) fn fill_power<A: Arith>(power: &Power, theta: &[f64], shift: f64, block: Block<'_>, out: &mut [f64]) {
    match power.exponents[..] {
        [] => out.fill(power.scale),
        [Exponent { nonlinear, column, sign }] => {
            let theta = sign * theta[nonlinear];
            for (o, &u) in out.iter_mut().zip(block.column(column)) {
                *o = special::exp::<A>(A::mul_add(theta, u, -shift));
            }
        }
        _ => {
            out.fill(-shift);
            for &Exponent { nonlinear, column, sign } in &power.exponents {
                let theta = sign * theta[nonlinear];
                for (o, &u) in out.iter_mut().zip(block.column(column)) {
                    *o = A::mul_add(theta, u, *o);
                }
            }
            for o in out.iter_mut() {
                *o = special::exp::<A>(*o);
            }
        }
    }
    if !power.exponents.is_empty() && power.scale != 1.0 {
        for o in out.iter_mut() {
            *o *= power.scale;
        }
    }
    if let Some(factor) = power.factor {
        for (o, f) in out.iter_mut().zip(block.column(factor)) {
            *o *= f;
        }
    }
}

/// The same by a program of the law, whose scalars are already computed.
#[inline(always)]
pub(super) fn fill_program<A: Arith>(
    program: &Program,
    scalars: &[f64],
    block: Block<'_>,
    registers: &mut [f64],
    out: &mut [f64],
) {
    let Block { columns, first, rows } = block;
    program.run_block::<A>(scalars, columns, first, rows, registers);
    for (index, place) in out.chunks_exact_mut(BLOCK).take(program.outputs.len()).enumerate() {
        match program.output(index, scalars, columns, first, rows, registers) {
            Operand::Rows(values) => place[..rows].copy_from_slice(values),
            Operand::One(value) => place[..rows].fill(value),
        }
    }
}
