"""A law as an estimator of scikit-learn: `LawRegressor`, for pipelines, grids and cross-validation.

Needs scikit-learn 1.6 or newer when it fits, not when it is imported.
"""

from __future__ import annotations

import importlib
import inspect
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lawfit import _arrays
from lawfit._batch import Prior
from lawfit._engine import F64
from lawfit._law import Law, RangeLike
from lawfit._options import StartsLike
from lawfit._wording import suggest
from lawfit.errors import DataError, FitError, LawError
from lawfit.fitting import as_law, fit
from lawfit.laws import CATALOGUE
from lawfit.results import Fit

Self = TypeVar("Self", bound="LawRegressor")


class LawRegressor:
    """A law that is fitted to ``X`` and ``y`` and predicts, in scikit-learn's words.

    Parameters
    ----------
    law : Law or str
        A law, the name of a law of the catalogue, or a formula.
    variables : sequence of str, optional
        Names of the columns of ``X``, in their order, of which the law takes those that it knows. Without it the names
        of a frame's columns, or for an array the law's own variables in their order.
    loss, f_scale, residual, bounds, fixed, prior, starts, seed, solver, covariance, max_iterations, n_threads
        As in `lawfit.fit`, with the same defaults: Huber's loss of differences of logarithms.

    Attributes
    ----------
    fit_ : Fit
        The fit, with its estimates, standard errors, intervals and bootstrap.
    law_ : Law
        The law, with its variables known.
    n_features_in_ : int
        Columns of ``X``.
    feature_names_in_ : numpy.ndarray
        (n_features_in_,) their names, where ``X`` was a frame.

    Raises
    ------
    LawError
        On `fit`: the law or an option cannot mean anything.
    DataError
        On `fit`: the columns are not those that the law needs, or a response is not positive under
        ``residual="log"``. What scikit-learn checks itself raises its own ``ValueError``.
    FitError
        On `fit`: there are no estimates, so that a search over a grid can go on (``error_score``). A fit that has
        estimates and is no minimum warns with scikit-learn's ``ConvergenceWarning``.

    Notes
    -----
    When to use: where scikit-learn searches over laws and losses, or cross-validates a pipeline. Folds drawn at random
    say little about extrapolation: `Fit.validate` holds out the largest runs. ``sample_weight`` are precisions,
    ``weights=`` of `lawfit.fit`.

    References
    ----------
    Buitinck et al. 2013, API design for machine learning software, arXiv:1309.0238.

    Examples
    --------
    >>> import numpy as np
    >>> import lawfit as lf
    >>> x = np.array([[1e7], [3e7], [1e8], [3e8], [1e9], [3e9]])
    >>> y = 1.7 + 400.0 * x[:, 0] ** -0.34
    >>> regressor = lf.estimator.LawRegressor("power_floor", loss="squared").fit(x, y)
    >>> round(regressor.fit_.params["alpha"], 6), round(regressor.score(x, y), 6)
    (0.34, 1.0)
    """

    fit_: Fit
    law_: Law
    n_features_in_: int
    feature_names_in_: NDArray[np.object_]

    def __init__(
        self,
        law: Law | str,
        *,
        variables: Sequence[str] | None = None,
        loss: str | None = None,
        f_scale: float | str | None = None,
        residual: str | None = None,
        bounds: Mapping[str, RangeLike] | None = None,
        fixed: Mapping[str, float] | None = None,
        prior: Mapping[str, Prior] | None = None,
        starts: StartsLike | None = None,
        seed: int = 0,
        solver: str = "auto",
        covariance: str = "auto",
        max_iterations: int = 1000,
        n_threads: int | None = None,
    ) -> None:
        self.law = law
        self.variables = variables
        self.loss = loss
        self.f_scale = f_scale
        self.residual = residual
        self.bounds = bounds
        self.fixed = fixed
        self.prior = prior
        self.starts = starts
        self.seed = seed
        self.solver = solver
        self.covariance = covariance
        self.max_iterations = max_iterations
        self.n_threads = n_threads

    def fit(self: Self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the law to runs; returns itself.

        Parameters
        ----------
        X : (n_rows, n_columns) array or frame
            Variables of the law, one a column.
        y : (n_rows,) array
            The response.
        sample_weight : (n_rows,) array, optional
            Precisions (1 / variance) of the rows, up to a common factor.
        """
        # A line for fewer than two rows is scikit-learn's to draw: its message is the one that its users know.
        x, response = _sklearn("utils.validation").validate_data(
            self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2
        )
        weights = None if sample_weight is None else _arrays.as_float64(sample_weight, "sample_weight")
        if weights is not None and not weights.any():
            raise DataError("sample_weight: every weight is zero, so no row counts")
        law = self._bound_law(x.shape[1])
        name = "y"
        while name in law.names:
            name += "_"
        found = fit(
            law, {**self._points(law, x), name: response}, response=name,
            weights=weights, loss=self.loss, f_scale=self.f_scale, residual=self.residual, bounds=self.bounds,
            fixed=self.fixed, prior=self.prior, starts=self.starts, seed=self.seed, solver=self.solver,
            covariance=self.covariance, max_iterations=self.max_iterations, n_threads=self.n_threads,
        )  # fmt: skip
        if not found.success:
            said = f"the fit ended with the status {found.status!r}: {found.message}"
            if not all(math.isfinite(value) for value in found.params.values()):
                raise FitError(said)
            warnings.warn(said, _sklearn("exceptions").ConvergenceWarning, stacklevel=2)
        self.law_, self.fit_ = law, found
        return self

    def predict(self, X: Any) -> F64:
        """(n_rows,) values of the fitted law; ``fit_.predict`` has intervals."""
        if not self.__sklearn_is_fitted__():
            raise _sklearn("exceptions").NotFittedError(
                f"this {type(self).__name__} is not fitted yet; call fit with data before predict"
            )
        x = _sklearn("utils.validation").validate_data(self, X, reset=False, dtype=np.float64)
        return self.fit_.predict(self._points(self.law_, x))

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Share of the variance of ``y`` that the predictions explain, R²; NaN for a response that does not vary."""
        return float(_sklearn("metrics").r2_score(y, self.predict(X), sample_weight=sample_weight))

    def get_params(self, deep: bool = True) -> dict[str, object]:
        """Return the arguments of the constructor by name; none has parameters of its own, so ``deep`` changes none."""
        return {name: getattr(self, name) for name in self._arguments()}

    def set_params(self: Self, **params: object) -> Self:
        """Change arguments of the constructor; returns itself."""
        known = self._arguments()
        for name, value in params.items():
            if name not in known:
                raise LawError(f"set_params: {name!r} is no parameter of {type(self).__name__}; {suggest(name, known)}")
            setattr(self, name, value)
        return self

    @classmethod
    def _arguments(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def _bound_law(self, n_columns: int) -> Law:
        """Law whose variables are columns of ``X``."""
        law = as_law(CATALOGUE.get(self.law, self.law) if isinstance(self.law, str) else self.law)
        names = self._names(law)
        if len(names) != n_columns:
            raise DataError(
                f"X has {n_columns} feature(s), but {len(names)} names of columns are known ({', '.join(names)}); name "
                "each with variables=, or give a frame: the law takes the columns that it knows"
            )
        return law.bind(names)

    def _names(self, law: Law) -> list[str]:
        """Names of the columns of ``X``."""
        if self.variables is not None:
            return list(self.variables)
        if hasattr(self, "feature_names_in_"):
            return [str(name) for name in self.feature_names_in_]
        if law.variables is None:
            raise LawError(
                f"variables: say which names of the law {law.text!r} the columns of X are, such as variables=['x']"
            )
        return list(law.variables)

    def _points(self, law: Law, x: F64) -> dict[str, F64]:
        """Values of the law's variables by name."""
        names = self._names(law)
        return {name: x[:, names.index(name)] for name in law.variables or ()}

    def __sklearn_is_fitted__(self) -> bool:
        """Tell scikit-learn whether there is a fit."""
        return hasattr(self, "fit_")

    def __sklearn_tags__(self) -> object:
        """Tell scikit-learn what this is: a regressor of one response."""
        utils = _sklearn("utils")
        return utils.Tags(
            estimator_type="regressor",
            target_tags=utils.TargetTags(required=True),
            transformer_tags=None,
            classifier_tags=None,
            regressor_tags=utils.RegressorTags(),
            input_tags=utils.InputTags(),
        )

    def __repr__(self) -> str:
        """Return the constructor's call, without the arguments that have their defaults."""
        defaults = inspect.signature(type(self).__init__).parameters
        given = [
            f"{name}={(value.name or value.text) if isinstance(value, Law) else value!r}"
            for name, value in self.get_params().items()
            if value is not defaults[name].default
        ]
        return f"{type(self).__name__}({', '.join(given)})"


def _sklearn(module: str) -> Any:
    """Return a module of scikit-learn."""
    try:
        return cast(Any, importlib.import_module(f"sklearn.{module}"))
    except ImportError:
        raise ImportError("lawfit.estimator needs scikit-learn: pip install 'lawfit[sklearn]'") from None
