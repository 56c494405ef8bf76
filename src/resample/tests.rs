use super::*;
use crate::rng::row_key;
use crate::rng::stream;

/// Schemes that weight units, and nothing else, at random.
const WEIGHTING: [Resample; 2] = [Resample::Bayesian, Resample::Pairs];
const SHARE: f64 = 0.8;

fn source(units: &Units) -> Source<'_> {
    Source { units, seed: 7, level: Level::best(), fitted: &[], errors: &[], share: SHARE }
}

fn drawn(scheme: Resample, source: Source<'_>, number: u32) -> Replicate {
    let mut out = Replicate::default();
    scheme.draw(&mut Drawing { source, numbers: &mut Numbers::default() }, number, &mut out);
    out
}

fn weights(scheme: Resample, units: &Units, number: u32) -> Vec<f64> {
    drawn(scheme, source(units), number).weights
}

fn keys(n: u64) -> Vec<u64> {
    (0..n).map(row_key).collect()
}

fn rows(n: u64) -> Units {
    Units::new(keys(n), None, None)
}

/// Twelve rows in four clusters of sizes 5, 4, 2 and 1.
fn clusters() -> Vec<u64> {
    [0, 0, 1, 0, 1, 2, 0, 1, 2, 3, 0, 1].map(row_key).to_vec()
}

#[test]
fn weights_are_not_negative_and_sum_to_the_number_of_rows() {
    for scheme in WEIGHTING {
        for number in 0..50 {
            let weights = weights(scheme, &rows(37), number);
            assert!(weights.iter().all(|w| *w >= 0.0));
            // 37 additions of numbers of order one.
            assert!((weights.iter().sum::<f64>() - 37.0).abs() < 1e-12, "{}", scheme.name());
        }
    }
}

#[test]
fn rows_draw_what_their_streams_give() {
    let (keys, units) = (keys(20), rows(20));
    let numbers = |key: &u64| stream(7, *key, 5, Purpose::Resample);
    let exponentials: Vec<f64> = keys.iter().map(|key| numbers(key).exponential()).collect();
    let factor = 20.0 / units.strata[0].iter().map(|&unit| exponentials[unit]).sum::<f64>();
    assert_eq!(weights(Resample::Bayesian, &units, 5), exponentials.iter().map(|e| e * factor).collect::<Vec<_>>());
    let (fitted, errors) = (vec![1.0; 20], vec![0.5; 20]);
    let responses = |scheme| drawn(scheme, Source { fitted: &fitted, errors: &errors, ..source(&units) }, 5).responses;
    let normal: Vec<f64> = keys.iter().map(|key| 1.0 + 0.5 * numbers(key).normal()).collect();
    let found = responses(Resample::Parametric).unwrap();
    // The product of three factors may round in another order.
    assert!(found.iter().zip(&normal).all(|(a, b)| (a - b).abs() < 1e-15));
    let signs = responses(Resample::Wild).unwrap();
    assert!(signs.iter().all(|y| *y == 0.5 || *y == 1.5) && signs.contains(&0.5) && signs.contains(&1.5));
}

#[test]
fn a_row_keeps_its_weight_when_the_rows_are_reordered() {
    for scheme in [Resample::Bayesian, Resample::Pairs, Resample::Hierarchical, Resample::Subsample] {
        for is_clustered in [false, true] {
            let (straight, of) = (keys(12), clusters());
            if scheme == Resample::Hierarchical && !is_clustered {
                continue;
            }
            let turned = |values: &[u64]| [&values[5..], &values[..5]].concat();
            let a = weights(scheme, &Units::new(straight.clone(), is_clustered.then_some(&of), None), 3);
            let (turned_keys, turned_of) = (turned(&straight), turned(&of));
            let mut b = weights(scheme, &Units::new(turned_keys, is_clustered.then_some(&turned_of), None), 3);
            b.rotate_right(5);
            // A Dirichlet draw divides by a sum, which may round in another order.
            assert!(a.iter().zip(&b).all(|(x, y)| (x - y).abs() < 1e-13), "{}", scheme.name());
        }
    }
}

