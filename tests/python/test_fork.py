"""Children of every start method can fit after the parent has used its threads."""

from __future__ import annotations

import multiprocessing
import os
import warnings
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from conftest import POWER_TRUTH

import lawfit as lf

TIMEOUT_S = 45


def fit_in_child(n_threads: int) -> list[float]:
    """Fit with threads; what comes back must be what the parent gets."""
    runs = lf.synthetic.runs(lf.laws.power_floor, POWER_TRUTH, {"x": np.logspace(6.5, 10, 12)}, noise=0.002, seed=1)
    fit = lf.fit(lf.laws.power_floor, runs, response="loss", starts=16, n_threads=n_threads)
    return [fit.objective, *fit.bootstrap(20, n_threads=n_threads).params.ravel().tolist()]


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_child_process_fits_after_its_parent_used_threads(method: str) -> None:
    expected = fit_in_child(2)
    context = multiprocessing.get_context(method)
    with warnings.catch_warnings():
        # Python warns of fork in a process with threads; surviving exactly that is what is tested here.
        warnings.simplefilter("ignore", DeprecationWarning)
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            results = [pool.submit(fit_in_child, n_threads) for n_threads in (1, 2, 3)]
            for result in results:
                assert result.result(timeout=TIMEOUT_S) == expected


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_bare_fork_fits_too() -> None:
    expected = fit_in_child(2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        # The child must leave without running the parent's clean-up, whatever happens.
        try:
            same = fit_in_child(2) == expected
        except BaseException:
            same = False
        os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
