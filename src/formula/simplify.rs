//! Constructors of nodes that simplify on the way: constants fold, neutral elements vanish, inverse functions cancel.
//!
//! Products and sums of a law are kept in one order, `parameters-only × (data-only × rest)`, so that whatever depends on
//! data alone or on parameters alone becomes a node of its own and can be computed once, outside the loop over rows.
//! Column formulas are not reordered: they round exactly as written.

use crate::formula::graph::Binary;
use crate::formula::graph::Class;
use crate::formula::graph::Graph;
use crate::formula::graph::Id;
use crate::formula::graph::Node;
use crate::formula::graph::Unary;
use crate::special::BetaFail;
use crate::special::Rise;

/// Largest whole exponent that is computed by multiplication.
const MOST_POWER: f64 = 1024.0;

impl Graph {
    fn is(&self, id: Id, value: f64) -> bool {
        self.value(id) == Some(value)
    }

    pub(crate) fn add(&mut self, a: Id, b: Id) -> Id {
        if !self.reorder {
            return self.add_plain(a, b);
        }
        let (left, right) = (self.parts(Binary::Add, a), self.parts(Binary::Add, b));
        self.regroup(left, right, Graph::add_plain)
    }

    fn add_plain(&mut self, a: Id, b: Id) -> Id {
        if let (Some(x), Some(y)) = (self.value(a), self.value(b)) {
            return self.number(x + y);
        }
        if self.is(a, 0.0) {
            return b;
        }
        if self.is(b, 0.0) {
            return a;
        }
        if let Some(negated) = self.negated(b) {
            return self.sub_plain(a, negated);
        }
        if let Some(negated) = self.negated(a) {
            return self.sub_plain(b, negated);
        }
        self.intern(Node::Binary(Binary::Add, a.min(b), a.max(b)))
    }

    fn sub_plain(&mut self, a: Id, b: Id) -> Id {
        if let (Some(x), Some(y)) = (self.value(a), self.value(b)) {
            return self.number(x - y);
        }
        if a == b {
            return self.number(0.0);
        }
        if self.is(b, 0.0) {
            return a;
        }
        self.intern(Node::Binary(Binary::Sub, a, b))
    }

    /// `x` if the node is `-x`.
    pub(crate) fn negated(&self, id: Id) -> Option<Id> {
        match self.node(id) {
            Node::Unary(Unary::Neg, x) => Some(x),
            Node::Binary(Binary::Mul, a, b) if self.is(a, -1.0) => Some(b),
            Node::Binary(Binary::Mul, a, b) if self.is(b, -1.0) => Some(a),
            _ => None,
        }
    }

    pub(crate) fn sub(&mut self, a: Id, b: Id) -> Id {
        if a == b {
            return self.number(0.0);
        }
        if !self.reorder {
            return self.sub_plain(a, b);
        }
        let b = self.neg(b);
        self.add(a, b)
    }

    pub(crate) fn neg(&mut self, a: Id) -> Id {
        if let Some(x) = self.value(a) {
            return self.number(-x);
        }
        if let Some(x) = self.negated(a) {
            return x;
        }
        if self.reorder && !self.class(a).is_scalar() {
            let minus = self.number(-1.0);
            return self.mul(minus, a);
        }
        self.intern(Node::Unary(Unary::Neg, a))
    }

    pub(crate) fn mul(&mut self, a: Id, b: Id) -> Id {
        if !self.reorder {
            return self.mul_plain(a, b);
        }
        let (left, right) = (self.parts(Binary::Mul, a), self.parts(Binary::Mul, b));
        self.regroup(left, right, Graph::mul_plain)
    }

    fn mul_plain(&mut self, a: Id, b: Id) -> Id {
        if let (Some(x), Some(y)) = (self.value(a), self.value(b)) {
            return self.number(x * y);
        }
        if self.is(a, 0.0) || self.is(b, 0.0) {
            return self.number(0.0);
        }
        if self.is(a, 1.0) {
            return b;
        }
        if self.is(b, 1.0) {
            return a;
        }
        if self.class(a).is_scalar() && self.class(b).is_scalar() {
            if self.is(a, -1.0) {
                return self.neg(b);
            }
            if self.is(b, -1.0) {
                return self.neg(a);
            }
            if self.reorder {
                // Signs of parameters-only factors move outward, so that equal products meet.
                if let Node::Unary(Unary::Neg, x) = self.node(a) {
                    let product = self.mul_plain(x, b);
                    return self.neg(product);
                }
                if let Node::Unary(Unary::Neg, x) = self.node(b) {
                    let product = self.mul_plain(a, x);
                    return self.neg(product);
                }
            }
        }
        self.intern(Node::Binary(Binary::Mul, a.min(b), a.max(b)))
    }

