//! A call as a whole: the same bits on any threads and instructions, progress, cancelling, messages.

use crate::problems::TRUTH;
use crate::problems::bits;
use crate::problems::chinchilla;
use crate::problems::replicate;
use crate::problems::run;
use crate::problems::spec;
use lawfit::BatchSpec;
use lawfit::Covariance;
use lawfit::Error;
use lawfit::GivenPrior;
use lawfit::GivenStarts;
use lawfit::Level;
use lawfit::Monitor;
use lawfit::Resample;
use lawfit::Solver;
use lawfit::StartRule;
use lawfit::Status;
use lawfit::run_batch;

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
