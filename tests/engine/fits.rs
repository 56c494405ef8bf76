//! Where fits end: truth recovered, bounds reached, statuses truthful, rows counted by their weights.

use crate::problems::TRUTH;
use crate::problems::chinchilla;
use crate::problems::run;
use crate::problems::spec;
use lawfit::BatchSpec;
use lawfit::Covariance;
use lawfit::GivenStarts;
use lawfit::Loss;
use lawfit::Residual;
use lawfit::StartRule;
use lawfit::Status;

#[test]
fn exact_data_give_the_exact_parameters_and_end_at_rounding() {
    let data = chinchilla(1, 0.0, TRUTH);
    for loss in Loss::ALL {
        for residual in Residual::ALL {
            let fit = &run(&BatchSpec { loss: *loss, residual, ..spec(&data) })[0];
            assert!(fit.status.is_success(), "{} {:?}", loss.name(), fit.status);
            for (found, truth) in fit.params.iter().zip(TRUTH) {
                // The design determines A and B about a thousand times less than the response.
                assert!((found / truth - 1.0).abs() < 1e-9, "{} {}: {found} for {truth}", loss.name(), residual.name());
            }
        }
    }
}

#[test]
fn a_floor_that_the_data_push_to_zero_is_zero_exactly() {
    let data = chinchilla(1, 0.002, [0.0, 480.0, 0.2, 2100.0, 0.3]);
    let fit = &run(&BatchSpec { loss: Loss::Squared, ..spec(&data) })[0];
    if fit.status == Status::ConvergedAtBound {
        assert_eq!(fit.params[0], 0.0);
        assert!(fit.at_bound[0] && fit.gradient[0] > 0.0);
        assert!(fit.covariance[0].is_nan() && fit.covariance[6].is_finite());
    } else {
        // Noise may also leave a floor above zero, which is then a proper minimum.
        assert!(fit.params[0] > 0.0 && fit.status == Status::Converged);
    }
    let below = chinchilla(1, 0.0005, [-0.3, 480.0, 0.2, 2100.0, 0.3]);
    let fit = &run(&BatchSpec { loss: Loss::Squared, ..spec(&below) })[0];
    assert_eq!((fit.status, fit.params[0]), (Status::ConvergedAtBound, 0.0));
}

#[test]
fn fixed_parameters_keep_their_value_and_bounds_hold() {
    let mut data = chinchilla(1, 0.005, TRUTH);
    data.fixed[0] = 1.7;
    data.upper[2] = 0.25;
    let fit = &run(&spec(&data))[0];
    assert_eq!(fit.params[0], 1.7);
    assert_eq!(fit.params[2], 0.25);
    assert_eq!(fit.status, Status::ConvergedAtBound);
    assert_eq!(fit.gradient[0], 0.0);
    assert!(fit.covariance[12].is_nan());
}

#[test]
fn a_fit_whose_only_parameter_is_at_its_bound_has_converged_there() {
    let mut data = chinchilla(1, 0.005, TRUTH);
    data.fixed = vec![f64::NAN, 480.0, 0.35, 2100.0, 0.37];
    data.upper[0] = 1.5;
    let fit = &run(&spec(&data))[0];
    assert_eq!((fit.status, fit.params[0]), (Status::ConvergedAtBound, 1.5));
}

#[test]
fn a_design_on_one_ray_is_not_called_converged_with_confidence() {
    let mut data = chinchilla(1, 0.0, TRUTH);
    let n = data.y.len();
    for i in 0..n {
        // All runs at 20 tokens a parameter, with equal exponents: A and B cannot be told apart.
        data.x[n + i] = 20.0 * data.x[i];
        data.y[i] = 1.8 + (480.0 + 2100.0 * 20f64.powf(-0.35)) * data.x[i].powf(-0.35);
    }
    let fit = &run(&BatchSpec { loss: Loss::Squared, ..spec(&data) })[0];
    assert_eq!(fit.status, Status::Unidentified, "{}", fit.condition);
    assert!(fit.covariance.iter().all(|value| value.is_nan()));
}

