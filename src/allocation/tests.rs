//! Allocations against closed forms and brute force.

use super::*;

fn names(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[derive(Clone, Copy)]
struct Case<'a> {
    law: &'a str,
    variables: &'a str,
    parameters: &'a [(&'a str, f64)],
    budgets: &'a [(&'a str, f64)],
    bounds: &'a [(f64, f64)],
}

fn solve(case: &Case<'_>, maximize: bool) -> Allocations {
    solve_with(case, maximize, &Extra::default())
}

/// What cannot be divided, and what is to be reached.
#[derive(Default)]
struct Extra<'a> {
    menus: &'a [Vec<f64>],
    whole: &'a [bool],
    targets: &'a [f64],
    scales: &'a [bool],
}

fn solve_with(case: &Case<'_>, maximize: bool, extra: &Extra<'_>) -> Allocations {
    let variables = names(case.variables);
    let parameters: Vec<String> = case.parameters.iter().map(|(name, _)| (*name).to_owned()).collect();
    let params: Vec<f64> = case.parameters.iter().map(|(_, value)| *value).collect();
    let budgets: Vec<String> = case.budgets.iter().map(|(text, _)| (*text).to_owned()).collect();
    let amounts: Vec<f64> = case.budgets.iter().map(|(_, amount)| *amount).collect();
    let lower: Vec<f64> = case.bounds.iter().map(|bound| bound.0).collect();
    let upper: Vec<f64> = case.bounds.iter().map(|bound| bound.1).collect();
    let spec = AllocationSpec {
        law: case.law,
        variables: &variables,
        parameters: &parameters,
        maximize,
        budgets: &budgets,
        params: &params,
        amounts: &amounts,
        lower: &lower,
        upper: &upper,
        menus: extra.menus,
        whole: extra.whole,
        targets: extra.targets,
        scales: extra.scales,
        n_draws: 1,
        n_points: 1,
        level: Level::Portable,
        n_threads: 1,
    };
    run(&spec, &Monitor::default()).unwrap()
}

const WIDE: (f64, f64) = (1.0, 1e30);
const CHINCHILLA: [(&str, f64); 5] = [("E", 1.69), ("A", 406.4), ("B", 410.7), ("alpha", 0.34), ("beta", 0.28)];
/// The closed forms lose some digits to their powers.
const CLOSE: f64 = 1e-11;
/// Six printed digits.
const PRINTED: f64 = 2e-6;

fn assert_close(ours: f64, wanted: f64, tolerance: f64) {
    assert!((ours / wanted - 1.0).abs() <= tolerance, "{ours} is not {wanted}");
}

#[test]
fn chinchilla_has_its_closed_form() {
    let case = Case {
        law: "E + A*N**-alpha + B*D**-beta",
        variables: "N D",
        parameters: &CHINCHILLA,
        budgets: &[("6*N*D", 5.88e23)],
        bounds: &[WIDE, WIDE],
    };
    let found = solve(&case, false);
    let (a, b) = (0.34, 0.28);
    let g = (a * 406.4_f64 / (b * 410.7)).powf(1.0 / (a + b));
    assert_close(found.x[0], g * (5.88e23_f64 / 6.0).powf(b / (a + b)), CLOSE);
    assert_close(found.x[0] * found.x[1] * 6.0, 5.88e23, CLOSE);
    // What the law gains for a unit of ln C is the slope of either term by its own logarithm.
    assert_close(found.price[0], a * 406.4 * found.x[0].powf(-a), CLOSE);
    assert_eq!(found.ending, [Ending::Optimum as u8]);
    assert!(found.residual[0] <= 1e-12);
}

#[test]
fn two_budgets_have_their_published_check_values() {
    let mut parameters = CHINCHILLA.to_vec();
    parameters.extend([("G", 2.0), ("gamma", 0.3)]);
    let one = |training: f64, inference: f64| {
        let case = Case {
            law: "E + A*N**-alpha + B*D**-beta + G*k**-gamma",
            variables: "N D k",
            parameters: &parameters,
            budgets: &[("6*N*D", training), ("2*N*k", inference)],
            bounds: &[WIDE, WIDE, WIDE],
        };
        solve(&case, false).x
    };
    let x = one(2.56e19, 2e9);
    assert_close(x[0], 4.75068e7, PRINTED);
    assert_close(x[1], 8.98116e10, PRINTED);
    assert_close(x[2], 21.05, 1e-3);
    assert_close(one(5.88e23, 2e9)[0], 7.82467e7, PRINTED);
    assert_close(one(1e25, 1.4e11)[0], 5.61621e8, PRINTED);
}

