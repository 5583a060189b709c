"""What lrfind raises when it is misused.

::

    LrfindError               exit code 2
    ├── UsageError            an option or argument that cannot be used
    ├── DataError             a file, column or value that cannot be read or learned from
    │   └── TargetError       a target that cannot be learned, where another column may be
    ├── RunError              a run directory that cannot be read
    ├── OutputError           a place that cannot be written
    └── MissingExtraError     an optional dependency that is not installed

Numbers that fail (a loss that never falls, seeds that disagree) are not errors but values: see
`lrfind.recommend.Recommendation.verdict`. A message is one sentence that says what is wrong, where, what was
found, what was expected and what to try; only `lrfind.cli` catches these classes.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of the command line; frozen, they are public interface."""

    OK = 0
    CHECK_FAILED = 1
    BAD_INPUT = 2
    NO_RECOMMENDATION = 3
    INTERRUPTED = 130


class LrfindError(Exception):
    """Base of every error a user can cause and mend."""

    exit_code = ExitCode.BAD_INPUT


class UsageError(LrfindError):
    """An option or argument that cannot be used."""


class DataError(LrfindError):
    """A file, column or value that cannot be read or learned from."""


class TargetError(DataError):
    """A target that cannot be learned, where another column may be."""


class RunError(LrfindError):
    """A run directory that cannot be read."""


class OutputError(LrfindError):
    """A place that cannot be written."""


class MissingExtraError(LrfindError):
    """An optional dependency that is not installed."""
