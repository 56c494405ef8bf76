use crate::resample::Drawing;
use crate::resample::Errors;
use crate::resample::Numbers;
use crate::resample::Replicate;
use crate::resample::Resampler;

/// The wild bootstrap: fitted values plus or minus each unit's residuals as they are without it, the sign drawn by Rademacher.
/// Liu (1988), "Bootstrap procedures under some non-iid models"; Davidson & Flachaire (2008), "The wild bootstrap, tamed at
/// last"; of clusters Cameron, Gelbach & Miller (2008).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wild;

impl Resampler for Wild {
    const NAME: &'static str = "wild";
    const ERRORS: Errors = Errors::LeftOut;

    fn draw(drawing: &mut Drawing<'_>, replicate: u32, out: &mut Replicate) {
        drawing.first_numbers(replicate, false);
        let Drawing { source, numbers: Numbers { firsts, .. } } = drawing;
        out.weights.clear();
        out.weights.resize(source.units.n_rows(), 1.0);
        let responses = out.responses.get_or_insert_default();
        responses.clear();
        let rows = source.fitted.iter().zip(source.errors).zip(&source.units.of_row);
        responses.extend(rows.map(|((f, error), &unit)| if firsts[unit] >> 63 == 0 { f - error } else { f + error }));
    }
}
