//! The language: values against Rust's own arithmetic, derivatives against finite differences, errors at their column.

use lawfit::Column;
use lawfit::CompiledLaw;
use lawfit::Error;
use lawfit::Kind;
use lawfit::Level;
use lawfit::Residual;
use lawfit::evaluate;
use lawfit::evaluate_columns;
use proptest::prelude::*;

fn words(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The value of a formula without variables at the given parameters.
fn value(text: &str, names: &[&str], params: &[f64], level: Level) -> f64 {
    evaluate(text, &[], &words(names), &[], 1, params, &[], 0, level).unwrap()[0]
}

fn error_of(text: &str) -> String {
    CompiledLaw::new(text, &[], None, Residual::Linear).unwrap_err().to_string()
}

/// Elementary functions are within about two units in the last place, and a formula here chains a few.
const RELATIVE: f64 = 1e-14;

#[test]
fn formulas_follow_pythons_grammar_and_precedence() {
    let (a, b, c) = (1.7_f64, 0.6_f64, 2.3_f64);
    let cases: &[(&str, f64)] = &[
        ("a + b*c", a + b * c),
        ("a - b - c", a - b - c),
        ("a/b/c", a / b / c),
        ("a/b*c", a / b * c),
        ("-a**2", -(a * a)),
        ("(-a)**2", a * a),
        ("2**-b", 2f64.powf(-b)),
        ("a**b**c", a.powf(b.powf(c))),
        ("a**-b**c", a.powf(-(b.powf(c)))),
        ("-a**-b", -(a.powf(-b))),
        ("+a - -b", a + b),
        ("--a", a),
        ("a*-b", a * -b),
        ("1_000.5e-2 + .5 + 5. + 1e3", 1_000.5e-2 + 0.5 + 5.0 + 1e3),
        ("t = a*b; u = t + 1; t*u", (a * b) * (a * b + 1.0)),
        ("where(a > b, c, 0)", c),
        ("where(b < a < c, 1, 2) * a", a),
        ("where(not a > b or b == 0.6, 1, 2) * a", a),
        ("where(a != b and a >= b, 1, 2) * a", a),
        ("min(a, b, c) + max(a, b, c)", b + c),
        ("clip(c, a, 2) + clip(b, a, 2)", 2.0 + a),
        ("log2(8*a) + log10(100*a)", (8.0 * a).log2() + (100.0 * a).log10()),
        ("pi*a", std::f64::consts::PI * a),
        ("logsumexp(a, b, c)", (a.exp() + b.exp() + c.exp()).ln()),
        ("log(exp(a) + exp(b))", (a.exp() + b.exp()).ln()),
        ("logit(b) + sigmoid(a)", (b / (1.0 - b)).ln() + 1.0 / (1.0 + (-a).exp())),
        ("softplus(a) + expm1(b) + log1p(c)", (1.0 + a.exp()).ln() + b.exp_m1() + c.ln_1p()),
        ("sin(a) + cos(b) + atan(c) + tanh(a)", a.sin() + b.cos() + c.atan() + a.tanh()),
        ("abs(b - a) + sqrt(c)", (b - a).abs() + c.sqrt()),
        ("lgamma(a + 1)", libm::lgamma(a + 1.0)),
    ];
    for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
        for (text, expected) in cases {
            let names: Vec<&str> = ["a", "b", "c"].into_iter().filter(|name| uses(text, name)).collect();
            let params: Vec<f64> =
                names.iter().map(|name| [a, b, c][["a", "b", "c"].iter().position(|n| n == name).unwrap()]).collect();
            let found = value(text, &names, &params, level);
            assert!((found - expected).abs() <= RELATIVE * expected.abs().max(1.0), "{text}: {found} for {expected}");
        }
    }
}

fn uses(text: &str, name: &str) -> bool {
    lawfit::formula::names(text).unwrap().iter().any(|(known, _)| known == name)
}