#[test]
fn one_budget_for_training_and_answers_meets_the_lagrange_conditions() {
    let mut parameters = CHINCHILLA.to_vec();
    parameters.extend([("G", 2.0), ("gamma", 0.3)]);
    let case = Case {
        law: "E + A*N**-alpha + B*D**-beta + G*k**-gamma",
        variables: "N D k",
        parameters: &parameters,
        budgets: &[("6*N*D + 2*N*k*1e12", 1e23)],
        bounds: &[WIDE, WIDE, WIDE],
    };
    let found = solve(&case, false);
    let x = &found.x;
    let terms = [0.34 * 406.4 * x[0].powf(-0.34), 0.28 * 410.7 * x[1].powf(-0.28), 0.3 * 2.0 * x[2].powf(-0.3)];
    assert_close(terms[0], terms[1] + terms[2], 1e-10);
    let (training, answers) = (6.0 * x[0] * x[1], 2e12 * x[0] * x[2]);
    assert_close(training / answers, terms[1] / terms[2], 1e-10);
    assert_close(training + answers, 1e23, 1e-12);
}

#[test]
fn a_bound_that_is_reached_is_exact_and_the_rest_is_spent_elsewhere() {
    let case = Case {
        law: "E + A*N**-alpha + B*D**-beta",
        variables: "N D",
        parameters: &CHINCHILLA,
        budgets: &[("6*N*D", 5.88e23)],
        bounds: &[WIDE, (1.0, 1e12)],
    };
    let found = solve(&case, false);
    assert_close(found.x[1], 1e12, 1e-14);
    assert_close(found.x[0], 5.88e23 / 6e12, 1e-12);
    assert_eq!(found.side, [0, 1]);
}

#[test]
fn a_budget_that_would_harm_is_not_spent() {
    let case = Case {
        law: "(log(N) - 10)**2 + (log(D) - 12)**2",
        variables: "N D",
        parameters: &[],
        budgets: &[("6*N*D", 1e20)],
        bounds: &[WIDE, WIDE],
    };
    let found = solve(&case, false);
    assert_close(found.x[0], 10.0_f64.exp(), 1e-12);
    assert_close(found.x[1], 12.0_f64.exp(), 1e-12);
    assert_eq!(found.price, [0.0]);
}

#[test]
fn two_budgets_on_the_same_variables_are_each_kept() {
    // Compute, and memory that grows with N alone: the smaller N of the two.
    let parameters = CHINCHILLA;
    let case = |memory: f64| Case {
        law: "E + A*N**-alpha + B*D**-beta",
        variables: "N D",
        parameters: &parameters,
        budgets: if memory > 1e12 {
            &[("6*N*D", 5.88e23), ("2*N", 1e13)]
        } else {
            &[("6*N*D", 5.88e23), ("2*N", 2e10)]
        },
        bounds: &[WIDE, WIDE],
    };
    let loose = solve(&case(1e13), false);
    assert_eq!(loose.price[1], 0.0);
    let tight = solve(&case(2e10), false);
    assert_close(tight.x[0], 1e10, 1e-13);
    assert!(tight.price[1] > 0.0);
}

#[test]
fn a_budget_that_leaves_another_nothing_does_no_harm() {
    // All of the memory would be a model that no token could be paid for.
    let one = |budgets: &[(&str, f64)]| {
        let law = "E + A*N**-alpha + B*D**-beta";
        solve(&Case { law, variables: "N D", parameters: &CHINCHILLA, budgets, bounds: &[WIDE, WIDE] }, false)
    };
    let alone = one(&[("6*N*D", 5.88e23)]);
    for budgets in [
        [("6*N*D", 5.88e23), ("2*N", 1e24)],
        [("2*N", 1e31), ("6*N*D", 5.88e23)],
        [("6*N*D + 2*N*1e6", 5.88e23), ("2*N", 1e24)],
        [("6*N*D", 5.88e23), ("2*N + D", 1e31)],
    ] {
        let both = one(&budgets);
        assert_eq!(both.ending, [Ending::Optimum as u8], "{budgets:?}");
        // The second term of the cost, where there is one, is a millionth of the first.
        assert_close(both.x[0], alone.x[0], 1e-5);
    }
}

#[test]
fn the_least_of_one_budget_is_found_beside_another_that_stays() {
    // The smallest model that is as good as one of 1e9 parameters, at the compute that trained it.
    let quality = 1.69 + 406.4 * 1e9_f64.powf(-0.34) + 410.7 * (5.88e23_f64 / 6e9).powf(-0.28);
    let extra = Extra { targets: &[quality], scales: &[false, true], ..Extra::default() };
    let least = |memory: f64, bounds: &[(f64, f64)]| {
        let law = "E + A*N**-alpha + B*D**-beta";
        let budgets = [("6*N*D", 5.88e23), ("2*N", memory)];
        solve_with(&Case { law, variables: "N D", parameters: &CHINCHILLA, budgets: &budgets, bounds }, false, &extra)
    };
    for memory in [1.0, 2e9, 1e20] {
        let found = least(memory, &[WIDE, WIDE]);
        assert_close(found.scale[0] * memory, 2e9, 1e-11);
        assert_close(found.x[0], 1e9, 1e-11);
    }
    let none = least(1.0, &[(1e15, 1e30), (1e12, 1e30)]);
    assert_eq!(none.ending, [Ending::Infeasible as u8]);
    assert!(none.scale[0].is_nan());
}

