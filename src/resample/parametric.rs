use crate::dispatch::Plain;
use crate::resample::Drawing;
use crate::resample::Errors;
use crate::resample::Numbers;
use crate::resample::Replicate;
use crate::resample::Resampler;
use crate::rng::uniform;
use crate::special;

/// The parametric bootstrap: fitted values plus normal noise of each row's standard deviation.  Efron (1979).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parametric;

impl Resampler for Parametric {
    const NAME: &'static str = "parametric";
    const ERRORS: Errors = Errors::Noise;

    fn draw(drawing: &mut Drawing<'_>, replicate: u32, out: &mut Replicate) {
        drawing.first_numbers(replicate, true);
        let Drawing { source, numbers: Numbers { firsts, seconds, .. } } = drawing;
        out.weights.clear();
        out.weights.resize(source.units.n_rows(), 1.0);
        let responses = out.responses.get_or_insert_default();
        responses.clear();
        let numbers = firsts.iter().zip(&*seconds);
        responses.extend(source.fitted.iter().zip(source.errors).zip(numbers).map(|((f, sd), (&first, &second))| {
            let radius = (-2.0 * special::ln::<Plain>(uniform(first))).sqrt();
            f + sd * radius * special::cos::<Plain>(std::f64::consts::TAU * uniform(second))
        }));
    }
}
