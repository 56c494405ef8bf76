"""A fingerprint of the rows of a fit: which part of other rows is different, without the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from lawfit._batch import Rows, unit_bytes
from lawfit._engine import F64, I64
from lawfit._named import Named
from lawfit._wording import listed
from lawfit.errors import DataError

N_ROWS = "number of rows"


def fingerprint_of(rows: Rows) -> Named[str]:
    """Return a hash for each column of the rows of a fit, and their number.

    Values count, bit by bit as 64-bit floats, and the order of the rows; names of columns do not.
    """
    found = {N_ROWS: str(rows.y.size), "row numbers": _hash(rows.units)}
    found |= {f"variable {name}": _hash(line) for name, line in zip(rows.variables, rows.x, strict=True)}
    found["response"] = _hash(rows.y)
    if rows.weights is not None:
        found["weights"] = _hash(rows.weights)
    if rows.sigma is not None:
        found["sigma"] = _hash(rows.sigma)
    if rows.clusters is not None:
        # Positions among the labels depend on rows that where= leaves out; the labels of the rows do not.
        labels = [unit_bytes(rows.cluster_labels[code]) for code in rows.clusters.tolist()]
        found["clusters"] = _digest(b"".join(len(label).to_bytes(8, "little") + label for label in labels))
    if rows.sampled is not None:
        arrays = [array for block in rows.sampled.blocks for array in block] + [rows.sampled.places[rows.positions]]
        found["sampled answers"] = _digest(b"".join(_hash(array).encode() for array in arrays))
    return Named(found)


def digest_of(fingerprint: Mapping[str, str]) -> str:
    """Return one hash for a fingerprint."""
    return _digest("\n".join(f"{name}: {value}" for name, value in fingerprint.items()).encode())


def check_fingerprint(saved: Mapping[str, str], given: Rows) -> None:
    """Raise ``DataError``, saying what differs, unless the rows are those of a saved fit."""
    found = fingerprint_of(given)
    if found[N_ROWS] != saved[N_ROWS]:
        raise DataError(
            f"data: these are not the rows of the fit: {found[N_ROWS]} rows are used of them, and the fit used "
            f"{saved[N_ROWS]}; give the same runs, or fit again"
        )
    differing = [name for name in {**saved, **found} if saved.get(name) != found.get(name)]
    if differing:
        raise DataError(
            f"data: these are not the rows of the fit: other values in {listed(differing)}; give the same runs in the "
            "same order, or fit again"
        )


def _hash(values: F64 | I64) -> str:
    kind = "<f8" if values.dtype.kind == "f" else "<i8"
    return _digest(np.ascontiguousarray(values, dtype=kind).tobytes())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
