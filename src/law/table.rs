//! Formulas over the columns of a table: what `where=` and `columns=` are.

use crate::dispatch::Level;
use crate::dispatch::dispatch;
use crate::error::Error;
use crate::formula::Kind;
use crate::formula::bind::Binding;
use crate::formula::bind::bind;
use crate::formula::compile::compile;
use crate::formula::error_at;
use crate::formula::graph::Class;
use crate::formula::graph::Graph;
use crate::formula::graph::Id;
use crate::formula::parse::parse;
use crate::formula::program::Columns;
use crate::law::evaluate::AllRows;

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column<'a> {
    /// Its name as the formula spells it.
    pub name: String,
    /// One value per row: numbers, 0 and 1, or positions in the list of texts.
    pub values: &'a [f64],
    /// What the values mean.
    pub kind: Kind,
}

/// The value of a formula in every row; conditions are 1 and 0. All arithmetic is in 64-bit floats, rounded as written.
///
/// # Errors
/// [`Error::Formula`] if the text cannot be read, a name is no column, or the kinds do not fit.
pub fn evaluate_columns(text: &str, columns: &[Column<'_>], want_condition: bool) -> Result<Vec<f64>, Error> {
    let tree = parse(text)?;
    let bindings: Vec<Binding<'_>> =
        columns.iter().map(|column| Binding { name: &column.name, kind: column.kind.clone() }).collect();
    let mut graph = Graph::new(vec![Class::Data; columns.len()], false);
    let bound = bind(&tree, &bindings, &mut graph)?;
    if graph.overflowed() {
        return Err(error_at(text, 0, "the formula is too large"));
    }
    let at = tree.at[tree.root];
    if want_condition && !bound.is_condition {
        let message = "a condition is needed, and this is a number; compare it with < <= > >= == != or in";
        return Err(error_at(text, at, message));
    }
    let n_rows = columns.first().map_or(0, |column| column.values.len());
    let mut values = Vec::with_capacity(n_rows * columns.len());
    for column in columns {
        values.extend_from_slice(column.values);
    }
    let variables: Vec<Id> = (0..columns.len()).map(|i| graph.symbol(i)).collect();
    let parameters = vec![None; columns.len()];
    let program = compile(&graph, &[bound.root], &variables, &parameters);
    let table = Columns { values: &values, stride: n_rows };
    // Portable arithmetic: which rows are kept must not depend on the machine.
    let registers = &mut Vec::new();
    let work = AllRows { program: &program, columns: table, n_rows, parameters: &[], registers };
    Ok(dispatch(Level::Portable, work))
}
