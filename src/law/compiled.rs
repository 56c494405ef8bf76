//! Everything that is derived from a law once: programs for values and derivatives, its terms, its metric, the roles of
//! its parameters.

use crate::error::Error;
use crate::formula::Kind;
use crate::formula::bind::Binding;
use crate::formula::bind::Bound;
use crate::formula::bind::bind;
use crate::formula::compile::compile;
use crate::formula::compile::data_columns;
use crate::formula::derive::derivative;
use crate::formula::derive::log_derivative;
use crate::formula::error_at;
use crate::formula::functions;
use crate::formula::graph::Binary;
use crate::formula::graph::Class;
use crate::formula::graph::Graph;
use crate::formula::graph::Id;
use crate::formula::graph::Node;
use crate::formula::parse::Tree;
use crate::formula::parse::parse;
use crate::formula::program::Program;
use crate::law::role;
use crate::law::role::Role;
use crate::law::role::Shape;
use crate::law::separable;
use crate::law::separable::Separable;
use crate::law::separable::Split;
use crate::law::terms;

/// On which scale prediction and response are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Residual {
    /// `f - y`.
    #[default]
    Linear,
    /// `ln f - ln y`; both must be positive.
    Log,
    /// `√(2 f)`: the law is half the deviance of a row, what its logarithmic likelihood lacks to the best possible one, so that
    /// least squares is maximum likelihood. The response says how large the likelihoods are that it is a difference of.
    Deviance,
}

impl Residual {
    /// Every residual that any law may have; the deviance belongs to laws that are one.
    pub const ALL: [Residual; 2] = [Residual::Linear, Residual::Log];

    /// The word that users type.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Residual::Linear => "linear",
            Residual::Log => "log",
            Residual::Deviance => "deviance",
        }
    }

    /// The residual of that name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] with the list of names.
    pub fn from_name(name: &str) -> Result<Residual, Error> {
        let mut all = Residual::ALL.into_iter().chain([Residual::Deviance]);
        all.find(|residual| residual.name() == name)
            .ok_or_else(|| Error::unknown_name("residual", name, Residual::ALL.map(Residual::name)))
    }
}

/// A law as the user declares it: which names are variables, which are parameters and in which order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Declared {
    pub(crate) text: String,
    pub(crate) variables: Vec<String>,
    /// `None` for all names that are no variables, in order of appearance.
    pub(crate) parameters: Option<Vec<String>>,
    pub(crate) residual: Residual,
}

/// Programs for one nonlinear parameter's default start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ParameterRole {
    pub(crate) role: Role,
    /// Output of [`CompiledLaw::companions`] that the parameter multiplies or is added to.
    pub(crate) companion: Option<usize>,
    pub(crate) shape: Shape,
}

/// A law, compiled.
#[derive(Clone, Debug)]
pub struct CompiledLaw {
    pub(crate) variables: Vec<String>,
    pub(crate) parameters: Vec<String>,
    /// Variables to columns: what depends on data alone.
    pub(crate) prelude: Program,
    /// For each column 1, or −1 where it is a negative multiple of something; 0 where it is a multiple of another column.
    pub(crate) orientation: Vec<f64>,
    /// The value.
    pub(crate) value: Program,
    /// The value and its first derivatives.
    pub(crate) first: Program,
    /// The value, its first derivatives, then the second derivatives of `second_pairs`; nothing where [`CompiledLaw::is_fused`],
    /// since the columns that it would need are a quarter of a long table's memory.
    pub(crate) second: Program,
    /// Parameters `i ≤ j` whose second derivative is not zero everywhere.
    pub(crate) second_pairs: Vec<(usize, usize)>,
    /// The programs give `ln f`, not `f`.
    pub(crate) is_log: bool,
    pub(crate) residual: Residual,
    /// Additive terms as written; `terms` are their values.
    pub(crate) term_texts: Vec<String>,
    pub(crate) terms: Program,
    /// `∂ ln |term| / ∂ parameter`, one output for each pair in `metric_owners` order.
    pub(crate) metric: Program,
    pub(crate) metric_owners: Vec<usize>,
    pub(crate) roles: Vec<ParameterRole>,
    /// What parameters stand beside, for default starts.
    pub(crate) companions: Program,
    /// The parameters, those first that the companions of others depend on.
    pub(crate) draw_order: Vec<usize>,
    /// For each parameter the term (of `terms`) whose amplitude it is, linearly or in the logarithm.
    pub(crate) amplitude_of: Vec<Option<usize>>,
    /// Parameters that share a term with its amplitude: (parameter, amplitude).
    pub(crate) amplitude_pairs: Vec<(usize, usize)>,
    /// Whether each term is subtracted.
    pub(crate) is_negative_term: Vec<bool>,
    /// What the law is linear in, if anything.
    pub(crate) separable: Option<Separable>,
}

