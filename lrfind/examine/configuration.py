"""What a project wants of `check`: the data, and what its findings mean to it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lrfind.errors import UsageError
from lrfind.examine.story import Examination, Policy, known_codes
from lrfind.project import Configuration, read_configuration
from lrfind.report.findings import SEVERITIES
from lrfind.text import nearest, plain_choice, printable

__all__ = ["Configuration", "Options", "configured", "read_configuration"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """All that a call of `check` is told.

    Attributes
    ----------
    settings : Examination
    policy : Policy
    baseline : str or None
        Path of the baseline; None for the one beside the data.
    """

    settings: Examination
    policy: Policy
    baseline: str | None


def _check_codes(table: Mapping[str, Any], *, file: str) -> None:
    for code in (*table.get("severity", {}), *table.get("mute", {})):
        if code not in known_codes():
            raise UsageError(f"{file} names an unknown check '{printable(code, width=40)}'; {_like_code(code)}")
    for code, severity in table.get("severity", {}).items():
        if severity not in SEVERITIES:
            raise UsageError(
                f"{file}: severity of {code} is '{printable(severity, width=40)}'; expected error, warning or tip (to "
                "leave a check out, mute it with a reason)"
            )
    for code, reason in table.get("mute", {}).items():
        if not reason.strip():
            raise UsageError(f"{file}: {code} is muted without a reason; say why, in a few words")


def _like_code(code: str) -> str:
    like = nearest(code, known_codes())
    return f"did you mean '{like}'?" if like else f"they run from {known_codes()[0]} to {known_codes()[-1]}"


def configured(configuration: Configuration, **given: Any) -> Options:
    """Return what a call is told: its own options, else the project's, else the defaults.

    Parameters
    ----------
    configuration : Configuration
    **given
        Options of the call; None where one was not given.

    Returns
    -------
    Options

    Raises
    ------
    UsageError
        If an option cannot be used.
    """
    _check_codes(configuration.values, file=configuration.name)
    told = {**configuration.values, **{name: value for name, value in given.items() if value is not None}}
    fail_on = plain_choice(told.pop("fail_on", "error"))
    if fail_on not in SEVERITIES[:2]:
        raise UsageError(f"--fail-on is '{printable(fail_on, width=40)}'; expected error or warning")
    policy = Policy(fail_on=fail_on, severity=told.pop("severity", {}), mute=told.pop("mute", {}))
    baseline = told.pop("baseline", None)
    if baseline is not None and given.get("baseline") is None:
        # as seen from here, which is how the data are named, too
        baseline = os.path.relpath(configuration.folder / baseline)
    return Options(settings=Examination(**told), policy=policy, baseline=baseline)
