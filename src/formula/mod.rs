//! The language of laws: text to tree, tree to graph, graph to exact derivatives, all to flat programs.
//!
//! ```text
//! text ── lex, parse ──► tree ── bind ──► graph ── derive ──► graph ── compile ──► program ── blocks of rows ──► values
//! ```
//!
//! Nothing here knows of fitting. Every pass but the parser is a loop, every size has a limit, and whatever a user types
//! ends in a value or in an [`crate::error::Error::Formula`] that points at the column.

pub(crate) mod bind;
pub(crate) mod compile;
pub(crate) mod derive;
pub(crate) mod functions;
pub(crate) mod graph;
mod lex;
pub(crate) mod parse;
pub(crate) mod program;
mod simplify;
pub(crate) mod substitute;

pub use bind::Kind;
pub(crate) use lex::error_at;

use crate::error::Error;

/// Names that a formula mentions, in order of first appearance, each with the character where it first stands.
///
/// # Errors
/// [`Error::Formula`] if the text cannot be read.
pub fn names(text: &str) -> Result<Vec<(String, usize)>, Error> {
    Ok(parse::parse(text)?.names)
}

/// Name, fewest and most arguments of every function of the language.
#[must_use]
pub fn function_names() -> Vec<(&'static str, usize, usize)> {
    functions::FUNCTIONS.iter().map(|&(name, _, fewest, most)| (name, fewest, most)).collect()
}

/// Every word that cannot name a variable or a parameter.
#[must_use]
pub fn reserved_words() -> Vec<&'static str> {
    let functions = functions::FUNCTIONS.iter().map(|entry| entry.0);
    functions
        .chain(["pi"])
        .chain(functions::RESERVED_CALLS.iter().copied())
        .chain(functions::KEYWORDS.iter().copied())
        .collect()
}
