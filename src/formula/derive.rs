//! Exact derivatives on the graph: new nodes that share everything with the value.

use crate::formula::graph::Binary;
use crate::formula::graph::Graph;
use crate::formula::graph::Id;
use crate::formula::graph::Node;
use crate::formula::graph::Unary;
use crate::special::BetaFail;
use crate::special::Rise;

/// The derivative of `root` with respect to the symbol node `symbol`; `None` where it is zero everywhere.
pub(crate) fn derivative(graph: &mut Graph, root: Id, symbol: Id) -> Option<Id> {
    if !graph.spend(root) {
        return None;
    }
    let order = graph.reachable(&[root]);
    let mut derivatives: Vec<Option<Id>> = vec![None; root as usize + 1];
    for id in order {
        if graph.overflowed() {
            return None;
        }
        derivatives[id as usize] = if id == symbol {
            Some(graph.number(1.0))
        } else {
            let slope = one_node(graph, id, &derivatives);
            slope.filter(|&d| graph.value(d) != Some(0.0))
        };
    }
    derivatives[root as usize]
}

fn one_node(graph: &mut Graph, id: Id, known: &[Option<Id>]) -> Option<Id> {
    let of = |child: Id| known[child as usize];
    match graph.node(id) {
        Node::Unary(function, a) => {
            let inner = of(a)?;
            let outer = slope(graph, function, a, id)?;
            Some(graph.mul(outer, inner))
        }
        Node::PowI(a, n) => {
            let inner = of(a)?;
            let factor = graph.number(f64::from(n));
            let power = graph.powi(a, n - 1);
            let outer = graph.mul(factor, power);
            Some(graph.mul(outer, inner))
        }
        Node::Binary(Binary::Add, a, b) => match (of(a), of(b)) {
            (Some(x), Some(y)) => Some(graph.add(x, y)),
            (x, y) => x.or(y),
        },
        Node::Binary(Binary::Sub, a, b) => match (of(a), of(b)) {
            (Some(x), Some(y)) => Some(graph.sub(x, y)),
            (x, None) => x,
            (None, Some(y)) => Some(graph.neg(y)),
        },
        Node::Binary(Binary::Mul, a, b) => {
            let left = of(a).map(|x| graph.mul(x, b));
            let right = of(b).map(|y| graph.mul(a, y));
            match (left, right) {
                (Some(x), Some(y)) => Some(graph.add(x, y)),
                (x, y) => x.or(y),
            }
        }
        Node::Binary(Binary::Div, a, b) => {
            let left = of(a).map(|x| graph.div(x, b));
            let right = of(b).map(|y| {
                let ratio = graph.div(y, b);
                let product = graph.mul(id, ratio);
                graph.neg(product)
            });
            match (left, right) {
                (Some(x), Some(y)) => Some(graph.add(x, y)),
                (x, y) => x.or(y),
            }
        }
        Node::Binary(function @ (Binary::Min | Binary::Max), a, b) => {
            let (x, y) = (of(a), of(b));
            if x.is_none() && y.is_none() {
                return None;
            }
            let zero = graph.number(0.0);
            let condition = if function == Binary::Min {
                graph.binary(Binary::LessEqual, a, b)
            } else {
                graph.binary(Binary::LessEqual, b, a)
            };
            Some(graph.select(condition, x.unwrap_or(zero), y.unwrap_or(zero)))
        }
        Node::Select(condition, a, b) => {
            let (x, y) = (of(a), of(b));
            if x.is_none() && y.is_none() {
                return None;
            }
            let zero = graph.number(0.0);
            Some(graph.select(condition, x.unwrap_or(zero), y.unwrap_or(zero)))
        }
        Node::Binary(Binary::Rise(which), x, m) => rise(graph, which, (x, of(x)), (m, of(m))),
        Node::BetaFail(which, mean, size, k) => beta_fail(graph, which, [mean, size, k], known),
        // Numbers and other symbols; comparisons and conditions are constant but for jumps.
        Node::Number(_) | Node::Symbol(_) | Node::Binary(..) => None,
    }
}

/// The derivative of `ln Γ(x + m) − ln Γ(x)`, or of a derivative in x of it; each argument with its own derivative. By m it is
/// ψ(x + m) and so on: counts are data, so that only fits over them need it.
fn rise(graph: &mut Graph, which: Rise, (x, by_x): (Id, Option<Id>), (m, by_m): (Id, Option<Id>)) -> Option<Id> {
    let by_x = by_x.map(|inner| {
        let outer = match next_rise(which) {
            Some(next) => graph.binary(Binary::Rise(next), x, m),
            None => graph.number(f64::NAN),
        };
        graph.mul(outer, inner)
    });
    let by_m = by_m.map(|inner| {
        let end = graph.add(x, m);
        let outer = match which {
            Rise::Value => graph.unary(Unary::Digamma, end),
            Rise::First => graph.unary(Unary::Trigamma, end),
            Rise::Second => graph.number(f64::NAN),
        };
        graph.mul(outer, inner)
    });
    match (by_x, by_m) {
        (Some(x), Some(y)) => Some(graph.add(x, y)),
        (x, y) => x.or(y),
    }
}

