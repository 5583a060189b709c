"""What a reader sees of a run, in pieces, and the numbers in them: `pieces(stored)`, `numbers(text)`."""

from __future__ import annotations

import html.parser
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from honesty_runs import Stored

# Elements without an end.
VOID = frozenset({"meta", "link", "br", "input", "img"})
# Classes of texts that are scales: round numbers along an axis.
SCALES = frozenset({"tick"})
# In terminals: what a plot is drawn with, and a line of nothing but powers of ten beneath it.
PLOT = re.compile("[│┤├●─⠀-⣿]")
TICKS = re.compile(r"(?:\s*(?:1e-?\d+|0\.0*1|10*|1,0+|10,?0*))+\s*")
# Where the second line of a fact begins.
INDENT = re.compile(r"\n {17}(?=\S)")

# A command as it is to be typed, and not one that is spoken of: "where lrfind sweep was typed".
COMMAND = re.compile(r"lrfind (?:sweep|check|recommend) (?!was typed).*?(?= says whether|$)")

NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!,?\d)|\d+(?:\.\d+)?(?:e[-+]?\d+)?"
TOKEN = re.compile(rf"(?<![\w.§])(?:(?<!\[)[-\u2212])?(?:{NUMBER})(?!\w)")
PAIR = re.compile(rf"(?P<value>[-\u2212]?(?:{NUMBER})) ± (?P<error>{NUMBER})(?P<percent>[ \u00a0]%)?")


