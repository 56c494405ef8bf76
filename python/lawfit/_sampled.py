"""What is behind a table of sampled answers: pass@k of each problem, and its means under other weights of problems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lawfit._engine import F64, I64
from lawfit.errors import DataError


class Block(NamedTuple):
    """Rows of a table over one set of problems.

    ``problems`` (n_problems,) are positions among all; ``share`` (n_rows, n_problems) is pass@k over exp(``log_scale``)
    (n_rows,), which is not 1 only where pass@k itself would leave the range of floats; ``neglog`` is -log pass@k;
    ``correction`` (n_rows,) is what is taken from the -log of a mean.
    """

    problems: I64
    share: F64
    log_scale: F64
    neglog: F64
    correction: F64


class Spread(NamedTuple):
    """Some rows over all problems, (n_rows, n_problems) each: 0 where a row does not have a problem."""

    present: F64
    share: F64
    neglog: F64
    log_scale: F64
    correction: F64

    def means(self, weights: F64) -> dict[str, F64]:
        """Response columns, (n_replicates, n_rows) each, for (n_replicates, n_problems) weights."""
        total = weights @ self.present.T
        is_infinite = np.isinf(self.neglog)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.minimum(weights @ self.share.T / total, 1.0)
            mean_neglog = weights @ np.where(is_infinite, 0.0, self.neglog).T / total
            # The sign: -log 1 is 0, not -0.
            neglog_mean = np.abs(np.log(mean)) - self.log_scale - self.correction
        if is_infinite.any():
            mean_neglog[weights @ is_infinite.T.astype(np.float64) > 0.0] = np.inf
        return {
            "pass_at_k": mean * np.exp(self.log_scale),
            "neglog_mean_pass": neglog_mean,
            "mean_neglog_pass": mean_neglog,
        }


# Rows times problems that are spread out at once.
MOST_SPREAD = 2**20
RESPONSES = ("pass_at_k", "neglog_mean_pass", "mean_neglog_pass")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sampled:
    """The problems behind a table that `lawfit.pass_at_k` made, for resampling them; ``table.sampled``.

    Attributes
    ----------
    cluster : tuple of str
        (n_rows,) what each row was observed on, such as ``"N=1e9, D=2e10"``: rows of one checkpoint at several k share
        every sample, so they are one observation.
    problems : tuple
        (n_problems,) labels of all problems: a value, or a tuple of values where several columns name a problem.
    blocks : tuple of Block
        Rows over the same problems, together.
    places : numpy.ndarray
        (n_rows, 2) int64, for each row its block and its line there.
    """

    cluster: tuple[str, ...]
    problems: tuple[object, ...]
    blocks: tuple[Block, ...]
    places: I64

    def columns(self, weights: F64, rows: I64) -> dict[str, F64]:
        """Return the responses of some rows with every mean over problems weighted.

        Parameters
        ----------
        weights : numpy.ndarray
            (n_replicates, n_problems) float64 of at least 0: one draw of problems for all rows.
        rows : numpy.ndarray
            (n,) positions of rows in the table.

        Returns
        -------
        dict of str to numpy.ndarray
            ``pass_at_k``, ``neglog_mean_pass`` and ``mean_neglog_pass``, (n_replicates, n) each. NaN where all problems
            of a row have weight 0; infinite -log where none that has a weight was ever solved. A correction of the
            table's bias is taken from ``neglog_mean_pass`` as it stands in the table. Weights of 1 give the table.

        Raises
        ------
        DataError
            The weights have another shape.
        """
        if weights.ndim != 2 or weights.shape[1] != len(self.problems):
            raise DataError(
                f"weights: got shape {weights.shape}; give one column for each of {len(self.problems)} problems"
            )
        out = {name: np.empty((weights.shape[0], rows.size)) for name in RESPONSES}
        step = max(MOST_SPREAD // len(self.problems), 1)
        for first in range(0, rows.size, step):
            some = slice(first, first + step)
            for name, values in self._spread(rows[some]).means(weights).items():
                out[name][:, some] = values
        return out

    def _spread(self, rows: NDArray[np.int64]) -> Spread:
        """Put the rows over all problems: one product of matrices is quicker than one for each set of problems."""
        present, share, neglog = np.zeros((3, rows.size, len(self.problems)))
        log_scale, correction = np.empty((2, rows.size))
        places = self.places[rows]
        for number in np.unique(places[:, 0]):
            block = self.blocks[int(number)]
            chosen = np.flatnonzero(places[:, 0] == number)
            lines, at = places[chosen, 1], np.ix_(chosen, block.problems)
            present[at], share[at], neglog[at] = 1.0, block.share[lines], block.neglog[lines]
            log_scale[chosen], correction[chosen] = block.log_scale[lines], block.correction[lines]
        return Spread(present, share, neglog, log_scale, correction)

    def n_problems(self, rows: I64) -> int:
        """Return how many problems stand behind some rows; a part of a table may be over a part of them."""
        used = [self.blocks[int(number)].problems for number in np.unique(self.places[rows, 0])]
        return int(np.unique(np.concatenate(used)).size) if used else 0

    def take(self, rows: NDArray[np.int64]) -> Sampled:
        """Return what is behind some of the rows; the problems stay all there are."""
        return Sampled(tuple(self.cluster[row] for row in rows), self.problems, self.blocks, self.places[rows])
