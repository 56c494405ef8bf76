use crate::resample::Drawing;
use crate::resample::Errors;
use crate::resample::Numbers;
use crate::resample::Replicate;
use crate::resample::Resampler;
use crate::rng::Purpose;
use crate::rng::below;
use crate::rng::stream;

/// The pairs bootstrap: as many units as there are, drawn with replacement; a row's weight is how often its unit was drawn.
/// Efron (1979), "Bootstrap methods: another look at the jackknife"; of clusters Field & Welsh (2007), "Bootstrapping
/// clustered data".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pairs;

impl Resampler for Pairs {
    const NAME: &'static str = "pairs";
    const ERRORS: Errors = Errors::None;

    fn draw(drawing: &mut Drawing<'_>, replicate: u32, out: &mut Replicate) {
        drawing.first_numbers(replicate, false);
        let Drawing { source, numbers: Numbers { of_units, firsts, .. } } = drawing;
        let units = source.units;
        of_units.clear();
        of_units.resize(units.len(), 0.0);
        for stratum in &units.strata {
            let n = stratum.len() as u64;
            for &unit in stratum {
                // Each unit's stream names one unit by its rank among the keys: the order of the rows does not matter.
                let rank = below(firsts[unit], n)
                    .unwrap_or_else(|| stream(source.seed, units.keys[unit], replicate, Purpose::Resample).below(n));
                of_units[stratum[usize::try_from(rank).expect("a rank is below the number of units")]] += 1.0;
            }
        }
        units.spread(of_units, &mut out.weights);
    }
}
