//! The jobs that are measured: fixed data, fixed starts, one thread, kernels as asked.
//!
//! Data are computed with the engine's portable arithmetic alone, so that every machine measures the same job.

use lawfit::BatchSpec;
use lawfit::Covariance;
use lawfit::FitResult;
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
use lawfit::dispatch::Arith;
use lawfit::dispatch::Plain;
use lawfit::dispatch::Work;
use lawfit::dispatch::dispatch;
use lawfit::rng::Purpose;
use lawfit::rng::stream;
use lawfit::special;

const LAW: &str = "E + A*N**-alpha + B*D**-beta";
const TRUTH: [f64; 5] = [1.8, 480.0, 0.35, 2100.0, 0.37];
/// Where starts are drawn, in the order of the parameters; amplitudes by the logarithm.
const STARTS: [(f64, f64); 5] = [(0.3, 2.7), (0.0, 25.0), (0.0, 2.0), (0.0, 25.0), (0.0, 2.0)];
const LOWER: [f64; 5] = [0.0, 0.0, f64::NEG_INFINITY, 0.0, f64::NEG_INFINITY];
const UPPER: [f64; 5] = [f64::INFINITY; 5];
const UNSET: [f64; 5] = [f64::NAN; 5];
const PAIRS: ReplicatePlan<'static> = ReplicatePlan {
    rule: ReplicateRule::Scheme(Resample::Pairs),
    n_replicates: 100,
    row_keys: None,
    cluster_keys: None,
    strata: None,
    share: 0.8,
    noise: None,
    is_global: false,
    n_checked: 0,
    with_covariance: false,
};

/// A function of one number that the engine has in its own arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Exp,
    Expm1,
    Ln,
    Log1p,
    Softplus,
    Sigmoid,
    Tanh,
    Digamma,
    Trigamma,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// A function of 4,096 values, and nothing else: one operation more is seen in it, where a fit drowns it.
    Special(Function),
    /// The law at 240 rows and 100 vectors of parameters.
    Value,
    /// The same with all first and second derivatives.
    Curvature,
    /// A fit of 240 rows from 32 given starts, amplitudes solved for.
    SeparableStarts,
    /// The same by the solver for any law.
    GenericStarts,
    /// A default fit of 240 rows: scan, polish, certificate, covariance.
    Scan,
    /// 100 resamples of pairs, from the known optimum.
    Replicates,
    /// Default fits of 8 groups of 20 rows.
    Groups,
}

impl Job {
    /// All of them.
    pub const ALL: [Job; 16] = [
        Job::Special(Function::Exp),
        Job::Special(Function::Expm1),
        Job::Special(Function::Ln),
        Job::Special(Function::Log1p),
        Job::Special(Function::Softplus),
        Job::Special(Function::Sigmoid),
        Job::Special(Function::Tanh),
        Job::Special(Function::Digamma),
        Job::Special(Function::Trigamma),
        Job::Value,
        Job::Curvature,
        Job::SeparableStarts,
        Job::GenericStarts,
        Job::Scan,
        Job::Replicates,
        Job::Groups,
    ];

    /// The name in tables, baselines and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Job::Special(Function::Exp) => "special-exp",
            Job::Special(Function::Expm1) => "special-expm1",
            Job::Special(Function::Ln) => "special-ln",
            Job::Special(Function::Log1p) => "special-log1p",
            Job::Special(Function::Softplus) => "special-softplus",
            Job::Special(Function::Sigmoid) => "special-sigmoid",
            Job::Special(Function::Tanh) => "special-tanh",
            Job::Special(Function::Digamma) => "special-digamma",
            Job::Special(Function::Trigamma) => "special-trigamma",
            Job::Value => "law-value",
            Job::Curvature => "law-curvature",
            Job::SeparableStarts => "separable-starts",
            Job::GenericStarts => "generic-starts",
            Job::Scan => "default-fit",
            Job::Replicates => "replicates",
            Job::Groups => "groups",
        }
    }
}

/// Rows of the Chinchilla law, and what the fits of them need.
pub struct Data {
    variables: Vec<String>,
    parameters: Vec<String>,
    x: Vec<f64>,
    y: Vec<f64>,
    offsets: Vec<usize>,
    starts: Vec<f64>,
    arguments: Vec<f64>,
}

