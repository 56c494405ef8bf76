//! Graph to [`Program`]: what depends on parameters alone becomes scalar steps, the rest steps over blocks.

use std::collections::BTreeMap;

use crate::formula::graph::Binary;
use crate::formula::graph::Class;
use crate::formula::graph::Graph;
use crate::formula::graph::Id;
use crate::formula::graph::Node;
use crate::formula::program::Place;
use crate::formula::program::Program;
use crate::formula::program::ScalarStep;
use crate::formula::program::Step;

/// The data-only nodes that programs for `roots` read as columns: each is computed once from the data.
pub(crate) fn data_columns(graph: &Graph, roots: &[Id]) -> Vec<Id> {
    let mut needed = vec![false; graph.nodes.len()];
    let mut columns = vec![false; graph.nodes.len()];
    for &root in roots {
        needed[root as usize] = true;
    }
    for id in (0..graph.nodes.len()).rev() {
        if !needed[id] {
            continue;
        }
        // A change of sign costs less than another column.
        let node = Id::try_from(id).expect("the node budget is below 2^32");
        if graph.classes[id] == Class::Data && graph.negated(node).is_none() {
            columns[id] = true;
            continue;
        }
        for child in graph.children(node) {
            needed[child as usize] = true;
        }
    }
    (0..graph.nodes.len()).filter(|&id| columns[id]).map(|id| Id::try_from(id).expect("as above")).collect()
}

struct Compiler<'g> {
    graph: &'g Graph,
    /// Parameter number of each symbol that is one.
    parameters: &'g [Option<usize>],
    columns: BTreeMap<Id, usize>,
    places: BTreeMap<Id, Place>,
    uses_left: BTreeMap<Id, usize>,
    free: Vec<usize>,
    program: Program,
}

/// Compiles `roots`. Nodes in `columns` are read as the columns of that order and not computed.
pub(crate) fn compile(graph: &Graph, roots: &[Id], columns: &[Id], parameters: &[Option<usize>]) -> Program {
    let columns: BTreeMap<Id, usize> = columns.iter().enumerate().map(|(i, &id)| (id, i)).collect();
    let needed = needed_nodes(graph, roots, &columns);
    let mut uses_left = BTreeMap::new();
    for &id in &needed {
        if !columns.contains_key(&id) {
            for child in graph.children(id) {
                *uses_left.entry(child).or_insert(0) += 1;
            }
        }
    }
    for &root in roots {
        // An output stays to the end.
        *uses_left.entry(root).or_insert(0) += 1;
    }
    let mut compiler = Compiler {
        graph,
        parameters,
        columns,
        places: BTreeMap::new(),
        uses_left,
        free: Vec::new(),
        program: Program::default(),
    };
    let fused = compiler.fused_products(&needed);
    for &id in &needed {
        if !fused.contains_key(&id) {
            compiler.emit(id, &fused);
        }
    }
    compiler.program.outputs = roots.iter().map(|root| compiler.places[root]).collect();
    compiler.program
}

fn needed_nodes(graph: &Graph, roots: &[Id], columns: &BTreeMap<Id, usize>) -> Vec<Id> {
    let mut needed = vec![false; graph.nodes.len()];
    for &root in roots {
        needed[root as usize] = true;
    }
    let mut out = Vec::new();
    for id in (0..graph.nodes.len()).rev() {
        if needed[id] {
            let id = Id::try_from(id).expect("the node budget is below 2^32");
            if !columns.contains_key(&id) {
                for child in graph.children(id) {
                    needed[child as usize] = true;
                }
            }
            out.push(id);
        }
    }
    out.reverse();
    out
}