class Piece(NamedTuple):
    """A text with no break in it, and the text before it, which may be its label."""

    medium: str
    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is printed.

    Attributes
    ----------
    text : str
        Its characters; of a value with an error, both.
    kind : {"pair", "percent pair", "percent", "axis", "seconds", "code", "scale", "count", "plain"}
    noun : str
        What is counted.
    """

    text: str
    kind: str
    noun: str = ""


def pieces(run: Stored) -> Iterator[Piece]:
    """Yield everything that is printed of a run, medium by medium; without the numbers of axes."""
    for medium, text in run.texts.items():
        yield from _pieces(medium, text)


@lru_cache(maxsize=64)
def _pieces(medium: str, text: str) -> tuple[Piece, ...]:
    if medium == "page":
        return tuple(page_pieces(text))
    if medium.startswith("code"):
        return tuple(Piece(medium, line, "") for line in _code_lines(medium, text))
    return tuple(_terminal_pieces(medium, text))


def _terminal_pieces(medium: str, text: str) -> Iterator[Piece]:
    for line in INDENT.sub(" ", text).splitlines():
        if PLOT.search(line):
            level = line.split("┤", maxsplit=1)[0].strip()
            if "┤" in line and TOKEN.fullmatch(level):
                yield Piece(medium, f"{level} ┤", "")
        elif line.strip() and not TICKS.fullmatch(line):
            found = re.match(r"  (\S(?:.{0,13}\S)?) {2,}(.*)", line)
            yield Piece(medium, found[2] if found else line.strip(), found[1] if found else "")


def _code_lines(medium: str, text: str) -> Iterator[str]:
    # these two are data: they are compared as a whole
    if medium in {"code json", "code csv"}:
        return
    comment: list[str] = []
    for line in text.splitlines():
        if line.startswith("# ") and comment and comment[-1].startswith("# "):
            comment.append(line[2:])
            continue
        if comment:
            yield " ".join(comment)
        comment = [line]
    yield " ".join(comment)


class _Page(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, str]] = []
        self.found: list[Piece] = []
        self.rows: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if rows := given.get("data-rows"):
            self.rows.append(rows)
        if tag not in VOID:
            self.open.append((tag, given.get("class") or ""))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        hidden = {"style", "script"} & {tag for tag, _ in self.open}
        is_scale = any(SCALES & set(name.split()) for _, name in self.open[-1:])
        if data.strip() and not hidden and not is_scale:
            label = self.found[-1].text if self.found else ""
            self.found.append(Piece("page", re.sub(r"\s+", " ", data.replace("\u00a0", " ")).strip(), label))


def page_pieces(text: str) -> list[Piece]:
    """Return the visible texts of a page, in order; those of charts too, but no ticks."""
    page = _Page()
    page.feed(text)
    return page.found


def page_rows(text: str) -> list[str]:
    """Return what the charts of a page say where they are pointed at, one text a place."""
    page = _Page()
    page.feed(text)
    return [row for rows in page.rows for row in rows.split("|")]


# What is counted: by the words before the number, else by the word after it, else by "of" or "line" before it.
BEFORE = (
    (re.compile(r"\bbatch(?:es of)? $"), "batch"),
    (re.compile(r"\blayers? of [\d, ]*(?:and )?$"), "layer"),
    (re.compile(r"\bby step $"), "by"),
    (re.compile(r"\b[Ss]eed $"), "seed"),
    (re.compile(r"\bline $"), "line"),
    (re.compile(r"\bmedians of $"), "medians"),
    (re.compile(r"\bvalues (?:are the whole numbers )?(?:\d+ to )?$"), "values"),
    (re.compile(r"(?:steps|epochs)=$"), "steps"),
    # these are no counts, whatever follows
    (re.compile(r"\b(?:factor of|the) $"), "plain"),
)
AFTER = re.compile(r"[ -](?:different |more )?([a-z]+)")


def numbers(text: str, *, label: str = "", is_code: bool = False) -> Iterator[Number]:
    """Yield the numbers of a text as they are printed.

    Parameters
    ----------
    text : str
    label : str
        What a number that stands alone is a number of.
    is_code : bool
        Whether the text is code and no comment.
    """
    rest = text
    for found in PAIR.finditer(text):
        kind = "percent pair" if found["percent"] else "pair"
        yield Number(f"{found['value']} ± {found['error']}", kind)
        rest = rest.replace(found[0], "§", 1)
    for found in TOKEN.finditer(rest):
        before, after = rest[: found.start()], rest[found.end() :]
        kind, noun = "plain", ""
        if is_code:
            kind = "code"
        elif after.startswith((" %", "%")):
            kind = "percent"
        elif after.startswith(" ┤"):
            kind = "axis"
        elif re.match(r" s\b", after):
            kind = "seconds"
        elif re.search(r"[-+/*] $|\[-$", before):
            kind = "scale"
        elif re.fullmatch(r"[\d,]+", found[0]):
            noun = _counted(before, after, label)
            kind = "count" if noun != "plain" else noun
        yield Number(found[0], kind, noun)


def _counted(before: str, after: str, label: str) -> str:
    if not (before.strip() or after.strip()):
        return label.lower() if label in {"Rows", "Seed"} else "cell"
    if re.match(r" × [\d,]+ rows", after):
        return "folds"
    lead = next((noun for words, noun in BEFORE if words.search(before)), "")
    noun = AFTER.match(after)
    return lead or (noun[1] if noun else "") or ("of" if before.endswith("of ") else "")


def without_names(text: str, run: Stored) -> str:
    """Return a text with every name from the data, and everything else that is no number, struck out."""
    # what is quoted comes from the table
    text = re.sub(r"(?<!\w)'[^']*'(?!\w)", "§", text)
    if names := _names(run):
        text = re.sub(rf"(?<![\w.])(?:{'|'.join(map(re.escape, names))})(?!\w)", "§", text)
    return text


def _names(run: Stored) -> list[str]:
    document = run.document
    data, problem = document["data"], document["problem"]
    created = document["created"]
    names = {
        data["name"], data["path"], data["sha256"], data["target"], problem["split"], document["lrfind_version"],
        created, created.replace("T", " ").replace("+00:00", " UTC"), str(run.folder), run.folder.name,
        *(column["name"] for column in data["column_kinds"]), *problem["classes"],
        *(document["analysis"]["rules"]), *(finding["code"] for finding in document["findings"]),
    }  # fmt: skip
    # a name that is a number cannot be told from one
    named = {name for name in map(str, names) if re.search(r"\d", name) and not TOKEN.fullmatch(name)}
    return sorted(named, key=len, reverse=True)
