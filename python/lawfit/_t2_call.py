"""What a report on sampled answers was asked, as the call of Python and as the command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lawfit._cli_wording import quoted
from lawfit._engine import F64


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """The arguments, checked.

    Attributes
    ----------
    source : str or None
        Path of the counts; None for a table of Python.
    budgets : mapping of str to numpy.ndarray
        Formulas with their amounts.
    options : mapping of str to object
        Arguments that are not at their default, by name.
    """

    source: str | None
    budgets: Mapping[str, F64]
    options: Mapping[str, object]

    def as_python(self) -> str:
        """Return the call of Python."""
        data = "counts" if self.source is None else repr(self.source)
        amounts = [f"        {text!r}: {_python_amounts(values)}," for text, values in self.budgets.items()]
        lines = ["import numpy as np", "", "import lawfit as lf", "", "report = lf.t2_report(", f"    {data},", "    {"]
        lines += [*amounts, "    },"]
        lines += [f"    {name}={_plain(value)!r}," for name, value in self.options.items()]
        return "\n".join([*lines, ")", 'report.write("report.html")'])

    def as_command(self) -> str:
        """Return the command; counts.csv stands for a table that is in no file."""
        words = ["lawfit t2", quoted("counts.csv" if self.source is None else self.source)]
        words += [f"--budget {quoted(f'{text}={_amounts(values)}')}" for text, values in self.budgets.items()]
        for name, value in self.options.items():
            words += _command_words(f"--{OPTIONS.get(name, name)}", value)
        return " \\\n    ".join([*words, "-o report.html"])


# Options that are not called like the argument.
OPTIONS = {
    "columns": "column", "bounds": "limit", "at": "hold", "menus": "menu", "n_replicates": "bootstrap",
    "few_samples": "few-samples",
}  # fmt: skip


def _command_words(option: str, value: object) -> list[str]:
    if isinstance(value, Mapping):
        return [f"{option} {quoted(f'{name}={_end_words(each)}')}" for name, each in value.items()]
    if option == "--integer" and not isinstance(value, str) and isinstance(value, Sequence):
        return [f"{option} {quoted(str(name))}" for name in value]
    return [f"{option} {quoted(_several(value))}"]


def _several(value: object) -> str:
    """Write values with commas between."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return ",".join(map(_number, value)) if isinstance(value, list | tuple) else _number(value)


def _end_words(value: object) -> str:
    if isinstance(value, tuple):
        return ":".join("" if end is None else f"{end:g}" for end in value)
    return _several(value)


def _number(value: object) -> str:
    return value if isinstance(value, str) else f"{value:.17g}" if isinstance(value, float) else str(value)


def _plain(value: object) -> object:
    """Return what is written as it would be typed."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    return dict(value) if isinstance(value, Mapping) else list(value) if isinstance(value, list | tuple) else value


def is_spaced(values: F64) -> bool:
    """Tell whether amounts are a sweep with equal factors between them."""
    return values.size > 2 and np.allclose(values, np.geomspace(values[0], values[-1], values.size), rtol=1e-9)


def _python_amounts(values: F64) -> str:
    flat = np.ravel(values)
    if is_spaced(flat):
        return f"np.geomspace({float(flat[0])!r}, {float(flat[-1])!r}, {flat.size})"
    return repr(values.tolist())


def _amounts(values: F64) -> str:
    flat = np.ravel(values)
    if flat.size == 1:
        return f"{float(flat[0]):g}"
    return f"{float(flat[0]):g}..{float(flat[-1]):g}:{flat.size}"
