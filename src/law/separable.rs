//! What a law is linear in: `f = rest(θ) + Σ cₜ gₜ(θ)`, with programs for the basis functions g and their derivatives.
//!
//! A sum of power laws is linear in its amplitudes, so that given the exponents the best amplitudes are a small linear least
//! squares problem.  Golub & Pereyra (1973), "The differentiation of pseudo-inverses and nonlinear least squares problems
//! whose variables separate".

use crate::formula::compile::compile;
use crate::formula::derive::derivative;
use crate::formula::derive::log_derivative;
use crate::formula::graph::Binary;
use crate::formula::graph::Class;
use crate::formula::graph::Graph;
use crate::formula::graph::Id;
use crate::formula::graph::Node;
use crate::formula::program::Program;
use crate::formula::substitute::substitute;

/// A parameter that scales a basis function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Amplitude {
    /// Its number among the law's parameters.
    pub(crate) parameter: usize,
    /// It is the logarithm of the coefficient.
    pub(crate) is_log: bool,
}

/// A basis function of the form `scale × factor × exp(Σ θ u)` with data-only `factor` and `u`.
#[derive(Clone, Debug)]
pub(crate) struct Power {
    pub(crate) scale: f64,
    /// Column of the factor, if it is not 1.
    pub(crate) factor: Option<usize>,
    pub(crate) exponents: Vec<Exponent>,
}

/// One of the products θ u of a power.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exponent {
    /// θ by its number among the nonlinear parameters.
    pub(crate) nonlinear: usize,
    /// Column of u, but for its sign.
    pub(crate) column: usize,
    pub(crate) sign: f64,
}

/// The place that the product of two columns has among the second derivatives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product {
    pub(crate) columns: (usize, usize),
    /// The parameters, the smaller number first.
    pub(crate) parameters: (usize, usize),
    /// 2 where two different columns of one parameter count in both orders.
    pub(crate) times: f64,
}

/// The linear structure of a law.
#[derive(Clone, Debug)]
pub(crate) struct Separable {
    /// One for each basis function, in order.
    pub(crate) amplitudes: Vec<Amplitude>,
    /// Whether a part without amplitude follows as the last basis function.
    pub(crate) has_rest: bool,
    /// Parameters that are in no amplitude.
    pub(crate) nonlinear: Vec<usize>,
    /// The basis functions, then their derivatives by `slots`.
    pub(crate) program: Program,
    /// The basis functions alone.
    pub(crate) values: Program,
    /// (basis function, nonlinear parameter) of every derivative that is not zero everywhere.
    pub(crate) slots: Vec<(usize, usize)>,
    /// The parameter that each column, basis functions first, is the derivative by; none for the part without amplitude.
    pub(crate) owners: Vec<Option<usize>>,
    /// What becomes of the products of columns.
    pub(crate) products: Vec<Product>,
    /// Every basis function as a power, if all are.
    pub(crate) powers: Option<Vec<Power>>,
}

impl Separable {
    /// Basis functions, that without amplitude included.
    pub(crate) fn n_terms(&self) -> usize {
        self.amplitudes.len() + usize::from(self.has_rest)
    }

    /// Basis functions and their derivatives.
    pub(crate) fn n_columns(&self) -> usize {
        self.n_terms() + self.slots.len()
    }
}

/// The structure while it is still nodes of the graph.
pub(super) struct Split {
    amplitudes: Vec<Amplitude>,
    has_rest: bool,
    nonlinear: Vec<usize>,
    terms: Vec<Id>,
    slots: Vec<(usize, usize)>,
    slopes: Vec<Id>,
    powers: Option<Vec<PowerNodes>>,
}

struct PowerNodes {
    scale: f64,
    factor: Option<Id>,
    exponents: Vec<(usize, Id)>,
}

impl Split {
    /// Whether every basis function is a power.
    pub(super) fn is_of_powers(&self) -> bool {
        self.powers.is_some()
    }

