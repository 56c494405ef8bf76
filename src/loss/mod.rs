//! Robust losses of a residual: ρ(r) with ρ(r) = ½ r² near zero, so that the objective is Σ w ρ(r).
//!
//! A loss is one file and one word in `losses!`; everything else reads the registry.

mod cauchy;
mod huber;
mod soft_l1;
mod squared;

use crate::dispatch::Arith;
use crate::error::Error;

/// A loss at one residual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    /// ρ(r).
    pub(crate) rho: f64,
    /// ρ′(r).
    pub(crate) psi: f64,
    /// ρ′(r) / r, its limit at 0: the weight of reweighted least squares.
    pub(crate) weight: f64,
    /// ρ″(r).
    pub(crate) slope: f64,
}

/// A loss. It must not branch: the loop over rows has to vectorise.
pub(crate) trait RobustLoss: Copy + Default {
    /// The word that users type.
    const NAME: &'static str;
    /// Whether `f_scale` changes it.
    const HAS_SCALE: bool;

    /// The loss at residual `r` with scale `delta`.
    fn at<A: Arith>(self, r: f64, delta: f64) -> Point;
}

/// Work that is compiled for every loss, so that hot loops hold no choice.
pub(crate) trait LossVisitor {
    /// What it gives back.
    type Out;

    /// Does the work with one loss.
    fn visit<L: RobustLoss>(self, loss: L) -> Self::Out;
}

macro_rules! losses {
    ($($module:ident :: $loss:ident),* $(,)?) => {
        $(pub(crate) use $module::$loss;)*

        /// Every loss that the engine knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Loss {
            $(
                #[doc = concat!("[`", stringify!($loss), "`].")]
                $loss,
            )*
        }

        impl Loss {
            /// Every loss.
            pub const ALL: &[Loss] = &[$(Loss::$loss),*];
            /// The words that users type.
            pub const NAMES: &[&str] = &[$(<$loss as RobustLoss>::NAME),*];

            /// The word that users type.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Loss::$loss => <$loss as RobustLoss>::NAME),* }
            }

            /// Whether `f_scale` changes it.
            #[must_use]
            pub fn has_scale(self) -> bool {
                match self { $(Loss::$loss => <$loss as RobustLoss>::HAS_SCALE),* }
            }

            /// Runs `visitor` with the loss.
            #[inline(always)]
            pub(crate) fn visit<V: LossVisitor>(self, visitor: V) -> V::Out {
                match self { $(Loss::$loss => visitor.visit($loss)),* }
            }
        }
    };
}

losses!(squared::Squared, huber::Huber, soft_l1::SoftL1, cauchy::Cauchy);

impl Loss {
    /// The loss of that name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] with the list of names.
    pub fn from_name(name: &str) -> Result<Loss, Error> {
        let found = Loss::ALL.iter().copied().find(|loss| loss.name() == name);
        found.ok_or_else(|| Error::unknown_name("loss", name, Loss::NAMES.iter().copied()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::Plain;

    struct AtPoint(f64, f64);

    impl LossVisitor for AtPoint {
        type Out = Point;
        fn visit<L: RobustLoss>(self, loss: L) -> Point {
            loss.at::<Plain>(self.0, self.1)
        }
    }

    const RESIDUALS: [f64; 9] = [-7.0, -1.3, -0.4, -1e-9, 1e-9, 0.02, 0.7, 1.1, 30.0];
    const DELTA: f64 = 0.9;

    #[test]
    fn every_loss_is_half_the_square_near_zero() {
        for loss in Loss::ALL {
            let at = loss.visit(AtPoint(0.0, DELTA));
            assert_eq!((at.rho, at.psi, at.weight, at.slope), (0.0, 0.0, 1.0, 1.0), "{}", loss.name());
        }
    }

    #[test]
    fn derivatives_of_every_loss_agree_with_finite_differences() {
        let step = 1e-6;
        // Central differences of values of order 10 carry about 1e-16 · 10 / 1e-6 of rounding.
        let tolerance = 1e-8;
        for loss in Loss::ALL {
            for r in RESIDUALS {
                let (low, at, high) = (
                    loss.visit(AtPoint(r - step, DELTA)),
                    loss.visit(AtPoint(r, DELTA)),
                    loss.visit(AtPoint(r + step, DELTA)),
                );
                assert!(
                    (at.psi - (high.rho - low.rho) / (2.0 * step)).abs() < tolerance * (1.0 + at.rho),
                    "{} {r}",
                    loss.name()
                );
                assert!(
                    (at.slope - (high.psi - low.psi) / (2.0 * step)).abs() < tolerance * (1.0 + at.psi.abs()),
                    "{} {r}",
                    loss.name()
                );
                assert!((at.weight * r - at.psi).abs() <= 1e-15 * at.psi.abs());
            }
        }
    }

    #[test]
    fn every_loss_is_even_and_rises_with_the_residual() {
        for loss in Loss::ALL {
            for pair in [0.0, 0.1, 0.5, 0.89, 0.91, 2.0, 50.0].windows(2) {
                let (small, large) = (loss.visit(AtPoint(pair[0], DELTA)), loss.visit(AtPoint(pair[1], DELTA)));
                assert!(small.rho < large.rho);
                assert_eq!(large.rho, loss.visit(AtPoint(-pair[1], DELTA)).rho);
            }
        }
    }
}