fn beta_fail(graph: &mut Graph, which: BetaFail, arguments: [Id; 3], known: &[Option<Id>]) -> Option<Id> {
    let slopes = next_beta_fail(which);
    let [mean, size, k] = arguments;
    let mut total: Option<Id> = None;
    for (place, argument) in arguments.into_iter().enumerate() {
        let Some(inner) = known[argument as usize] else { continue };
        let outer = match slopes {
            Some(next) => graph.beta_fail(next[place], mean, size, k),
            None => graph.number(f64::NAN),
        };
        let part = graph.mul(outer, inner);
        total = Some(total.map_or(part, |sum| graph.add(sum, part)));
    }
    total
}

/// The derivative in x; third derivatives are asked for by nothing.
fn next_rise(which: Rise) -> Option<Rise> {
    match which {
        Rise::Value => Some(Rise::First),
        Rise::First => Some(Rise::Second),
        Rise::Second => None,
    }
}

/// The derivatives by mean, size and k; third derivatives are asked for by nothing.
fn next_beta_fail(which: BetaFail) -> Option<[BetaFail; 3]> {
    match which {
        BetaFail::Value => Some([BetaFail::Mean, BetaFail::Size, BetaFail::K]),
        BetaFail::Mean => Some([BetaFail::MeanMean, BetaFail::MeanSize, BetaFail::MeanK]),
        BetaFail::Size => Some([BetaFail::MeanSize, BetaFail::SizeSize, BetaFail::SizeK]),
        BetaFail::K => Some([BetaFail::MeanK, BetaFail::SizeK, BetaFail::KK]),
        _ => None,
    }
}

/// The derivative of `function` at `a`, whose value is the node `value`.
fn slope(graph: &mut Graph, function: Unary, a: Id, value: Id) -> Option<Id> {
    let one = graph.number(1.0);
    Some(match function {
        Unary::Neg => graph.number(-1.0),
        Unary::Exp => value,
        Unary::Expm1 => graph.exp(a),
        Unary::Log => graph.div(one, a),
        Unary::Log1p => {
            let shifted = graph.add(one, a);
            graph.div(one, shifted)
        }
        Unary::Sqrt => {
            let half = graph.number(0.5);
            graph.div(half, value)
        }
        Unary::Abs => graph.unary(Unary::Sign, a),
        Unary::Sin => graph.unary(Unary::Cos, a),
        Unary::Cos => {
            let sine = graph.unary(Unary::Sin, a);
            graph.neg(sine)
        }
        Unary::Atan => {
            let square = graph.powi(a, 2);
            let sum = graph.add(one, square);
            graph.div(one, sum)
        }
        Unary::Tanh => {
            let square = graph.powi(value, 2);
            graph.sub(one, square)
        }
        Unary::Sigmoid => {
            // σ(-x) rather than 1 - σ(x): no cancellation where σ is near 1.
            let negated = graph.neg(a);
            let other = graph.unary(Unary::Sigmoid, negated);
            graph.mul(value, other)
        }
        Unary::Softplus => graph.unary(Unary::Sigmoid, a),
        Unary::Lgamma => graph.unary(Unary::Digamma, a),
        Unary::Digamma => graph.unary(Unary::Trigamma, a),
        Unary::Sign | Unary::Detach => return None,
        // Only third derivatives would need it, and nothing asks for them.
        Unary::Trigamma => graph.number(f64::NAN),
    })
}

/// The derivative of `ln |root|` with respect to a symbol, with what cancels cancelled.
pub(crate) fn log_derivative(graph: &mut Graph, root: Id, symbol: Id) -> Option<Id> {
    // Shared factors may repeat without end in a product of products; past this many the plain quotient serves.
    const MOST_FACTORS: usize = 200;
    let mut stack = vec![root];
    let mut total: Option<Id> = None;
    let mut taken = 0;
    while let Some(id) = stack.pop() {
        taken += 1;
        let part = match graph.node(id) {
            Node::Binary(Binary::Mul, a, b) if taken < MOST_FACTORS => {
                stack.push(b);
                stack.push(a);
                None
            }
            Node::Unary(Unary::Neg, a) => {
                stack.push(a);
                None
            }
            Node::Unary(Unary::Exp, a) => derivative(graph, a, symbol),
            _ if id == symbol => {
                let one = graph.number(1.0);
                Some(graph.div(one, symbol))
            }
            _ => derivative(graph, id, symbol).map(|d| graph.div(d, id)),
        };
        total = match (total, part) {
            (Some(x), Some(y)) => Some(graph.add(x, y)),
            (x, y) => x.or(y),
        };
    }
    total.filter(|&d| graph.value(d) != Some(0.0))
}
