"""What rows say about parameters, in coordinates in which rows and candidates together are orthonormal."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lawfit._engine import F64

# Information below this, where that of all rows and candidates together is 1, is rounding: the direction is open.
OPEN = 1e-12
# A direction that is open gets this little, so that a search can tell which run closes it; nothing is reported from it.
RIDGE = 1e-13


@dataclass(frozen=True, slots=True, eq=False)
class Information:
    """Information of the rows and of each candidate run; noise has the variance 1."""

    now: F64  # (r, r) of the rows
    candidates: F64  # (n_candidates, r) their derivatives
    target: F64 | None  # (r,) derivatives of the quantity
    to_params: F64  # (m, r)

    @property
    def size(self) -> int:
        """How many directions the rows and candidates determine together."""
        return int(self.now.shape[0])

    def after(self, chosen: list[int]) -> F64:
        """(r, r) information with some candidates added, repeated ones as often as they are chosen."""
        added = self.candidates[chosen]
        total: F64 = self.now + added.T @ added
        return total

    def variance(self, matrix: F64, direction: F64) -> float:
        """Variance of a linear form of the coordinates; infinite where it leans on an open direction."""
        values, vectors = np.linalg.eigh(matrix)
        parts = vectors.T @ direction
        is_open = values < OPEN
        size = float(parts @ parts)
        if size > 0.0 and float(parts[is_open] @ parts[is_open]) > OPEN * size:
            return math.inf
        return float(np.sum(parts[~is_open] ** 2 / values[~is_open]))

    def log_det(self, matrix: F64) -> tuple[float, int]:
        """Logarithm of the determinant over the directions that are determined, and how many those are."""
        values = np.linalg.eigvalsh(matrix)
        known = values[values >= OPEN]
        return float(np.log(known).sum()), int(known.size)


def information(rows: F64, candidates: F64, target: F64 | None) -> Information | None:
    """Put rows (n, m) and candidates (K, m), both in units of the noise, into common coordinates.

    ``None`` where the target has a part that neither rows nor candidates determine.
    """
    both = np.concatenate([rows, candidates])
    lengths = np.sqrt((both * both).sum(axis=0))
    scales = np.where(lengths > 0.0, lengths, 1.0)
    _, s, vt = np.linalg.svd(both / scales, full_matrices=False)
    rank = int(np.count_nonzero(s > math.sqrt(OPEN) * 1e-2 * s[0])) if s.size else 0
    to_params = (vt[:rank] / s[:rank, np.newaxis]).T / scales[:, np.newaxis]
    x, c = rows @ to_params, candidates @ to_params
    if target is not None:
        scaled = target / scales
        outside = scaled - vt[:rank].T @ (vt[:rank] @ scaled)
        if np.linalg.norm(outside) > 1e-6 * np.linalg.norm(scaled):
            return None
        target = to_params.T @ target
    return Information(x.T @ x, c, target, to_params)


class Search:
    """Greedy choice and exchange of candidates, with the inverse of the information kept by Sherman and Morrison."""

    def __init__(
        self, told: Information, costs: F64, budget: float, n_runs: int, *, repeat: bool, by_target: bool
    ) -> None:
        self._told, self._costs, self._repeat = told, costs, repeat
        # A sum of costs that rounds above the budget by less than that is within it.
        self._budget, self._n_runs = budget * (1.0 + 1e-12), n_runs
        self._target = told.target if by_target else None

    def best(self) -> list[int]:
        """Return the better of two greedy sets, by gain and by gain for the cost, after exchanges, in order of gain."""
        found = [self._exchange(self._fill([], per_cost)) for per_cost in (False, True)]
        chosen = max(found, key=self._value)
        return self._fill([], False, among=chosen)

    def _inverse(self, chosen: list[int]) -> F64:
        matrix: F64 = self._told.after(chosen) + RIDGE * np.eye(self._told.size)
        return np.asarray(np.linalg.inv(matrix), dtype=np.float64)

    def _value(self, chosen: list[int]) -> float:
        """Return what is maximised: minus the logarithm of the target's variance, or of the determinant's inverse."""
        inverse = self._inverse(chosen)
        if self._target is not None:
            return -math.log(max(float(self._target @ inverse @ self._target), 1e-300))
        return -float(np.linalg.slogdet(inverse)[1])

    def _gains(self, inverse: F64) -> F64:
        """(n_candidates,) what each candidate adds to the value, by the formula of Sherman and Morrison."""
        c = self._told.candidates
        moved = c @ inverse
        leverage = np.maximum((moved * c).sum(axis=1), 0.0)
        if self._target is None:
            gains: F64 = np.log1p(leverage)
            return gains
        whole = max(float(self._target @ inverse @ self._target), 1e-300)
        share = np.minimum((moved @ self._target) ** 2 / (1.0 + leverage) / whole, 1.0 - 1e-16)
        lessened: F64 = -np.log1p(-share)
        return lessened

    def _allowed(self, chosen: list[int], spent: float) -> F64:
        allowed = spent + self._costs <= self._budget
        if not self._repeat:
            allowed[chosen] = False
        out: F64 = np.where(allowed, 0.0, -np.inf)
        return out

    def _fill(self, chosen: list[int], per_cost: bool, among: list[int] | None = None) -> list[int]:
        """Add the best candidate for as long as one is allowed; ``among`` only brings a set into its order."""
        chosen = list(chosen)
        left = None if among is None else list(among)
        inverse = self._inverse(chosen)
        limit = self._n_runs if left is None else len(left)
        while len(chosen) < limit:
            gains = self._gains(inverse)
            if left is None:
                # A gain per cost of candidates that cost nothing is their gain times much.
                scaled = gains / np.maximum(self._costs, 1e-300) if per_cost else gains
                scaled = scaled + self._allowed(chosen, float(self._costs[chosen].sum()))
            else:
                scaled = np.full(gains.size, -np.inf)
                scaled[left] = gains[left]
            best = int(np.argmax(scaled))
            if not math.isfinite(scaled[best]):
                break
            chosen.append(best)
            if left is not None:
                left.remove(best)
            inverse = updated(inverse, self._told.candidates[best])
        return chosen

    def _exchange(self, chosen: list[int]) -> list[int]:
        """Replace one run by another, and fill up, for as long as that gains."""
        value = self._value(chosen)
        for _ in range(100 * max(1, len(chosen))):
            best: tuple[float, list[int]] = (value + 1e-9, [])
            for place in range(len(chosen)):
                rest = chosen[:place] + chosen[place + 1 :]
                gains = self._gains(self._inverse(rest)) + self._allowed(rest, float(self._costs[rest].sum()))
                other = int(np.argmax(gains))
                if math.isfinite(gains[other]) and other != chosen[place]:
                    full = self._fill([*rest, other], False)
                    reached = self._value(full)
                    if reached > best[0]:
                        best = (reached, full)
            if not best[1]:
                return chosen
            value, chosen = best
        return chosen


def updated(inverse: F64, row: F64) -> F64:
    """Inverse of a matrix after row rowᵀ is added to it (Sherman and Morrison 1950)."""
    moved = inverse @ row
    out: F64 = inverse - np.outer(moved, moved) / (1.0 + float(row @ moved))
    return out
