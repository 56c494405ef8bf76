//! Where searches begin and whether they arrive: default starts, starts of the caller, valleys and signs.

use crate::problems::Places;
use crate::problems::TRUTH;
use crate::problems::Truth;
use crate::problems::chinchilla;
use crate::problems::curve;
use crate::problems::least_squares;
use crate::problems::run;
use crate::problems::spec;
use lawfit::BatchSpec;
use lawfit::GivenStarts;
use lawfit::Residual;
use lawfit::StartRule;
use lawfit::Status;
use lawfit::rng::Purpose;
use lawfit::rng::stream;

#[test]
fn a_response_that_rises_is_found_as_surely_as_one_that_falls() {
    for truth in [TRUTH, [0.1, 0.002, -0.2, 0.003, -0.15]] {
        let data = chinchilla(1, 0.005, truth);
        let fit = &run(&BatchSpec { n_starts: 64, ..spec(&data) })[0];
        assert_eq!(fit.status, Status::Converged);
        assert!(fit.start_agreement > 0.6, "{}", fit.start_agreement);
    }
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
