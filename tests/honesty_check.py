"""Objections to the numbers that are printed of a run: `unexplained(stored)`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from honesty_counts import of
from honesty_facts import printed
from honesty_runs import Stored
from honesty_text import COMMAND, Number, Piece, numbers, pieces, without_names

from lrfind.data import read_table

# Numbers of code that are the same whatever the run: defaults of frameworks that are switched off or kept, and guards.
CODE = (
    r"epsilon=1e-(?:8|16)", r"eps=1e-8", r"1e-9\)  # 0 itself is refused", r"max_grad_norm=0\.0", r"alpha=0\.0",
    r"weight_decay=0\.0", r"betas=\(0\.9, 0\.99\)", r"step 0, 1, 2, \.\.\.", r"seed=0", r"order\[:(?=\d)",
    r"(?<![\w.])[012](?:\.0)?(?![\w.])", r"scikit-learn 1\.9", r"\b(?:momentum|beta_1|b1)=0\.9\b",
    r"\b(?:rho|decay|beta_2|b2|alpha)=0\.99\b", r"factor=0\.1, patience=[56]\b", r"(?:threshold|rtol)=0\.0001",
    r"min_delta=0\.0, min_lr=0\.0", r'"factor": 0\.1, "patience": 5',
)  # fmt: skip
# Numbers that are the same in every report: the words they stand in are all that is allowed.
STATIC = (
    r"gives? up at most 5 % of the gain",
    r"90 % of 80 test problems",
    r"90 % band",
    r"about 1\.4 \(square root; Malladi et al\. 2022\)",
    r"about 2 \(linear; Goyal et al\. 2017\)",
    r"more than 1,000-fold",
    r"expected at least 8\b",
    r"at least 10 times the rows",
    r"a batch 4 times as large",
    r"at least 16 --seeds",
    r"at least 50 rows",
    r"at least 400 --steps",
    r"standardised to mean 0 and sd 1",
    r"tried with scikit-learn 1\.9",
)


def unexplained(run: Stored) -> list[str]:
    """Return every number printed of a run that is neither in run.json nor follows from it.

    Parameters
    ----------
    run : Stored

    Returns
    -------
    list of str
        Table, medium, number and line of each.
    """
    return [
        f"{run.case.name}, {piece.medium}: {number.text!r} ({number.kind} {number.noun}) in {piece.text!r}"
        for piece, number in printed_numbers(run)
        if not is_explained(number, piece, run)
    ]


def printed_numbers(run: Stored) -> Iterator[tuple[Piece, Number]]:
    """Yield every number that has to be explained, and where it stands."""
    for piece in pieces(run):
        if is_setting(piece, run):
            continue
        is_code = piece.medium.startswith("code") and not piece.text.lstrip().startswith("#")
        text = without_statics(without_names(without_command(piece.text), run), phrases=CODE if is_code else STATIC)
        for number in numbers(text, label=piece.label, is_code=is_code):
            yield piece, number


def is_setting(piece: Piece, run: Stored) -> bool:
    """Return whether a text is the value of the setting beside it, in the list of all."""
    if piece.label == "File":
        return True
    if piece.label == "Classes":
        return set(re.split(r", | and \d+ more", piece.text)) <= {*run.document["problem"]["classes"], ""}
    value = run.document["config"].get(piece.label)
    return piece.label in run.document["config"] and piece.text == shown_setting(value)


def shown_setting(value: object) -> str:
    """Return a setting as the page shows it."""
    return ", ".join(map(str, value)) if isinstance(value, list) else "not set" if value is None else str(value)


def without_command(text: str) -> str:
    """Return a text without the commands in it, which are run by tests of their own."""
    return COMMAND.sub("§", text)


def without_statics(text: str, *, phrases: Sequence[str] = STATIC) -> str:
    """Return a text without the phrases that stand in every report."""
    text = text.replace("\u00a0", " ")
    for phrase in phrases:
        text = re.sub(phrase, "§", text)
    return text


def is_explained(number: Number, piece: Piece, run: Stored) -> bool:
    """Return whether a number is one of the run's, as lrfind's own formatters print it."""
    if number.kind == "count" and number.noun in COUNTED_ANEW:
        return int(number.text.replace(",", "")) in COUNTED_ANEW[number.noun](run, piece.text)
    if number.text in _printed(run.place, number.kind, number.noun, run=_Hashed(run)):
        return True
    return number.text.replace(",", "").isdigit() and int(number.text.replace(",", "")) in run.case.true


# What run.json does not count is counted in the table itself.


def n_distinct(run: Stored, _text: str) -> set[int]:
    """Return how many values the target has."""
    return {int(_table(run)[run.document["data"]["target"]].nunique())}


def n_texts(run: Stored, text: str) -> set[int]:
    """Return how many texts the column has that is quoted."""
    return {int(_table(run)[name].nunique()) for name in _quoted(text) if name in _table(run)}


def quoted_line(run: Stored, text: str) -> set[int]:
    """Return the lines of the file that hold a value that is quoted."""
    lines = (run.place / run.document["data"]["path"]).read_text(encoding="utf-8").splitlines()
    return {place for place, line in enumerate(lines, start=1) for value in _quoted(text)[1:] if value in line}


def n_missing(run: Stored, text: str) -> set[int]:
    """Return how many values are missing in the columns a sentence is about, and in each column."""
    rows = run.document["problem"]["encodings"]
    marked = [row["n_missing"] for row in rows if row["how"] == "standardised" and row["n_missing"]]
    return {sum(marked) if "more" in text else 0, *(row["n_missing"] for row in rows)} - {0}


def n_columns(run: Stored, text: str) -> set[int]:
    """Return how many columns a sentence names and counts beside those, and how many there are of each kind."""
    more = re.search(r"and (\d+) more", text)
    return {len(_quoted(text)) + (int(more[1]) if more else 0), *map(int, of(run.document, "columns"))}


def n_more(run: Stored, text: str) -> set[int]:
    """Return how many columns are not named, and how many schedules within noise."""
    total = re.match(r"(?:[\d,]+ [a-z ]+ in )?([\d,]+) (?:constant )?columns", text)
    return {int(total[1]) - len(_quoted(text)) if total else -1, *map(int, of(run.document, "more"))}


def ends_of_target(run: Stored, _text: str) -> set[int]:
    """Return the lowest and the highest value of the target."""
    values = pd.to_numeric(_table(run)[run.document["data"]["target"]])
    return {int(values.min()), int(values.max())}


def median_steps(run: Stored, _text: str) -> set[int]:
    """Return over how many steps a seed's line is smoothed: as many as bring its scatter to a tenth of the fall.

    But never more than the pooled curve's own bandwidth of a fifth of a decade.
    """
    sweep, analysis = pd.read_csv(run.place / run.folder / "sweep.csv"), run.document["analysis"]
    losses = sweep.filter(like="loss_seed_").to_numpy().T
    quiet = losses[:, : max(3, round(0.1 * len(sweep)))]
    scatter = float(np.median(np.std(np.diff(quiet, axis=1), axis=1))) / np.sqrt(2)
    fall = analysis["start_loss"] - analysis["min_loss"]
    most = 0.2 * (len(sweep) - 1) / np.log10(sweep["lr"].iloc[-1] / sweep["lr"].iloc[0])
    wanted = min((scatter / (0.1 * fall)) ** 2 if fall > 0 else most, most)
    return {2 * (int(wanted) // 2) + 1} if scatter > 0.1 * fall else set()


def n_remarks(run: Stored, _text: str) -> set[int]:
    """Return how many remarks the terminal can have left to the page: at most all that stand there."""
    return set(range(1, len(run.document["problem"]["notes"]) + len(run.document["data"]["notes"]) + 1))


COUNTED_ANEW = {
    "medians": median_steps, "remark": n_remarks, "remarks": n_remarks,
    "distinct": n_distinct, "different": n_texts, "texts": n_texts, "line": quoted_line, "missing": n_missing,
    "columns": n_columns, "more": n_more, "values": ends_of_target,
}  # fmt: skip


def _quoted(text: str) -> list[str]:
    return re.findall(r"(?<!\w)'([^']*)'(?!\w)", text)


def _table(run: Stored) -> pd.DataFrame:
    chosen = run.document["config"]
    return table_of(run.place / run.document["data"]["path"], sample=chosen["sample"], seed=chosen["seed"])


@cache
def table_of(path: Path, *, sample: int | None, seed: int) -> pd.DataFrame:
    """Return a table as it stands in its file, of a sample the rows that lrfind drew."""
    table = pd.read_csv(path, dtype=str)
    if sample is None:
        return table
    read = read_table(os.fspath(path), sample=sample, seed=seed)
    drawn = {column.name: np.asarray(column.values) for column in read.columns}
    return pd.DataFrame(drawn)


class _Hashed:
    """A run that a cache can hold."""

    def __init__(self, run: Stored) -> None:
        self.run = run

    def __hash__(self) -> int:
        return hash(self.run.place)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hashed) and other.run.place == self.run.place


@cache
def _printed(_place: object, kind: str, noun: str, *, run: _Hashed) -> set[str]:
    return printed(run.run.document, kind, noun)
