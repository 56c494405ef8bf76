//! Values of a law and its exact derivatives, for many parameter vectors at once; no fitting.

use crate::dispatch::Arith;
use crate::dispatch::Level;
use crate::dispatch::Work;
use crate::dispatch::dispatch;
use crate::error::Error;
use crate::formula::compile::compile;
use crate::formula::compile::data_columns;
use crate::formula::derive::derivative;
use crate::formula::graph::Id;
use crate::formula::parse::parse;
use crate::formula::program::BLOCK;
use crate::formula::program::Columns;
use crate::formula::program::Operand;
use crate::formula::program::Program;
use crate::law::CompiledLaw;
use crate::law::cache::compiled;
use crate::law::compiled::Declared;
use crate::law::compiled::LawGraph;
use crate::law::compiled::Residual;
use crate::law::compiled::law_graph;

/// Values (order 0), first (order 1) or second derivatives (order 2) with respect to the names `wrt`, parameters or
/// variables. `x` holds one row of `n_rows` values per variable, `params` one row per draw.
///
/// The result is (draws, rows), (draws, wrt, rows) or (draws, wrt, wrt, rows), flat.
///
/// # Errors
/// Those of compiling the law; [`Error::Argument`] if `wrt` names nothing of the law or the order is above 2.
#[expect(clippy::too_many_arguments, reason = "one flat call; the shapes belong together")]
pub fn evaluate(
    text: &str,
    variables: &[String],
    parameters: &[String],
    x: &[f64],
    n_rows: usize,
    params: &[f64],
    wrt: &[String],
    order: usize,
    level: Level,
) -> Result<Vec<f64>, Error> {
    let declared = Declared {
        text: text.to_owned(),
        variables: variables.to_vec(),
        parameters: Some(parameters.to_vec()),
        residual: Residual::Linear,
    };
    let tree = parse(text)?;
    let LawGraph { mut graph, bound, parameter_of, .. } = law_graph(&tree, &declared)?;
    let mut symbols = Vec::with_capacity(wrt.len());
    for name in wrt {
        let place = variables.iter().chain(parameters).position(|known| known == name);
        let place =
            place.ok_or_else(|| Error::argument("wrt", format!("{name} is no variable or parameter of the law")))?;
        symbols.push(graph.symbol(place));
    }
    let zero = graph.number(0.0);
    let mut roots: Vec<Id> = vec![bound.root];
    for _ in 0..order {
        let mut next = Vec::with_capacity(roots.len() * symbols.len());
        for &root in &roots {
            for &symbol in &symbols {
                next.push(derivative(&mut graph, root, symbol).unwrap_or(zero));
            }
        }
        roots = next;
    }
    if order > 2 {
        return Err(Error::argument("order", "derivatives exist for order 0, 1 and 2"));
    }
    if graph.overflowed() {
        return Err(Error::argument("order", "the derivatives of this law are too large"));
    }
    let columns = data_columns(&graph, &roots);
    let variable_nodes: Vec<Id> = (0..variables.len()).map(|i| graph.symbol(i)).collect();
    let prelude = compile(&graph, &columns, &variable_nodes, &parameter_of);
    let program = compile(&graph, &roots, &columns, &parameter_of);
    let data = Columns { values: x, stride: n_rows };
    let registers = &mut Vec::new();
    let prepare = AllRows { program: &prelude, columns: data, n_rows, parameters: &[], registers };
    let prepared = dispatch(level, prepare);
    let columns = Columns { values: &prepared, stride: n_rows };
    let mut out = Vec::with_capacity(params.len() / parameters.len().max(1) * roots.len() * n_rows);
    if parameters.is_empty() {
        out.extend(dispatch(level, AllRows { program: &program, columns, n_rows, parameters: &[], registers }));
    }
    for draw in params.chunks_exact(parameters.len().max(1)) {
        if !parameters.is_empty() {
            let work = AllRows { program: &program, columns, n_rows, parameters: draw, registers };
            out.extend(dispatch(level, work));
        }
    }
    Ok(out)
}

/// The first row in which what depends on data alone is not finite, such as the logarithm of a variable that is 0: there
/// the law has no value whatever its parameters. A law with `where` is not looked into.
///
/// # Errors
/// Those of compiling the law.
pub fn undefined_row(
    text: &str,
    variables: &[String],
    parameters: &[String],
    x: &[f64],
    n_rows: usize,
    residual: Residual,
) -> Result<Option<usize>, Error> {
    // The declaration of the fit that follows, which then finds the law compiled.
    let declared = Declared {
        text: text.to_owned(),
        variables: variables.to_vec(),
        parameters: Some(parameters.to_vec()),
        residual,
    };
    let law = compiled(&declared)?;
    if text.contains("where") {
        // A branch that a row does not take may be undefined there.
        return Ok(None);
    }
    let registers = &mut Vec::new();
    let mut first = 0;
    while first < n_rows {
        let rows = BLOCK.min(n_rows - first);
        let columns = Columns { values: x.get(first..).unwrap_or(&[]), stride: n_rows };
        let work = AllRows { program: &law.prelude, columns, n_rows: rows, parameters: &[], registers };
        let values = dispatch(Level::best(), work);
        let bad = (0..rows).find(|&row| values.iter().skip(row).step_by(rows).any(|value| !value.is_finite()));
        if let Some(row) = bad {
            return Ok(Some(first + row));
        }
        first += rows;
    }
    Ok(None)
}

/// All outputs of a program over all rows, one output after the other.
pub(crate) struct AllRows<'a> {
    pub(crate) program: &'a Program,
    pub(crate) columns: Columns<'a>,
    pub(crate) n_rows: usize,
    pub(crate) parameters: &'a [f64],
    /// Memory that the program grows to its needs: for a few rows it costs more to make than to use.
    pub(crate) registers: &'a mut Vec<f64>,
}

impl Work for AllRows<'_> {
    type Out = Vec<f64>;

    #[inline(always)]
    fn run<A: Arith>(self) -> Vec<f64> {
        let AllRows { program, columns, n_rows, parameters, registers } = self;
        let mut out = vec![0.0; program.outputs.len() * n_rows];
        let mut scalars = Vec::new();
        program.run_scalars::<A>(parameters, &mut scalars);
        registers.resize(registers.len().max(program.n_registers * BLOCK), 0.0);
        let mut first = 0;
        while first < n_rows {
            let rows = BLOCK.min(n_rows - first);
            program.run_block::<A>(&scalars, columns, first, rows, registers);
            for index in 0..program.outputs.len() {
                let place = &mut out[index * n_rows + first..][..rows];
                match program.output(index, &scalars, columns, first, rows, registers) {
                    Operand::Rows(values) => place.copy_from_slice(values),
                    Operand::One(value) => place.fill(value),
                }
            }
            first += rows;
        }
        out
    }
}

/// The additive terms of a law over prepared rows, one term after the other.
pub(crate) struct TermRows<'a> {
    pub(crate) law: &'a CompiledLaw,
    pub(crate) columns: Columns<'a>,
    pub(crate) n_rows: usize,
    pub(crate) parameters: &'a [f64],
    /// Memory that the program grows to its needs: for a few rows it costs more to make than to use.
    pub(crate) registers: &'a mut Vec<f64>,
}

impl Work for TermRows<'_> {
    type Out = Vec<f64>;

    #[inline(always)]
    fn run<A: Arith>(self) -> Vec<f64> {
        let TermRows { law, columns, n_rows, parameters, registers } = self;
        AllRows { program: &law.terms, columns, n_rows, parameters, registers }.run::<A>()
    }
}