#[test]
fn three_parameters_of_two_sizes_are_unidentified_whatever_the_noise() {
    for seed in 0..8 {
        let mut data = chinchilla(1, 0.01, TRUTH);
        let n = data.y.len();
        for i in 0..n {
            // Two values of N say two numbers about E, A and alpha.
            data.x[i] = if i % 2 == 0 { 1e8 } else { 1e10 };
        }
        let fit = &run(&BatchSpec { seed, ..spec(&data) })[0];
        assert!(!fit.status.is_success(), "{:?} {}", fit.status, fit.condition);
    }
}

#[test]
fn too_few_rows_are_a_status_and_spoil_no_neighbour() {
    let mut data = chinchilla(3, 0.005, TRUTH);
    let alone = run(&spec(&data));
    data.offsets = vec![0, 48, 51, 144];
    let fits = run(&spec(&data));
    assert_eq!(fits[1].status, Status::TooFewRows);
    assert!(fits[1].params.iter().all(|value| value.is_nan()));
    assert_eq!(fits[0].params, alone[0].params);
    assert!(fits[2].status.is_success());
}

#[test]
fn a_weight_of_two_is_the_row_twice_and_a_weight_of_zero_none() {
    let data = chinchilla(1, 0.01, TRUTH);
    let n = data.y.len();
    let mut weights = vec![1.0; n];
    weights[3] = 2.0;
    weights[7] = 0.0;
    let scale = [0.004];
    let weighted = &run(&BatchSpec { weights: Some(&weights), f_scale: Some(&scale), ..spec(&data) })[0];
    let order: Vec<usize> = (0..n).filter(|&i| i != 7).chain([3]).collect();
    let mut doubled = chinchilla(1, 0.01, TRUTH);
    doubled.y = order.iter().map(|&i| data.y[i]).collect();
    doubled.x = order.iter().map(|&i| data.x[i]).chain(order.iter().map(|&i| data.x[n + i])).collect();
    doubled.offsets = vec![0, order.len()];
    let twice = &run(&BatchSpec { f_scale: Some(&scale), ..spec(&doubled) })[0];
    assert!((weighted.objective / twice.objective - 1.0).abs() < 1e-12);
    // The sum of squares counts each row once, whatever its weight.
    assert!(weighted.sse < twice.sse);
    for (a, b) in weighted.params.iter().zip(&twice.params) {
        assert!((a / b - 1.0).abs() < 1e-6, "{a} {b}");
    }
}

#[test]
fn counts_are_fitted_by_likelihood() {
    // A share that is the same in all rows: its maximum-likelihood estimate is the share of all, its variance p (1 - p) / n.
    let (successes, trials) = ([3.0, 0.0, 7.0, 2.0, 20.0], [10.0, 4.0, 9.0, 30.0, 20.0]);
    let variables: Vec<String> = ["s", "n"].map(String::from).to_vec();
    let parameters = vec!["p".to_owned()];
    let x = [successes, trials].concat();
    let (start, other) = ([0.3], chinchilla(1, 0.01, TRUTH));
    let base = BatchSpec {
        text: "binomial_deviance(s, n, p)",
        variables: &variables,
        parameters: &parameters,
        x: &x,
        y: &trials,
        offsets: &[0, 5],
        lower: &[0.0],
        upper: &[1.0],
        fixed: &[f64::NAN],
        start_lower: &[f64::NAN],
        start_upper: &[f64::NAN],
        loss: Loss::Squared,
        residual: Residual::Deviance,
        covariance: Covariance::Classical,
        start_rule: StartRule::Given,
        starts: Some(GivenStarts { values: &start, n_starts: 1, per_fit: false }),
        ..spec(&other)
    };
    let fit = &run(&base)[0];
    let (s, n): (f64, f64) = (successes.iter().sum(), trials.iter().sum());
    let share = s / n;
    assert_eq!(fit.status, Status::Converged);
    assert!((fit.params[0] - share).abs() < 1e-12, "{}", fit.params[0]);
    assert!((fit.covariance[0] - share * (1.0 - share) / n).abs() < 1e-10 * fit.covariance[0]);
    let log = |k: f64, p: f64| if k == 0.0 { 0.0 } else { k * p.ln() };
    let lost: f64 = successes
        .iter()
        .zip(&trials)
        .map(|(s, n)| log(*s, s / n) + log(n - s, 1.0 - s / n) - log(*s, share) - log(n - s, 1.0 - share))
        .sum();
    assert!((fit.objective - lost).abs() < 1e-12 * lost, "{} {lost}", fit.objective);
}
