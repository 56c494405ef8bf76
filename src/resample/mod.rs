//! Schemes that turn the rows of a fit and streams of random numbers into a [`Replicate`].
//!
//! A scheme is one file and one word in `resamplers!`. It draws units: rows, or the clusters of rows that the fit has.

mod bayesian;
mod hierarchical;
mod jackknife;
mod pairs;
mod parametric;
mod subsample;
mod units;
mod wild;

use crate::dispatch::Level;
use crate::error::Error;
use crate::rng::Purpose;
use crate::rng::first_numbers;

pub(crate) use units::Units;

/// One resampled data set: weights of the rows and, where the scheme draws them, responses.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Replicate {
    /// One weight per row; they multiply the rows' own weights.
    pub(crate) weights: Vec<f64>,
    /// New responses on the residual's scale; `None` keeps those of the data.
    pub(crate) responses: Option<Vec<f64>>,
}

/// What a scheme adds to fitted values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Errors {
    /// Nothing: it keeps the responses.
    None,
    /// The residual of each row from a fit without its unit.
    LeftOut,
    /// The standard deviation of each row's noise.
    Noise,
}

/// What replicates of one fit are drawn from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) units: &'a Units,
    pub(crate) seed: u64,
    pub(crate) level: Level,
    /// Fitted values on the residual's scale, one per row; empty where the scheme keeps the responses.
    pub(crate) fitted: &'a [f64],
    /// What the scheme's [`Errors`] says, one per row.
    pub(crate) errors: &'a [f64],
    /// Share of the units that a subsample keeps.
    pub(crate) share: f64,
}

/// Memory of a worker.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers {
    of_units: Vec<f64>,
    firsts: Vec<u64>,
    seconds: Vec<u64>,
    order: Vec<usize>,
}

/// A source, and memory to draw with.
#[derive(Debug)]
pub(crate) struct Drawing<'a> {
    pub(crate) source: Source<'a>,
    pub(crate) numbers: &'a mut Numbers,
}

impl Drawing<'_> {
    /// The first two random numbers of every unit, or of every row.
    fn first_numbers(&mut self, replicate: u32, of_rows: bool) {
        let Source { units, seed, level, .. } = self.source;
        let keys = if of_rows { &units.row_keys } else { &units.keys };
        let Numbers { firsts, seconds, .. } = &mut *self.numbers;
        first_numbers(level, seed, keys, replicate, Purpose::Resample, firsts, seconds);
    }
}

/// A scheme. Draws are keyed by (seed, key of the unit, replicate), so that two fits of the same units are resampled alike.
pub(crate) trait Resampler {
    /// The word that users type.
    const NAME: &'static str;
    /// What it adds to fitted values.
    const ERRORS: Errors;

    /// Replicate number `replicate` into `out`, whose memory is kept.
    fn draw(drawing: &mut Drawing<'_>, replicate: u32, out: &mut Replicate);
}

macro_rules! resamplers {
    ($($module:ident :: $scheme:ident),* $(,)?) => {
        $(pub(crate) use $module::$scheme;)*

        /// Every scheme that the engine knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Resample {
            $(
                #[doc = concat!("[`", stringify!($scheme), "`].")]
                $scheme,
            )*
        }

        impl Resample {
            /// Every scheme.
            pub const ALL: &[Resample] = &[$(Resample::$scheme),*];
            /// The words that users type.
            pub const NAMES: &[&str] = &[$(<$scheme as Resampler>::NAME),*];

            /// The word that users type.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Resample::$scheme => <$scheme as Resampler>::NAME),* }
            }

            /// What it adds to fitted values.
            pub(crate) fn errors(self) -> Errors {
                match self { $(Resample::$scheme => <$scheme as Resampler>::ERRORS),* }
            }

            /// Replicate number `replicate`.
            pub(crate) fn draw(self, drawing: &mut Drawing<'_>, replicate: u32, out: &mut Replicate) {
                match self { $(Resample::$scheme => $scheme::draw(drawing, replicate, out)),* }
            }
        }
    };
}

resamplers!(
    bayesian::Bayesian,
    pairs::Pairs,
    hierarchical::Hierarchical,
    wild::Wild,
    parametric::Parametric,
    jackknife::Jackknife,
    subsample::Subsample,
);

impl Resample {
    /// Whether replicates differ from the data by what they leave out alone, so that their spread is not that of estimates.
    pub(crate) fn leaves_out(self) -> bool {
        matches!(self, Resample::Jackknife | Resample::Subsample)
    }

    /// The scheme of that name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] with the list of names.
    pub fn from_name(name: &str) -> Result<Resample, Error> {
        let found = Resample::ALL.iter().copied().find(|scheme| scheme.name() == name);
        found.ok_or_else(|| Error::unknown_name("resample", name, Resample::NAMES.iter().copied()))
    }
}

/// The Bayesian bootstrap's weights of units that are no rows, such as the problems behind an accuracy: (replicates, units),
/// of mean 1 in each replicate. They depend on the seed, the key of each unit and the replicate alone, but for that mean.
#[must_use]
pub fn bayesian_weights(keys: &[u64], seed: u64, n_replicates: u32) -> Vec<f64> {
    let units = Units::new(keys.to_vec(), None, None);
    let source = Source { units: &units, seed, level: Level::best(), fitted: &[], errors: &[], share: 0.5 };
    let (mut numbers, mut replicate) = (Numbers::default(), Replicate::default());
    let mut out = Vec::with_capacity(keys.len() * n_replicates as usize);
    for r in 0..n_replicates {
        Resample::Bayesian.draw(&mut Drawing { source, numbers: &mut numbers }, r, &mut replicate);
        out.extend_from_slice(&replicate.weights);
    }
    out
}

#[cfg(test)]
mod tests;