#[test]
fn negative_bases_take_whole_powers_and_refuse_others() {
    assert_eq!(value("a**3", &["a"], &[-2.0], Level::best()), -8.0);
    assert_eq!(value("a**-2", &["a"], &[-2.0], Level::best()), 0.25);
    assert_eq!(value("a**2.0", &["a"], &[-3.0], Level::best()), 9.0);
    assert!(value("a**2.5", &["a"], &[-3.0], Level::best()).is_nan());
}

#[test]
fn what_is_not_a_number_stays_so_in_min_max_and_clip() {
    for text in ["min(log(a), b)", "min(b, log(a))", "max(log(a), b)", "max(b, log(a))", "clip(log(a), 0, b)"] {
        assert!(value(text, &["a", "b"], &[-1.0, 2.0], Level::best()).is_nan(), "{text}");
    }
}

#[test]
fn log_sum_exp_does_not_overflow_where_its_parts_do() {
    // exp(800) is beyond the range of a 64-bit float.
    let found = value("logsumexp(a, b, 0)", &["a", "b"], &[800.0, 799.0], Level::best());
    assert!((found - (800.0 + (1.0 + (-1f64).exp()).ln())).abs() < 1e-12);
    assert_eq!(value("logsumexp(a, b)", &["a", "b"], &[-800.0, -900.0], Level::best()), -800.0);
}

