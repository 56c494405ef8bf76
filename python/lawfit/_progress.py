"""Progress of a long call: the caller's function, or a line on standard error."""

from __future__ import annotations

import sys

from lawfit._engine import Progress
from lawfit.errors import DataError

WIDTH = 30


def as_progress(progress: bool | Progress | None) -> Progress | None:
    """Turn what the user gave as ``progress=`` into what the engine calls now and then with (done, total)."""
    if progress is None or progress is False:
        return None
    if progress is True:
        return draw_line
    if not callable(progress):
        raise DataError(f"progress={progress!r}: give True, False, or a function of (done, total)")
    return progress


def draw_line(done: int, total: int) -> None:
    """Draw one line on standard error over the one before; wipe it when all is done."""
    if done >= total:
        sys.stderr.write("\r" + " " * (WIDTH + 24) + "\r")
    else:
        filled = WIDTH * done // max(total, 1)
        sys.stderr.write(f"\r[{'#' * filled}{'.' * (WIDTH - filled)}] {done} of {total}")
    sys.stderr.flush()
