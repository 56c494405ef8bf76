//! The size of the noise: fitted with the law, known by row, and weighed against a prior.

use crate::problems::Data;
use crate::problems::TRUTH;
use crate::problems::bits;
use crate::problems::chinchilla;
use crate::problems::replicate;
use crate::problems::run;
use crate::problems::spec;
use lawfit::BatchSpec;
use lawfit::GivenPrior;
use lawfit::GivenStarts;
use lawfit::Loss;
use lawfit::Monitor;
use lawfit::Resample;
use lawfit::ScaleRule;
use lawfit::StartRule;
use lawfit::Status;
use lawfit::run_batch;

/// Residuals of logarithms at the estimates.
fn log_residuals(data: &Data, params: &[f64]) -> Vec<f64> {
    let n = data.y.len();
    let law = |i: usize| {
        let [size, tokens] = [data.x[i], data.x[n + i]];
        params[0] + params[1] * size.powf(-params[2]) + params[3] * tokens.powf(-params[4])
    };
    (0..n).map(|i| (law(i) / data.y[i]).ln()).collect()
}

#[test]
fn a_fitted_scale_is_a_millionth_of_the_mean_deviation_and_the_law_passes_through_as_many_rows_as_it_has_parameters() {
    let data = chinchilla(1, 0.005, TRUTH);
    let fit = &run(&BatchSpec { scale_rule: ScaleRule::Fitted, ..spec(&data) })[0];
    assert_eq!(fit.status, Status::Converged);
    assert!(fit.start_agreement > 0.8, "{}", fit.start_agreement);
    let sizes: Vec<f64> = log_residuals(&data, &fit.params).iter().map(|r| r.abs()).collect();
    let mean = sizes.iter().sum::<f64>() / sizes.len() as f64;
    assert!((fit.f_scale / (1e-6 * mean) - 1.0).abs() < 1e-6, "{} {mean}", fit.f_scale);
    assert_eq!(sizes.iter().filter(|size| **size <= 1.001 * fit.f_scale).count(), 5);
    // Where rows are passed through the curvature says nothing of the spread of the estimates.
    assert!(fit.covariance.iter().all(|value| value.is_nan()));
    // The same minimum under the same scale, given as a number.
    let scale = [fit.f_scale];
    let from_there = GivenStarts { values: &fit.params, n_starts: 1, per_fit: false };
    let again = BatchSpec { starts: Some(from_there), start_rule: StartRule::Given, n_starts: 1, ..spec(&data) };
    let again = &run(&BatchSpec { f_scale: Some(&scale), ..again })[0];
    assert!((again.objective / fit.objective - 1.0).abs() < 1e-9);
}

#[test]
fn a_fitted_scale_has_the_same_bits_on_any_number_of_threads() {
    let data = chinchilla(2, 0.005, TRUTH);
    let replicates = Some(replicate(Resample::Pairs, 9));
    let base = BatchSpec { replicates, scale_rule: ScaleRule::Fitted, ..spec(&data) };
    let one = bits(&run(&base));
    for n_threads in [2, 3] {
        assert_eq!(bits(&run(&BatchSpec { n_threads, ..base.clone() })), one);
    }
}

#[test]
fn known_noise_and_priors_keep_bits_and_progress() {
    let data = chinchilla(3, 0.01, TRUTH);
    let sigma: Vec<f64> = data.y.iter().enumerate().map(|(i, y)| y * 0.005 * (1.0 + (i % 4) as f64)).collect();
    let (mean, sd) = ([f64::NAN, f64::NAN, 0.33, f64::NAN, 0.4], [f64::NAN, f64::NAN, 0.01, f64::NAN, 0.05]);
    let prior = Some(GivenPrior { mean: &mean, sd: &sd, variance: None });
    let replicates = Some(replicate(Resample::Bayesian, 20));
    for loss in Loss::ALL {
        for sigma in [None, Some(&sigma[..])] {
            let base = BatchSpec { loss: *loss, sigma, prior, replicates, ..spec(&data) };
            let monitor = Monitor::default();
            let one = run_batch(&base, &monitor).unwrap();
            assert_eq!(monitor.progress(), (3 * (16 + 20), 3 * (16 + 20)));
            assert!(one.iter().all(|fit| fit.status == Status::Converged), "{}", loss.name());
            let three = bits(&run(&BatchSpec { n_threads: 3, ..base.clone() }));
            assert_eq!(bits(&one), three, "{}", loss.name());
            // The variance that a fit has found is the one that it takes when it is given.
            let variance: Vec<f64> = one.iter().map(|fit| fit.prior_variance).collect();
            let given = Some(GivenPrior { variance: Some(&variance), mean: &mean, sd: &sd });
            let scale: Vec<f64> = one.iter().map(|fit| fit.f_scale).collect();
            assert_eq!(bits(&run(&BatchSpec { prior: given, f_scale: Some(&scale), ..base })), bits(&one));
        }
    }
}

#[test]
fn a_prior_is_weighed_against_the_noise_of_the_rows() {
    let data = chinchilla(1, 0.01, TRUTH);
    let mut mean = data.unset.clone();
    mean[2] = 0.35;
    let mut sd = data.unset.clone();
    sd[2] = 0.02;
    let prior = Some(GivenPrior { mean: &mean, sd: &sd, variance: None });
    let sigma = vec![0.01; data.y.len()];
    let squared = BatchSpec { loss: Loss::Squared, ..spec(&data) };
    let alone = &run(&squared)[0];
    let rows_alone = 2.0 * alone.objective / (48.0 - 5.0);
    assert!(alone.prior_variance.is_nan());
    // Starts near the prior end in other last digits of the same optimum.
    let found = run(&BatchSpec { prior, ..squared.clone() })[0].prior_variance;
    assert!((found / rows_alone - 1.0).abs() < 1e-10);
    assert_eq!(run(&BatchSpec { prior, sigma: Some(&sigma), ..squared })[0].prior_variance, 1.0);
    let huber = &run(&BatchSpec { prior, ..spec(&data) })[0];
    assert_eq!(huber.prior_variance, (huber.f_scale / 1.345).powi(2));
    // All three are estimates of the same noise, .01.
    assert!((rows_alone.sqrt() - 0.01).abs() < 0.003 && (huber.prior_variance.sqrt() - 0.01).abs() < 0.004);
}
