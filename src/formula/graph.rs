//! The expression as a hash-consed graph: every distinct sub-expression exists once, children before their parents.
//!
//! How nodes are made, simplified on the way, is [`crate::formula::simplify`].

use std::collections::BTreeMap;

use crate::special::BetaFail;
use crate::special::Rise;

/// Position of a node in the graph.
pub(crate) type Id = u32;

/// Functions of one value. `Sign`, `Digamma` and `Trigamma` arise as derivatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unary {
    Neg,
    Exp,
    Log,
    Log1p,
    Expm1,
    Sqrt,
    Abs,
    Sign,
    Sin,
    Cos,
    Atan,
    Tanh,
    Sigmoid,
    Softplus,
    Lgamma,
    Digamma,
    Trigamma,
    /// The value itself, taken as a constant by derivatives: the shift of a log-sum-exp.
    Detach,
}

/// Functions of two values. Comparisons give 1 or 0; `Rise` is ln Γ(x + m) − ln Γ(x) or a derivative in x of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Min,
    Max,
    Less,
    LessEqual,
    Equal,
    And,
    Or,
    Rise(Rise),
}

/// A node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Node {
    /// A number, by its bits.
    Number(u64),
    /// A variable or a parameter, by its position among the symbols.
    Symbol(u32),
    Unary(Unary, Id),
    Binary(Binary, Id, Id),
    PowI(Id, i32),
    /// The second value where the first is not 0, else the third.
    Select(Id, Id, Id),
    /// The logarithm of failing k times under a Beta distribution, or a derivative of it: of mean, size and k.
    BetaFail(BetaFail, Id, Id, Id),
}

/// What the value of a node depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Numbers only.
    Constant,
    /// Numbers and parameters: one value per evaluation.
    Scalar,
    /// Numbers and variables: one value per row, the same in every evaluation.
    Data,
    /// Both.
    Mixed,
}

impl Class {
    pub(super) fn join(self, other: Class) -> Class {
        match (self, other) {
            (Class::Constant, c) | (c, Class::Constant) => c,
            (Class::Scalar, Class::Scalar) => Class::Scalar,
            (Class::Data, Class::Data) => Class::Data,
            _ => Class::Mixed,
        }
    }

    /// One value for all rows.
    pub(crate) fn is_scalar(self) -> bool {
        matches!(self, Class::Constant | Class::Scalar)
    }
}

/// The graph of a law or of a column formula.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) classes: Vec<Class>,
    index: BTreeMap<Node, Id>,
    /// Class of each symbol.
    symbols: Vec<Class>,
    /// Products and sums may be regrouped.
    pub(super) reorder: bool,
    overflow: bool,
    /// Nodes looked at by passes so far.
    work: usize,
}

/// Most nodes that a graph may have; a law of 30 parameters with all second derivatives has some 10,000.
pub(crate) const MOST_NODES: usize = 60_000;

/// Most nodes that all passes together may look at: a tenth of a second. Twenty parameters need a thousandth of it.
const MOST_WORK: usize = 20_000_000;

impl Graph {
    /// An empty graph over symbols of the given classes. `reorder` allows products and sums to be regrouped.
    pub(crate) fn new(symbols: Vec<Class>, reorder: bool) -> Graph {
        Graph {
            nodes: Vec::new(),
            classes: Vec::new(),
            index: BTreeMap::new(),
            symbols,
            reorder,
            overflow: false,
            work: 0,
        }
    }

    /// Whether the node budget ran out; the graph is then not to be used.
    pub(crate) fn overflowed(&self) -> bool {
        self.overflow
    }

    /// Counts a pass over the nodes up to `root`; false once the budget of passes has run out.
    pub(crate) fn spend(&mut self, root: Id) -> bool {
        self.work += root as usize + 1;
        self.overflow |= self.work > MOST_WORK;
        !self.overflow
    }

    pub(super) fn intern(&mut self, node: Node) -> Id {
        if let Some(&id) = self.index.get(&node) {
            return id;
        }
        if self.nodes.len() >= MOST_NODES {
            self.overflow = true;
            return 0;
        }
        let id = Id::try_from(self.nodes.len()).expect("the node budget is below 2^32");
        let class = match node {
            Node::Number(_) => Class::Constant,
            Node::Symbol(s) => self.symbols[s as usize],
            Node::Unary(_, a) | Node::PowI(a, _) => self.class(a),
            Node::Binary(_, a, b) => self.class(a).join(self.class(b)),
            Node::Select(a, b, c) | Node::BetaFail(_, a, b, c) => self.class(a).join(self.class(b)).join(self.class(c)),
        };
        self.nodes.push(node);
        self.classes.push(class);
        self.index.insert(node, id);
        id
    }

    pub(crate) fn node(&self, id: Id) -> Node {
        self.nodes[id as usize]
    }

    pub(crate) fn class(&self, id: Id) -> Class {
        self.classes[id as usize]
    }

    /// The number that a node is, if it is one.
    pub(crate) fn value(&self, id: Id) -> Option<f64> {
        match self.node(id) {
            Node::Number(bits) => Some(f64::from_bits(bits)),
            _ => None,
        }
    }

    pub(crate) fn number(&mut self, value: f64) -> Id {
        let value = if value == 0.0 { 0.0 } else { value };
        self.intern(Node::Number(value.to_bits()))
    }

    pub(crate) fn symbol(&mut self, index: usize) -> Id {
        self.intern(Node::Symbol(u32::try_from(index).expect("a text has fewer than 2^32 names")))
    }

    /// The children of a node.
    pub(crate) fn children(&self, id: Id) -> impl Iterator<Item = Id> + use<> {
        let children = match self.node(id) {
            Node::Number(_) | Node::Symbol(_) => [None; 3],
            Node::Unary(_, a) | Node::PowI(a, _) => [Some(a), None, None],
            Node::Binary(_, a, b) => [Some(a), Some(b), None],
            Node::Select(a, b, c) | Node::BetaFail(_, a, b, c) => [Some(a), Some(b), Some(c)],
        };
        children.into_iter().flatten()
    }

    /// The nodes that the roots need, in an order in which children come first.
    pub(crate) fn reachable(&self, roots: &[Id]) -> Vec<Id> {
        let last = roots.iter().copied().max().map_or(0, |root| root as usize + 1);
        let mut needed = vec![false; last];
        for &root in roots {
            needed[root as usize] = true;
        }
        let mut out = Vec::new();
        for id in (0..last).rev() {
            if needed[id] {
                let id = Id::try_from(id).expect("the node budget is below 2^32");
                for child in self.children(id) {
                    needed[child as usize] = true;
                }
                out.push(id);
            }
        }
        out.reverse();
        out
    }
}
