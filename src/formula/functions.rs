//! The functions of the language and how many arguments each takes: the one list that parser, messages and documentation read.

/// A function of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Exp,
    Log,
    Log2,
    Log10,
    Log1p,
    Expm1,
    Sqrt,
    Abs,
    Sin,
    Cos,
    Atan,
    Tanh,
    Sigmoid,
    Logit,
    Softplus,
    Lgamma,
    Min,
    Max,
    Clip,
    LogSumExp,
    Where,
    PassAtK,
    BetaPassAtK,
    BinomialDeviance,
    BetaBinomialDeviance,
}

/// Name, function, fewest and most arguments.
pub(crate) const FUNCTIONS: &[(&str, Function, usize, usize)] = &[
    ("exp", Function::Exp, 1, 1),
    ("log", Function::Log, 1, 1),
    ("log2", Function::Log2, 1, 1),
    ("log10", Function::Log10, 1, 1),
    ("log1p", Function::Log1p, 1, 1),
    ("expm1", Function::Expm1, 1, 1),
    ("sqrt", Function::Sqrt, 1, 1),
    ("abs", Function::Abs, 1, 1),
    ("sin", Function::Sin, 1, 1),
    ("cos", Function::Cos, 1, 1),
    ("atan", Function::Atan, 1, 1),
    ("tanh", Function::Tanh, 1, 1),
    ("sigmoid", Function::Sigmoid, 1, 1),
    ("logit", Function::Logit, 1, 1),
    ("softplus", Function::Softplus, 1, 1),
    ("lgamma", Function::Lgamma, 1, 1),
    ("min", Function::Min, 2, MOST_ARGUMENTS),
    ("max", Function::Max, 2, MOST_ARGUMENTS),
    ("clip", Function::Clip, 3, 3),
    ("logsumexp", Function::LogSumExp, 1, MOST_ARGUMENTS),
    ("where", Function::Where, 3, 3),
    ("pass_at_k", Function::PassAtK, 2, 2),
    ("beta_pass_at_k", Function::BetaPassAtK, 3, 3),
    ("binomial_deviance", Function::BinomialDeviance, 3, 3),
    ("beta_binomial_deviance", Function::BetaBinomialDeviance, 4, 4),
];

/// Most arguments that one call may have.
pub(crate) const MOST_ARGUMENTS: usize = 64;

/// Names that the language keeps for what it does not have yet.
pub(crate) const RESERVED_CALLS: &[&str] = &["sum", "prod"];

/// Words that cannot be names because Python could not read them as names.
pub(crate) const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// The function of that name with its fewest and most arguments.
pub(crate) fn find(name: &str) -> Option<(Function, usize, usize)> {
    FUNCTIONS.iter().find(|entry| entry.0 == name).map(|&(_, function, fewest, most)| (function, fewest, most))
}

/// Whether `name` cannot name a variable, a parameter or a binding.
pub(crate) fn is_reserved(name: &str) -> bool {
    name == "pi" || find(name).is_some() || RESERVED_CALLS.contains(&name) || KEYWORDS.contains(&name)
}