    /// Nodes that the programs compute; those that depend on data alone become columns.
    pub(super) fn roots(&self) -> Vec<Id> {
        let powers = self.powers.iter().flatten();
        let inside = powers.flat_map(|power| power.exponents.iter().map(|(_, u)| *u).chain(power.factor));
        self.terms.iter().chain(&self.slopes).copied().chain(inside).collect()
    }

    pub(super) fn compile(self, graph: &Graph, columns: &[Id], parameter_of: &[Option<usize>]) -> Separable {
        // What is the negative of a column is none itself.
        let place = |node: Id| {
            let (inside, sign) = graph.negated(node).map_or((node, 1.0), |inside| (inside, -1.0));
            let column = columns.iter().position(|&column| column == inside);
            (column.expect("what depends on data alone is a column, or the negative of one"), sign)
        };
        let exponent = |&(nonlinear, u): &(usize, Id)| {
            let (column, sign) = place(u);
            Exponent { nonlinear, column, sign }
        };
        let power = |power: &PowerNodes| {
            let factor = power.factor.map(place);
            Power {
                scale: power.scale * factor.map_or(1.0, |(_, sign)| sign),
                factor: factor.map(|(column, _)| column),
                exponents: power.exponents.iter().map(exponent).collect(),
            }
        };
        let roots: Vec<Id> = self.terms.iter().chain(&self.slopes).copied().collect();
        let amplitudes = self.amplitudes.iter().map(|a| Some(a.parameter));
        let owners = amplitudes.chain(self.has_rest.then_some(None));
        let owners: Vec<Option<usize>> =
            owners.chain(self.slots.iter().map(|&(_, q)| Some(self.nonlinear[q]))).collect();
        Separable {
            products: products(&owners),
            owners,
            powers: self.powers.as_ref().map(|powers| powers.iter().map(power).collect()),
            program: compile(graph, &roots, columns, parameter_of),
            values: compile(graph, &self.terms, columns, parameter_of),
            amplitudes: self.amplitudes,
            has_rest: self.has_rest,
            nonlinear: self.nonlinear,
            slots: self.slots,
        }
    }
}

/// The products of all columns that are derivatives, each pair once.
fn products(owners: &[Option<usize>]) -> Vec<Product> {
    let owned = || owners.iter().enumerate().filter_map(|(k, owner)| Some((k, (*owner)?)));
    let pairs =
        owned().flat_map(|first| owned().filter(move |other| other.0 >= first.0).map(move |other| (first, other)));
    let product = |((k, i), (l, j)): ((usize, usize), (usize, usize))| Product {
        columns: (k, l),
        parameters: (i.min(j), i.max(j)),
        times: if i == j && k != l { 2.0 } else { 1.0 },
    };
    pairs.map(product).collect()
}

/// Splits a law by the parameters that it is linear in and those that are logarithms of amplitudes; `None` if there are
/// none of either.
pub(super) fn split(graph: &mut Graph, law: Id, symbols: &[Id], linear: &[bool]) -> Option<Split> {
    let mut amplitudes = Vec::new();
    let mut terms = Vec::new();
    let logarithms = log_amplitudes(graph, law, symbols, linear);
    for (parameter, &symbol) in symbols.iter().enumerate() {
        let is_log = logarithms.iter().any(|(j, _)| *j == parameter);
        if linear[parameter] || is_log {
            let slope = derivative(graph, law, symbol)?;
            let zero = graph.number(0.0);
            terms.push(if is_log { substitute(graph, slope, &[(symbol, zero)]) } else { slope });
            amplitudes.push(Amplitude { parameter, is_log });
        }
    }
    if amplitudes.is_empty() {
        return None;
    }
    let without: Vec<Id> = logarithms.iter().map(|(_, term)| *term).collect();
    let kept = sum_without(graph, law, &without);
    let zero = graph.number(0.0);
    let zeros: Vec<(Id, Id)> =
        symbols.iter().zip(linear).filter(|(_, is_linear)| **is_linear).map(|(s, _)| (*s, zero)).collect();
    let rest = substitute(graph, kept, &zeros);
    let has_rest = graph.value(rest) != Some(0.0);
    if has_rest {
        terms.push(rest);
    }
    let is_amplitude = |j: usize| amplitudes.iter().any(|a: &Amplitude| a.parameter == j);
    let nonlinear: Vec<usize> = (0..symbols.len()).filter(|&j| !is_amplitude(j)).collect();
    let mut slots = Vec::new();
    let mut slopes = Vec::new();
    for (t, &term) in terms.iter().enumerate() {
        for (q, &j) in nonlinear.iter().enumerate() {
            if let Some(slope) = derivative(graph, term, symbols[j]) {
                slots.push((t, q));
                slopes.push(slope);
            }
        }
    }
    let inner: Vec<Id> = nonlinear.iter().map(|&j| symbols[j]).collect();
    let powers = terms.iter().map(|&term| power_of(graph, term, &inner)).collect();
    Some(Split { amplitudes, has_rest, nonlinear, terms, slots, slopes, powers })
}