impl Declared {
    pub(crate) fn new(text: &str, variables: &[String], parameters: Option<&[String]>, residual: Residual) -> Declared {
        Declared {
            text: text.to_owned(),
            variables: variables.to_vec(),
            parameters: parameters.map(<[String]>::to_vec),
            residual,
        }
    }
}

impl CompiledLaw {
    /// Compiles a law whose names other than `variables` are parameters.
    ///
    /// # Errors
    /// [`Error::Formula`] or [`Error::Law`] if the text cannot be read or does not fit the declarations.
    pub fn new(
        text: &str,
        variables: &[String],
        parameters: Option<&[String]>,
        residual: Residual,
    ) -> Result<CompiledLaw, Error> {
        compile_law(&Declared::new(text, variables, parameters, residual))
    }

    /// Names of the parameters, in the order of every parameter vector.
    #[must_use]
    pub fn parameters(&self) -> &[String] {
        &self.parameters
    }

    /// Names of the variables, in the order of the rows of every data matrix.
    #[must_use]
    pub fn variables(&self) -> &[String] {
        &self.variables
    }

    /// Additive terms as written.
    #[must_use]
    pub fn terms(&self) -> &[String] {
        &self.term_texts
    }

    /// The role of each parameter.
    #[must_use]
    pub fn roles(&self) -> Vec<Role> {
        self.roles.iter().map(|role| role.role).collect()
    }

    /// Whether the law is evaluated by its powers, whose derivatives need no program.
    pub(crate) fn is_fused(&self) -> bool {
        self.separable.as_ref().is_some_and(|separable| separable.powers.is_some())
            && !self.is_log
            && self.residual != Residual::Deviance
    }

    /// Number of columns that the programs read.
    pub(crate) fn n_columns(&self) -> usize {
        self.prelude.outputs.len()
    }
}

/// The parameters of a parsed law and the symbols of its graph: variables first, then parameters.
pub(super) fn symbols_of(tree: &Tree, declared: &Declared) -> Result<Vec<String>, Error> {
    check_variables(tree, &declared.variables)?;
    let found: Vec<&(String, usize)> =
        tree.names.iter().filter(|(name, _)| !declared.variables.contains(name)).collect();
    let Some(parameters) = &declared.parameters else {
        return Ok(found.into_iter().map(|(name, _)| name.clone()).collect());
    };
    for (i, parameter) in parameters.iter().enumerate() {
        if parameters[..i].contains(parameter) {
            return Err(Error::Law(format!("parameter {parameter} is declared twice")));
        }
        if declared.variables.contains(parameter) {
            return Err(Error::Law(format!("{parameter} is declared as a variable and as a parameter")));
        }
        if !found.iter().any(|(name, _)| name == parameter) {
            return Err(Error::Law(format!("parameter {parameter} does not occur in the formula {}", tree.text)));
        }
    }
    for (name, at) in found {
        if !parameters.contains(name) {
            return Err(error_at(&tree.text, *at, format!("{name} is neither a variable nor a declared parameter")));
        }
    }
    Ok(parameters.clone())
}