impl Data {
    /// Data sets of some rows each, with 1 % of noise.
    #[must_use]
    pub fn new(n_fits: usize, n_rows: usize) -> Data {
        let (mut sizes, mut tokens, mut y) = (vec![], vec![], vec![]);
        let mut random = stream(7, 0, 0, Purpose::Check);
        for _ in 0..n_fits * n_rows {
            let (log_size, log_tokens) = (17.7 + 6.0 * random.uniform(), 20.7 + 6.0 * random.uniform());
            let [e, a, alpha, b, beta] = TRUTH;
            let value = e + a * exp(-alpha * log_size) + b * exp(-beta * log_tokens);
            sizes.push(exp(log_size));
            tokens.push(exp(log_tokens));
            y.push(value * exp(0.01 * random.normal()));
        }
        sizes.extend(tokens);
        let mut starts = vec![];
        for _ in 0..100 {
            for (i, (low, high)) in STARTS.into_iter().enumerate() {
                let drawn = low + (high - low) * random.uniform();
                starts.push(if i == 1 || i == 3 { exp(drawn) } else { drawn });
            }
        }
        Data {
            variables: ["N", "D"].map(String::from).to_vec(),
            parameters: ["E", "A", "alpha", "B", "beta"].map(String::from).to_vec(),
            x: sizes,
            y,
            offsets: (0..=n_fits).map(|fit| fit * n_rows).collect(),
            starts,
            arguments: (0..4096).map(|_| 1e-3 + 20.0 * random.uniform()).collect(),
        }
    }

    /// The data of a job.
    #[must_use]
    pub fn of(job: Job) -> Data {
        if job == Job::Groups { Data::new(8, 20) } else { Data::new(1, 240) }
    }
}

fn exp(x: f64) -> f64 {
    special::exp::<Plain>(x)
}

struct Block<'a> {
    function: Function,
    x: &'a [f64],
    y: &'a mut [f64],
}

impl Work for Block<'_> {
    type Out = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        let Block { function, x, y } = self;
        match function {
            Function::Exp => map(x, y, |x| special::exp::<A>(x)),
            Function::Expm1 => map(x, y, |x| special::expm1::<A>(x)),
            Function::Ln => map(x, y, |x| special::ln::<A>(x)),
            Function::Log1p => map(x, y, |x| special::log1p::<A>(x)),
            Function::Softplus => map(x, y, |x| special::softplus::<A>(x)),
            Function::Sigmoid => map(x, y, |x| special::sigmoid::<A>(x)),
            Function::Tanh => map(x, y, |x| special::tanh::<A>(x)),
            Function::Digamma => map(x, y, |x| special::digamma::<A>(x)),
            Function::Trigamma => map(x, y, |x| special::trigamma::<A>(x)),
        }
    }
}

#[inline(always)]
fn map(x: &[f64], y: &mut [f64], function: impl Fn(f64) -> f64) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = function(*x);
    }
}

/// Does a job; a number that depends on its results, so that none is left out.
#[must_use]
pub fn run(job: Job, data: &Data, level: Level) -> f64 {
    match job {
        Job::Special(function) => {
            let mut y = vec![0.0; data.arguments.len()];
            dispatch(level, Block { function, x: &data.arguments, y: &mut y });
            y.iter().sum()
        }
        Job::Value => law(data, 0, level),
        Job::Curvature => law(data, 2, level),
        Job::SeparableStarts => fit(&given(data, Solver::Separable, level)),
        Job::GenericStarts => fit(&given(data, Solver::Generic, level)),
        Job::Scan | Job::Groups => fit(&spec(data, level)),
        Job::Replicates => {
            fit(&BatchSpec { replicates: Some(PAIRS), at: Some(&TRUTH), f_scale: Some(&[0.01]), ..spec(data, level) })
        }
    }
}

fn law(data: &Data, order: usize, level: Level) -> f64 {
    let Data { variables, parameters, x, y, starts, .. } = data;
    let values = lawfit::evaluate(LAW, variables, parameters, x, y.len(), starts, parameters, order, level);
    values.expect("the law compiles").iter().sum()
}

fn given(data: &Data, solver: Solver, level: Level) -> BatchSpec<'_> {
    let starts = Some(GivenStarts { values: &data.starts[..32 * 5], n_starts: 32, per_fit: false });
    BatchSpec { solver, start_rule: StartRule::Given, starts, ..spec(data, level) }
}

fn fit(spec: &BatchSpec<'_>) -> f64 {
    let fits = lawfit::run_batch(spec, &Monitor::default()).expect("the job is well formed");
    let found = |fit: &FitResult| match &fit.replicates {
        Some(replicates) => replicates.objectives.iter().sum(),
        None => fit.objective,
    };
    fits.iter().map(found).sum()
}

fn spec(data: &Data, level: Level) -> BatchSpec<'_> {
    BatchSpec {
        text: LAW,
        variables: &data.variables,
        parameters: &data.parameters,
        x: &data.x,
        y: &data.y,
        weights: None,
        sigma: None,
        offsets: &data.offsets,
        lower: &LOWER,
        upper: &UPPER,
        fixed: &UNSET,
        loss: Loss::Huber,
        f_scale: None,
        scale_rule: ScaleRule::Mad,
        residual: Residual::Log,
        start_rule: StartRule::Auto,
        starts: None,
        n_starts: 0,
        start_lower: &UNSET,
        start_upper: &UNSET,
        seed: 0,
        at: None,
        replicates: None,
        solver: Solver::Auto,
        covariance: Covariance::Auto,
        clusters: None,
        keep_starts: false,
        max_iterations: 1000,
        level,
        n_threads: 1,
        prior: None,
    }
}
