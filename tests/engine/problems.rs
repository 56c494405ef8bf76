//! Data of a known truth, and the calls that fit them.

use lawfit::BatchSpec;
use lawfit::Covariance;
use lawfit::FitResult;
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
use lawfit::evaluate;
use lawfit::rng::Purpose;
use lawfit::rng::stream;
use lawfit::run_batch;

pub(crate) const CHINCHILLA: &str = "E + A*N**-alpha + B*D**-beta";
pub(crate) const TRUTH: [f64; 5] = [1.8, 480.0, 0.35, 2100.0, 0.37];

pub(crate) struct Data {
    pub(crate) variables: Vec<String>,
    pub(crate) parameters: Vec<String>,
    pub(crate) x: Vec<f64>,
    pub(crate) y: Vec<f64>,
    pub(crate) offsets: Vec<usize>,
    pub(crate) lower: Vec<f64>,
    pub(crate) upper: Vec<f64>,
    pub(crate) fixed: Vec<f64>,
    pub(crate) unset: Vec<f64>,
}

/// `n_fits` data sets of 6 × 8 runs of the Chinchilla law with log-normal noise.
pub(crate) fn chinchilla(n_fits: usize, noise: f64, truth: [f64; 5]) -> Data {
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

/// Parameters by name.
pub(crate) type Truth<'a> = &'a [(&'a str, f64)];
/// Lowest and highest x, and how many of them.
pub(crate) type Places = (f64, f64, usize);

/// A law of x with its truth and normal noise.
pub(crate) fn curve(text: &str, truth: Truth<'_>, (low, high, n): Places, noise: f64) -> Data {
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

pub(crate) fn spec(data: &Data) -> BatchSpec<'_> {
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

pub(crate) fn least_squares<'a>(data: &'a Data, text: &'a str) -> BatchSpec<'a> {
    BatchSpec { text, loss: Loss::Squared, residual: Residual::Linear, ..spec(data) }
}

pub(crate) fn replicate<'a>(scheme: Resample, n_replicates: usize) -> ReplicatePlan<'a> {
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

pub(crate) fn run(spec: &BatchSpec<'_>) -> Vec<FitResult> {
    run_batch(spec, &Monitor::default()).unwrap()
}

pub(crate) fn bits(fits: &[FitResult]) -> Vec<u64> {
    let of = |fit: &FitResult| {
        let started = fit.started.as_ref().unwrap();
        let replicates = fit.replicates.as_ref().unwrap();
        let all = fit.params.iter().chain(&fit.covariance).chain(&started.ends).chain(&replicates.params);
        all.chain([&fit.objective, &fit.f_scale]).map(|value| value.to_bits()).collect::<Vec<u64>>()
    };
    fits.iter().flat_map(of).collect()
}