fn check_variables(tree: &Tree, variables: &[String]) -> Result<(), Error> {
    for (i, variable) in variables.iter().enumerate() {
        if functions::is_reserved(variable) {
            return Err(Error::Law(format!("variables: {variable} is a word of the language; rename it")));
        }
        if variables[..i].contains(variable) {
            return Err(Error::Law(format!("variables: {variable} is declared twice")));
        }
        if let Some((_, at)) = tree.bindings.iter().find(|(name, _)| name == variable) {
            return Err(error_at(&tree.text, *at, format!("{variable} is a variable and cannot be bound to a value")));
        }
        if !tree.names.iter().any(|(name, _)| name == variable) {
            return Err(Error::Law(format!("variables: {variable} does not occur in the formula {}", tree.text)));
        }
    }
    Ok(())
}

/// Most parameters of a law; published ones have up to 37.
const MOST_PARAMETERS: usize = 200;

fn too_large(tree: &Tree) -> Error {
    error_at(&tree.text, 0, "the law with its derivatives is too large; simplify it or use fewer parameters")
}

pub(super) struct LawGraph {
    pub(super) graph: Graph,
    pub(super) bound: Bound,
    /// Parameter number of each symbol.
    pub(super) parameter_of: Vec<Option<usize>>,
    pub(super) parameters: Vec<String>,
}

/// Parses and binds a law.
pub(super) fn law_graph(tree: &Tree, declared: &Declared) -> Result<LawGraph, Error> {
    let parameters = symbols_of(tree, declared)?;
    if parameters.len() > MOST_PARAMETERS {
        let message = format!("a law of {} parameters; at most {MOST_PARAMETERS} are supported", parameters.len());
        return Err(error_at(&tree.text, 0, message));
    }
    let n_variables = declared.variables.len();
    let mut classes = vec![Class::Data; n_variables];
    classes.extend(vec![Class::Scalar; parameters.len()]);
    let names = declared.variables.iter().chain(&parameters);
    let bindings: Vec<Binding<'_>> = names.map(|name| Binding { name, kind: Kind::Number }).collect();
    let parameter_of = (0..bindings.len()).map(|i| i.checked_sub(n_variables)).collect();
    let mut graph = Graph::new(classes, true);
    let bound = bind(tree, &bindings, &mut graph)?;
    if bound.is_condition {
        return Err(error_at(&tree.text, tree.at[tree.root], "a law is a number; write where(condition, a, b)"));
    }
    Ok(LawGraph { graph, bound, parameter_of, parameters })
}

/// Compiles a declared law.
pub(crate) fn compile_law(declared: &Declared) -> Result<CompiledLaw, Error> {
    compile_with(declared, true)
}

/// The same evaluated by its programs alone: what the fused evaluation is compared with.
#[cfg(test)]
pub(crate) fn compile_interpreted(declared: &Declared) -> Result<CompiledLaw, Error> {
    compile_with(declared, false)
}

