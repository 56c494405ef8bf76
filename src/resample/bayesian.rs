use crate::dispatch::Arith;
use crate::dispatch::Plain;
use crate::dispatch::Work;
use crate::dispatch::dispatch;
use crate::resample::Drawing;
use crate::resample::Errors;
use crate::resample::Numbers;
use crate::resample::Replicate;
use crate::resample::Resampler;
use crate::rng::uniform;
use crate::special;

/// The Bayesian bootstrap: Dirichlet(1, …, 1) weights, no unit ever left out.  Rubin (1981), "The Bayesian bootstrap".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bayesian;

impl Resampler for Bayesian {
    const NAME: &'static str = "bayesian";
    const ERRORS: Errors = Errors::None;

    fn draw(drawing: &mut Drawing<'_>, replicate: u32, out: &mut Replicate) {
        drawing.first_numbers(replicate, false);
        let Drawing { source, numbers: Numbers { of_units, firsts, .. } } = drawing;
        of_units.resize(firsts.len(), 0.0);
        // Independent exponentials over their sum are Dirichlet, and each belongs to its unit's key alone.
        dispatch(source.level, Exponentials { bits: firsts, out: of_units });
        for stratum in &source.units.strata {
            let total: f64 = stratum.iter().map(|&unit| of_units[unit]).sum();
            let factor = stratum.len() as f64 / total;
            for &unit in stratum {
                of_units[unit] *= factor;
            }
        }
        source.units.spread(of_units, &mut out.weights);
    }
}

struct Exponentials<'a> {
    bits: &'a [u64],
    out: &'a mut [f64],
}

impl Work for Exponentials<'_> {
    type Out = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        for (out, &bits) in self.out.iter_mut().zip(self.bits) {
            // Nothing is fused, so that draws have the same bits at every level.
            *out = -special::ln::<Plain>(uniform(bits));
        }
    }
}
