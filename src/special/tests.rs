//! Every function against reference values with 50 digits, at every level.

use crate::dispatch::Arith;
use crate::dispatch::Level;
use crate::dispatch::Plain;
use crate::dispatch::Work;
use crate::dispatch::dispatch;
use crate::special;

/// Made by `tests/data/special_reference.py`.
const REFERENCE: &str = include_str!("../../tests/data/special_reference.txt");

/// The largest error that each function's documentation allows, in ulp.
const BOUNDS: [(&str, f64); 13] = [
    ("exp", 1.01),
    ("ln", 1.0),
    ("expm1", 2.2),
    ("log1p", 1.0),
    ("softplus", 1.6),
    ("sigmoid", 2.2),
    ("tanh", 2.6),
    ("sin", 0.9),
    ("cos", 0.9),
    ("atan", 0.9),
    ("lgamma", 2.5),
    ("digamma", 4.0),
    ("trigamma", 3.0),
];

/// Every level that this machine has, the portable one always among them.
fn levels() -> impl Iterator<Item = Level> {
    Level::ALL.into_iter().filter(|level| level.is_available())
}

struct Evaluate<'a> {
    name: &'a str,
    x: f64,
}

impl Work for Evaluate<'_> {
    type Out = f64;

    #[inline(always)]
    fn run<A: Arith>(self) -> f64 {
        match self.name {
            "exp" => special::exp::<A>(self.x),
            "ln" => special::ln::<A>(self.x),
            "expm1" => special::expm1::<A>(self.x),
            "log1p" => special::log1p::<A>(self.x),
            "softplus" => special::softplus::<A>(self.x),
            "sigmoid" => special::sigmoid::<A>(self.x),
            "tanh" => special::tanh::<A>(self.x),
            "sin" => special::sin::<A>(self.x),
            "cos" => special::cos::<A>(self.x),
            "atan" => special::atan::<A>(self.x),
            "lgamma" => special::lgamma::<A>(self.x),
            "digamma" => special::digamma::<A>(self.x),
            "trigamma" => special::trigamma::<A>(self.x),
            "square" => special::powi::<A>(self.x, 2),
            "cube" => special::powi::<A>(self.x, 3),
            "inverse_cube" => special::powi::<A>(self.x, -3),
            other => unreachable!("{other} is not in the table"),
        }
    }
}

fn evaluate(level: Level, name: &str, x: f64) -> f64 {
    dispatch(level, Evaluate { name, x })
}

/// A line of the reference table.
struct Reference {
    name: &'static str,
    x: f64,
    /// The value, rounded, and what the rounding left.
    value: f64,
    rest: f64,
}

fn references() -> impl Iterator<Item = Reference> {
    REFERENCE.lines().map(|line| {
        let mut words = line.split(' ');
        let name = words.next().expect("a name");
        let mut number = || words.next().expect("a number").parse().expect("a decimal number");
        Reference { name, x: number(), value: number(), rest: number() }
    })
}

/// The distance from a positive normal number's size to the next larger one.
fn ulp(value: f64) -> f64 {
    let size = value.abs().max(f64::MIN_POSITIVE);
    f64::from_bits(size.to_bits() + 1) - size
}

#[test]
fn every_function_is_within_its_bound_at_every_level() {
    for level in levels() {
        for (name, bound) in BOUNDS {
            let mut n_checked = 0;
            for Reference { x, value, rest, .. } in references().filter(|reference| reference.name == name) {
                let is_reflected = x < 0.0 && name.ends_with("gamma");
                let unit = if is_reflected { ulp(value.abs().max(1.0)) } else { ulp(value) };
                let result = evaluate(level, name, x);
                let error = ((result - value) - rest) / unit;
                assert!(error.abs() <= bound, "{name}({x:?}) at {}: {result:?} is {error} ulp off", level.name());
                n_checked += 1;
            }
            assert!(n_checked > 80, "{name} has {n_checked} reference values");
        }
    }
}

