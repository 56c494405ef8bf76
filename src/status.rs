//! Every way in which a *fit* can end. A fit never ends in an exception or a silent NaN.

/// How one fit ended.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// A local minimum: the Newton decrement is at its tolerance and the curvature is positive definite.
    Converged = 0,
    /// The same with one or more parameters held at a bound by the data.
    ConvergedAtBound = 1,
    /// No step gains anything, and along some direction the objective is flat: the parameters are not identified.
    Unidentified = 2,
    /// No step lowers the objective although the tolerance was not met.
    Stalled = 3,
    /// The limit of iterations was reached.
    MaxIterations = 4,
    /// The objective was not finite at any start.
    NotFinite = 5,
    /// Fewer rows with weight, and priors, than free parameters.
    TooFewRows = 6,
    /// The caller stopped the work.
    Cancelled = 7,
}

impl Status {
    /// Every status, in the order of its number.
    pub const ALL: [Status; 8] = [
        Status::Converged,
        Status::ConvergedAtBound,
        Status::Unidentified,
        Status::Stalled,
        Status::MaxIterations,
        Status::NotFinite,
        Status::TooFewRows,
        Status::Cancelled,
    ];

    /// The word that users see.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Status::Converged => "converged",
            Status::ConvergedAtBound => "converged_at_bound",
            Status::Unidentified => "unidentified",
            Status::Stalled => "stalled",
            Status::MaxIterations => "max_iterations",
            Status::NotFinite => "not_finite",
            Status::TooFewRows => "too_few_rows",
            Status::Cancelled => "cancelled",
        }
    }

    /// What it means and what to do next.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Status::Converged => "converged to a local minimum",
            Status::ConvergedAtBound => {
                "converged with a parameter at its bound: its standard error is undefined; check whether the law needs the term"
            }
            Status::Unidentified => {
                "the data do not identify all parameters: the objective is flat along a direction; fix a parameter (fixed=) or borrow it (prior=), or add runs that vary the variables separately"
            }
            Status::Stalled => {
                "no step lowers the objective, yet the tolerance is not met: try other starts or check the scale of the data"
            }
            Status::MaxIterations => "stopped at the limit of iterations: raise max_iterations or give better starts",
            Status::NotFinite => {
                "the objective is not finite at any start: give starts= where the law is defined and, for residual=\"log\", positive"
            }
            Status::TooFewRows => {
                "fewer rows and priors than free parameters: add rows, borrow parameters (prior=) or fix them (fixed=)"
            }
            Status::Cancelled => "stopped by the caller before it ended",
        }
    }

    /// Whether the parameters are a minimum that may be used.
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(self, Status::Converged | Status::ConvergedAtBound)
    }
}
