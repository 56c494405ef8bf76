//! Schemes that turn the rows of a fit and a stream of random numbers into a [`Replicate`].
//!
//! A scheme is one file and one word in `resamplers!`.

mod bayesian;
mod pairs;

use crate::error::Error;

/// One resampled data set: weights of the rows and, where the scheme draws them, responses.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Replicate {
    /// One weight per row, summing to the number of rows; they multiply the rows' own weights.
    pub(crate) weights: Vec<f64>,
    /// New responses on the residual's scale; `None` keeps those of the data.
    pub(crate) responses: Option<Vec<f64>>,
}

/// A scheme. Draws are keyed by (seed, key of the row, replicate), so that two fits of the same units are resampled alike.
pub(crate) trait Resampler {
    /// The word that users type.
    const NAME: &'static str;

    /// Replicate number `replicate` of rows with the given keys, into `out`, whose memory is kept.
    fn draw(seed: u64, keys: &[u64], replicate: u32, out: &mut Replicate);
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

            /// Replicate number `replicate`.
            pub(crate) fn draw(self, seed: u64, keys: &[u64], replicate: u32, out: &mut Replicate) {
                match self { $(Resample::$scheme => $scheme::draw(seed, keys, replicate, out)),* }
            }
        }
    };
}

resamplers!(bayesian::Bayesian, pairs::Pairs);

impl Resample {
    /// The scheme of that name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] with the list of names.
    pub fn from_name(name: &str) -> Result<Resample, Error> {
        let found = Resample::ALL.iter().copied().find(|scheme| scheme.name() == name);
        found.ok_or_else(|| Error::unknown_name("resample", name, Resample::NAMES.iter().copied()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::row_key;

    fn replicate(scheme: Resample, keys: &[u64], number: u32) -> Vec<f64> {
        let mut out = Replicate::default();
        scheme.draw(7, keys, number, &mut out);
        out.weights
    }

    fn keys(n: u64) -> Vec<u64> {
        (0..n).map(row_key).collect()
    }

    #[test]
    fn weights_are_not_negative_and_sum_to_the_number_of_rows() {
        for &scheme in Resample::ALL {
            for number in 0..50 {
                let weights = replicate(scheme, &keys(37), number);
                assert!(weights.iter().all(|w| *w >= 0.0));
                // 37 additions of numbers of order one.
                assert!((weights.iter().sum::<f64>() - 37.0).abs() < 1e-12, "{}", scheme.name());
            }
        }
    }

    #[test]
    fn a_row_keeps_its_weight_when_the_rows_are_reordered() {
        for &scheme in Resample::ALL {
            let straight = keys(20);
            let mut turned = straight.clone();
            turned.rotate_left(7);
            let (a, mut b) = (replicate(scheme, &straight, 3), replicate(scheme, &turned, 3));
            b.rotate_right(7);
            // A Dirichlet draw divides by a sum, which rounds in another order.
            assert!(a.iter().zip(&b).all(|(x, y)| (x - y).abs() < 1e-13), "{}", scheme.name());
        }
    }

    #[test]
    fn weights_have_the_variance_of_their_scheme() {
        // Multinomial counts have variance 1 − 1/n, Dirichlet(1) weights times n have (n − 1)/(n + 1).
        let n = 40;
        for &scheme in Resample::ALL {
            let draws: Vec<f64> = (0..4000).flat_map(|r| replicate(scheme, &keys(n), r)).collect();
            let variance = draws.iter().map(|w| (w - 1.0).powi(2)).sum::<f64>() / draws.len() as f64;
            let expected = match scheme {
                Resample::Pairs => 1.0 - 1.0 / n as f64,
                Resample::Bayesian => (n as f64 - 1.0) / (n as f64 + 1.0),
            };
            // Five standard errors of a variance of 160,000 draws whose fourth moment is below 9.
            assert!((variance - expected).abs() < 0.04, "{} {variance}", scheme.name());
        }
    }
}