#[test]
fn weights_have_the_variance_of_their_scheme() {
    // Multinomial counts have variance 1 − 1/n, Dirichlet(1) weights times n have (n − 1)/(n + 1).
    let n = 40;
    let units = rows(n);
    for scheme in WEIGHTING {
        let draws: Vec<f64> = (0..4000).flat_map(|r| weights(scheme, &units, r)).collect();
        let variance = draws.iter().map(|w| (w - 1.0).powi(2)).sum::<f64>() / draws.len() as f64;
        let n = n as f64;
        let expected = if scheme == Resample::Pairs { 1.0 - 1.0 / n } else { (n - 1.0) / (n + 1.0) };
        // Five standard errors of a variance of 160,000 draws whose fourth moment is below 9.
        assert!((variance - expected).abs() < 0.04, "{} {variance}", scheme.name());
    }
}

#[test]
fn rows_of_a_cluster_have_one_weight_and_clusters_are_drawn_as_rows_would_be() {
    let of = clusters();
    let units = Units::new(keys(12), Some(&of), None);
    let alone = Units::new([0, 1, 2, 3].map(row_key).to_vec(), None, None);
    assert_eq!(units.len(), 4);
    for scheme in [Resample::Bayesian, Resample::Pairs, Resample::Subsample] {
        for number in 0..20 {
            let (of_rows, of_units) = (weights(scheme, &units, number), weights(scheme, &alone, number));
            for (row, key) in of.iter().enumerate() {
                let unit = [0, 1, 2, 3].map(row_key).iter().position(|k| k == key).unwrap();
                assert_eq!(of_rows[row], of_units[unit], "{}", scheme.name());
            }
        }
    }
}

#[test]
fn strata_keep_their_numbers_of_rows() {
    let codes: Vec<i64> = (0..30).map(|row| i64::from(row % 3 == 0)).collect();
    let units = Units::new(keys(30), None, Some(&codes));
    for scheme in WEIGHTING {
        for number in 0..50 {
            let weights = weights(scheme, &units, number);
            let first: f64 = weights.iter().zip(&codes).filter(|(_, code)| **code == 1).map(|(w, _)| w).sum();
            assert!((first - 10.0).abs() < 1e-13, "{} {first}", scheme.name());
        }
    }
}

#[test]
fn both_levels_of_a_hierarchy_are_drawn() {
    let of = clusters();
    let units = Units::new(keys(12), Some(&of), None);
    let mut totals = [0.0; 12];
    let mut is_split = false;
    for number in 0..4000 {
        let weights = weights(Resample::Hierarchical, &units, number);
        for (total, weight) in totals.iter_mut().zip(&weights) {
            *total += weight;
        }
        is_split |= weights[0] != weights[1];
    }
    assert!(is_split);
    // Every row is drawn once in the mean; its variance is below 4, so five standard errors are .16.
    assert!(totals.iter().all(|total| (total / 4000.0 - 1.0).abs() < 0.16), "{totals:?}");
}

#[test]
fn a_jackknife_leaves_out_one_unit_after_the_other() {
    let units = Units::new(keys(12), Some(&clusters()), None);
    for number in 0..4 {
        let weights = weights(Resample::Jackknife, &units, number);
        for (row, weight) in weights.iter().enumerate() {
            assert_eq!(*weight == 0.0, units.of_row[row] == number as usize);
        }
    }
}

#[test]
fn a_subsample_keeps_its_share_and_every_unit_equally_often() {
    let units = rows(20);
    let mut kept = [0.0; 20];
    for number in 0..4000 {
        let weights = weights(Resample::Subsample, &units, number);
        assert!((weights.iter().sum::<f64>() - 16.0).abs() < 1e-12);
        for (total, weight) in kept.iter_mut().zip(&weights) {
            *total += weight;
        }
    }
    // The standard deviation of a share of .8 is .0063 at 4,000.
    assert!(kept.iter().all(|total| (total / 4000.0 - SHARE).abs() < 0.032));
}
