//! From what the programs of a law give to residuals, and to what each row costs: one pass over a block, compiled for every
//! loss and every blend of curvatures.

use std::marker::PhantomData;

use crate::dispatch::Arith;
use crate::formula::program::Operand;
use crate::loss::LossVisitor;
use crate::loss::Point;
use crate::loss::RobustLoss;
use crate::objective::Curvature;
use crate::objective::rows::deviance_floor;
use crate::special;

/// From what the programs give to a residual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// `f − y`.
    Value,
    /// `ln f − y`.
    Log,
    /// `√(2 f)`, and `y` is what `f` rounds with.
    Deviance,
}

/// The residual of half a deviance `f`, which is no less than what it rounds with.
#[inline(always)]
fn root_of_deviance(f: f64, y: f64) -> f64 {
    let floor = deviance_floor(y);
    // What is not a number comes through.
    (2.0 * if f < floor { floor } else { f }).sqrt()
}

/// Residuals of a block, and the factor that turns `∂f` into `∂r`.
#[inline(always)]
pub(super) fn block_residuals<A: Arith>(
    link: Link,
    prediction: Operand<'_>,
    response: &[f64],
    residual: &mut [f64],
    reciprocal: &mut [f64],
) {
    match (link, prediction) {
        (Link::Deviance, f) => {
            let one;
            let f = match f {
                Operand::Rows(f) => f,
                Operand::One(f) => {
                    one = vec![f; residual.len()];
                    &one[..]
                }
            };
            let rows = residual.iter_mut().zip(reciprocal.iter_mut()).zip(f).zip(response);
            for (((r, inv), &f), &y) in rows {
                *r = root_of_deviance(f, y);
                *inv = 1.0 / *r;
            }
            return;
        }
        (Link::Log, Operand::Rows(f)) => {
            for ((r, inv), &f) in residual.iter_mut().zip(reciprocal.iter_mut()).zip(f) {
                *r = special::ln::<A>(f);
                *inv = 1.0 / f;
            }
        }
        (Link::Log, Operand::One(f)) => {
            residual.fill(special::ln::<A>(f));
            reciprocal.fill(1.0 / f);
        }
        (Link::Value, Operand::Rows(f)) => residual.copy_from_slice(f),
        (Link::Value, Operand::One(f)) => residual.fill(f),
    }
    for (r, &y) in residual.iter_mut().zip(response) {
        *r -= y;
    }
}

/// One column of the Jacobian of the residuals.
#[inline(always)]
pub(super) fn block_jacobian(link: Link, derivative: Operand<'_>, reciprocal: &[f64], out: &mut [f64]) {
    match (link, derivative) {
        (Link::Log | Link::Deviance, Operand::Rows(d)) => {
            for ((o, &d), &inv) in out.iter_mut().zip(d).zip(reciprocal) {
                *o = d * inv;
            }
        }
        (Link::Log | Link::Deviance, Operand::One(d)) => {
            for (o, &inv) in out.iter_mut().zip(reciprocal) {
                *o = d * inv;
            }
        }
        (Link::Value, Operand::Rows(d)) => out.copy_from_slice(d),
        (Link::Value, Operand::One(d)) => out.fill(d),
    }
}

/// How much of the exact Hessian is in a curvature; the rest is that of reweighted least squares.
trait Blend {
    /// The share.
    const SHARE: f64;

    /// The two second derivatives of a row's loss, mixed.
    #[inline(always)]
    fn mix(exact: f64, reweighted: f64) -> f64 {
        if Self::SHARE == 1.0 {
            exact
        } else if Self::SHARE == 0.0 {
            reweighted
        } else {
            Self::SHARE * exact + (1.0 - Self::SHARE) * reweighted
        }
    }
}

struct Majoriser;
struct Mean;
struct Hessian;

impl Blend for Majoriser {
    const SHARE: f64 = 0.0;
}

impl Blend for Mean {
    const SHARE: f64 = Curvature::MIXED_SHARE;
}

impl Blend for Hessian {
    const SHARE: f64 = 1.0;
}

/// The pass over a block that knows the loss; all else is compiled once.
pub(super) struct LossPass<'a, A> {
    pub(super) arith: PhantomData<A>,
    pub(super) link: Link,
    pub(super) curvature: Curvature,
    pub(super) delta: f64,
    pub(super) f: &'a [f64],
    pub(super) data: RowData<'a>,
    pub(super) factors: RowFactors<'a>,
}