impl Compiler<'_> {
    fn is_row(&self, id: Id) -> bool {
        !self.graph.class(id).is_scalar() && !self.columns.contains_key(&id)
    }

    /// Products of rows that are added once and used nowhere else: they become one multiply-add. Product → its sum.
    fn fused_products(&self, needed: &[Id]) -> BTreeMap<Id, Id> {
        let mut fused = BTreeMap::new();
        for &id in needed {
            if !self.is_row(id) {
                continue;
            }
            if let Node::Binary(Binary::Add, a, b) = self.graph.node(id) {
                for side in [a, b] {
                    let is_product = matches!(self.graph.node(side), Node::Binary(Binary::Mul, ..));
                    if is_product && self.is_row(side) && self.uses_left.get(&side) == Some(&1) {
                        fused.insert(side, id);
                        break;
                    }
                }
            }
        }
        fused
    }

    fn slot(&mut self, value: f64) -> usize {
        self.program.constants.push(value);
        self.program.constants.len() - 1
    }

    fn register(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.program.n_registers += 1;
            self.program.n_registers - 1
        })
    }

    fn place(&self, id: Id) -> Place {
        self.places[&id]
    }

    /// Gives back the registers of operands that nothing else needs.
    fn release(&mut self, operands: &[Id]) {
        for &id in operands {
            if let Some(left) = self.uses_left.get_mut(&id) {
                *left = left.saturating_sub(1);
                if *left == 0
                    && let Some(Place::Register(r)) = self.places.get(&id)
                {
                    self.free.push(*r);
                }
            }
        }
    }

    /// The place of an operand that must be rows.
    fn rows_place(&mut self, id: Id, borrowed: &mut Vec<usize>) -> Place {
        match self.place(id) {
            Place::Scalar(slot) => {
                let register = self.register();
                self.program.steps.push(Step::Fill(register, slot));
                borrowed.push(register);
                Place::Register(register)
            }
            place => place,
        }
    }

    fn emit(&mut self, id: Id, fused: &BTreeMap<Id, Id>) {
        let place = if let Some(&column) = self.columns.get(&id) {
            Place::Column(column)
        } else if self.graph.class(id).is_scalar() {
            Place::Scalar(self.emit_scalar(id))
        } else {
            Place::Register(self.emit_rows(id, fused))
        };
        self.places.insert(id, place);
    }

    fn scalar_of(&self, id: Id) -> usize {
        match self.place(id) {
            Place::Scalar(slot) => slot,
            // Children of a scalar node are scalar nodes, and they were emitted first.
            Place::Register(_) | Place::Column(_) => 0,
        }
    }

    fn emit_scalar(&mut self, id: Id) -> usize {
        if let Node::Number(bits) = self.graph.node(id) {
            return self.slot(f64::from_bits(bits));
        }
        let out = self.slot(f64::NAN);
        match self.graph.node(id) {
            Node::Symbol(s) => {
                if let Some(parameter) = self.parameters[s as usize] {
                    self.program.parameters.push((out, parameter));
                }
            }
            Node::Unary(f, a) => self.program.scalar_steps.push(ScalarStep::Unary(f, out, self.scalar_of(a))),
            Node::PowI(a, n) => self.program.scalar_steps.push(ScalarStep::PowI(out, self.scalar_of(a), n)),
            Node::Binary(f, a, b) => {
                let step = ScalarStep::Binary(f, out, self.scalar_of(a), self.scalar_of(b));
                self.program.scalar_steps.push(step);
            }
            Node::Select(c, a, b) => {
                let step = ScalarStep::Select(out, self.scalar_of(c), self.scalar_of(a), self.scalar_of(b));
                self.program.scalar_steps.push(step);
            }
            Node::BetaFail(which, m, s, k) => {
                let step = ScalarStep::BetaFail(which, out, [m, s, k].map(|id| self.scalar_of(id)));
                self.program.scalar_steps.push(step);
            }
            Node::Number(_) => {}
        }
        out
    }

    fn emit_rows(&mut self, id: Id, fused: &BTreeMap<Id, Id>) -> usize {
        let mut borrowed = Vec::new();
        let out;
        let mut operands: Vec<Id> = self.graph.children(id).collect();
        match self.graph.node(id) {
            Node::Unary(function, a) => {
                out = self.register();
                let a = self.place(a);
                self.program.steps.push(Step::Unary(function, out, a));
            }
            Node::PowI(a, n) => {
                out = self.register();
                let a = self.place(a);
                self.program.steps.push(Step::PowI(out, a, n));
            }
            Node::Binary(Binary::Add, a, b) if fused.get(&a) == Some(&id) || fused.get(&b) == Some(&id) => {
                let (product, other) = if fused.get(&a) == Some(&id) { (a, b) } else { (b, a) };
                let factors: Vec<Id> = self.graph.children(product).collect();
                let (x, y) = (self.place(factors[0]), self.place(factors[1]));
                // A product of rows has at most one scalar factor; it goes first.
                let (x, y) = if matches!(y, Place::Scalar(_)) { (y, x) } else { (x, y) };
                let c = self.place(other);
                out = self.register();
                self.program.steps.push(Step::MulAdd(out, x, y, c));
                operands = vec![factors[0], factors[1], other];
            }
            Node::Binary(function, a, b) => {
                out = self.register();
                let step = Step::Binary(function, out, self.place(a), self.place(b));
                self.program.steps.push(step);
            }
            Node::Select(c, a, b) => {
                let c = self.rows_place(c, &mut borrowed);
                let a = self.rows_place(a, &mut borrowed);
                let b = self.rows_place(b, &mut borrowed);
                out = self.register();
                self.program.steps.push(Step::Select(out, c, a, b));
            }
            Node::BetaFail(which, m, s, k) => {
                let places = [m, s, k].map(|id| self.place(id));
                out = self.register();
                self.program.steps.push(Step::BetaFail(which, out, places));
            }
            // A variable that is not a column cannot be: the caller lists every data node that is read.
            Node::Number(_) | Node::Symbol(_) => {
                out = self.register();
                let slot = self.slot(f64::NAN);
                self.program.steps.push(Step::Fill(out, slot));
            }
        }
        self.release(&operands);
        self.free.extend(borrowed);
        out
    }
}