    /// The parameters-only, data-only and remaining parts of a product or a sum in its kept order.
    fn parts(&self, operation: Binary, id: Id) -> [Option<Id>; 3] {
        let mut parts = [None; 3];
        let mut rest = id;
        for (place, wanted) in [(0, Class::Scalar), (1, Class::Data)] {
            let fits = |class: Class| if place == 0 { class.is_scalar() } else { class == wanted };
            if fits(self.class(rest)) {
                parts[place] = Some(rest);
                return parts;
            }
            if let Node::Binary(found, a, b) = self.node(rest)
                && found == operation
            {
                // Children are ordered by number, so the part may be on either side.
                if fits(self.class(a)) {
                    parts[place] = Some(a);
                    rest = b;
                } else if fits(self.class(b)) {
                    parts[place] = Some(b);
                    rest = a;
                }
            }
        }
        if self.class(rest) == Class::Data {
            parts[1] = Some(rest);
        } else {
            parts[2] = Some(rest);
        }
        parts
    }

    fn regroup(&mut self, left: [Option<Id>; 3], right: [Option<Id>; 3], combine: fn(&mut Graph, Id, Id) -> Id) -> Id {
        let mut whole = None;
        for place in (0..3).rev() {
            let part = match (left[place], right[place]) {
                (Some(a), Some(b)) => Some(combine(self, a, b)),
                (a, b) => a.or(b),
            };
            whole = match (part, whole) {
                (Some(a), Some(b)) => Some(combine(self, a, b)),
                (a, b) => a.or(b),
            };
        }
        whole.expect("an operand has at least one part")
    }

    pub(crate) fn div(&mut self, a: Id, b: Id) -> Id {
        if let (Some(x), Some(y)) = (self.value(a), self.value(b)) {
            return self.number(x / y);
        }
        if self.is(b, 1.0) || self.is(a, 0.0) {
            return a;
        }
        if self.reorder {
            if a == b {
                return self.number(1.0);
            }
            let one = self.number(1.0);
            if self.class(b) != Class::Mixed && !self.is(a, 1.0) {
                let reciprocal = self.intern(Node::Binary(Binary::Div, one, b));
                // A quotient of two parameters-only or two data-only values stays one division: it rounds once.
                if self.class(a).join(self.class(b)) == Class::Mixed {
                    return self.mul(a, reciprocal);
                }
            }
        }
        self.intern(Node::Binary(Binary::Div, a, b))
    }

    pub(crate) fn powi(&mut self, a: Id, n: i32) -> Id {
        match n {
            0 => return self.number(1.0),
            1 => return a,
            _ => {}
        }
        if let Some(x) = self.value(a) {
            return self.number(x.powi(n));
        }
        self.intern(Node::PowI(a, n))
    }

    /// `a**b` for a base that must be positive.
    pub(crate) fn pow(&mut self, a: Id, b: Id) -> Id {
        if let (Some(x), Some(y)) = (self.value(a), self.value(b)) {
            return self.number(x.powf(y));
        }
        if let Some(y) = self.value(b)
            && y.fract() == 0.0
            && y.abs() <= MOST_POWER
        {
            #[expect(clippy::cast_possible_truncation, reason = "a whole number of at most MOST_POWER")]
            return self.powi(a, y as i32);
        }
        if self.is(b, 0.5) {
            return self.unary(Unary::Sqrt, a);
        }
        let log = self.log(a);
        let product = self.mul(b, log);
        self.exp(product)
    }

    pub(crate) fn exp(&mut self, a: Id) -> Id {
        self.unary(Unary::Exp, a)
    }

    /// The natural logarithm; `log(exp(x))` is `x`, and the logarithm of a product of exponentials is a sum.
    pub(crate) fn log(&mut self, a: Id) -> Id {
        if let Node::Unary(Unary::Exp, x) = self.node(a) {
            return x;
        }
        self.unary(Unary::Log, a)
    }

    pub(crate) fn unary(&mut self, function: Unary, a: Id) -> Id {
        if function == Unary::Neg {
            return self.neg(a);
        }
        if let (Unary::Log1p, Node::Unary(Unary::Expm1, x)) = (function, self.node(a)) {
            // The logarithm of a failure, whatever success was made of it.
            return x;
        }
        if let Some(x) = self.value(a) {
            let value = match function {
                Unary::Exp => libm::exp(x),
                Unary::Log => libm::log(x),
                Unary::Sqrt => x.sqrt(),
                Unary::Abs => x.abs(),
                Unary::Sign => f64::from(u8::from(x > 0.0)) - f64::from(u8::from(x < 0.0)),
                Unary::Detach => x,
                // The rest is left to the program: folding must not need a second implementation.
                _ => f64::NAN,
            };
            if value.is_finite() {
                return self.number(value);
            }
        }
        self.intern(Node::Unary(function, a))
    }

