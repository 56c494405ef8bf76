//! The part that a parameter plays in its law, read off the graph: default starts and messages follow it.

use crate::formula::graph::Binary;
use crate::formula::graph::Class;
use crate::formula::graph::Graph;
use crate::formula::graph::Id;
use crate::formula::graph::Node;
use crate::formula::graph::Unary;
use crate::law::terms::addends;

/// What a parameter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The law is linear in it, given the parameters that are not.
    Linear,
    /// It is added inside the exponential of a term: the logarithm of an amplitude.
    LogAmplitude,
    /// It is an exponent of something that holds a variable.
    Exponent,
    /// It multiplies or divides a variable inside a power.
    Scale,
    /// It multiplies or divides what stands inside a sine or cosine.
    Frequency,
    /// It divides the distance from a place, squared, inside an exponential or the like.
    Width,
    /// It multiplies what stands inside an exponential, a sigmoid or the like.
    Rate,
    /// It is added to a variable.
    Shift,
    /// It is added to what stands inside an exponential, a sigmoid or the like, or in a divisor.
    Offset,
    /// None of these.
    Other,
}

impl Role {
    /// The word that users see.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Linear => "linear",
            Role::LogAmplitude => "log_amplitude",
            Role::Exponent => "exponent",
            Role::Scale => "scale",
            Role::Frequency => "frequency",
            Role::Width => "width",
            Role::Rate => "rate",
            Role::Shift => "shift",
            Role::Offset => "offset",
            Role::Other => "other",
        }
    }
}

/// From the surest to the vaguest: where a parameter occurs twice, the first counts.
const RANKED: [Role; 8] = [
    Role::LogAmplitude,
    Role::Exponent,
    Role::Scale,
    Role::Frequency,
    Role::Width,
    Role::Rate,
    Role::Shift,
    Role::Offset,
];

/// Where a product or a sum stands: what the nearest function above it demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    /// Under nothing but sums and products.
    Term,
    /// Inside a logarithm or a power: it must be positive.
    Base,
    /// It is divided by: it must not be zero.
    Divisor,
    /// Inside a sine or cosine.
    Wave,
    /// Inside an exponential, a sigmoid or the like: of the size of 1.
    Argument,
}

/// A parameter's role, and what it stands beside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) role: Role,
    pub(super) shape: Shape,
    /// What it multiplies, or is added to; depends on data, and perhaps on other parameters.
    pub(super) companion: Option<Id>,
}

/// How a parameter enters beside its companion.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) context: Context,
    /// The companion is multiplied by, or increased by, `factor × parameter ^ power`.
    pub(crate) factor: f64,
    pub(crate) power: f64,
    /// The parameter is divided by the companion.
    pub(crate) is_divided: bool,
    /// The sum is of the companion with its sign turned.
    pub(crate) is_reversed: bool,
    /// Degree of the argument in the distance that a width divides.
    pub(crate) degree: i32,
    /// The companion, or the base of an exponent, depends on data alone.
    pub(crate) is_data: bool,
}

const PLAIN: Shape = Shape {
    context: Context::Term,
    factor: 1.0,
    power: 1.0,
    is_divided: false,
    is_reversed: false,
    degree: 1,
    is_data: true,
};

/// The role of a nonlinear parameter whose symbol node is `symbol`.
pub(super) fn find(graph: &Graph, root: Id, symbol: Id) -> Found {
    let order = graph.reachable(&[root]);
    let mut finder = Finder::new(graph, &order, symbol);
    for &id in &order {
        if !finder.depends[id as usize] {
            continue;
        }
        match graph.node(id) {
            Node::Unary(Unary::Exp, inside) => finder.inside_exp(id, inside),
            Node::Unary(Unary::Log, inside) => finder.inside_log(inside),
            Node::Binary(Binary::Mul, a, b) => {
                finder.beside_factor(id, a, b, false);
                finder.beside_factor(id, b, a, false);
            }
            Node::Binary(Binary::Div, a, b) => finder.beside_factor(id, a, b, true),
            Node::Binary(operation @ (Binary::Add | Binary::Sub), a, b) => finder.beside_addend(id, operation, a, b),
            _ => {}
        }
    }
    finder.best
}

struct Finder<'g> {
    graph: &'g Graph,
    symbol: Id,
    /// Nodes that the parameter occurs in.
    depends: Vec<bool>,
    parents: Vec<Vec<Id>>,
    best: Found,
    rank: usize,
}

