//! A parsed formula meets its symbols: names become variables or parameters, kinds are checked, the graph is built.

use crate::error::Error;
use crate::formula::functions::Function;
use crate::formula::graph::Binary;
use crate::formula::graph::Graph;
use crate::formula::graph::Id;
use crate::formula::graph::Unary;
use crate::formula::lex::error_at;
use crate::formula::parse::Expression;
use crate::formula::parse::Operator;
use crate::formula::parse::Tree;

/// What kind of value a name holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A number.
    Number,
    /// True or false, held as 1 or 0.
    Condition,
    /// A text, held as its position in the given list.
    Text(Vec<String>),
}

/// A name of the formula and what it stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Binding<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: Kind,
}

/// Kind of a sub-expression; a text literal is known by its spelling, a text column by its symbol.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Typed {
    Number(Id),
    Condition(Id),
    TextColumn(usize),
    TextLiteral(usize),
}

struct Binder<'t> {
    tree: &'t Tree,
    bindings: &'t [Binding<'t>],
    graph: &'t mut Graph,
    done: Vec<Typed>,
}

/// A formula on its graph.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) root: Id,
    pub(crate) is_condition: bool,
    /// The graph node of each node of the tree that is a number or a condition.
    pub(crate) nodes: Vec<Option<Id>>,
}