#[test]
fn the_best_of_several_minima_is_found_and_the_next_is_told() {
    let case =
        Case { law: "sin(log(N)) + 0.01*log(N)", variables: "N", parameters: &[], budgets: &[], bounds: &[(1.0, 1e6)] };
    let found = solve(&case, false);
    assert_close(found.x[0].ln(), 2.0 * std::f64::consts::PI - (-0.01_f64).acos(), 1e-12);
    assert!(found.runner_up[0] > found.value[0]);
}

#[test]
fn a_corner_is_told_from_an_optimum() {
    let case = Case { law: "abs(log(N) - 7)", variables: "N", parameters: &[], budgets: &[], bounds: &[(1.0, 1e6)] };
    let found = solve(&case, false);
    assert_close(found.x[0].ln(), 7.0, 1e-9);
    assert_eq!(found.ending, [Ending::Corner as u8]);
}

#[test]
fn what_cannot_be_bought_is_infeasible() {
    let case = Case {
        law: "E + A*N**-alpha + B*D**-beta",
        variables: "N D",
        parameters: &CHINCHILLA,
        budgets: &[("6*N*D", 1e10)],
        bounds: &[(1e9, 1e30), (1e9, 1e30)],
    };
    let found = solve(&case, false);
    assert_eq!(found.ending, [Ending::Infeasible as u8]);
    assert!(found.value[0].is_nan());
}

#[test]
fn more_is_better_under_maximize() {
    let case = Case {
        law: "1/(1 + A*N**-alpha + B*D**-beta)",
        variables: "N D",
        parameters: &CHINCHILLA[1..],
        budgets: &[("6*N*D", 5.88e23)],
        bounds: &[WIDE, WIDE],
    };
    let best = solve(&case, true);
    let other = Case { law: "A*N**-alpha + B*D**-beta", ..case };
    let same = solve(&other, false);
    assert_close(best.x[0], same.x[0], 1e-9);
    assert!(best.price[0] > 0.0 && best.value[0] > 0.0);
}

const T2: [(&str, f64); 7] =
    [("E", 1.69), ("A", 406.4), ("B", 410.7), ("alpha", 0.34), ("beta", 0.28), ("G", 2.0), ("gamma", 0.3)];
const T2_LAW: &str = "E + A*N**-alpha + B*D**-beta + G*k**-gamma";

#[test]
fn a_target_is_reached_by_the_budget_that_gives_it() {
    for (law, variables, parameters, budgets) in [
        ("E + A*N**-alpha + B*D**-beta", "N D", &CHINCHILLA[..], &[("6*N*D", 3e22)][..]),
        (T2_LAW, "N D k", &T2[..], &[("6*N*D", 3e22), ("2*N*k", 1.4e11)][..]),
        (T2_LAW, "N D k", &T2[..], &[("6*N*D + 2*N*k*1e12", 3e23)][..]),
    ] {
        let bounds = vec![WIDE; variables.split(' ').count()];
        let known = solve(&Case { law, variables, parameters, budgets, bounds: &bounds }, false);
        for start in [1.0, 1e20, 1e25] {
            let mut budgets = budgets.to_vec();
            let (amount, scales) = (budgets[0].1, [true, false]);
            budgets[0].1 = start;
            let case = Case { law, variables, parameters, budgets: &budgets, bounds: &bounds };
            let extra = Extra { targets: &known.value, scales: &scales[..budgets.len()], ..Extra::default() };
            let found = solve_with(&case, false, &extra);
            // A response is known to its rounding, which is 1e-15 of it over its slope of a few hundredths.
            assert_close(found.scale[0] * start, amount, 1e-12);
            assert_close(found.x[0], known.x[0], 1e-9);
        }
    }
}

