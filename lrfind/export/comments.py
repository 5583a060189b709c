"""Comments above exported code: which run it comes from, and what its rate was measured with."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from lrfind.export.literal import literal
from lrfind.text import printable

if TYPE_CHECKING:
    from lrfind.runs import Origin

# Of a line of comment, its mark included.
COMMENT_WIDTH: Final = 120
# Longest comment made of one sentence; more than any of ours.
SENTENCE_WIDTH: Final = 600
# What Python takes for the encoding of the file when a comment in its first two lines holds it (PEP 263).
_CODING: Final = re.compile(r"(coding)([:=])")
# Digits of a target's sd, and of its mean in units of that: far finer than a rate can tell.
SCALE_DIGITS: Final = 4


def comment(text: str) -> tuple[str, ...]:
    """Return a sentence as lines of comment that mean nothing to Python, whatever names it holds."""
    safe = _CODING.sub(lambda found: f"{found[1]}\\x{ord(found[2]):02x}", printable(text, width=SENTENCE_WIDTH))
    lines = textwrap.wrap(safe, COMMENT_WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
    return tuple(lines)


def subject(origin: Origin) -> tuple[str, ...]:
    """Return the comment that names the table and the run."""
    table = origin.table or "a table without a name"
    target = f", column {origin.target}" if origin.target else ""
    return comment(f"For {table}{target}; from the run {origin.run}")


def measured_with(origin: Origin, *, changes: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the comments that say what the rate was measured with, and how it was adapted since.

    Parameters
    ----------
    origin : Origin
    changes : sequence of str
        Sentences.

    Returns
    -------
    tuple of str
    """
    # what was trained on a part of the rows took fewer steps, for as many epochs
    length = f"for the epochs of {origin.train_steps} steps"
    parts = [model(origin), f"batches of {origin.batch_size}", length, loss(origin)]
    scaled = "numeric features and the target" if origin.task == "regression" else "numeric features"
    facts = ", ".join(part for part in parts if part)
    lines = comment(f"Measured with {facts}; {scaled} standardised to mean 0 and sd 1.")
    if origin.task == "regression":
        lines += comment(_target_line(origin))
    return (*lines, *(line for change in changes for line in comment(change)))


def model(origin: Origin) -> str:
    """Return "hidden layers of 64 and 32 (relu)", or what is known of the model."""
    if origin.hidden is None:
        return ""
    if not origin.hidden:
        return "a linear model"
    *before, last = map(str, origin.hidden)
    layers = f"hidden layers of {', '.join(before)} and {last}" if before else f"a hidden layer of {last}"
    return f"{layers} ({origin.activation})" if origin.activation else layers


def loss(origin: Origin) -> str:
    """Return the loss that was trained on; empty where the task is not known."""
    return {"classification": "cross-entropy", "regression": "mean squared error"}.get(origin.task or "", "")


def scale(origin: Origin) -> tuple[str, str] | None:
    """Return mean and sd of a regression target as literals, or None where they are not known.

    The sd has four digits, the mean as many as matter beside it.
    """
    if origin.target_mean is None or origin.target_sd is None:
        return None
    sd = float(f"{origin.target_sd:.{SCALE_DIGITS}g}")
    return literal(round(origin.target_mean, SCALE_DIGITS - 1 - math.floor(math.log10(sd)))), literal(sd)


def _target_line(origin: Origin) -> str:
    lead = "With the target as it stands the rate does not hold"
    found = scale(origin)
    if found is None:
        return f"{lead}: standardise yours too."
    mean, sd = found
    less, more = (f"+ {mean[1:]}", f"- {mean[1:]}") if mean.startswith("-") else (f"- {mean}", f"+ {mean}")
    return f"{lead}: train on (y {less}) / {sd} and turn predictions back with * {sd} {more}."
