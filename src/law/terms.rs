//! The additive terms of a law: what a person names when a term dies, and what the solver's metric is made of.

use crate::formula::graph::Binary;
use crate::formula::graph::Graph;
use crate::formula::graph::Id;
use crate::formula::graph::Node;
use crate::formula::graph::Unary;
use crate::formula::parse::Expression;
use crate::formula::parse::Operator;
use crate::formula::parse::Tree;

/// Most terms that are told apart; a longer sum is one term.
const MOST_TERMS: usize = 64;

/// An addend of the formula as written.
pub(super) struct Written {
    /// Its node in the tree.
    pub(super) node: usize,
    pub(super) text: String,
    /// It is subtracted.
    pub(super) is_negative: bool,
}

/// The addends of the formula as written.
pub(super) fn written_terms(tree: &Tree) -> Vec<Written> {
    let mut terms = Vec::new();
    let mut operators = Vec::new();
    let mut id = tree.root;
    // A sum groups from the left: walk down the left side, collecting right addends.
    while let Expression::Binary(operator @ (Operator::Add | Operator::Subtract), left, right) = tree.nodes[id] {
        terms.push((right, operator == Operator::Subtract));
        operators.push(tree.at[id]);
        id = left;
    }
    terms.push((id, false));
    terms.reverse();
    operators.reverse();
    if terms.len() > MOST_TERMS {
        return vec![Written { node: tree.root, text: tree.text.trim().to_owned(), is_negative: false }];
    }
    let characters: Vec<char> = tree.text.chars().collect();
    let begin = characters.iter().rposition(|&c| c == ';').map_or(0, |p| p + 1);
    let mut edges = vec![begin];
    edges.extend(operators.iter().map(|&at| at + 1));
    let mut ends = operators;
    ends.push(characters.len());
    let texts = edges.iter().zip(&ends).map(|(&from, &to)| {
        let piece: String = characters.get(from.min(to)..to).unwrap_or(&[]).iter().collect();
        balanced(piece.trim())
    });
    let written = |((node, is_negative), text)| Written { node, text, is_negative };
    terms.into_iter().zip(texts).map(written).collect()
}

/// The piece without parentheses that close or open nothing: the sum itself may stand in parentheses.
fn balanced(piece: &str) -> String {
    let mut piece = piece.to_owned();
    loop {
        let open = piece.matches('(').count();
        let close = piece.matches(')').count();
        if open > close && piece.starts_with('(') {
            piece.remove(0);
        } else if close > open && piece.ends_with(')') {
            piece.pop();
        } else {
            return piece.trim().to_owned();
        }
    }
}

/// The addends of a node of the graph; the node itself if it is no sum.
pub(super) fn addends(graph: &Graph, root: Id) -> Vec<Id> {
    let mut out = Vec::new();
    let mut stack = vec![root];
    while let Some(id) = stack.pop() {
        match graph.node(id) {
            Node::Binary(Binary::Add | Binary::Sub, a, b) if out.len() + stack.len() < MOST_TERMS => {
                stack.push(b);
                stack.push(a);
            }
            _ => out.push(id),
        }
    }
    out
}

/// The terms in which a parameter's effect is judged: the addends of the law and, where an addend is a power of a sum,
/// the addends of that sum as well.
pub(super) fn metric_terms(graph: &Graph, root: Id) -> Vec<Id> {
    let mut out: Vec<Id> = Vec::new();
    let mut stack = vec![root];
    while let Some(id) = stack.pop() {
        if out.len() > MOST_TERMS {
            break;
        }
        for term in addends(graph, id) {
            if out.contains(&term) {
                continue;
            }
            out.push(term);
            stack.extend(inner_sums(graph, term));
        }
    }
    out
}

/// Sums that stand under a power, a product or a quotient in a term.
fn inner_sums(graph: &Graph, term: Id) -> Vec<Id> {
    const MOST_STEPS: usize = 100;
    let mut sums = Vec::new();
    let mut stack = vec![term];
    let mut steps = 0;
    while let Some(id) = stack.pop() {
        steps += 1;
        if steps > MOST_STEPS {
            break;
        }
        match graph.node(id) {
            Node::Binary(Binary::Add | Binary::Sub, ..) => sums.push(id),
            Node::Binary(Binary::Mul | Binary::Div, a, b) => stack.extend([a, b]),
            Node::PowI(a, _) | Node::Unary(Unary::Log | Unary::Sqrt | Unary::Neg, a) => stack.push(a),
            // A power of a positive base is exp(exponent × log(base)).
            Node::Unary(Unary::Exp, a) => {
                if let Node::Binary(Binary::Mul, x, y) = graph.node(a) {
                    for side in [x, y] {
                        if let Node::Unary(Unary::Log, base) = graph.node(side) {
                            stack.push(base);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    sums
}

/// `ln root` where that is a sum of logarithms or a log-sum-exp without any sign fact: each addend is an exponential, or
/// a product or power of exponentials and positive numbers. `None` where a plain logarithm is needed.
pub(super) fn log_form(graph: &mut Graph, root: Id) -> Option<Id> {
    let terms = addends(graph, root);
    if terms.len() > 1 {
        // An addend that is subtracted is no exponential.
        let mut stack = vec![root];
        while let Some(id) = stack.pop() {
            match graph.node(id) {
                Node::Binary(Binary::Sub, ..) => return None,
                Node::Binary(Binary::Add, a, b) => stack.extend([a, b]),
                _ => {}
            }
        }
    }
    let mut logs = Vec::with_capacity(terms.len());
    for term in terms {
        logs.push(log_of_product(graph, term)?);
    }
    Some(graph.logsumexp(&logs))
}

fn log_of_product(graph: &mut Graph, term: Id) -> Option<Id> {
    const MOST_FACTORS: usize = 100;
    let mut stack = vec![(term, 1.0)];
    let mut total = graph.number(0.0);
    let mut steps = 0;
    while let Some((id, power)) = stack.pop() {
        steps += 1;
        if steps > MOST_FACTORS {
            return None;
        }
        match graph.node(id) {
            Node::Unary(Unary::Exp, x) => {
                let factor = graph.number(power);
                let part = graph.mul(factor, x);
                total = graph.add(total, part);
            }
            Node::Number(bits) if f64::from_bits(bits) > 0.0 => {
                let log = graph.number(power * libm::log(f64::from_bits(bits)));
                total = graph.add(total, log);
            }
            Node::Binary(Binary::Mul, a, b) => stack.extend([(a, power), (b, power)]),
            Node::Binary(Binary::Div, a, b) => stack.extend([(a, power), (b, -power)]),
            Node::PowI(a, n) => stack.push((a, power * f64::from(n))),
            _ => return None,
        }
    }
    Some(total)
}
