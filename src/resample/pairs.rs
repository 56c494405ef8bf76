use crate::resample::Replicate;
use crate::resample::Resampler;
use crate::rng::Purpose;
use crate::rng::stream;

/// The pairs bootstrap: as many rows as there are, drawn with replacement; a row's weight is how often it was drawn.
/// Efron (1979), "Bootstrap methods: another look at the jackknife".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pairs;

impl Resampler for Pairs {
    const NAME: &'static str = "pairs";

    fn draw(seed: u64, keys: &[u64], replicate: u32, out: &mut Replicate) {
        out.responses = None;
        out.weights.clear();
        out.weights.resize(keys.len(), 0.0);
        // Each row's stream names one row by its rank among the keys: the order of the rows does not matter.
        let mut by_key: Vec<usize> = (0..keys.len()).collect();
        by_key.sort_by_key(|&row| (keys[row], row));
        for key in keys {
            let rank = stream(seed, *key, replicate, Purpose::Resample).below(keys.len() as u64);
            let row = by_key[usize::try_from(rank).expect("a rank is below the number of rows")];
            out.weights[row] += 1.0;
        }
    }
}
