//! Sums whose order is fixed, so that a result does not depend on the level, the compiler or the thread count.
//!
//! [`dot`], [`weighted_dots`] and [`sum`] keep [`LANES`] independent partial sums: element i goes to partial sum i mod 8, also in
//! the tail, and the partial sums are added from the first to the last: any tree would make the compiler use half of the
//! vector's width. Levels differ only by the rounding of a fused multiply-add.

use crate::dispatch::Arith;

/// The number of partial sums: two AVX2 registers, which hides half of the latency of an addition.
const LANES: usize = 8;

/// Σ aᵢ bᵢ over the shorter of the two.
#[inline(always)]
#[must_use]
pub fn dot<A: Arith>(a: &[f64], b: &[f64]) -> f64 {
    let length = a.len().min(b.len());
    let (a_blocks, a_tail) = a[..length].as_chunks::<LANES>();
    let (b_blocks, b_tail) = b[..length].as_chunks::<LANES>();
    let mut partial = [0.0; LANES];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            partial[lane] = A::mul_add(a[lane], b[lane], partial[lane]);
        }
    }
    for (lane, (a, b)) in a_tail.iter().zip(b_tail).enumerate() {
        partial[lane] = A::mul_add(*a, *b, partial[lane]);
    }
    combine(partial)
}

/// Σ sᵢ aᵢ bᵢ for each of `K` columns b, and Σ oᵢ aᵢ: a row of `JᵀSJ` with its element of the gradient, in one pass.
///
/// All slices must have the length of `s`, a multiple of [`LANES`]; a longer tail is left out. Each sum has the order of
/// [`dot`].
#[inline(always)]
#[must_use]
pub fn weighted_dots<A: Arith, const K: usize>(s: &[f64], o: &[f64], a: &[f64], b: [&[f64]; K]) -> ([f64; K], f64) {
    let (s, _) = s.as_chunks::<LANES>();
    let n = s.len();
    let (o, a) = (&o.as_chunks::<LANES>().0[..n], &a.as_chunks::<LANES>().0[..n]);
    let b = b.map(|b| &b.as_chunks::<LANES>().0[..n]);
    let mut products = [[0.0; LANES]; K];
    let mut slope = [0.0; LANES];
    for i in 0..n {
        let mut scaled = [0.0; LANES];
        for lane in 0..LANES {
            scaled[lane] = s[i][lane] * a[i][lane];
        }
        for lane in 0..LANES {
            slope[lane] = A::mul_add(o[i][lane], a[i][lane], slope[lane]);
        }
        for k in 0..K {
            for lane in 0..LANES {
                products[k][lane] = A::mul_add(scaled[lane], b[k][i][lane], products[k][lane]);
            }
        }
    }
    // Without this the compiler sees K equal sums at the end and transposes the loop for them, at twice its cost.
    let (products, slope) = std::hint::black_box((products, slope));
    (products.map(combine), combine(slope))
}

/// Σ aᵢ bᵢ cᵢ for slices of one length, a multiple of [`LANES`]; a longer tail is left out.
#[inline(always)]
#[must_use]
pub fn triple_dot<A: Arith>(a: &[f64], b: &[f64], c: &[f64]) -> f64 {
    let mut partial = [0.0; LANES];
    let blocks = a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0).zip(c.as_chunks::<LANES>().0);
    for ((a, b), c) in blocks {
        for lane in 0..LANES {
            partial[lane] = A::mul_add(a[lane] * b[lane], c[lane], partial[lane]);
        }
    }
    combine(partial)
}

/// Σ aᵢ, the same bits at every level.
#[inline(always)]
#[must_use]
pub fn sum(a: &[f64]) -> f64 {
    let (blocks, tail) = a.as_chunks::<LANES>();
    let mut partial = [0.0; LANES];
    for block in blocks {
        for lane in 0..LANES {
            partial[lane] += block[lane];
        }
    }
    for (lane, element) in tail.iter().enumerate() {
        partial[lane] += element;
    }
    combine(partial)
}

