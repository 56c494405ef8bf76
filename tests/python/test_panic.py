"""A bug in the engine ends in an exception that asks for a report, not in the end of the interpreter."""

from __future__ import annotations

import pytest

import lawfit as lf
from lawfit import _core


@pytest.mark.parametrize("is_tiny", [True, False], ids=["on this thread", "on another thread"])
def test_a_panic_is_an_internal_error_that_asks_for_a_report(is_tiny: bool) -> None:
    with pytest.raises(lf.InternalError, match=r"a failure on purpose.*please report it with the law"):
        _core.fail_on_purpose(is_tiny)


def test_the_engine_works_on_after_a_panic() -> None:
    with pytest.raises(lf.InternalError):
        _core.fail_on_purpose(False)
    runs = {"x": [1.0, 2.0, 4.0, 8.0, 16.0], "y": [3.0, 2.2, 1.7, 1.4, 1.25]}
    assert lf.fit("E + A*x**-a", runs, response="y", n_threads=2).params["A"] > 0
