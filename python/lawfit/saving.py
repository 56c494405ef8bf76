"""Results on disk: `Fit.save`, `Fits.save`, `load`: JSON for others to read, which gives the same result back."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from lawfit import _engine, _export
from lawfit._absent import AbsentRows, Summary, without_rows
from lawfit._batch import Options, Repeat, Resampling, Rows
from lawfit._chain_fit import ChainFit
from lawfit._chain_rows import Units
from lawfit._codec import decode, encode
from lawfit._count_fit import CountFit
from lawfit._count_law import CountLaw
from lawfit._draws import Draws, Interval
from lawfit._engine import RawFits, RawReplicates, RawStarts
from lawfit._evidence import Certificate, Starts
from lawfit._fits import Fits
from lawfit._law import Law
from lawfit._protocols import Followed
from lawfit._sampled import Block, Sampled
from lawfit._sanity import FlopRatio
from lawfit._summaries import absent, summary_of
from lawfit._wording import describe
from lawfit.errors import DataError
from lawfit.results import Fit

Saved: TypeAlias = Fit | Fits | CountFit | ChainFit | Draws

# Raised when a file of this version cannot be read by what reads the one before.
SAVED_VERSION = 1
KNOWN: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        AbsentRows, Block, Certificate, ChainFit, CountFit, CountLaw, Draws, Fit, Fits, FlopRatio, Followed, Interval,
        Law, Options, RawFits, RawReplicates, RawStarts, Repeat, Resampling, Rows, Sampled, Starts, Summary, Units,
    )
}  # fmt: skip
RESULTS = (Fit, Fits, CountFit, ChainFit, Draws)
DAMAGED = "it is damaged, or was changed by hand; save the result again"


def _of_law(law: Law) -> dict[str, object]:
    names = "text variables positive starts name title units reference traps checks"
    return {name: getattr(law, name) for name in names.split()} | {"bounds": law.declared_bounds}


def _of_interval(interval: Interval) -> dict[str, object]:
    names = "lower upper level method mc_error note"
    return {name: getattr(interval, name) for name in names.split()}


PARTS: dict[type, Callable[[Any], dict[str, object]]] = {
    AbsentRows: AbsentRows.parts,
    Interval: _of_interval,
    Law: _of_law,
}


def save(result: Saved, path: str | os.PathLike[str], *, data: bool = False) -> None:
    """Write a result to a JSON file from which `load` makes the same one.

    Parameters
    ----------
    result : Fit, Fits, CountFit, ChainFit or Draws
        What to save.
    path : str or path
        The file; one that is there is replaced, at once and as a whole.
    data : bool
        Whether the rows of the fit are saved too. Without them the file holds a hash of each column, and the loaded
        result predicts, derives and prints; what needs the rows says so.

    Raises
    ------
    DataError
        The file cannot be written, or there is a value in the result that a file cannot hold.

    Notes
    -----
    When to use: to keep a fit beside the runs that it is of, or to hand it on. The file begins with what `to_dict`
    gives, for other programs; ``saved`` below it is what `load` reads, with every digit.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": [1e7, 3e7, 1e8, 3e8, 1e9, 3e9]}, noise=0.001)
    >>> fit = lf.fit(lf.laws.power_floor, runs, response="loss")
    >>> fit.save("fit.json")
    >>> lf.load("fit.json").params == fit.params
    True
    """
    text = as_text(result, data=data)
    target = Path(path)
    # Another name in the same folder, then one rename: a reader sees the old file or the whole new one.
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        try:
            beside.write_text(text, encoding="utf-8", newline="")
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"path={str(target)!r}: cannot write there ({error.strerror})") from None


def as_text(result: Saved, *, data: bool = False) -> str:
    """Return what `save` writes."""
    if not isinstance(data, bool):
        raise DataError(f"data: say True to keep the rows in the file, or False, not {describe(data)}")
    if data and _rows_of(result).summary is not None:
        raise DataError("data: this was loaded without its rows; attach them first: result.with_data(runs).save(...)")
    kept = result if data else _without_rows(result)
    document = _head(result)
    saved = {
        "version": SAVED_VERSION,
        "lawfit": version("lawfit"),
        "statuses": [status.name for status in _engine.registries().statuses],
        "has_rows": data,
        "content": encode(_unlinked(kept), KNOWN, PARTS),
    }
    document["saved"] = saved
    plain = json.loads(json.dumps(document, allow_nan=False, default=_as_plain))
    plain["saved"]["checksum"] = _checksum(plain)
    # One line a field: long arrays stay on the line of their field.
    lines = (f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in plain.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def load(path: str | os.PathLike[str]) -> Fit | Fits | CountFit | ChainFit | Draws:
    """Return the result that was saved in a file.

    Parameters
    ----------
    path : str or path
        A file that ``save`` wrote.

    Returns
    -------
    Fit, Fits, CountFit, ChainFit or Draws
        What was saved, number for number. Saved without ``data=True`` it predicts, derives quantities, gives Wald
        intervals and prints as before; ``with_data(runs)`` attaches the rows again after comparing them with what the
        fit saw, and ``fit.bootstrap(..., data=runs)`` does both in one.

    Raises
    ------
    DataError
        There is no such file, or it holds something else, is cut short, was changed by hand, or was written by a newer
        version of lawfit.

    Notes
    -----
    When to use: for a fit of yesterday, or of somebody else. Nothing in the file is executed: what it names is made
    from a short list of lawfit's own classes.

    Examples
    --------
    >>> import lawfit as lf
    >>> truth = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    >>> runs = lf.synthetic.runs(lf.laws.power_floor, truth, {"x": [1e7, 3e7, 1e8, 3e8, 1e9, 3e9]}, noise=0.001)
    >>> fit = lf.fit(lf.laws.power_floor, runs, response="loss")
    >>> fit.save("fit.json")
    >>> again = lf.load("fit.json")
    >>> bool(again.predict(x=1e10) == fit.predict(x=1e10)), len(again.bootstrap(20, data=runs))
    (True, 20)
    """
    where = f"path={str(path)!r}"
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{where}: cannot read it ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DataError(f"{where}: it is no result of lawfit, since it is no text") from None
    try:
        document = json.loads(text)
    except ValueError as error:
        words = "it is cut short, or no result of lawfit" if text.lstrip().startswith("{") else "no result of lawfit"
        raise DataError(f"{where}: {words} ({error})") from None
    if not isinstance(document, dict) or not str(document.get("format", "")).startswith("lawfit."):
        raise DataError(f"{where}: it is JSON, but no result of lawfit; give a file that save() wrote")
    saved = document.get("saved")
    if not isinstance(saved, dict):
        raise DataError(
            f"{where}: it holds the numbers of to_dict(), from which no result can be made; write it with save()"
        )
    _check_version(where, saved)
    checksum = saved.pop("checksum", None)
    if checksum != _checksum(document):
        raise DataError(f"{where}: {DAMAGED}")
    try:
        result = decode(saved["content"], KNOWN)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{where}: {DAMAGED} ({error})") from None
    if not isinstance(result, RESULTS):
        raise DataError(f"{where}: {DAMAGED}")
    return _linked(result)


def _check_version(where: str, saved: dict[str, Any]) -> None:
    form, written = saved.get("version"), saved.get("lawfit")
    if not isinstance(form, int):
        raise DataError(f"{where}: {DAMAGED}")
    known = [status.name for status in _engine.registries().statuses]
    numbered = saved.get("statuses") or []
    if form > SAVED_VERSION or numbered != known[: len(numbered)]:
        raise DataError(
            f"{where}: lawfit {written} wrote it in a form (version {form}) that this one, {version('lawfit')}, does "
            f"not know (up to {SAVED_VERSION}); install that version or a later one"
        )


def _head(result: Saved) -> dict[str, object]:
    """Return what other programs read."""
    if isinstance(result, ChainFit):
        return {"format": "lawfit.chain_fit", "version": _export.FORMAT_VERSION, "fit": _export.fit_dict(result.fit)}
    if isinstance(result, Draws):
        return {"format": "lawfit.draws", "version": _export.FORMAT_VERSION, **_export.draws_dict(result)}
    return result.to_dict()


def _rows_of(result: Saved) -> Rows:
    if isinstance(result, Fit | Fits):
        return result.rows
    return (result.inner if isinstance(result, CountFit) else result.fit).rows


def _without_rows(result: Saved) -> Saved:
    """Return the result with what is said of its rows in their place."""
    if isinstance(result, Fit):
        return replace(result, rows=absent(result))
    if isinstance(result, CountFit):
        return replace(result, inner=replace(result.inner, rows=absent(result.inner)))
    if isinstance(result, Draws):
        # Of the fit with its draws: what draws need of the rows is taken down too.
        whole = replace(result.fit, draws=result)
        return replace(result, fit=replace(result.fit, rows=absent(whole)))
    if isinstance(result, ChainFit):
        joint = None if result.joint is None else replace(result.joint, rows=absent(result.joint))
        first, second, fit = (replace(each, rows=absent(each)) for each in (result.first, result.second, result.fit))
        grid = tuple(replace(each, rows=absent(each)) for each in result.grid)
        return replace(result, first=first, second=second, fit=fit, joint=joint, grid=grid)
    if result.rows.summary is not None:
        return result
    rows = without_rows(result.rows, tuple(map(summary_of, result)))
    resampling = result.resampling
    if resampling is not None:
        resampling = replace(resampling, weights=None, responses=None, strata=None, noise=None)
    return replace(result, rows=rows, resampling=resampling)


def _unlinked(result: Saved) -> Saved:
    """Leave the fit out of its own draws; it is in the file once."""
    if isinstance(result, Fit) and result.draws is not None:
        return replace(result, draws=replace(result.draws, fit=None))  # type: ignore[arg-type]
    return result


def _linked(result: Saved) -> Saved:
    """Put the fit into its draws."""
    if isinstance(result, Fit) and result.draws is not None:
        return replace(result, draws=replace(result.draws, fit=replace(result, draws=None)))
    return result


def _checksum(document: dict[str, Any]) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _as_plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else str(value)
