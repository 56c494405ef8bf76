//! Whole fits through the engine's own door: truth recovered, bounds reached, statuses truthful, bits equal.

use lawfit::BatchSpec;
use lawfit::Covariance;
use lawfit::Error;
use lawfit::FitResult;
use lawfit::GivenPrior;
use lawfit::GivenReplicates;
use lawfit::GivenStarts;
use lawfit::Level;
use lawfit::Loss;
use lawfit::Monitor;
use lawfit::ReplicatePlan;
use lawfit::ReplicateRule;
use lawfit::Resample;
use lawfit::Residual;
use lawfit::ScaleRule;
use lawfit::Solver;
use lawfit::StartRule;
use lawfit::Status;
use lawfit::evaluate;
use lawfit::rng::Purpose;
use lawfit::rng::stream;
use lawfit::run_batch;

const CHINCHILLA: &str = "E + A*N**-alpha + B*D**-beta";
const TRUTH: [f64; 5] = [1.8, 480.0, 0.35, 2100.0, 0.37];

struct Data {
    variables: Vec<String>,
    parameters: Vec<String>,
    x: Vec<f64>,
    y: Vec<f64>,
    offsets: Vec<usize>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    fixed: Vec<f64>,
    unset: Vec<f64>,
}

/// `n_fits` data sets of 6 × 8 runs of the Chinchilla law with log-normal noise.
fn chinchilla(n_fits: usize, noise: f64, truth: [f64; 5]) -> Data {
    let (mut n, mut d, mut y, mut offsets) = (vec![], vec![], vec![], vec![0]);
    for fit in 0..n_fits {
        let mut random = stream(11, fit as u64, 0, Purpose::Check);
        for i in 0..6 {
            for j in 0..8 {
                let (size, tokens) = (5e7 * 2.5f64.powi(i), 1e9 * 2.2f64.powi(j));
                let [e, a, alpha, b, beta] = truth;
                n.push(size);
                d.push(tokens);
                y.push((e + a * size.powf(-alpha) + b * tokens.powf(-beta)) * (noise * random.normal()).exp());
            }
        }
        offsets.push(y.len());
    }
    n.extend(d);
    let free = f64::INFINITY;
    Data {
        variables: vec!["N".into(), "D".into()],
        parameters: ["E", "A", "alpha", "B", "beta"].map(String::from).to_vec(),
        x: n,
        y,
        offsets,
        lower: vec![0.0, 0.0, -free, 0.0, -free],
        upper: vec![free; 5],
        fixed: vec![f64::NAN; 5],
        unset: vec![f64::NAN; 5],
    }
}

fn spec(data: &Data) -> BatchSpec<'_> {
    BatchSpec {
        text: CHINCHILLA,
        variables: &data.variables,
        parameters: &data.parameters,
        x: &data.x,
        y: &data.y,
        weights: None,
        sigma: None,
        offsets: &data.offsets,
        lower: &data.lower,
        upper: &data.upper,
        fixed: &data.fixed,
        loss: Loss::Huber,
        f_scale: None,
        scale_rule: ScaleRule::Mad,
        residual: Residual::Log,
        start_rule: StartRule::Auto,
        starts: None,
        n_starts: 16,
        start_lower: &data.unset,
        start_upper: &data.unset,
        seed: 0,
        at: None,
        replicates: None,
        solver: Solver::Auto,
        covariance: Covariance::Auto,
        clusters: None,
        keep_starts: true,
        max_iterations: 1000,
        level: Level::best(),
        n_threads: 1,
        prior: None,
    }
}

fn replicate<'a>(scheme: Resample, n_replicates: usize) -> ReplicatePlan<'a> {
    ReplicatePlan {
        rule: ReplicateRule::Scheme(scheme),
        n_replicates,
        row_keys: None,
        cluster_keys: None,
        strata: None,
        share: 0.8,
        noise: None,
        is_global: false,
        n_checked: 2,
        with_covariance: false,
    }
}

