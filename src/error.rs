//! Every way in which a *call* can be wrong. How a *fit* can end is [`crate::status`].

use thiserror::Error;

/// A call that cannot mean anything, found before any work starts.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Error {
    /// The text of a law, a condition or a column formula is wrong at one place.
    #[error("{message}\n  {}\n  {}^ column {}", .excerpt, " ".repeat(*.caret), .column + 1)]
    Formula {
        /// What is wrong and what to do.
        message: String,
        /// The part of the text around the place, on one line.
        excerpt: String,
        /// Where in `excerpt` the place is, in characters.
        caret: usize,
        /// Where in the whole text the place is, in characters from 0.
        column: usize,
    },
    /// A declaration of a law contradicts its text.
    #[error("{0}")]
    Law(String),
    /// An argument has a value that cannot be used.
    #[error("{argument}: {message}")]
    Argument {
        /// The argument as the user wrote it.
        argument: &'static str,
        /// What is wrong and what to do.
        message: String,
    },
    /// A word that no registry knows.
    #[error("{argument}={given:?} is not known; choose one of: {allowed}")]
    UnknownName {
        /// The argument as the user wrote it.
        argument: &'static str,
        /// The word.
        given: String,
        /// All words that are known, joined by commas.
        allowed: String,
    },
    /// The caller asked for the work to stop.
    #[error("cancelled")]
    Cancelled,
}

impl Error {
    /// An [`Error::UnknownName`] that lists what is allowed.
    pub fn unknown_name<'a>(argument: &'static str, given: &str, allowed: impl IntoIterator<Item = &'a str>) -> Error {
        let allowed: Vec<&str> = allowed.into_iter().collect();
        Error::UnknownName { argument, given: given.to_owned(), allowed: allowed.join(", ") }
    }

    /// An [`Error::Argument`].
    pub fn argument(argument: &'static str, message: impl Into<String>) -> Error {
        Error::Argument { argument, message: message.into() }
    }
}