/// Builds the graph of `tree`; `bindings[i]` is symbol `i` of `graph`.
///
/// # Errors
/// [`Error::Formula`] where kinds do not fit or a name is unknown.
pub(crate) fn bind(tree: &Tree, bindings: &[Binding<'_>], graph: &mut Graph) -> Result<Bound, Error> {
    let mut binder = Binder { tree, bindings, graph, done: Vec::with_capacity(tree.nodes.len()) };
    for id in 0..tree.nodes.len() {
        let typed = binder.one(id)?;
        binder.done.push(typed);
        if binder.graph.overflowed() {
            return Err(error_at(&tree.text, tree.at[id], "the formula is too large"));
        }
    }
    let (root, is_condition) = match binder.done[tree.root] {
        Typed::Number(id) => (id, false),
        Typed::Condition(id) => (id, true),
        Typed::TextColumn(_) | Typed::TextLiteral(_) => {
            return Err(error_at(&tree.text, tree.at[tree.root], "this is text; compare it with == or in"));
        }
    };
    let node = |typed: &Typed| match *typed {
        Typed::Number(id) | Typed::Condition(id) => Some(id),
        Typed::TextColumn(_) | Typed::TextLiteral(_) => None,
    };
    Ok(Bound { root, is_condition, nodes: binder.done.iter().map(node).collect() })
}

impl Binder<'_> {
    fn error(&self, at: usize, message: impl Into<String>) -> Error {
        error_at(&self.tree.text, self.tree.at[at], message)
    }

    fn number(&self, id: usize) -> Result<Id, Error> {
        match self.done[id] {
            Typed::Number(node) => Ok(node),
            // A true-or-false column counts as 1 or 0 in arithmetic, as everywhere in NumPy.
            Typed::Condition(node) if matches!(self.tree.nodes[id], Expression::Name(_)) => Ok(node),
            Typed::Condition(_) => {
                Err(self.error(id, "a comparison is not a number; write where(condition, a, b) to choose a value"))
            }
            Typed::TextColumn(_) => {
                Err(self.error(id, "this column holds text, and a number is needed; only ==, != and in work on text"))
            }
            Typed::TextLiteral(_) => Err(self.error(id, "this is text, and a number is needed")),
        }
    }

    fn condition(&self, id: usize) -> Result<Id, Error> {
        match self.done[id] {
            Typed::Condition(node) => Ok(node),
            Typed::Number(_) => Err(self.error(id, "a condition is needed here; compare with < <= > >= == != or in")),
            _ => Err(self.error(id, "a condition is needed here; compare text with == or in")),
        }
    }

    fn one(&mut self, id: usize) -> Result<Typed, Error> {
        let typed = match &self.tree.nodes[id] {
            Expression::Number(value) | Expression::Integer(value) => Typed::Number(self.graph.number(*value)),
            Expression::Text(_) => Typed::TextLiteral(id),
            Expression::Name(name) => self.name(id, name)?,
            Expression::Negate(a) => {
                let a = self.number(*a)?;
                Typed::Number(self.graph.neg(a))
            }
            Expression::Not(a) => {
                let a = self.condition(*a)?;
                Typed::Condition(self.graph.not(a))
            }
            Expression::Binary(operator, a, b) => self.binary(id, *operator, *a, *b)?,
            Expression::Among(item, list, negated) => {
                let mut any = self.graph.number(0.0);
                for &other in list {
                    let equal = self.equal(id, *item, other)?;
                    any = self.graph.binary(Binary::Or, any, equal);
                }
                Typed::Condition(if *negated { self.graph.not(any) } else { any })
            }
            Expression::Call(function, arguments) => self.call(*function, arguments)?,
        };
        Ok(typed)
    }

    fn name(&mut self, id: usize, name: &str) -> Result<Typed, Error> {
        let Some(symbol) = self.bindings.iter().position(|binding| binding.name == name) else {
            let mut known: Vec<&str> = self.bindings.iter().map(|binding| binding.name).collect();
            known.truncate(30);
            let hint = if known.is_empty() { String::new() } else { format!("; known: {}", known.join(", ")) };
            return Err(self.error(id, format!("{name} is not known here{hint}")));
        };
        Ok(match self.bindings[symbol].kind {
            Kind::Number => Typed::Number(self.graph.symbol(symbol)),
            Kind::Condition => Typed::Condition(self.graph.symbol(symbol)),
            Kind::Text(_) => Typed::TextColumn(symbol),
        })
    }

    fn binary(&mut self, id: usize, operator: Operator, a: usize, b: usize) -> Result<Typed, Error> {
        let arithmetic = match operator {
            Operator::Add => Some(Binary::Add),
            Operator::Subtract => Some(Binary::Sub),
            Operator::Multiply => Some(Binary::Mul),
            Operator::Divide => Some(Binary::Div),
            _ => None,
        };
        if let Some(operation) = arithmetic {
            let (a, b) = (self.number(a)?, self.number(b)?);
            return Ok(Typed::Number(self.graph.binary(operation, a, b)));
        }
        Ok(match operator {
            Operator::Power => {
                let (a, b) = (self.number(a)?, self.number(b)?);
                Typed::Number(self.graph.pow(a, b))
            }
            Operator::Equal => Typed::Condition(self.equal(id, a, b)?),
            Operator::NotEqual => {
                let equal = self.equal(id, a, b)?;
                Typed::Condition(self.graph.not(equal))
            }
            Operator::And | Operator::Or => {
                let operation = if operator == Operator::And { Binary::And } else { Binary::Or };
                let (a, b) = (self.condition(a)?, self.condition(b)?);
                Typed::Condition(self.graph.binary(operation, a, b))
            }
            _ => {
                let (a, b) = (self.number(a)?, self.number(b)?);
                let (operation, left, right) = match operator {
                    Operator::Less => (Binary::Less, a, b),
                    Operator::LessEqual => (Binary::LessEqual, a, b),
                    Operator::Greater => (Binary::Less, b, a),
                    _ => (Binary::LessEqual, b, a),
                };
                Typed::Condition(self.graph.binary(operation, left, right))
            }
        })
    }

    fn equal(&mut self, at: usize, a: usize, b: usize) -> Result<Id, Error> {
        let (column, literal) = match (self.done[a], self.done[b]) {
            (Typed::TextColumn(column), Typed::TextLiteral(literal))
            | (Typed::TextLiteral(literal), Typed::TextColumn(column)) => (column, literal),
            (Typed::TextColumn(_) | Typed::TextLiteral(_), _) | (_, Typed::TextColumn(_) | Typed::TextLiteral(_)) => {
                return Err(self.error(at, "text is compared only as column == \"text\""));
            }
            (Typed::Condition(x) | Typed::Number(x), Typed::Condition(y) | Typed::Number(y)) => {
                return Ok(self.graph.binary(Binary::Equal, x, y));
            }
        };
        let Kind::Text(levels) = &self.bindings[column].kind else {
            return Err(self.error(at, "this column is not text"));
        };
        let Expression::Text(wanted) = &self.tree.nodes[literal] else {
            return Err(self.error(at, "text is compared only as column == \"text\""));
        };
        // A text that the column never holds equals no row: -1 is no position.
        let position = levels.iter().position(|level| level == wanted).map_or(-1.0, |p| p as f64);
        let (symbol, code) = (self.graph.symbol(column), self.graph.number(position));
        Ok(self.graph.binary(Binary::Equal, symbol, code))
    }

    fn call(&mut self, function: Function, arguments: &[usize]) -> Result<Typed, Error> {
        if function == Function::Where {
            let condition = self.condition(arguments[0])?;
            let (a, b) = (self.number(arguments[1])?, self.number(arguments[2])?);
            return Ok(Typed::Number(self.graph.select(condition, a, b)));
        }
        let mut values = Vec::with_capacity(arguments.len());
        for &argument in arguments {
            values.push(self.number(argument)?);
        }
        let a = values[0];
        let graph = &mut *self.graph;
        let unary = match function {
            Function::Exp => Some(Unary::Exp),
            Function::Log1p => Some(Unary::Log1p),
            Function::Expm1 => Some(Unary::Expm1),
            Function::Sqrt => Some(Unary::Sqrt),
            Function::Abs => Some(Unary::Abs),
            Function::Sin => Some(Unary::Sin),
            Function::Cos => Some(Unary::Cos),
            Function::Atan => Some(Unary::Atan),
            Function::Tanh => Some(Unary::Tanh),
            Function::Sigmoid => Some(Unary::Sigmoid),
            Function::Softplus => Some(Unary::Softplus),
            Function::Lgamma => Some(Unary::Lgamma),
            _ => None,
        };
        if let Some(unary) = unary {
            return Ok(Typed::Number(graph.unary(unary, a)));
        }
        Ok(Typed::Number(match function {
            Function::Log2 | Function::Log10 => {
                let log = graph.log(a);
                let base = graph.number(if function == Function::Log2 {
                    std::f64::consts::LN_2
                } else {
                    std::f64::consts::LN_10
                });
                graph.div(log, base)
            }
            Function::Logit => {
                let negated = graph.neg(a);
                let (log, other) = (graph.log(a), graph.unary(Unary::Log1p, negated));
                graph.sub(log, other)
            }
            Function::Min | Function::Max => {
                let operation = if function == Function::Min { Binary::Min } else { Binary::Max };
                values[1..].iter().fold(a, |so_far, &next| graph.binary(operation, so_far, next))
            }
            Function::Clip => {
                let raised = graph.binary(Binary::Max, a, values[1]);
                graph.binary(Binary::Min, raised, values[2])
            }
            Function::LogSumExp => graph.logsumexp(&values),
            Function::PassAtK => graph.pass_at_k(a, values[1]),
            Function::BetaPassAtK => graph.beta_pass_at_k(a, values[1], values[2]),
            Function::BinomialDeviance => graph.binomial_deviance(a, values[1], values[2]),
            Function::BetaBinomialDeviance => graph.beta_binomial_deviance(a, values[1], values[2], values[3]),
            _ => graph.log(a),
        }))
    }
}
