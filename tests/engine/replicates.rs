//! Replicates against cold fits of the same weights and responses.

use crate::problems::TRUTH;
use crate::problems::chinchilla;
use crate::problems::replicate;
use crate::problems::run;
use crate::problems::spec;
use lawfit::BatchSpec;
use lawfit::GivenReplicates;
use lawfit::Monitor;
use lawfit::ReplicatePlan;
use lawfit::ReplicateRule;
use lawfit::Resample;
use lawfit::Residual;
use lawfit::rng::Purpose;
use lawfit::rng::stream;
use lawfit::run_batch;

#[test]
fn resamples_start_warm_and_end_where_a_cold_search_ends() {
    let data = chinchilla(1, 0.01, TRUTH);
    let n = data.y.len();
    let scale = [0.01];
    let mut weights = Vec::new();
    for r in 0..20 {
        let mut random = stream(5, r, 0, Purpose::Check);
        let mut counts = vec![0.0; n];
        for _ in 0..n {
            counts[usize::try_from(random.below(n as u64)).unwrap()] += 1.0;
        }
        weights.extend(counts);
    }
    let given = GivenReplicates { weights: &weights, responses: None };
    let plan = Some(ReplicatePlan { rule: ReplicateRule::Given(given), ..replicate(Resample::Pairs, 20) });
    let warm = &run(&BatchSpec { replicates: plan, f_scale: Some(&scale), ..spec(&data) })[0];
    let replicates = warm.replicates.as_ref().unwrap();
    for r in 0..20 {
        let own = &weights[r * n..][..n];
        let cold = &run(&BatchSpec { weights: Some(own), f_scale: Some(&scale), ..spec(&data) })[0];
        let found = replicates.objectives[r];
        assert!(found <= cold.objective * (1.0 + 1e-8), "replicate {r}: {found} above {}", cold.objective);
    }
}

#[test]
fn responses_that_the_caller_made_are_fitted_in_place_of_the_rows() {
    let data = chinchilla(2, 0.01, TRUTH);
    let n = data.y.len();
    let scale = [0.01, 0.01];
    let (mut weights, mut responses) = (vec![1.0; 3 * n], Vec::new());
    for r in 0..3_u64 {
        let mut random = stream(9, r, 0, Purpose::Check);
        responses.extend(data.y.iter().map(|y| y * (0.01 * random.normal()).exp()));
    }
    // A weight of 0 and a response that has no logarithm both leave a row out.
    weights[n + 4] = 0.0;
    responses[2 * n + 7] = -1.0;
    responses[2 * n + 60] = f64::NAN;
    let given = GivenReplicates { weights: &weights, responses: Some(&responses) };
    for residual in [Residual::Log, Residual::Linear] {
        let plan = Some(ReplicatePlan { rule: ReplicateRule::Given(given), ..replicate(Resample::Pairs, 3) });
        let fits = run(&BatchSpec { replicates: plan, f_scale: Some(&scale), residual, ..spec(&data) });
        for r in 0..3 {
            let own_y: Vec<f64> = responses[r * n..][..n].iter().map(|y| if *y > 0.0 { *y } else { 1.0 }).collect();
            let mut own_weights = weights[r * n..][..n].to_vec();
            for (w, y) in own_weights.iter_mut().zip(&responses[r * n..][..n]) {
                // Under linear residuals -1 is a response like any other, and not one that a sum of powers would make.
                if y.is_nan() || *y <= 0.0 {
                    *w = 0.0;
                }
            }
            if residual == Residual::Linear && r == 2 {
                continue;
            }
            let base =
                BatchSpec { y: &own_y, weights: Some(&own_weights), f_scale: Some(&scale), residual, ..spec(&data) };
            for (fit, cold) in fits.iter().zip(run(&base)) {
                let found = fit.replicates.as_ref().unwrap().objectives[r];
                assert!((found - cold.objective).abs() <= 1e-8 * cold.objective, "{r}: {found} {}", cold.objective);
            }
        }
    }
    let short = GivenReplicates { weights: &weights, responses: Some(&responses[1..]) };
    let plan = Some(ReplicatePlan { rule: ReplicateRule::Given(short), ..replicate(Resample::Pairs, 3) });
    let error = run_batch(&BatchSpec { replicates: plan, ..spec(&data) }, &Monitor::default()).unwrap_err();
    assert!(error.to_string().contains("responses"), "{error}");
}