fn run(spec: &BatchSpec<'_>) -> Vec<FitResult> {
    run_batch(spec, &Monitor::default()).unwrap()
}

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
fn a_response_that_rises_is_found_as_surely_as_one_that_falls() {
    for truth in [TRUTH, [0.1, 0.002, -0.2, 0.003, -0.15]] {
        let data = chinchilla(1, 0.005, truth);
        let fit = &run(&BatchSpec { n_starts: 64, ..spec(&data) })[0];
        assert_eq!(fit.status, Status::Converged);
        assert!(fit.start_agreement > 0.6, "{}", fit.start_agreement);
    }
}

/// Parameters by name.
type Truth<'a> = &'a [(&'a str, f64)];
/// Lowest and highest x, and how many of them.
type Places = (f64, f64, usize);

/// A law of x with its truth and normal noise.
fn curve(text: &str, truth: Truth<'_>, (low, high, n): Places, noise: f64) -> Data {
    let x: Vec<f64> = (0..n).map(|i| low + (high - low) * i as f64 / (n - 1) as f64).collect();
    let variables = vec!["x".to_string()];
    let parameters: Vec<String> = truth.iter().map(|(name, _)| (*name).to_string()).collect();
    let values: Vec<f64> = truth.iter().map(|(_, value)| *value).collect();
    let mut y = evaluate(text, &variables, &parameters, &x, n, &values, &[], 0, Level::best()).unwrap();
    let mut random = stream(12, 0, 0, Purpose::Check);
    for value in &mut y {
        *value += noise * random.normal();
    }
    let p = truth.len();
    Data {
        variables,
        parameters,
        x,
        y,
        offsets: vec![0, n],
        lower: vec![f64::NEG_INFINITY; p],
        upper: vec![f64::INFINITY; p],
        fixed: vec![f64::NAN; p],
        unset: vec![f64::NAN; p],
    }
}

fn least_squares<'a>(data: &'a Data, text: &'a str) -> BatchSpec<'a> {
    BatchSpec { text, loss: Loss::Squared, residual: Residual::Linear, ..spec(data) }
}

#[test]
fn a_narrow_curved_valley_is_followed_to_its_end() {
    // Along these valleys amplitudes change by many orders of magnitude, or exponent and shift trade off.
    let cases: [(&str, Truth<'_>, Places, &[f64]); 3] = [
        ("a*exp(b/(x + c))", &[("a", 5.6e-3), ("b", 6200.0), ("c", 345.0)], (50.0, 125.0, 16), &[2.0, 4e5, 25000.0]),
        ("a*(b + x)**(-1/c)", &[("a", -2500.0), ("b", 47.0), ("c", 0.93)], (7.4, 12.3, 154), &[-2000.0, 50.0, 0.8]),
        (
            "a + b*exp(-x*d) + c*exp(-x*f)",
            &[("a", 0.375), ("b", 1.94), ("d", 0.0129), ("c", -1.46), ("f", 0.0221)],
            (0.0, 320.0, 33),
            &[50.0, 150.0, 1.0, -100.0, 2.0],
        ),
    ];
    for (text, truth, places, start) in cases {
        let data = curve(text, truth, places, 0.0);
        let starts = Some(GivenStarts { values: start, n_starts: 1, per_fit: false });
        let fit = &run(&BatchSpec { start_rule: StartRule::Given, starts, ..least_squares(&data, text) })[0];
        assert_eq!(fit.status, Status::Converged, "{text}: {:?} after {}", fit.params, fit.n_iterations);
        for (found, (name, value)) in fit.params.iter().zip(truth) {
            assert!((found / value - 1.0).abs() < 1e-7, "{text}: {name} = {found} for {value}");
        }
    }
}

#[test]
fn amplitudes_without_a_declared_sign_are_found_as_surely_as_positive_ones() {
    let mut data = chinchilla(1, 0.005, TRUTH);
    data.lower = vec![f64::NEG_INFINITY; 5];
    let mut random = stream(13, 0, 0, Purpose::Check);
    let mut within = |low: f64, high: f64| low + (high - low) * random.uniform();
    let mut values = Vec::new();
    for _ in 0..100 {
        let [e, a, b] = [within(-1.0, 1.0), within(0.0, 25.0), within(0.0, 25.0)].map(f64::exp);
        values.extend([e, a, within(0.0, 2.0), b, within(0.0, 2.0)]);
    }
    for residual in Residual::ALL {
        let starts = Some(GivenStarts { values: &values, n_starts: 100, per_fit: false });
        let fit = &run(&BatchSpec { start_rule: StartRule::Given, starts, residual, ..spec(&data) })[0];
        assert!(fit.start_agreement > 0.95, "{} {}", residual.name(), fit.start_agreement);
    }
}

#[test]
fn starts_that_agree_agree_in_nearly_all_digits_of_the_parameters() {
    let cases: [(&str, Truth<'_>, Places, f64); 3] = [
        ("a*(1 - (1 + b*x/2)**-2)", &[("a", 338.0), ("b", 3.9e-4)], (77.0, 760.0, 14), 0.08),
        (
            "a*(x**2 + x*b)/(x**2 + x*c + d)",
            &[("a", 0.19), ("b", 0.19), ("c", 0.12), ("d", 0.14)],
            (0.06, 4.0, 11),
            6e-3,
        ),
        ("a*exp(-b*x) + c*exp(-d*x)", &[("a", 0.86), ("b", 3.0), ("c", 1.56), ("d", 5.0)], (0.0, 1.2, 24), 3e-5),
    ];
    for (text, truth, places, noise) in cases {
        let data = curve(text, truth, places, noise);
        let fit = &run(&BatchSpec { n_starts: 64, ..least_squares(&data, text) })[0];
        let started = fit.started.as_ref().unwrap();
        let p = truth.len();
        let size = |params: &[f64]| params.iter().map(|value| value.abs()).sum::<f64>();
        for (s, end) in started.ends.chunks_exact(p).enumerate() {
            let is_same = started.objectives[s] < fit.objective * (1.0 + 1e-6) && started.statuses[s].is_success();
            // Terms that are alike may stand in either order; their sum does not.
            if is_same {
                let gap = size(end) / size(&fit.params) - 1.0;
                assert!(gap.abs() < 1e-10, "{text} start {s}: {end:?} and {:?}", fit.params);
            }
        }
    }
}

#[test]
fn default_starts_find_rates_peaks_periods_poles_and_sigmoids() {
    let cases: [(&str, Truth<'_>, Places); 7] = [
        ("a*(1 - exp(-b*x))", &[("a", 240.0), ("b", 5.5e-4)], (70.0, 760.0, 14)),
        ("a*exp(b*x) + c", &[("a", 0.3), ("b", 0.02), ("c", 2.0)], (0.0, 100.0, 30)),
        (
            "a*exp(-b*x) + c*exp(-(x - d)**2/f**2) + g*exp(-(x - h)**2/k**2)",
            &[
                ("a", 99.0),
                ("b", 0.011),
                ("c", 100.0),
                ("d", 107.0),
                ("f", 24.0),
                ("g", 72.0),
                ("h", 153.0),
                ("k", 20.0),
            ],
            (1.0, 250.0, 250),
        ),
        (
            "m + a*cos(2*pi*x/t) + b*sin(2*pi*x/t)",
            &[("m", 10.0), ("a", 3.0), ("t", 13.7), ("b", 0.5)],
            (1.0, 168.0, 168),
        ),
        ("a*(b + x)**(-1/c)", &[("a", -2500.0), ("b", 47.0), ("c", 0.93)], (7.4, 12.3, 154)),
        ("a*exp(b/(x + c))", &[("a", 5.6e-3), ("b", 6200.0), ("c", 345.0)], (50.0, 125.0, 16)),
        ("a/(1 + exp(b - c*x))**(1/d)", &[("a", 700.0), ("b", 5.3), ("c", 0.76), ("d", 1.28)], (1.0, 15.0, 15)),
    ];
    for (text, truth, places) in cases {
        let data = curve(text, truth, places, 0.0);
        for seed in 0..3 {
            let fit = &run(&BatchSpec { n_starts: 64, seed, ..least_squares(&data, text) })[0];
            assert!(fit.status.is_success(), "{text} seed {seed}: {:?}", fit.status);
            // Exact data: the objective is nothing but rounding, whatever order or sign the terms have.
            let square: f64 = data.y.iter().map(|y| y * y).sum();
            assert!(fit.objective < 1e-20 * square, "{text} seed {seed}: {} {:?}", fit.objective, fit.params);
        }
    }
}

#[test]
fn default_starts_lie_where_the_law_is_defined() {
    let text = "a*(b + x)**(-1/c)";
    let data = curve(text, &[("a", -2500.0), ("b", 47.0), ("c", 0.93)], (7.4, 12.3, 154), 0.002);
    let fit = &run(&BatchSpec { n_starts: 64, ..least_squares(&data, text) })[0];
    for start in fit.started.as_ref().unwrap().begins.chunks_exact(3) {
        assert!(start[1] > -7.4, "{start:?}");
    }
}

#[test]
fn every_level_finds_the_same_optimum() {
    let data = chinchilla(1, 0.005, TRUTH);
    // A scale from the data would differ in its last digits, and the objective with it.
    let scale = [0.005];
    let best = &run(&BatchSpec { f_scale: Some(&scale), ..spec(&data) })[0];
    for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
        let fit = &run(&BatchSpec { level, f_scale: Some(&scale), ..spec(&data) })[0];
        assert!((fit.objective / best.objective - 1.0).abs() < 1e-11, "{}", level.name());
        assert_eq!(fit.status, Status::Converged);
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

fn bits(fits: &[FitResult]) -> Vec<u64> {
    let of = |fit: &FitResult| {
        let started = fit.started.as_ref().unwrap();
        let replicates = fit.replicates.as_ref().unwrap();
        let all = fit.params.iter().chain(&fit.covariance).chain(&started.ends).chain(&replicates.params);
        all.chain([&fit.objective, &fit.f_scale]).map(|value| value.to_bits()).collect::<Vec<u64>>()
    };
    fits.iter().flat_map(of).collect()
}

#[test]
fn results_do_not_depend_on_thread_count_or_on_neighbours() {
    for n_fits in [1, 5, 40] {
        let data = chinchilla(n_fits, 0.01, TRUTH);
        for scheme in [Resample::Pairs, Resample::Bayesian] {
            let replicates = Some(replicate(scheme, 40));
            let base = BatchSpec { replicates, ..spec(&data) };
            let one = bits(&run(&base));
            for n_threads in [2, 3, 8] {
                assert_eq!(
                    bits(&run(&BatchSpec { n_threads, ..base.clone() })),
                    one,
                    "{n_fits} fits, {n_threads} threads"
                );
            }
        }
    }
    let many = chinchilla(5, 0.01, TRUTH);
    let replicates = Some(replicate(Resample::Pairs, 5));
    let together = run(&BatchSpec { replicates, ..spec(&many) });
    let single = chinchilla(1, 0.01, TRUTH);
    let alone = run(&BatchSpec { replicates, ..spec(&single) });
    assert_eq!(bits(&together[..1]), bits(&alone));
}

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

#[test]
fn levels_that_fuse_give_the_same_bits() {
    let data = chinchilla(2, 0.01, TRUTH);
    let replicates = Some(replicate(Resample::Pairs, 10));
    let fusing = [Level::Avx2Fma, Level::Avx512].into_iter().filter(|level| level.is_available());
    let all: Vec<Vec<u64>> = fusing.map(|level| bits(&run(&BatchSpec { level, replicates, ..spec(&data) }))).collect();
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_cancelled_batch_says_so() {
    let data = chinchilla(4, 0.01, TRUTH);
    let monitor = Monitor::default();
    monitor.cancel();
    assert_eq!(run_batch(&spec(&data), &monitor).unwrap_err(), Error::Cancelled);
}

#[test]
fn progress_counts_every_start_and_replicate() {
    let data = chinchilla(3, 0.01, TRUTH);
    let monitor = Monitor::default();
    let replicates = Some(replicate(Resample::Bayesian, 7));
    run_batch(&BatchSpec { replicates, ..spec(&data) }, &monitor).unwrap();
    assert_eq!(monitor.progress(), (3 * (16 + 7), 3 * (16 + 7)));
}

#[test]
fn bad_calls_name_the_argument_before_any_work() {
    let data = chinchilla(1, 0.01, TRUTH);
    let message = |spec: BatchSpec<'_>| run_batch(&spec, &Monitor::default()).unwrap_err().to_string();
    let mut y = data.y.clone();
    y[17] = f64::NAN;
    assert!(message(BatchSpec { y: &y, ..spec(&data) }).contains("the response is NaN in row 17"));
    y[17] = -1.0;
    assert!(message(BatchSpec { y: &y, ..spec(&data) }).contains("residual=\"linear\""));
    let negative = vec![-1.0; data.y.len()];
    assert!(message(BatchSpec { weights: Some(&negative), ..spec(&data) }).starts_with("weights"));
    let ones = vec![1.0; data.y.len()];
    assert!(message(BatchSpec { sigma: Some(&negative), ..spec(&data) }).starts_with("sigma: -1 in row 0"));
    assert!(message(BatchSpec { sigma: Some(&ones), weights: Some(&ones), ..spec(&data) }).contains("not both"));
    assert!(message(BatchSpec { sigma: Some(&ones[1..]), ..spec(&data) }).starts_with("sigma: has 47 values"));
    let prior = |mean: f64, sd: f64| {
        let (means, sds) =
            ([f64::NAN, f64::NAN, mean, f64::NAN, f64::NAN], [f64::NAN, f64::NAN, sd, f64::NAN, f64::NAN]);
        message(BatchSpec { prior: Some(GivenPrior { mean: &means, sd: &sds, variance: None }), ..spec(&data) })
    };
    assert!(prior(0.3, 0.0).starts_with("prior: alpha has the standard deviation 0"));
    assert!(prior(0.3, f64::NAN).starts_with("prior: alpha has the standard deviation NaN"));
    assert!(prior(f64::INFINITY, 1.0).contains("outside its bounds"));
    assert!(prior(f64::NAN, 1.0).contains("outside its bounds"));
    assert!(message(BatchSpec { f_scale: Some(&[0.0]), ..spec(&data) }).starts_with("f_scale"));
    let none = GivenStarts { values: &[], n_starts: 0, per_fit: false };
    let given = BatchSpec { start_rule: StartRule::Given, starts: Some(none), ..spec(&data) };
    assert!(message(given).starts_with("starts"));
    let separable =
        BatchSpec { solver: Solver::Separable, fixed: &[1.8, 480.0, f64::NAN, 2100.0, f64::NAN], ..spec(&data) };
    assert!(message(separable).starts_with("solver"));
    let covariance = Covariance::Cr3;
    assert!(message(BatchSpec { covariance, ..spec(&data) }).starts_with("cluster: missing"));
    assert!(message(BatchSpec { clusters: Some(&[1, 2]), ..spec(&data) }).starts_with("cluster: has 2 values"));
    assert!(message(BatchSpec { fixed: &TRUTH, ..spec(&data) }).contains("every parameter is fixed"));
    let text = "E + A*N**-alpha";
    assert!(message(BatchSpec { text, ..spec(&data) }).contains("variables: D does not occur"));
}