/// Parameters `a` that are in one addend `exp(a + …)` of the law only, with that addend.
fn log_amplitudes(graph: &mut Graph, law: Id, symbols: &[Id], linear: &[bool]) -> Vec<(usize, Id)> {
    let addends = signed_addends(graph, law);
    let mut found: Vec<(usize, Id)> = Vec::new();
    for (j, &symbol) in symbols.iter().enumerate().filter(|(j, _)| !linear[*j]) {
        let Some(slope) = derivative(graph, law, symbol) else { continue };
        let is_addend = addends.contains(&(slope, false)) && !found.iter().any(|(_, term)| *term == slope);
        let inside = graph.reachable(&[slope]);
        let holds = |other: &Id| inside.binary_search(other).is_ok();
        // No other amplitude may stand in the same term.
        let is_alone = !symbols.iter().zip(linear).any(|(s, is_linear)| *is_linear && holds(s));
        if is_addend && is_alone && derivative(graph, slope, symbol) == Some(slope) {
            found.push((j, slope));
        }
    }
    found
}

/// The addends of a sum, each with whether it is subtracted.
fn signed_addends(graph: &Graph, root: Id) -> Vec<(Id, bool)> {
    const MOST: usize = 64;
    let mut out = Vec::new();
    let mut stack = vec![(root, false)];
    while let Some((id, is_negative)) = stack.pop() {
        match graph.node(id) {
            Node::Binary(Binary::Add, a, b) if out.len() < MOST => stack.extend([(b, is_negative), (a, is_negative)]),
            Node::Binary(Binary::Sub, a, b) if out.len() < MOST => stack.extend([(b, !is_negative), (a, is_negative)]),
            _ => out.push((id, is_negative)),
        }
    }
    out
}

/// The sum without some of its addends.
fn sum_without(graph: &mut Graph, root: Id, without: &[Id]) -> Id {
    if without.is_empty() {
        return root;
    }
    let mut total = graph.number(0.0);
    for (addend, is_negative) in signed_addends(graph, root) {
        if is_negative {
            total = graph.sub(total, addend);
        } else if !without.contains(&addend) {
            total = graph.add(total, addend);
        }
    }
    total
}

/// A term as `scale × factor × exp(Σ θ u)`: its logarithm is linear in every parameter, with coefficients from data alone.
fn power_of(graph: &mut Graph, term: Id, parameters: &[Id]) -> Option<PowerNodes> {
    let mut exponents = Vec::new();
    for (q, &symbol) in parameters.iter().enumerate() {
        if let Some(slope) = log_derivative(graph, term, symbol) {
            if graph.class(slope) != Class::Data {
                return None;
            }
            exponents.push((q, slope));
        }
    }
    let zero = graph.number(0.0);
    let zeros: Vec<(Id, Id)> = parameters.iter().map(|&symbol| (symbol, zero)).collect();
    let factor = substitute(graph, term, &zeros);
    match graph.class(factor) {
        Class::Constant => Some(PowerNodes { scale: graph.value(factor)?, factor: None, exponents }),
        Class::Data => Some(PowerNodes { scale: 1.0, factor: Some(factor), exponents }),
        _ => None,
    }
}
