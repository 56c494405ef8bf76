use crate::resample::Drawing;
use crate::resample::Errors;
use crate::resample::Replicate;
use crate::resample::Resampler;
use crate::rng::Purpose;
use crate::rng::stream;

/// Clusters drawn with replacement, then the rows of each drawn cluster with replacement: both levels of noise are drawn
/// anew.  Davison & Hinkley (1997), "Bootstrap methods and their application", §3.8.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hierarchical;

impl Resampler for Hierarchical {
    const NAME: &'static str = "hierarchical";
    const ERRORS: Errors = Errors::None;

    fn draw(drawing: &mut Drawing<'_>, replicate: u32, out: &mut Replicate) {
        let source = drawing.source;
        let units = source.units;
        out.weights.clear();
        out.weights.resize(units.n_rows(), 0.0);
        for stratum in &units.strata {
            for &slot in stratum {
                let mut numbers = stream(source.seed, units.keys[slot], replicate, Purpose::Resample);
                let mut pick =
                    |n: usize| usize::try_from(numbers.below(n as u64)).expect("a rank is below the number of places");
                let members = &units.members[stratum[pick(stratum.len())]];
                for _ in members {
                    out.weights[members[pick(members.len())]] += 1.0;
                }
            }
        }
    }
}
