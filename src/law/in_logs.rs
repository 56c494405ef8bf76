//! A formula over the logarithms of its variables, with exact derivatives by them: what an allocation moves along.
//!
//! With x = exp(u) a power of a variable is one exponential, a product of powers is affine in u once its logarithm is taken,
//! and steps are relative.

use crate::error::Error;
use crate::formula::Kind;
use crate::formula::bind::Binding;
use crate::formula::bind::bind;
use crate::formula::compile::compile;
use crate::formula::derive::derivative;
use crate::formula::error_at;
use crate::formula::graph::Binary;
use crate::formula::graph::Class;
use crate::formula::graph::Graph;
use crate::formula::graph::Id;
use crate::formula::graph::Node;
use crate::formula::graph::Unary;
use crate::formula::parse::parse;
use crate::formula::program::Program;
use crate::formula::substitute::substitute;

/// What is made of the formula's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outer {
    Value,
    Negated,
    Log,
}

/// Programs whose columns are the logarithms of all variables, in their order.
#[derive(Clone, Debug)]
pub(crate) struct InLogs {
    pub(crate) value: Program,
    /// The value, its gradient, then the second derivatives by pairs (0, 0), (0, 1), …, (1, 1), ….
    pub(crate) second: Program,
    /// Constant and slopes, where the logarithm of the formula is affine: it is a product of powers.
    pub(crate) affine: Option<Vec<f64>>,
}

/// Compiles `text` over the logarithms of `variables`; those that it does not mention have no slope.
///
/// # Errors
/// [`Error::Formula`] if the text cannot be read or mentions something else; [`Error::Argument`] if it is too large.
pub(crate) fn in_logs(
    text: &str,
    variables: &[String],
    parameters: &[String],
    outer: Outer,
    argument: &'static str,
) -> Result<InLogs, Error> {
    let tree = parse(text)?;
    let n = variables.len();
    let names = variables.iter().chain(parameters);
    let bindings: Vec<Binding<'_>> = names.map(|name| Binding { name, kind: Kind::Number }).collect();
    let mut classes = vec![Class::Data; n];
    classes.extend(vec![Class::Scalar; parameters.len()]);
    classes.extend(vec![Class::Data; n]);
    let mut graph = Graph::new(classes, true);
    let bound = bind(&tree, &bindings, &mut graph)?;
    if bound.is_condition {
        return Err(error_at(text, tree.at[tree.root], "a number is needed; write where(condition, a, b)"));
    }
    let affine = if outer == Outer::Log { powers(&graph, bound.root, n) } else { None };
    let logs: Vec<Id> = (0..n).map(|i| graph.symbol(n + parameters.len() + i)).collect();
    let mut moved = Vec::with_capacity(n);
    for (i, &log) in logs.iter().enumerate() {
        let variable = graph.symbol(i);
        moved.push((variable, graph.exp(log)));
    }
    let inner = substitute(&mut graph, bound.root, &moved);
    let root = match outer {
        Outer::Value => inner,
        Outer::Negated => graph.neg(inner),
        Outer::Log => graph.log(inner),
    };
    let zero = graph.number(0.0);
    let mut roots = vec![root];
    for &log in &logs {
        roots.push(derivative(&mut graph, root, log).unwrap_or(zero));
    }
    for i in 0..n {
        for &log in &logs[i..] {
            let slope = roots[1 + i];
            roots.push(derivative(&mut graph, slope, log).unwrap_or(zero));
        }
    }
    if graph.overflowed() {
        return Err(Error::argument(argument, format!("{text} with its derivatives is too large")));
    }
    let parameter_of: Vec<Option<usize>> =
        (0..2 * n + parameters.len()).map(|i| i.checked_sub(n).filter(|&p| p < parameters.len())).collect();
    let program = |roots: &[Id]| compile(&graph, roots, &logs, &parameter_of);
    Ok(InLogs { value: program(&roots[..1]), second: program(&roots), affine })
}

/// The logarithm of the coefficient and the exponents of a product of powers of the first `n` symbols.
fn powers(graph: &Graph, root: Id, n: usize) -> Option<Vec<f64>> {
    let mut total = vec![0.0; n + 1];
    // (node, power): a product hands its power on to both factors.
    let mut stack = vec![(root, 1.0)];
    while let Some((id, power)) = stack.pop() {
        match graph.node(id) {
            Node::Number(bits) if f64::from_bits(bits) > 0.0 => total[0] += power * libm::log(f64::from_bits(bits)),
            Node::Symbol(symbol) => total[1 + symbol as usize] += power,
            Node::Binary(Binary::Mul, a, b) => stack.extend([(a, power), (b, power)]),
            Node::Binary(Binary::Div, a, b) => stack.extend([(a, power), (b, -power)]),
            Node::PowI(a, exponent) => stack.push((a, power * f64::from(exponent))),
            Node::Unary(Unary::Sqrt, a) => stack.push((a, 0.5 * power)),
            // A power that is not whole: exp(number × log(x)).
            Node::Unary(Unary::Exp, a) => match graph.node(a) {
                Node::Binary(Binary::Mul, x, y) => {
                    let (number, log) = if graph.value(x).is_some() { (x, y) } else { (y, x) };
                    let (exponent, Node::Unary(Unary::Log, base)) = (graph.value(number)?, graph.node(log)) else {
                        return None;
                    };
                    stack.push((base, power * exponent));
                }
                _ => return None,
            },
            _ => return None,
        }
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn affine(text: &str) -> Option<Vec<f64>> {
        let variables = ["N".to_owned(), "D".to_owned()];
        in_logs(text, &variables, &[], Outer::Log, "budgets").unwrap().affine
    }

    #[test]
    fn the_logarithm_of_a_product_of_powers_is_affine() {
        assert_eq!(affine("6*N*D"), Some(vec![6.0_f64.ln(), 1.0, 1.0]));
        assert_eq!(affine("D/N**2"), Some(vec![0.0, -2.0, 1.0]));
        assert_eq!(affine("sqrt(N)*D**0.25"), Some(vec![0.0, 0.5, 0.25]));
        assert_eq!(affine("6*N*D + N"), None);
        assert_eq!(affine("-6*N*D"), None);
        assert_eq!(affine("exp(N)"), None);
    }
}