    pub(crate) fn binary(&mut self, function: Binary, a: Id, b: Id) -> Id {
        match function {
            Binary::Add => self.add(a, b),
            Binary::Sub => self.sub(a, b),
            Binary::Mul => self.mul(a, b),
            Binary::Div => self.div(a, b),
            Binary::Min | Binary::Max if a == b => a,
            _ => self.intern(Node::Binary(function, a, b)),
        }
    }

    /// 1 − (1 − p)^k, without the loss that writing it so brings where p is small.
    pub(crate) fn pass_at_k(&mut self, p: Id, k: Id) -> Id {
        let negated = self.neg(p);
        let log_fail = self.unary(Unary::Log1p, negated);
        let product = self.mul(k, log_fail);
        self.success(product)
    }

    /// The same, averaged over p from the Beta distribution of that mean and size.
    pub(crate) fn beta_pass_at_k(&mut self, mean: Id, size: Id, k: Id) -> Id {
        let log_fail = self.beta_fail(BetaFail::Value, mean, size, k);
        self.success(log_fail)
    }

    fn success(&mut self, log_fail: Id) -> Id {
        let negative = self.unary(Unary::Expm1, log_fail);
        self.neg(negative)
    }

    pub(crate) fn beta_fail(&mut self, which: BetaFail, mean: Id, size: Id, k: Id) -> Id {
        self.intern(Node::BetaFail(which, mean, size, k))
    }

    /// How much less likely a count of successes is than under a probability equal to their share: half the deviance.
    pub(crate) fn binomial_deviance(&mut self, successes: Id, trials: Id, p: Id) -> Id {
        let failures = self.sub(trials, successes);
        let log = self.log(p);
        let negated = self.neg(p);
        let log_fail = self.unary(Unary::Log1p, negated);
        let (hits, misses) = (self.mul(successes, log), self.mul(failures, log_fail));
        let likelihood = self.add(hits, misses);
        self.below_saturated(successes, trials, likelihood)
    }

    /// The same where the probability differs from problem to problem: it has the Beta distribution of that mean and size.
    pub(crate) fn beta_binomial_deviance(&mut self, successes: Id, trials: Id, mean: Id, size: Id) -> Id {
        let failures = self.sub(trials, successes);
        let one = self.number(1.0);
        let other = self.sub(one, mean);
        let (a, b) = (self.mul(mean, size), self.mul(other, size));
        let rise = Binary::Rise(Rise::Value);
        let (hits, misses) = (self.binary(rise, a, successes), self.binary(rise, b, failures));
        let all = self.binary(rise, size, trials);
        let sum = self.add(hits, misses);
        let likelihood = self.sub(sum, all);
        self.below_saturated(successes, trials, likelihood)
    }

    fn below_saturated(&mut self, successes: Id, trials: Id, likelihood: Id) -> Id {
        let failures = self.sub(trials, successes);
        let mut most = self.number(0.0);
        for count in [successes, failures] {
            // A count of 0 times the logarithm of a share of 0 is 0.
            let one = self.number(1.0);
            let at_least = self.binary(Binary::Max, count, one);
            let share = self.div(at_least, trials);
            let log = self.log(share);
            let part = self.mul(count, log);
            most = self.add(most, part);
        }
        self.sub(most, likelihood)
    }

    pub(crate) fn not(&mut self, a: Id) -> Id {
        let one = self.number(1.0);
        self.sub(one, a)
    }

    pub(crate) fn select(&mut self, condition: Id, a: Id, b: Id) -> Id {
        if a == b {
            return a;
        }
        match self.value(condition) {
            Some(0.0) => b,
            Some(_) => a,
            None => self.intern(Node::Select(condition, a, b)),
        }
    }

    /// `log(Σ exp(x))`, shifted by the largest so that nothing overflows.
    pub(crate) fn logsumexp(&mut self, terms: &[Id]) -> Id {
        if let [one] = terms {
            return *one;
        }
        // A finite floor keeps -inf - -inf from arising where every term is -inf.
        let mut largest = self.number(-f64::MAX);
        for &term in terms {
            largest = self.binary(Binary::Max, largest, term);
        }
        let shift = self.unary(Unary::Detach, largest);
        let mut total = self.number(0.0);
        for &term in terms {
            let difference = self.sub(term, shift);
            let exponential = self.exp(difference);
            total = self.add(total, exponential);
        }
        let log = self.log(total);
        self.add(shift, log)
    }
}