/// The partial sums in their fixed order.
#[inline(always)]
fn combine(partial: [f64; LANES]) -> f64 {
    partial.iter().fold(0.0, |total, part| total + part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::Level;
    use crate::dispatch::Plain;
    use crate::dispatch::Work;
    use crate::dispatch::dispatch;

    struct Dots<'a>(&'a [f64], &'a [f64]);

    impl Work for Dots<'_> {
        type Out = f64;

        #[inline(always)]
        fn run<A: Arith>(self) -> f64 {
            dot::<A>(self.0, self.1)
        }
    }

    /// Σ aᵢ with the rounding errors carried along (Neumaier 1974): as accurate as in twice the precision, rounded once.
    fn compensated_sum(a: &[f64]) -> f64 {
        let mut sum = 0.0_f64;
        let mut lost = 0.0;
        for &element in a {
            let next = sum + element;
            lost += if sum.abs() >= element.abs() { (sum - next) + element } else { (element - next) + sum };
            sum = next;
        }
        // An overflow makes `lost` NaN although the plain sum is a correct infinity.
        if sum.is_finite() { sum + lost } else { sum }
    }

    /// The order that the module documents, written out.
    fn in_documented_order(terms: &[f64]) -> f64 {
        let mut p = [0.0; 8];
        for (i, term) in terms.iter().enumerate() {
            p[i % 8] += term;
        }
        p.iter().fold(0.0, |total, part| total + part)
    }

    fn numbers(n: usize, step: f64) -> Vec<f64> {
        (0..n).map(|i| ((i as f64 + 1.0) * step) % 1.0 - 0.3).collect()
    }

    fn products_of(a: &[f64], b: &[f64]) -> Vec<f64> {
        a.iter().zip(b).map(|(a, b)| a * b).collect()
    }

    #[test]
    fn sums_follow_the_documented_order_for_every_length() {
        for n in 0..40 {
            let (a, b, c) = (numbers(n, 0.618), numbers(n, 0.414), numbers(n, 0.732));
            let products = products_of(&a, &b);
            assert_eq!(sum(&a).to_bits(), in_documented_order(&a).to_bits(), "{n}");
            assert_eq!(dot::<Plain>(&a, &b).to_bits(), in_documented_order(&products).to_bits(), "{n}");
            if n % 8 == 0 {
                let (products, slope) = weighted_dots::<Plain, 2>(&a, &c, &b, [&c, &a]);
                let (triples, squares) = (products_of(&products_of(&a, &b), &c), products_of(&products_of(&a, &b), &a));
                assert_eq!(products[0].to_bits(), in_documented_order(&triples).to_bits(), "{n}");
                assert_eq!(products[1].to_bits(), in_documented_order(&squares).to_bits(), "{n}");
                assert_eq!(slope.to_bits(), dot::<Plain>(&c, &b).to_bits(), "{n}");
            }
            let fused = dispatch(Level::best(), Dots(&a, &b));
            assert!((fused - compensated_sum(&products)).abs() < 1e-15, "{n}");
        }
    }

    #[test]
    fn products_of_small_integers_are_the_same_at_every_level() {
        let a: Vec<f64> = (0..101_u8).map(f64::from).collect();
        for level in [Level::Portable, Level::best()] {
            assert_eq!(dispatch(level, Dots(&a, &a)).to_bits(), 338_350.0_f64.to_bits());
        }
    }

    #[test]
    fn the_compensated_sum_survives_cancellation() {
        assert_eq!(compensated_sum(&[1.0, 1e100, 1.0, -1e100]).to_bits(), 2.0_f64.to_bits());
        assert_eq!(compensated_sum(&[0.1; 10]).to_bits(), 1.0_f64.to_bits());
        assert_eq!(compensated_sum(&[]).to_bits(), 0);
        assert!(compensated_sum(&[f64::MAX, f64::MAX]) == f64::INFINITY);
        assert!(compensated_sum(&[1.0, f64::NAN]).is_nan());
    }
}
