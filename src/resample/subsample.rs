use crate::resample::Drawing;
use crate::resample::Errors;
use crate::resample::Numbers;
use crate::resample::Replicate;
use crate::resample::Resampler;

/// A share of the units, drawn without replacement.  Shao & Wu (1989), "A general theory for jackknife variance estimation";
/// Hoffmann et al. (2022) took 80 % of their runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subsample;

impl Resampler for Subsample {
    const NAME: &'static str = "subsample";
    const ERRORS: Errors = Errors::None;

    fn draw(drawing: &mut Drawing<'_>, replicate: u32, out: &mut Replicate) {
        drawing.first_numbers(replicate, false);
        let Drawing { source, numbers: Numbers { of_units, firsts, order, .. } } = drawing;
        let units = source.units;
        of_units.clear();
        of_units.resize(units.len(), 0.0);
        for stratum in &units.strata {
            order.clone_from(stratum);
            // Those with the least random numbers: the order of the rows does not matter.
            order.sort_unstable_by_key(|&unit| (firsts[unit], units.keys[unit]));
            for &unit in &order[..n_kept(source.share, stratum.len())] {
                of_units[unit] = 1.0;
            }
        }
        units.spread(of_units, &mut out.weights);
    }
}

/// How many of `n` units a share is: at least one, and not all where there are two.
fn n_kept(share: f64, n: usize) -> usize {
    let wanted = (share * n as f64 + 0.5).floor();
    (1..n.max(2)).take_while(|&kept| kept as f64 <= wanted).last().unwrap_or(1).min(n)
}
