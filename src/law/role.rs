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
    /// It multiplies a variable inside an exponential, a sigmoid or the like.
    Rate,
    /// It is added to a variable.
    Shift,
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
            Role::Rate => "rate",
            Role::Shift => "shift",
            Role::Other => "other",
        }
    }
}

/// A parameter's role, and the data-only node that it scales or shifts where there is one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) role: Role,
    pub(super) data: Option<Id>,
    /// The parameter enters with a minus sign.
    pub(super) is_negated: bool,
    /// The parameter divides what it scales.
    pub(super) is_inverted: bool,
}

/// The role of a nonlinear parameter whose symbol node is `symbol`.
pub(super) fn find(graph: &Graph, root: Id, symbol: Id) -> Found {
    let order = graph.reachable(&[root]);
    let mut depends = vec![false; graph.nodes.len()];
    for &id in &order {
        depends[id as usize] = id == symbol || graph.children(id).any(|child| depends[child as usize]);
    }
    let scalar_with = |id: Id| graph.class(id).is_scalar() && depends[id as usize];
    let is_log = |id: Id| matches!(graph.node(id), Node::Unary(Unary::Log, _));
    let is_data = |id: Id| graph.class(id) == Class::Data;
    let mut best = Found { role: Role::Other, data: None, is_negated: false, is_inverted: false };
    let mut rank = usize::MAX;
    let mut offer = |role: Role, data: Option<Id>, scalar: Id| {
        let order = [Role::LogAmplitude, Role::Exponent, Role::Scale, Role::Rate, Role::Shift];
        let place = order.iter().position(|r| *r == role).unwrap_or(order.len());
        if place < rank {
            rank = place;
            let is_negated = matches!(graph.node(scalar), Node::Unary(Unary::Neg, _));
            let is_inverted = match graph.node(scalar) {
                Node::Binary(Binary::Div, _, below) => below == symbol,
                Node::PowI(base, n) => base == symbol && n < 0,
                _ => false,
            };
            best = Found { role, data, is_negated, is_inverted };
        }
    };
    for &id in &order {
        if !depends[id as usize] {
            continue;
        }
        match graph.node(id) {
            Node::Unary(Unary::Exp, inside) => {
                let parts = addends(graph, inside);
                for &part in &parts {
                    if part == symbol && parts.len() > 1 {
                        offer(Role::LogAmplitude, None, part);
                    }
                    if let Node::Binary(Binary::Mul, a, b) = graph.node(part) {
                        for (x, y) in [(a, b), (b, a)] {
                            if scalar_with(x) && is_log(y) {
                                offer(Role::Exponent, None, x);
                            }
                        }
                    }
                }
            }
            Node::Unary(Unary::Log, inside) => {
                if let Node::Binary(Binary::Mul, a, b) = graph.node(inside) {
                    for (x, y) in [(a, b), (b, a)] {
                        if scalar_with(x) && is_data(y) {
                            offer(Role::Scale, Some(y), x);
                        }
                    }
                }
            }
            Node::Binary(Binary::Mul, a, b) => {
                for (x, y) in [(a, b), (b, a)] {
                    if scalar_with(x) && is_data(y) && !is_log(y) {
                        offer(Role::Rate, Some(y), x);
                    }
                }
            }
            Node::Binary(Binary::Add | Binary::Sub, a, b) => {
                for (x, y) in [(a, b), (b, a)] {
                    if scalar_with(x) && is_data(y) {
                        offer(Role::Shift, Some(y), x);
                    }
                }
            }
            _ => {}
        }
    }
    best
}
