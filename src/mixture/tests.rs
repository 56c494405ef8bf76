use super::*;
use crate::run::Monitor;
use crate::status::Status;

const CASES: [Counts; 6] = [
    Counts { n: 10.0, s: 0.0 },
    Counts { n: 10.0, s: 3.0 },
    Counts { n: 100.0, s: 100.0 },
    Counts { n: 1e4, s: 1.0 },
    Counts { n: 1e4, s: 5000.0 },
    Counts { n: 3_700_000.0, s: 12.0 },
];

fn at(kind: MixtureKind, at: &[f64], scale: f64) -> (Vec<f64>, Vec<f64>) {
    let (n, s): (Vec<f64>, Vec<f64>) = CASES.iter().map(|c| (c.n, c.s)).unzip();
    log_moments(kind, at, scale, &n, &s)
}

#[test]
fn slopes_of_every_kind_are_finite_differences() {
    let step = 1e-5;
    for &kind in MixtureKind::ALL {
        let here = &[-1.2, -0.7, 0.9][MOST - kind.parameters().len()..];
        let (_, gradient) = at(kind, here, 0.8);
        for j in 0..here.len() {
            let (mut low, mut high) = (here.to_vec(), here.to_vec());
            low[j] -= step;
            high[j] += step;
            let ((low, _), (high, _)) = (at(kind, &low, 0.8), at(kind, &high, 0.8));
            for i in 0..CASES.len() {
                let (ours, theirs) = (gradient[i * here.len() + j], (high[i] - low[i]) / (2.0 * step));
                // Where s / n is above c a value is of the order of 100, with 1e-14 of it as rounding.
                let close = (ours - theirs).abs() < 1e-6 * (1.0 + ours.abs());
                assert!(close, "{} {j} {:?}: {ours} {theirs}", kind.name(), CASES[i]);
            }
        }
    }
}

#[test]
fn a_scaled_beta_next_to_one_is_a_beta() {
    let here = [-0.5, 0.8];
    let (plain, _) = at(MixtureKind::Beta, &here, 1.0);
    let (scaled, _) = at(MixtureKind::ScaledBeta, &here, 1.0 - 1e-13);
    for (x, y) in plain.iter().zip(&scaled) {
        assert!((x - y).abs() < 1e-8 * (1.0 + x.abs()), "{x} {y}");
    }
}

#[test]
fn a_kumaraswamy_of_ones_is_the_uniform_beta() {
    let (plain, _) = at(MixtureKind::Beta, &[0.0, 0.0], 1.0);
    let (other, _) = at(MixtureKind::Kumaraswamy, &[0.0, 0.0], 1.0);
    for (x, y) in plain.iter().zip(&other) {
        assert!((x - y).abs() < 1e-11 * (1.0 + x.abs()), "{x} {y}");
    }
}

fn fit(kind: MixtureKind, n: &[f64], s: &[f64]) -> MixtureFit {
    let keys: Vec<u64> = (0..n.len() as u64).collect();
    let spec = MixtureSpec {
        kind,
        n,
        s,
        offsets: &[0, n.len()],
        scale: &[f64::NAN],
        keys: &keys,
        n_replicates: 0,
        seed: 0,
        n_threads: 1,
    };
    run(&spec, &Monitor::default()).expect("the counts are counts").remove(0)
}

#[test]
fn counts_that_identify_nothing_never_converge() {
    let cases: [(&[f64], &[f64], Status); 6] = [
        (&[10.0; 5], &[0.0; 5], Status::Unidentified),
        (&[10.0; 5], &[10.0; 5], Status::Unidentified),
        (&[10.0; 5], &[5.0; 5], Status::Unidentified),
        (&[1.0; 5], &[0.0, 1.0, 1.0, 0.0, 1.0], Status::Unidentified),
        (&[10.0; 5], &[0.0, 10.0, 10.0, 0.0, 10.0], Status::Unidentified),
        (&[10.0], &[3.0], Status::TooFewRows),
    ];
    for &kind in MixtureKind::ALL {
        for (n, s, status) in cases {
            let found = fit(kind, n, s).status;
            let is_right =
                if kind == MixtureKind::Beta { found == status } else { !matches!(found, Status::Converged) };
            assert!(is_right, "{} {s:?} {found:?}", kind.name());
        }
    }
}