/// Text, variables, parameters, their values and the rows' values of each variable.
type Case = (&'static str, &'static [&'static str], &'static [&'static str], &'static [f64], &'static [f64]);

const DIFFERENTIABLE: &[Case] = &[
    (
        "E + A*N**-alpha + B*D**-beta",
        &["N", "D"],
        &["E", "A", "alpha", "B", "beta"],
        &[1.8, 40.0, 0.35, 90.0, 0.37],
        &[11.0, 23.0, 3.0, 7.0],
    ),
    (
        "((Nc/N)**(aN/aD) + Dc/D)**aD",
        &["N", "D"],
        &["Nc", "aN", "aD", "Dc"],
        &[50.0, 0.2, 0.3, 80.0],
        &[4.0, 9.0, 5.0, 2.0],
    ),
    (
        "E + (A*N**-alpha + B*D**-beta)**gamma",
        &["N", "D"],
        &["E", "A", "alpha", "B", "beta", "gamma"],
        &[1.1, 4.0, 0.5, 3.0, 0.4, 0.7],
        &[4.0, 9.0, 5.0, 2.0],
    ),
    ("e = exp(a - alpha*log(N)); log(e + exp(b))", &["N"], &["a", "alpha", "b"], &[1.2, 0.4, 0.1], &[3.0, 8.0]),
    ("t2/(1 + exp(t1*(x - t0)))", &["x"], &["t2", "t1", "t0"], &[0.9, 1.5, 2.0], &[1.7, 2.4]),
    (
        "A*x**-c*(1 + (x/d)**(1/f))**(-c1*f)",
        &["x"],
        &["A", "c", "d", "f", "c1"],
        &[2.0, 0.3, 5.0, 0.4, 0.6],
        &[3.0, 9.0],
    ),
    ("lgamma(a*x) + sigmoid(b*x) + softplus(c - x)", &["x"], &["a", "b", "c"], &[1.4, 0.6, 2.0], &[1.5, 2.5]),
    ("tanh(a*x) + sin(b*x) + cos(c*x) + atan(a*b)", &["x"], &["a", "b", "c"], &[0.4, 0.6, 0.9], &[1.5, 2.5]),
    ("logsumexp(a*x, b - x, c) + log1p(a*x) + expm1(b/x)", &["x"], &["a", "b", "c"], &[0.4, 0.6, 0.9], &[1.5, 2.5]),
    (
        "where(x > 2, a*x**2, b/x) + max(a, b*x) - min(c, a*x) + abs(a - x)",
        &["x"],
        &["a", "b", "c"],
        &[0.4, 0.6, 0.9],
        &[1.5, 2.5],
    ),
    ("logit(a*x) + sqrt(b + x) + clip(c*x, 0, 2)", &["x"], &["a", "b", "c"], &[0.2, 0.6, 0.5], &[1.5, 2.5]),
];

#[test]
fn derivatives_to_second_order_agree_with_central_differences() {
    // Truncation h² f''' / 6 and rounding eps f / h are both near 1e-10 of the scale at this step.
    let step = 1e-5;
    let tolerance = 2e-8;
    for level in Level::ALL.into_iter().filter(|level| level.is_available()) {
        for &(text, variables, parameters, params, x) in DIFFERENTIABLE {
            let all: Vec<&str> = variables.iter().chain(parameters).copied().collect();
            let n_rows = x.len() / variables.len();
            let run = |x: &[f64], params: &[f64], order: usize| {
                evaluate(text, &words(variables), &words(parameters), x, n_rows, params, &words(&all), order, level)
                    .unwrap()
            };
            for order in 1..=2 {
                let exact = run(x, params, order);
                let block = exact.len() / all.len();
                for (k, name) in all.iter().enumerate() {
                    let shifted = |by: f64| {
                        let (mut x, mut params) = (x.to_vec(), params.to_vec());
                        match k.checked_sub(variables.len()) {
                            Some(parameter) => params[parameter] += by,
                            None => x[k * n_rows..][..n_rows].iter_mut().for_each(|value| *value += by),
                        }
                        run(&x, &params, order - 1)
                    };
                    let (low, high) = (shifted(-step), shifted(step));
                    for i in 0..block {
                        // Order 2 is symmetric: differentiating by `name` last or first is the same.
                        let found = exact[k * block + i];
                        let expected = (high[i] - low[i]) / (2.0 * step);
                        let scale = 1.0 + expected.abs() + low[i].abs();
                        assert!(
                            (found - expected).abs() < tolerance * scale,
                            "{text} by {name}, order {order}: {found} for {expected}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn errors_point_at_the_column() {
    let cases = [
        ("E + A*N^-alpha", "write ** for a power", 8),
        ("E + 2N", "for a product write 2*N", 6),
        ("E + A*", "ends where a value is expected", 7),
        ("E + (A*N", "not closed", 5),
        ("E + A)", "closes nothing", 6),
        ("E + sqrt(A, B)", "sqrt takes 1 argument", 5),
        ("E + ln(A)", "write log", 5),
        ("E + foo(A)", "foo is not a function", 5),
        ("E + exp", "exp is a function", 5),
        ("lambda + E", "a word of Python", 1),
        ("E[corpus] + A", "not supported yet", 2),
        ("sum(i, x)", "not supported yet", 1),
        ("E + A // 2", "write / for division", 7),
        ("E + A = 2", "one = binds", 7),
        ("E A", "an operator is missing", 3),
        ("E + 'text'", "this is text", 5),
        ("E > 2", "a law is a number", 3),
        ("E + (A > 2)", "a comparison is not a number", 8),
        ("where(E, 1, 2)", "a condition is needed", 7),
        ("a = 2; a = 3; a", "bound twice", 8),
        ("a + 1; b", "a ; ends a binding", 6),
        ("exp = 2; exp", "cannot be bound", 1),
        ("E + 1e999", "beyond the range", 5),
        ("E + 007", "does not begin with 0", 5),
        ("E − A", "minus sign", 3),
        ("E + `unclosed", "not closed", 5),
        ("", "empty", 1),
        ("a = 2;", "missing after the last binding", 7),
    ];
    for (text, message, column) in cases {
        let found = error_of(text);
        assert!(found.contains(message), "{text:?}: {found}");
        assert!(found.ends_with(&format!("column {column}")), "{text:?}: {found}");
    }
}

#[test]
fn the_caret_stands_under_the_place_in_long_texts_too() {
    let text = format!("{} + bad^2 + {}", "alpha*".repeat(40) + "1", "beta + ".repeat(30) + "1");
    let found = error_of(&text);
    let lines: Vec<&str> = found.lines().collect();
    let caret = lines[2].chars().position(|c| c == '^').unwrap();
    assert_eq!(lines[1].chars().nth(caret), Some('^'));
}

#[test]
fn huge_and_deep_texts_get_an_error() {
    assert!(error_of(&"a".repeat(30_000)).contains("longer than"));
    assert!(error_of(&format!("{}a{}", "(".repeat(5_000), ")".repeat(5_000))).contains("deep"));
    assert!(error_of(&format!("{}a", "-".repeat(5_000))).contains("deep"));
    assert!(error_of(&"2**".repeat(3_000)).contains("deep"));
    assert!(error_of(&format!("{}a", "exp(".repeat(2_000))).contains("deep"));
}

#[test]
fn chains_of_shared_bindings_do_not_explode() {
    // Each binding doubles the written-out size: without sharing this would have 2^60 nodes.
    let chain = (1..60).map(|i| format!("t{i} = t{}*t{} + 1; ", i - 1, i - 1));
    let text = format!("t0 = a + x; {}t59", chain.collect::<String>());
    match CompiledLaw::new(&text, &words(&["x"]), None, Residual::Log) {
        Ok(law) => assert_eq!(law.parameters(), ["a"]),
        Err(error) => assert!(error.to_string().contains("too large"), "{error}"),
    }
}

#[test]
fn laws_that_cannot_be_differentiated_in_time_are_refused_quickly() {
    let terms = |n: usize| (0..n).map(|i| format!("A{i}*x**-a{i}")).collect::<Vec<_>>().join(" + ");
    let factors = (0..600).map(|i| format!("(a{i} + b{i}*x)")).collect::<Vec<_>>().join("*");
    let towers =
        (1..200).fold("t0 = a*x; ".to_owned(), |text, i| text + &format!("t{i} = exp(t{}*a); ", i - 1)) + "t199";
    for text in [terms(900), factors, towers] {
        let begin = std::time::Instant::now();
        let outcome = CompiledLaw::new(&text, &words(&["x"]), None, Residual::Log);
        // A tenth of a second where nothing else runs; nobody waits for seconds.
        assert!(begin.elapsed().as_secs_f64() < 5.0);
        if let Err(error) = outcome {
            assert!(error.to_string().contains("at most 200") || error.to_string().contains("too large"), "{error}");
        }
    }
    assert!(CompiledLaw::new(&terms(90), &words(&["x"]), None, Residual::Log).is_ok());
}

#[test]
fn a_law_knows_its_terms_and_roles() {
    let law =
        CompiledLaw::new("E + A*N**-alpha + exp(b - beta*log(D))", &words(&["N", "D"]), None, Residual::Log).unwrap();
    assert_eq!(law.parameters(), ["E", "A", "alpha", "b", "beta"]);
    assert_eq!(law.terms(), ["E", "A*N**-alpha", "exp(b - beta*log(D))"]);
    let roles: Vec<&str> = law.roles().iter().map(|role| role.name()).collect();
    assert_eq!(roles, ["linear", "linear", "exponent", "log_amplitude", "exponent"]);
    let law = CompiledLaw::new("t2/(1 + exp(t1*(x - t0)))", &words(&["x"]), None, Residual::Linear).unwrap();
    assert_eq!(law.roles()[0].name(), "linear");
    assert_eq!(law.roles()[2].name(), "shift");
}

#[test]
fn column_formulas_are_64_bit_and_round_as_written() {
    let (n, d) = ([7e9, 13e9], [1.4e12, 2.1e12]);
    let columns = [
        Column { name: "N".into(), values: &n, kind: Kind::Number },
        Column { name: "eval/loss".into(), values: &d, kind: Kind::Number },
    ];
    // 6ND is beyond a 64-bit integer.
    let found = evaluate_columns("6*N*`eval/loss`", &columns, false).unwrap();
    assert_eq!(found, [6.0 * 7e9 * 1.4e12, 6.0 * 13e9 * 2.1e12]);
    let found = evaluate_columns("N >= 7e9 and `eval/loss` < 2e12", &columns, true).unwrap();
    assert_eq!(found, [1.0, 0.0]);
    let error = evaluate_columns("N", &columns, true).unwrap_err();
    assert!(error.to_string().contains("a condition is needed"), "{error}");
}

#[test]
fn text_columns_compare_with_text_only() {
    let (codes, flags) = ([0.0, 1.0, 1.0, 2.0], [1.0, 0.0, 1.0, 1.0]);
    let levels = words(&["c4", "dclm", "pile"]);
    let columns = [
        Column { name: "data".into(), values: &codes, kind: Kind::Text(levels) },
        Column { name: "used".into(), values: &flags, kind: Kind::Condition },
    ];
    let run = |text: &str| evaluate_columns(text, &columns, true);
    assert_eq!(run("data == 'dclm' and used").unwrap(), [0.0, 0.0, 1.0, 0.0]);
    assert_eq!(run("data in ('c4', \"pile\")").unwrap(), [1.0, 0.0, 0.0, 1.0]);
    assert_eq!(run("data not in ['c4', 'never']").unwrap(), [0.0, 1.0, 1.0, 1.0]);
    assert_eq!(run("not used").unwrap(), [0.0, 1.0, 0.0, 0.0]);
    assert!(matches!(run("data > 2"), Err(Error::Formula { column: 0, .. })));
    assert!(run("data == 2").unwrap_err().to_string().contains("column == \"text\""));
    assert!(run("missing > 2").unwrap_err().to_string().contains("known: data, used"));
}

/// Pieces from which random formulas are glued: right and wrong ones.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "x",
        "N",
        "+",
        "-",
        "*",
        "/",
        "**",
        "(",
        ")",
        ",",
        "exp(",
        "log(",
        "where(",
        "min(",
        "1",
        "2.5",
        "1e300",
        "0",
        "<",
        "==",
        "and",
        "or",
        "not",
        "in",
        ";",
        "t=",
        "t",
        "'s'",
        "`c`",
        "[",
        "]",
        "lgamma(",
        "logsumexp(",
        "^",
        " ",
        "é",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn no_text_crashes_or_hangs_the_compiler(text in prop_oneof![pieces(), "\\PC{0,60}", "[a-z0-9+*/()<>=;., -]{0,80}"]) {
        let variables = if uses_name(&text, "x") { words(&["x"]) } else { vec![] };
        for residual in Residual::ALL {
            if let Ok(law) = CompiledLaw::new(&text, &variables, None, residual) {
                let params = vec![0.7; law.parameters().len()];
                let x = vec![1.3; variables.len()];
                let all: Vec<String> = law.parameters().to_vec();
                let values = evaluate(&text, &variables, &all, &x, 1, &params, &all, 2, Level::best());
                prop_assert!(values.is_ok());
            }
        }
    }

    #[test]
    fn levels_agree_to_rounding(a in -3.0..3.0f64, b in 0.1..4.0f64, x in 0.01..1e12f64) {
        let text = "a + b*x**-0.3 + exp(-b) + log(x) + tanh(a) + softplus(a*b) + sigmoid(a)";
        let run = |level| evaluate(text, &words(&["x"]), &words(&["a", "b"]), &[x], 1, &[a, b], &[], 0, level).unwrap()[0];
        let (portable, best) = (run(Level::Portable), run(Level::best()));
        // Sums of terms of a few tens, each within two units in the last place.
        prop_assert!((portable - best).abs() <= 1e-13 * (1.0 + portable.abs()));
    }
}

fn uses_name(text: &str, name: &str) -> bool {
    lawfit::formula::names(text).is_ok_and(|names| names.iter().any(|(known, _)| known == name))
}