#[test]
fn special_arguments_give_the_documented_values() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let odd_nan = f64::from_bits(0x7ff0_0000_0000_07a2);
    let cases = [
        ("exp", vec![(0.0, 1.0), (-0.0, 1.0), (inf, inf), (-inf, 0.0), (709.782_712_893_384_1, inf), (1e300, inf)]),
        ("exp", vec![(-708.06, 0.0), (-709.0, 0.0), (-746.0, 0.0), (-1e300, 0.0), (nan, nan), (odd_nan, nan)]),
        ("expm1", vec![(0.0, 0.0), (inf, inf), (-inf, -1.0), (-1e300, -1.0), (710.0, inf), (nan, nan), (odd_nan, nan)]),
        ("ln", vec![(1.0, 0.0), (0.0, -inf), (-0.0, -inf), (inf, inf), (nan, nan), (odd_nan, nan), (-odd_nan, nan)]),
        ("ln", vec![(-1.0, nan), (-inf, nan), (-5e-324, nan), (-1e300, nan), (-1e-310, nan)]),
        ("log1p", vec![(0.0, 0.0), (-1.0, -inf), (inf, inf), (-1.1, nan), (-inf, nan), (nan, nan), (-1e300, nan)]),
        ("softplus", vec![(inf, inf), (-inf, 0.0), (nan, nan), (1e300, 1e300), (-1e300, 0.0), (odd_nan, nan)]),
        ("sigmoid", vec![(inf, 1.0), (-inf, 0.0), (nan, nan), (0.0, 0.5), (1e300, 1.0), (-1e300, 0.0)]),
        ("tanh", vec![(inf, 1.0), (-inf, -1.0), (nan, nan), (0.0, 0.0), (-1e300, -1.0)]),
        ("sin", vec![(inf, nan), (nan, nan), (0.0, 0.0)]),
        ("cos", vec![(inf, nan), (nan, nan), (0.0, 1.0)]),
        ("atan", vec![(nan, nan), (0.0, 0.0)]),
        ("lgamma", vec![(1.0, 0.0), (2.0, 0.0), (0.0, inf), (-3.0, inf), (inf, inf), (-inf, inf), (nan, nan)]),
        ("digamma", vec![(0.0, nan), (-3.0, nan), (inf, inf), (-inf, nan), (nan, nan), (-1e300, nan)]),
        ("trigamma", vec![(0.0, inf), (-3.0, inf), (inf, 0.0), (-inf, nan), (nan, nan), (-1e300, inf)]),
        ("cube", vec![(-2.0, -8.0), (inf, inf), (nan, nan), (1e200, inf)]),
        ("inverse_cube", vec![(-2.0, -0.125), (inf, 0.0), (0.0, inf), (1e200, 0.0)]),
        ("square", vec![(-3.0, 9.0), (-inf, inf)]),
    ];
    for level in levels() {
        for (name, pairs) in &cases {
            for &(x, expected) in pairs {
                let result = evaluate(level, name, x);
                let is_same = (result - expected).abs() == 0.0 || result.to_bits() == expected.to_bits();
                assert!(
                    is_same || (result.is_nan() && expected.is_nan()),
                    "{name}({x:?}) = {result:?}, not {expected:?}"
                );
            }
        }
    }
}

struct Block<'a> {
    name: &'a str,
    x: &'a [f64],
    y: &'a mut [f64],
}

/// A loop over one function, which the compiler can vectorise.
#[inline(always)]
fn map(x: &[f64], y: &mut [f64], f: impl Fn(f64) -> f64) {
    for (y, x) in y.iter_mut().zip(x) {
        *y = f(*x);
    }
}

impl Work for Block<'_> {
    type Out = ();

    #[inline(always)]
    fn run<A: Arith>(self) {
        let Block { name, x, y } = self;
        match name {
            "exp" => map(x, y, |x| special::exp::<A>(x)),
            "ln" => map(x, y, |x| special::ln::<A>(x)),
            "expm1" => map(x, y, |x| special::expm1::<A>(x)),
            "log1p" => map(x, y, |x| special::log1p::<A>(x)),
            "softplus" => map(x, y, |x| special::softplus::<A>(x)),
            "sigmoid" => map(x, y, |x| special::sigmoid::<A>(x)),
            "tanh" => map(x, y, |x| special::tanh::<A>(x)),
            "cube" => map(x, y, |x| special::powi::<A>(x, 3)),
            other => unreachable!("{other} has no loop here"),
        }
    }
}