fn compile_with(declared: &Declared, may_split: bool) -> Result<CompiledLaw, Error> {
    let tree = parse(&declared.text)?;
    let LawGraph { mut graph, bound, parameter_of, parameters } = law_graph(&tree, declared)?;
    let n_variables = declared.variables.len();
    let symbols: Vec<Id> = (0..parameters.len()).map(|i| graph.symbol(n_variables + i)).collect();
    let law = bound.root;

    let written = terms::written_terms(&tree);
    let term_nodes: Vec<Id> = written.iter().filter_map(|term| bound.nodes[term.node]).collect();

    let linear = linear_parameters(&mut graph, law, &symbols);
    let split = if may_split { separable::split(&mut graph, law, &symbols, &linear) } else { None };
    let (metric_nodes, metric_owners) = metric_of(&mut graph, law, &symbols);
    let log_value = if declared.residual == Residual::Log { terms::log_form(&mut graph, law) } else { None };
    let value = log_value.unwrap_or(law);
    let (first, mut pairs, mut second) = derivatives_of(&mut graph, value, &symbols);
    let is_fused = split.as_ref().is_some_and(Split::is_of_powers)
        && log_value.is_none()
        && declared.residual != Residual::Deviance;
    if is_fused {
        (pairs, second) = (vec![], vec![]);
    }
    if graph.overflowed() {
        return Err(too_large(&tree));
    }

    let found: Vec<role::Found> = symbols.iter().map(|&symbol| role::find(&graph, law, symbol)).collect();
    let mut companion_nodes: Vec<Id> = Vec::new();
    let mut roles = Vec::with_capacity(found.len());
    for (found, &is_linear) in found.iter().zip(&linear) {
        let companion = found.companion.filter(|_| !is_linear).map(|node| {
            companion_nodes.push(node);
            companion_nodes.len() - 1
        });
        let role = if is_linear { Role::Linear } else { found.role };
        roles.push(ParameterRole { role, companion, shape: found.shape });
    }
    let draw_order = draw_order(&graph, &symbols, &roles, &companion_nodes);
    let mut roots: Vec<Id> = vec![value, law];
    roots.extend(first.iter().chain(&second).chain(&metric_nodes).chain(&term_nodes).chain(&companion_nodes));
    roots.extend(split.iter().flat_map(Split::roots));
    let columns = data_columns(&graph, &roots);
    let (amplitude_of, amplitude_pairs) = amplitudes(&graph, &symbols, &term_nodes, &roles);

    let orientation = columns.iter().map(|&column| orientation(&graph, &columns, column)).collect();
    let variables: Vec<Id> = (0..n_variables).map(|i| graph.symbol(i)).collect();
    let prelude = compile(&graph, &columns, &variables, &parameter_of);
    let with = |nodes: &[Id]| compile(&graph, nodes, &columns, &parameter_of);
    let mut first_roots = vec![value];
    first_roots.extend(&first);
    let second_roots: Vec<Id> = if is_fused { vec![] } else { [first_roots.clone(), second].concat() };
    Ok(CompiledLaw {
        variables: declared.variables.clone(),
        prelude,
        orientation,
        value: with(&[value]),
        first: with(&first_roots),
        second: with(&second_roots),
        second_pairs: pairs,
        is_log: log_value.is_some(),
        residual: declared.residual,
        is_negative_term: written.iter().map(|term| term.is_negative).collect(),
        term_texts: written.into_iter().map(|term| term.text).collect(),
        terms: with(&term_nodes),
        metric: with(&metric_nodes),
        metric_owners,
        roles,
        companions: with(&companion_nodes),
        draw_order,
        amplitude_of,
        amplitude_pairs,
        separable: split.map(|split| split.compile(&graph, &columns, &parameter_of)),
        parameters,
    })
}

/// Which way a column goes with what it is a multiple of; 0 where that is a column too.
fn orientation(graph: &Graph, columns: &[Id], column: Id) -> f64 {
    let (inside, sign) = match graph.nodes[column as usize] {
        Node::Binary(Binary::Mul, a, b) => match (graph.nodes[a as usize], graph.nodes[b as usize]) {
            (Node::Number(bits), _) => (b, f64::from_bits(bits).signum()),
            (_, Node::Number(bits)) => (a, f64::from_bits(bits).signum()),
            _ => return 1.0,
        },
        _ => return 1.0,
    };
    if columns.contains(&inside) { 0.0 } else { sign }
}

/// First derivatives, and those second derivatives that are not zero everywhere with their pairs.
fn derivatives_of(graph: &mut Graph, value: Id, symbols: &[Id]) -> (Vec<Id>, Vec<(usize, usize)>, Vec<Id>) {
    let zero = graph.number(0.0);
    let mut first = Vec::with_capacity(symbols.len());
    for &symbol in symbols {
        first.push(derivative(graph, value, symbol).unwrap_or(zero));
    }
    let mut pairs = Vec::new();
    let mut second = Vec::new();
    for (i, &slope) in first.iter().enumerate() {
        let inside = graph.reachable(&[slope]);
        for (j, symbol) in symbols.iter().enumerate().skip(i).filter(|(_, s)| inside.binary_search(s).is_ok()) {
            if let Some(node) = derivative(graph, slope, *symbol) {
                pairs.push((i, j));
                second.push(node);
            }
        }
    }
    (first, pairs, second)
}

