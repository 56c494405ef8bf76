use crate::resample::Drawing;
use crate::resample::Errors;
use crate::resample::Replicate;
use crate::resample::Resampler;

/// The jackknife: replicate r leaves out unit r, in the order of the units' first rows.  Tukey (1958); Miller (1974).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jackknife;

impl Resampler for Jackknife {
    const NAME: &'static str = "jackknife";
    const ERRORS: Errors = Errors::None;

    fn draw(drawing: &mut Drawing<'_>, replicate: u32, out: &mut Replicate) {
        let units = drawing.source.units;
        let is_left_out = |&unit: &usize| u32::try_from(unit) == Ok(replicate);
        out.weights.clear();
        out.weights.extend(units.of_row.iter().map(|unit| if is_left_out(unit) { 0.0 } else { 1.0 }));
    }
}