#[test]
fn a_vectorised_loop_gives_the_bits_of_single_calls() {
    for level in levels() {
        for name in ["exp", "ln", "expm1", "log1p", "softplus", "sigmoid", "tanh", "cube"] {
            let x: Vec<f64> = references().map(|reference| reference.x).collect();
            let mut y = vec![0.0; x.len()];
            dispatch(level, Block { name, x: &x, y: &mut y });
            for (x, y) in x.iter().zip(&y) {
                let alone = evaluate(level, name, *x);
                assert!(y.to_bits() == alone.to_bits() || (y.is_nan() && alone.is_nan()), "{name}({x:?})");
            }
        }
    }
}

#[test]
fn the_portable_level_gives_the_same_bits_on_every_machine() {
    let fingerprint = references().fold(0_u64, |hash, Reference { name, x, .. }| {
        let bits = evaluate(Level::Portable, name, x).to_bits();
        (hash.rotate_left(5) ^ bits).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    assert_eq!(fingerprint, PORTABLE_FINGERPRINT, "{fingerprint:#x}");
}

/// Changes with any bit of any result, and with the reference table's arguments.
const PORTABLE_FINGERPRINT: u64 = 0xa151_26bb_f1cd_7f2e;

#[test]
fn powi_is_exact_for_powers_of_two_and_close_elsewhere() {
    for n in -30..=30 {
        let power = special::powi::<Plain>(2.0, n);
        let expected = special::exp::<Plain>(f64::from(n) * std::f64::consts::LN_2);
        assert!((power / expected - 1.0).abs() < 1e-14, "2^{n} = {power}");
        assert_eq!(power.to_bits() << 12, 0, "2^{n} has no fraction");
    }
    assert!((special::powi::<Plain>(1.1, 10) - 2.593_742_460_1).abs() <= 10.0 * ulp(2.5));
    assert!(special::powi::<Plain>(2.0, i32::MIN) == 0.0);
    assert_eq!(special::powi::<Plain>(f64::NAN, 0).to_bits(), 1.0_f64.to_bits());
}

struct Power(f64, i32);

impl Work for Power {
    type Out = f64;

    #[inline(always)]
    fn run<A: Arith>(self) -> f64 {
        special::powi::<A>(self.0, self.1)
    }
}

/// xⁿ as a sum of two numbers with about 100 bits, one multiplication at a time; `libm::fma` rounds once on every machine.
fn exact_power(x: f64, n: i32) -> (f64, f64) {
    let (mut high, mut low) = (1.0, 0.0);
    for _ in 0..n {
        let product = high * x;
        let rest = libm::fma(high, x, -product) + low * x;
        high = product + rest;
        low = rest - (high - product);
    }
    (high, low)
}

#[test]
fn powi_is_within_its_bound_at_every_level() {
    for level in levels() {
        let mut worst = 0.0_f64;
        for n in 1..=20 {
            for i in 0..200 {
                let x = 0.3 + 0.0137 * f64::from(i);
                let (high, low) = exact_power(x, n);
                let up = ((dispatch(level, Power(x, n)) - high) - low).abs() / ulp(high);
                let inverse = 1.0 / high;
                // 1 / (high + low) is its rounding and what the rounding left, to first order.
                let left = (libm::fma(-inverse, high, 1.0) - inverse * low) / high;
                let down = ((dispatch(level, Power(x, -n)) - inverse) - left).abs() / ulp(inverse);
                assert!(up.max(down) <= f64::from(n), "{x}^±{n} at {}: {up} and {down} ulp", level.name());
                worst = worst.max(up.max(down));
            }
        }
        // The test sees errors: a product of several rounded factors has some.
        assert!(worst > 0.5, "{worst}");
    }
}

#[test]
fn levels_that_fuse_give_the_same_bits() {
    for Reference { name, x, .. } in references() {
        let mut fusing = levels().filter(|level| *level != Level::Portable).map(|level| evaluate(level, name, x));
        let first = fusing.next();
        assert!(fusing.all(|other| first.map(f64::to_bits) == Some(other.to_bits())), "{name}({x:?})");
    }
}