impl<A: Arith> LossVisitor for LossPass<'_, A> {
    type Out = ();

    #[inline(always)]
    fn visit<L: RobustLoss>(self, loss: L) {
        match self.curvature {
            Curvature::Reweighted => self.run::<L, Majoriser>(loss),
            Curvature::Mixed => self.run::<L, Mean>(loss),
            Curvature::Exact => self.run::<L, Hessian>(loss),
        }
    }
}

impl<A: Arith> LossPass<'_, A> {
    #[inline(always)]
    fn run<L: RobustLoss, B: Blend>(self, loss: L) {
        match self.link {
            Link::Value => loss_of_values::<A, L, B>(loss, self.delta, self.f, self.data, self.factors),
            Link::Log => loss_of_logs::<A, L, B>(loss, self.delta, self.f, self.data, self.factors),
            Link::Deviance => loss_of_deviances::<A, L, B>(loss, self.delta, self.f, self.data, self.factors),
        }
    }
}

/// Responses, weights and noise of a block.
pub(super) type RowData<'a> = (&'a [f64], &'a [f64], &'a [f64]);
/// What each row costs, and the factors of `∂f ∂fᵀ` and of `∂f` in curvature and gradient.
pub(super) type RowFactors<'a> = (&'a mut [f64], &'a mut [f64], &'a mut [f64]);

/// Rows of a law whose programs give what is compared with the response.
#[inline(always)]
fn loss_of_values<A: Arith, L: RobustLoss, B: Blend>(
    loss: L,
    delta: f64,
    f: &[f64],
    (response, weights, noise): RowData<'_>,
    (costs, slope, outer): RowFactors<'_>,
) {
    let factors = costs.iter_mut().zip(slope.iter_mut()).zip(outer.iter_mut());
    let rows = f.iter().zip(response).zip(weights).zip(noise);
    for ((((&f, &y), &w), &s), ((cost, slope), outer)) in rows.zip(factors) {
        let at = loss.at::<A>(f - y, delta * s);
        // A padded row costs nothing, whatever it predicts.
        *cost = if w == 0.0 { 0.0 } else { w * at.rho };
        *outer = w * at.psi;
        *slope = w * B::mix(at.slope, at.weight);
    }
}

/// Rows whose residual r is a function of `f` with r' = ∂f × c, c its reciprocal length: c goes into the factors, not into
/// every column of derivatives, and r'' = c f'' − b r' r'ᵀ, of which the second part joins the products of first derivatives.
/// `link` gives r and c of a row, `bend` what b makes of the loss there.
#[inline(always)]
fn loss_of_linked<A: Arith, L: RobustLoss, B: Blend>(
    loss: L,
    delta: f64,
    f: &[f64],
    (response, weights, noise): RowData<'_>,
    (costs, slope, outer): RowFactors<'_>,
    link: impl Fn(f64, f64) -> (f64, f64),
    bend: impl Fn(Point) -> f64,
) {
    let factors = costs.iter_mut().zip(slope.iter_mut()).zip(outer.iter_mut());
    let rows = f.iter().zip(response).zip(weights).zip(noise);
    for ((((&f, &y), &w), &s), ((cost, slope), outer)) in rows.zip(factors) {
        let (r, reciprocal) = link(f, y);
        let at = loss.at::<A>(r, delta * s);
        *cost = if w == 0.0 { 0.0 } else { w * at.rho };
        *outer = w * at.psi * reciprocal;
        *slope = w * B::mix(at.slope - bend(at), at.weight) * (reciprocal * reciprocal);
    }
}

/// Rows whose residual is `ln f − ln y`: r' = f'/f and r'' = f''/f − r' r'ᵀ.
#[inline(always)]
fn loss_of_logs<A: Arith, L: RobustLoss, B: Blend>(
    loss: L,
    delta: f64,
    f: &[f64],
    data: RowData<'_>,
    factors: RowFactors<'_>,
) {
    let link = |f: f64, y: f64| (special::ln::<A>(f) - y, 1.0 / f);
    loss_of_linked::<A, L, B>(loss, delta, f, data, factors, link, |at| at.psi);
}

/// Rows whose residual is `r = √(2 f)`: r' = f'/r and r'' = f''/r − r' r'ᵀ/r. Where the loss is ½ r² the cost is `f` and the
/// exact curvature `f''`.
#[inline(always)]
fn loss_of_deviances<A: Arith, L: RobustLoss, B: Blend>(
    loss: L,
    delta: f64,
    f: &[f64],
    data: RowData<'_>,
    factors: RowFactors<'_>,
) {
    let link = |f: f64, y: f64| {
        let r = root_of_deviance(f, y);
        (r, 1.0 / r)
    };
    loss_of_linked::<A, L, B>(loss, delta, f, data, factors, link, |at| at.weight);
}
