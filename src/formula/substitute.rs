//! Other expressions in place of symbols: parameters whose value is known, variables in terms of their logarithms.

use crate::formula::graph::Graph;
use crate::formula::graph::Id;
use crate::formula::graph::Node;
use crate::formula::graph::Unary;

/// `root` with each symbol of `values` replaced by the node beside it, simplified on the way. If the graph overflows meanwhile, it
/// says so and the answer means nothing.
pub(crate) fn substitute(graph: &mut Graph, root: Id, values: &[(Id, Id)]) -> Id {
    if !graph.spend(root) {
        return root;
    }
    let mut replaced: Vec<Id> = (0..=root).collect();
    for id in graph.reachable(&[root]) {
        let of = |child: Id| replaced[child as usize];
        let new = match graph.node(id) {
            Node::Number(_) => id,
            Node::Symbol(_) => values.iter().find(|(symbol, _)| *symbol == id).map_or(id, |&(_, value)| value),
            Node::Unary(Unary::Log, a) => graph.log(of(a)),
            Node::Unary(function, a) => graph.unary(function, of(a)),
            Node::PowI(a, n) => graph.powi(of(a), n),
            Node::Binary(function, a, b) => graph.binary(function, of(a), of(b)),
            Node::Select(c, a, b) => graph.select(of(c), of(a), of(b)),
            Node::BetaFail(which, m, s, k) => graph.beta_fail(which, of(m), of(s), of(k)),
        };
        replaced[id as usize] = new;
    }
    replaced[root as usize]
}