#[test]
fn training_and_serving_together_have_their_published_least_cost() {
    // Sardana et al.: the quality of a 30B Chinchilla model for 1e13 tokens of answers.
    let parameters = [("E", 1.69), ("A", 406.4), ("B", 410.7), ("alpha", 0.336), ("beta", 0.283)];
    let law = "E + A*N**-alpha + B*D**-beta";
    let (a, b): (f64, f64) = (0.336, 0.283);
    let g = (a * 406.4_f64 / (b * 410.7)).powf(1.0 / (a + b));
    let tokens = (30e9_f64 / g).powf(a / b) / g;
    let quality = 1.69 + 406.4 * 30e9_f64.powf(-a) + 410.7 * tokens.powf(-b);
    let budgets = [("6*N*D + 2*N*1e13", 1.0)];
    let case = Case { law, variables: "N D", parameters: &parameters, budgets: &budgets, bounds: &[WIDE, WIDE] };
    let extra = Extra { targets: &[quality], scales: &[true], ..Extra::default() };
    let found = solve_with(&case, false, &extra);
    assert_close(found.x[0], 13.6e9, 5e-3);
    assert_close(found.x[1] / tokens, 2.84, 2e-3);
    let plain = 6.0 * 30e9 * tokens + 2.0 * 30e9 * 1e13;
    assert_close(1.0 - found.scale[0] / plain, 0.280, 2e-3);
}

#[test]
fn a_target_below_all_is_unreachable_and_one_above_all_needs_the_least() {
    let case = |bounds| Case {
        law: "E + A*N**-alpha + B*D**-beta",
        variables: "N D",
        parameters: &CHINCHILLA,
        budgets: &[("6*N*D", 1.0)],
        bounds,
    };
    let extra = |targets| Extra { targets, scales: &[true], ..Extra::default() };
    let below = solve_with(&case(&[WIDE, WIDE]), false, &extra(&[1.6]));
    assert_eq!(below.ending, [Ending::Unreachable as u8]);
    assert!(below.scale[0].is_nan() && below.x[0].is_nan());
    let above = solve_with(&case(&[(1e6, 1e30), (1e6, 1e30)]), false, &extra(&[100.0]));
    assert_close(above.scale[0], 6e12, 1e-9);
}

#[test]
fn a_menu_is_gone_through_and_the_rest_is_chosen_anew() {
    let sizes = [1e8, 7e9, 1e9, 7e10, 1.3e10];
    let budgets = [("6*N*D", 5.88e23)];
    let case = Case {
        law: "E + A*N**-alpha + B*D**-beta",
        variables: "N D",
        parameters: &CHINCHILLA,
        budgets: &budgets,
        bounds: &[WIDE, WIDE],
    };
    let menus = [sizes.to_vec(), Vec::new()];
    let found = solve_with(&case, false, &Extra { menus: &menus, ..Extra::default() });
    let response = |n: f64| 1.69 + 406.4 * n.powf(-0.34) + 410.7 * (5.88e23 / 6.0 / n).powf(-0.28);
    let best = sizes.into_iter().min_by(|a, b| response(*a).total_cmp(&response(*b))).unwrap();
    assert_eq!(found.x[0], best);
    assert_close(found.x[1], 5.88e23 / 6.0 / best, 1e-13);
    let mut others: Vec<f64> = sizes.into_iter().map(response).collect();
    others.sort_by(f64::total_cmp);
    assert_close(found.runner_up[0], others[1], 1e-13);
}

#[test]
fn whole_numbers_are_the_best_of_all_whole_numbers() {
    for inference in [3e8, 2e9, 1.4e11] {
        let budgets = [("6*N*D", 2.56e19), ("2*N*k", inference)];
        let bounds = [WIDE, WIDE, WIDE];
        let case = Case { law: T2_LAW, variables: "N D k", parameters: &T2, budgets: &budgets, bounds: &bounds };
        let whole = Extra { whole: &[false, false, true], ..Extra::default() };
        let found = solve_with(&case, false, &whole);
        let mut best = (f64::INFINITY, 0.0);
        for k in 1..2000 {
            let held = [WIDE, WIDE, (f64::from(k), f64::from(k))];
            let value = solve(&Case { bounds: &held, ..case }, false).value[0];
            if value < best.0 {
                best = (value, f64::from(k));
            }
        }
        assert_eq!(found.x[2], best.1);
        assert_close(found.value[0], best.0, 1e-14);
        assert_eq!(found.side, [0, 0, if best.1 > 1.0 { 0 } else { -1 }]);
    }
}

#[test]
fn an_optimum_that_leaves_most_of_a_budget_is_found() {
    // Spending all of it has a best place too, which is a worse one.
    for amount in [1e7, 1e8, 3e8, 1e9] {
        let budgets = [("N*d**2", amount)];
        let case = Case {
            law: "d*(alpha - beta*N**-c*log(d))",
            variables: "d N",
            parameters: &[("alpha", 0.8), ("beta", 1.7), ("c", 0.07)],
            budgets: &budgets,
            bounds: &[(0.01, 1e30), WIDE],
        };
        let found = solve(&case, true);
        // At N = 1 the best d is exp(alpha / beta - 1), and worth beta d.
        assert_close(found.x[0], (0.8_f64 / 1.7 - 1.0).exp(), 1e-10);
        assert_close(found.value[0], 1.7 * (0.8_f64 / 1.7 - 1.0).exp(), 1e-12);
        assert_eq!(found.price, [0.0]);
    }
}