/// Parameters, taken in order, in which the law is jointly linear.
fn linear_parameters(graph: &mut Graph, law: Id, symbols: &[Id]) -> Vec<bool> {
    let mut linear = vec![false; symbols.len()];
    let mut chosen: Vec<Id> = Vec::new();
    for (i, &symbol) in symbols.iter().enumerate() {
        let Some(first) = derivative(graph, law, symbol) else { continue };
        chosen.push(symbol);
        let inside = graph.reachable(&[first]);
        let mut interacting = chosen.iter().filter(|other| inside.binary_search(other).is_ok());
        if interacting.all(|&other| derivative(graph, first, other).is_none()) {
            linear[i] = true;
        } else {
            chosen.pop();
        }
    }
    linear
}

fn metric_of(graph: &mut Graph, law: Id, symbols: &[Id]) -> (Vec<Id>, Vec<usize>) {
    let mut nodes = Vec::new();
    let mut owners = Vec::new();
    for term in terms::metric_terms(graph, law) {
        for (i, &symbol) in symbols.iter().enumerate() {
            if let Some(node) = log_derivative(graph, term, symbol) {
                nodes.push(node);
                owners.push(i);
            }
        }
    }
    (nodes, owners)
}

/// Parameters so that each comes after those that its companion depends on, as far as that is possible.
fn draw_order(graph: &Graph, symbols: &[Id], roles: &[ParameterRole], companions: &[Id]) -> Vec<usize> {
    let needs: Vec<Vec<usize>> = roles
        .iter()
        .map(|role| {
            let inside = role.companion.map_or_else(Vec::new, |c| graph.reachable(&[companions[c]]));
            (0..symbols.len()).filter(|&j| inside.binary_search(&symbols[j]).is_ok()).collect()
        })
        .collect();
    let mut order: Vec<usize> = Vec::with_capacity(symbols.len());
    while order.len() < symbols.len() {
        let waiting = |j: &usize| !order.contains(j);
        let is_ready = |j: &usize| needs[*j].iter().all(|needed| order.contains(needed) || needed == j);
        let next = (0..symbols.len()).filter(waiting).find(is_ready).or_else(|| (0..symbols.len()).find(waiting));
        order.extend(next);
    }
    order
}

type Amplitudes = (Vec<Option<usize>>, Vec<(usize, usize)>);

/// The term whose amplitude each parameter is, the only term in which a linear parameter or a log-amplitude occurs; and
/// the other parameters of those terms.
fn amplitudes(graph: &Graph, symbols: &[Id], terms: &[Id], roles: &[ParameterRole]) -> Amplitudes {
    let reach: Vec<Vec<Id>> = terms.iter().map(|&term| graph.reachable(&[term])).collect();
    let holds = |t: usize, j: usize| reach[t].binary_search(&symbols[j]).is_ok();
    let mut amplitude_of = vec![None; symbols.len()];
    let mut taken = vec![false; terms.len()];
    for (j, role) in roles.iter().enumerate() {
        if !matches!(role.role, Role::Linear | Role::LogAmplitude) {
            continue;
        }
        let holders: Vec<usize> = (0..terms.len()).filter(|&t| holds(t, j)).collect();
        if let [t] = holders[..]
            && !taken[t]
        {
            taken[t] = true;
            amplitude_of[j] = Some(t);
        }
    }
    let mut pairs = Vec::new();
    for (a, term) in amplitude_of.iter().enumerate() {
        let Some(t) = *term else { continue };
        pairs.extend((0..symbols.len()).filter(|&q| q != a && holds(t, q)).map(|q| (q, a)));
    }
    (amplitude_of, pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_what_an_evaluation_reads_and_each_says_once_which_way_it_goes() {
        let names: Vec<String> = vec!["N".into(), "D".into()];
        let declared = Declared::new("E + A*N**-alpha + B*D**-beta", &names, None, Residual::Log);
        let fused = compile_law(&declared).expect("it is a law");
        // ln N and ln D: their negatives, which multiply the exponents, are no columns of their own.
        assert!(fused.is_fused() && fused.second.outputs.is_empty());
        assert_eq!(fused.orientation, [1.0, 1.0]);
        // The squares of the logarithms belong to second derivatives alone.
        let interpreted = compile_interpreted(&declared).expect("it is a law");
        assert!(!interpreted.is_fused() && interpreted.n_columns() > fused.n_columns());
    }
}
