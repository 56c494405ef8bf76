//! The first trial step of a search: every term gets an equal share of the response.
//!
//! A start's exponents say where to look; its amplitudes, drawn from a wide range, mostly put one term twenty orders of
//! magnitude above the rest, and a third of a search goes into bringing the others back. Setting them from the data is what
//! variable projection does in each step; here it is tried once, and kept only where it lowers the objective, so that a
//! good start stays what it is. On the Chinchilla points it saves 25 of 70 evaluations a start.

use crate::dispatch::Arith;
use crate::dispatch::Plain;
use crate::dispatch::Work;
use crate::dispatch::dispatch;
use crate::formula::program::Columns;
use crate::law::Residual;
use crate::law::Role;
use crate::law::TermRows;
use crate::linalg::sum;
use crate::objective::problem::Problem;
use crate::objective::rows::Rows;
use crate::special;

impl Problem<'_> {
    /// The parameters with the amplitudes of all terms rescaled; `None` where no amplitude is free.
    pub(super) fn with_equal_shares(&self, params: &[f64]) -> Option<Vec<f64>> {
        if self.residual == Residual::Deviance {
            // A law that is a deviance has no terms that would add up to a response.
            return None;
        }
        let law = self.law;
        let amplitudes: Vec<(usize, usize)> =
            self.free.iter().filter_map(|&j| law.amplitude_of[j].map(|term| (j, term))).collect();
        if amplitudes.is_empty() {
            return None;
        }
        let target = typical_response(self.rows, self.residual) / law.term_texts.len() as f64;
        let mut out = params.to_vec();
        let means = self.mean_logs(params);
        for (j, term) in amplitudes {
            let mean = means[term];
            let shift = special::ln::<Plain>(target) - mean;
            if !shift.is_finite() {
                continue;
            }
            if law.roles[j].role == Role::LogAmplitude {
                out[j] += shift;
            } else {
                out[j] *= special::exp::<Plain>(shift);
            }
        }
        Some(out)
    }

    /// The mean of `ln |term|` for each term, over all rows of a short table and over pieces of a long one.
    fn mean_logs(&self, params: &[f64]) -> Vec<f64> {
        let rows = self.rows;
        let n_pieces = if rows.padded <= PIECE * MOST_PIECES { 1 } else { MOST_PIECES };
        let length = if n_pieces == 1 { rows.padded } else { PIECE };
        let mut means = vec![0.0; self.law.term_texts.len()];
        let registers = &mut Vec::new();
        for piece in 0..n_pieces {
            let first = piece * (rows.padded / n_pieces);
            let columns = Columns { values: rows.columns.get(first..).unwrap_or(&[]), stride: rows.padded };
            let work = TermRows { law: self.law, columns, n_rows: length, parameters: params, registers };
            let values = dispatch(self.level, work);
            for (mean, values) in means.iter_mut().zip(values.chunks_exact(length.max(1))) {
                *mean += dispatch(self.level, MeanLog { values }) / n_pieces as f64;
            }
        }
        means
    }
}

/// Rows of a piece, and most pieces, of a long table.
const PIECE: usize = 256;
const MOST_PIECES: usize = 16;

/// The geometric mean of the response for logarithmic residuals, the mean size otherwise; 1 where that is no scale.
pub(crate) fn typical_response(rows: &Rows, residual: Residual) -> f64 {
    let responses = &rows.response[..rows.n];
    let n = rows.n.max(1) as f64;
    let size = match residual {
        Residual::Log => special::exp::<Plain>(responses.iter().sum::<f64>() / n),
        Residual::Linear => responses.iter().map(|y| y.abs()).sum::<f64>() / n,
        // Residuals of a likelihood are of the size of 1.
        Residual::Deviance => 1.0,
    };
    if size > 0.0 && size.is_finite() { size } else { 1.0 }
}

/// The mean of `ln |value|`.
struct MeanLog<'a> {
    values: &'a [f64],
}

impl Work for MeanLog<'_> {
    type Out = f64;

    #[inline(always)]
    fn run<A: Arith>(self) -> f64 {
        const CHUNK: usize = 64;
        let mut logs = [0.0; CHUNK];
        let mut total = 0.0;
        for chunk in self.values.chunks(CHUNK) {
            for (log, value) in logs.iter_mut().zip(chunk) {
                *log = special::ln::<A>(value.abs());
            }
            total += sum(&logs[..chunk.len()]);
        }
        total / self.values.len() as f64
    }
}