impl Finder<'_> {
    fn new<'g>(graph: &'g Graph, order: &[Id], symbol: Id) -> Finder<'g> {
        let mut depends = vec![false; graph.nodes.len()];
        let mut parents = vec![Vec::new(); graph.nodes.len()];
        for &id in order {
            depends[id as usize] = id == symbol || graph.children(id).any(|child| depends[child as usize]);
            for child in graph.children(id) {
                parents[child as usize].push(id);
            }
        }
        let best = Found { role: Role::Other, shape: PLAIN, companion: None };
        Finder { graph, symbol, depends, parents, best, rank: usize::MAX }
    }

    /// Whether a node holds the parameter and no data.
    fn is_own(&self, id: Id) -> bool {
        self.graph.class(id).is_scalar() && self.depends[id as usize]
    }

    fn is_log(&self, id: Id) -> bool {
        matches!(self.graph.node(id), Node::Unary(Unary::Log, _))
    }

    /// Keeps what ranks highest: the surest role, as it is before as a divisor.
    fn offer(&mut self, role: Role, scalar: Id, companion: Option<Id>, shape: Shape) {
        let (factor, power) = self.chain(scalar).unwrap_or((1.0, 1.0));
        let place = RANKED.iter().position(|r| *r == role).unwrap_or(RANKED.len());
        let rank = 2 * place + usize::from(power < 0.0);
        if rank < self.rank {
            self.rank = rank;
            let is_data = companion.map_or(shape.is_data, |id| self.graph.class(id) == Class::Data);
            let shape = Shape { factor: shape.factor * factor, power, is_data, ..shape };
            self.best = Found { role, shape, companion };
        }
    }

    /// A node as `factor × parameter ^ power`, other parameters taken as 1; `None` where it is no such product.
    fn chain(&self, id: Id) -> Option<(f64, f64)> {
        if id == self.symbol {
            return Some((1.0, 1.0));
        }
        let constant = |id: Id| self.graph.value(id).unwrap_or(1.0);
        match self.graph.node(id) {
            Node::Unary(Unary::Neg, a) => self.chain(a).map(|(factor, power)| (-factor, power)),
            Node::Unary(Unary::Sqrt, a) => self.chain(a).map(|(factor, power)| (factor.abs().sqrt(), 0.5 * power)),
            Node::PowI(a, n) => self.chain(a).map(|(factor, power)| (factor.powi(n), f64::from(n) * power)),
            Node::Binary(Binary::Mul, a, b) => {
                let (own, other) = if self.depends[a as usize] { (a, b) } else { (b, a) };
                self.chain(own).map(|(factor, power)| (factor * constant(other), power))
            }
            Node::Binary(Binary::Div, a, b) if self.depends[a as usize] => {
                self.chain(a).map(|(factor, power)| (factor / constant(b), power))
            }
            Node::Binary(Binary::Div, a, b) => self.chain(b).map(|(factor, power)| (constant(a) / factor, -power)),
            _ => None,
        }
    }

    /// What the nearest function above a node demands of it, and the even power that it is raised to on the way.
    fn context(&self, id: Id) -> (Context, i32) {
        const MOST_STEPS: usize = 100;
        let mut at = id;
        let mut degree = 1;
        for _ in 0..MOST_STEPS {
            // Where a node is used twice, one of its places stands for all.
            let Some(&parent) = self.parents[at as usize].first() else { break };
            match self.graph.node(parent) {
                Node::Unary(Unary::Log | Unary::Sqrt, _) => return (Context::Base, degree),
                Node::Unary(Unary::Sin | Unary::Cos, _) => return (Context::Wave, degree),
                Node::Unary(Unary::Neg | Unary::Abs | Unary::Detach, _) => {}
                Node::Unary(..) => return (Context::Argument, degree),
                Node::PowI(_, n) if n < 0 => return (Context::Divisor, degree),
                Node::PowI(_, n) => degree *= n,
                Node::Binary(Binary::Div, _, below) if below == at => return (Context::Divisor, degree),
                _ => {}
            }
            at = parent;
        }
        (Context::Term, degree)
    }

    fn inside_exp(&mut self, id: Id, inside: Id) {
        let parts = addends(self.graph, inside);
        // Under a divisor or inside another function the sum is where that bends, not the size of a term.
        let is_power = |&part: &Id| match self.graph.node(part) {
            Node::Binary(Binary::Mul, a, b) => self.is_log(a) || self.is_log(b),
            _ => false,
        };
        let is_term = match self.context(id).0 {
            Context::Term => true,
            Context::Base => parts.iter().any(is_power),
            _ => false,
        };
        for &part in &parts {
            if part == self.symbol && parts.len() > 1 && is_term {
                self.offer(Role::LogAmplitude, part, None, PLAIN);
            }
            if let Node::Binary(Binary::Mul, a, b) = self.graph.node(part) {
                for (x, y) in [(a, b), (b, a)] {
                    if let Node::Unary(Unary::Log, base) = self.graph.node(y)
                        && self.is_own(x)
                    {
                        let is_data = self.graph.class(base) == Class::Data;
                        self.offer(Role::Exponent, x, None, Shape { is_data, ..PLAIN });
                    }
                }
            }
        }
    }

    fn inside_log(&mut self, inside: Id) {
        if let Node::Binary(Binary::Mul, a, b) = self.graph.node(inside) {
            for (x, y) in [(a, b), (b, a)] {
                if self.is_own(x) && self.graph.class(y) == Class::Data {
                    self.offer(Role::Scale, x, Some(y), PLAIN);
                }
            }
        }
    }

    /// The product of `x` and `y`, or the quotient.
    fn beside_factor(&mut self, id: Id, x: Id, y: Id, is_divided: bool) {
        if !self.is_own(x) || self.graph.class(y).is_scalar() || self.is_log(y) {
            return;
        }
        let (context, above) = self.context(id);
        let degree = if let Node::PowI(_, n) = self.graph.node(y) { n } else { 1 };
        let shape = Shape { context, is_divided, degree, ..PLAIN };
        let is_bump = degree.max(above) % 2 == 0 && self.graph.class(y) == Class::Mixed && !is_divided;
        match context {
            Context::Wave => self.offer(Role::Frequency, x, Some(y), shape),
            Context::Argument if is_bump => self.offer(Role::Width, x, Some(y), shape),
            Context::Argument => self.offer(Role::Rate, x, Some(y), shape),
            _ if self.graph.class(y) == Class::Data => self.offer(Role::Rate, x, Some(y), shape),
            _ => {}
        }
    }

    fn beside_addend(&mut self, id: Id, operation: Binary, a: Id, b: Id) {
        for (x, y) in [(a, b), (b, a)] {
            if !self.is_own(x) || self.graph.class(y).is_scalar() {
                continue;
            }
            let (context, _) = self.context(id);
            let is_subtraction = operation == Binary::Sub;
            let factor = if is_subtraction { -1.0 } else { 1.0 };
            let shape = Shape { context, factor, is_reversed: is_subtraction && x == a, ..PLAIN };
            let is_inside = matches!(context, Context::Argument | Context::Wave | Context::Divisor);
            if self.graph.class(y) == Class::Data {
                self.offer(Role::Shift, x, Some(y), shape);
            } else if is_inside {
                self.offer(Role::Offset, x, Some(y), shape);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::law::CompiledLaw;
    use crate::law::Residual;

    fn roles(text: &str) -> Vec<Role> {
        CompiledLaw::new(text, &["x".to_owned()], None, Residual::Linear).unwrap().roles()
    }

    #[test]
    fn roles_are_read_off_the_formula() {
        use Role::{Exponent, Frequency, Linear, LogAmplitude, Offset, Other, Rate, Scale, Shift, Width};
        let expected: [(&str, &[Role]); 15] = [
            ("a*exp(-b*x)", &[Linear, Rate]),
            ("a*(b + x)**(-1/c)", &[Linear, Shift, Exponent]),
            ("a*exp(b/(x + c))", &[Linear, Rate, Shift]),
            ("(a/b)*exp(-0.5*((x - c)/b)**2)", &[Linear, Width, Shift]),
            ("a*exp(-(x - b)**2/c**2)", &[Linear, Shift, Width]),
            ("a + b*cos(2*pi*x/c + d)", &[Linear, Linear, Frequency, Offset]),
            ("a*sin(w*x)", &[Linear, Frequency]),
            ("a/(1 + exp(b - c*x))", &[Linear, Offset, Rate]),
            ("a/(1 + exp(b - c*x))**(1/d)", &[Linear, Offset, Rate, Exponent]),
            ("a*sigmoid(c*(x - b))", &[Linear, Rate, Shift]),
            ("a - atan(b/(x - c))", &[Linear, Rate, Shift]),
            ("exp(a - b*log(x)) + exp(c)", &[LogAmplitude, Exponent, Other]),
            ("(a*x)**b + c", &[Scale, Exponent, Linear]),
            ("a/(1 + b*x)", &[Linear, Rate]),
            ("exp(-a*x)/(b + c*x)", &[Rate, Offset, Rate]),
        ];
        for (text, wanted) in expected {
            assert_eq!(roles(text), wanted, "{text}");
        }
    }
}
