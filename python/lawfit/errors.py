"""Every exception that lawfit raises on purpose."""

from __future__ import annotations


class LawfitError(Exception):
    """Base of every exception that lawfit raises on purpose."""


class LawError(LawfitError, ValueError):
    """A law, its declarations or an option of a fit cannot mean anything; the message says what to change."""


class DataError(LawfitError, ValueError):
    """The data cannot be used as they are; the message names the column, the row and what to do."""


class FitError(LawfitError, RuntimeError):
    """A fit went wrong where the answer has no room for a status; the message says how it ended and what to do."""


class InternalError(LawfitError, RuntimeError):
    """The engine broke one of its own promises: a bug worth reporting, with the call that led to it."""
