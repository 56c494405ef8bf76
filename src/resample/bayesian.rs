use crate::resample::Replicate;
use crate::resample::Resampler;
use crate::rng::Purpose;
use crate::rng::stream;

/// The Bayesian bootstrap: Dirichlet(1, …, 1) weights, no row ever left out.  Rubin (1981), "The Bayesian bootstrap".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bayesian;

impl Resampler for Bayesian {
    const NAME: &'static str = "bayesian";

    fn draw(seed: u64, keys: &[u64], replicate: u32, out: &mut Replicate) {
        out.responses = None;
        out.weights.clear();
        // Independent exponentials over their sum are Dirichlet, and each belongs to its row's key alone.
        let exponential = |key: &u64| stream(seed, *key, replicate, Purpose::Resample).exponential();
        out.weights.extend(keys.iter().map(exponential));
        let factor = keys.len() as f64 / out.weights.iter().sum::<f64>();
        for weight in &mut out.weights {
            *weight *= factor;
        }
    }
}
