//! Distributions of success probabilities over problems, fitted to counts by maximum likelihood.
//!
//! Problem i succeeds with probability pᵢ, drawn from a mixing distribution; nᵢ samples of it gave sᵢ successes. A kind is one
//! file and one word in `kinds!`. What a kind has to give is ln ∫ p^s (1 − p)^(n − s) f(p) dp with two derivatives; the
//! coefficient C(n, s), which no parameter changes, is left out throughout.

mod beta;
mod cells;
mod kumaraswamy;
mod moments;
mod newton;
mod quadrature;
mod scaled_beta;
mod zero_inflated_beta;

#[cfg(test)]
mod tests;

use crate::error::Error;

pub use cells::MixtureFit;
pub use cells::MixtureSpec;
pub use cells::run;

/// The most parameters that a kind has.
pub(crate) const MOST: usize = 3;

/// A log-likelihood with its derivatives by the solver's coordinates.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Local {
    pub(crate) value: f64,
    pub(crate) score: [f64; MOST],
    pub(crate) curvature: [[f64; MOST]; MOST],
}

impl Local {
    /// Adds `weight` times another one.
    pub(crate) fn add(&mut self, weight: f64, other: &Local) {
        self.value += weight * other.value;
        for i in 0..MOST {
            self.score[i] += weight * other.score[i];
            for j in 0..MOST {
                self.curvature[i][j] += weight * other.curvature[i][j];
            }
        }
    }
}

/// Counts of one problem, or of many that are equal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Counts {
    pub(crate) n: f64,
    pub(crate) s: f64,
}

/// A mixing distribution. Its coordinates are unbounded: logarithms of shapes, logits of shares.
pub(crate) trait Mixing {
    /// The word that users type.
    const NAME: &'static str;
    /// Names of the parameters, in the order of the coordinates; the last two are shapes.
    const PARAMETERS: &'static [&'static str];
    /// Whether it lives on (0, c) for a c below 1.
    const HAS_SCALE: bool;
    /// Logarithms of shapes between which a search stays.
    const SHAPES: [f64; 2];

    /// The log-likelihood of each of `counts`, at coordinates `at`, on (0, `scale`).
    fn each(at: &[f64; MOST], scale: f64, counts: &[Counts], visit: impl FnMut(usize, &Local));
}

/// Work that is compiled for every kind.
pub(crate) trait MixingVisitor {
    /// What it gives back.
    type Out;

    /// Does the work with one kind.
    fn visit<M: Mixing>(self) -> Self::Out;
}

macro_rules! kinds {
    ($($module:ident :: $kind:ident),* $(,)?) => {
        /// Every mixing distribution that the engine knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum MixtureKind {
            $(
                #[doc = concat!("[`", stringify!($module), "::", stringify!($kind), "`].")]
                $kind,
            )*
        }

        impl MixtureKind {
            /// Every kind.
            pub const ALL: &[MixtureKind] = &[$(MixtureKind::$kind),*];
            /// The words that users type.
            pub const NAMES: &[&str] = &[$(<$module::$kind as Mixing>::NAME),*];

            /// The word that users type.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(MixtureKind::$kind => <$module::$kind as Mixing>::NAME),* }
            }

            /// Names of its parameters.
            #[must_use]
            pub fn parameters(self) -> &'static [&'static str] {
                match self { $(MixtureKind::$kind => <$module::$kind as Mixing>::PARAMETERS),* }
            }

            /// Whether it lives on (0, c) for a c below 1.
            #[must_use]
            pub fn has_scale(self) -> bool {
                match self { $(MixtureKind::$kind => <$module::$kind as Mixing>::HAS_SCALE),* }
            }

            /// Runs `visitor` with the kind.
            pub(crate) fn visit<V: MixingVisitor>(self, visitor: V) -> V::Out {
                match self { $(MixtureKind::$kind => visitor.visit::<$module::$kind>()),* }
            }
        }
    };
}

kinds!(beta::Beta, zero_inflated_beta::ZeroInflatedBeta, scaled_beta::ScaledBeta, kumaraswamy::Kumaraswamy,);

impl MixtureKind {
    /// The kind of that name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] with the list of names.
    pub fn from_name(name: &str) -> Result<MixtureKind, Error> {
        let found = MixtureKind::ALL.iter().copied().find(|kind| kind.name() == name);
        found.ok_or_else(|| Error::unknown_name("kind", name, MixtureKind::NAMES.iter().copied()))
    }
}

struct Terms<'a> {
    at: [f64; MOST],
    scale: f64,
    counts: &'a [Counts],
}

impl MixingVisitor for Terms<'_> {
    type Out = Vec<Local>;

    fn visit<M: Mixing>(self) -> Vec<Local> {
        let mut out = vec![Local::default(); self.counts.len()];
        M::each(&self.at, self.scale, self.counts, |i, local| out[i] = *local);
        out
    }
}

/// ln E[p^s (1 − p)^(n − s)] and its gradient by the coordinates, row by row, for each (n, s).
///
/// `at` are the coordinates: logarithms of shapes, and before them the logit of a share.
#[must_use]
pub fn log_moments(kind: MixtureKind, at: &[f64], scale: f64, n: &[f64], s: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut whole = [0.0; MOST];
    for (to, from) in whole.iter_mut().zip(at) {
        *to = *from;
    }
    let counts: Vec<Counts> = n.iter().zip(s).map(|(&n, &s)| Counts { n, s }).collect();
    let locals = kind.visit(Terms { at: whole, scale, counts: &counts });
    let values = locals.iter().map(|local| local.value).collect();
    let gradient = locals.iter().flat_map(|local| local.score[..at.len()].to_vec()).collect();
    (values, gradient)
}
