"""Whatever lrfind tells its reader to type exists: commands, options, and the commands of options."""

from __future__ import annotations

import ast
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import lrfind
from lrfind.cli import app

PACKAGE = Path(lrfind.__file__).parent
COMMANDS = {name: command.params for name, command in typer.main.get_command(app).commands.items()}
OPTIONS = {name: {option for param in params for option in param.opts} for name, params in COMMANDS.items()}
COMMON = {"--help", "--version"}
# What follows "lrfind" in a sentence about it, not in a command.
VERBS = frozenset(
    "cannot comes could did does every has import is needs raises says ships spells that to would".split()  # noqa: SIM905
)
# Options of other programs: what a log calls its optimizer.
FOREIGN = {"--opt", "--optim"}


def texts(path: Path) -> Iterator[str]:
    """Yield what a file may show to somebody: every string of code, docstrings included, or all of a template."""
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield source
        return
    tree = ast.parse(source)
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value


def objections(text: str) -> list[str]:
    """Return what is advised in a text but is not there."""
    found = []
    # "an lrfind run" is no command, nor is a "finished" one
    for typed, word, rest in re.findall(r"(?<!an )(?<!finished )(`?)\blrfind ([a-z]+)\b([^`\n;]*)", text):
        if word in OPTIONS:
            wrong = set(re.findall(r"(?<!\S)--[a-z][a-z-]*", rest)) - OPTIONS[word] - COMMON
            found += [f"lrfind {word} {option}" for option in sorted(wrong)]
        elif typed or word not in VERBS:
            found.append(f"lrfind {word}")
    every = set().union(*OPTIONS.values()) | COMMON | FOREIGN
    # variables of a page's style are no options: "--ink:#000", "var(--ink)"
    options = set(re.findall(r"(?<![\w-])(?<!var\()--[a-z][a-z-]+(?<!-)(?![\w:-])", text))
    return found + sorted(options - every)


FILES = sorted(
    path for path in PACKAGE.rglob("*") if path.suffix in {".py", ".j2", ".js"} and "__pycache__" not in path.parts
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_every_command_that_is_advised_exists(path: Path) -> None:
    assert [found for text in texts(path) for found in objections(text)] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see `lrfind runs list`", ["lrfind runs"]),
        ("lrfind tune DATA", ["lrfind tune"]),
        ("run `lrfind sweep DATA --epochz 3`", ["lrfind sweep --epochz", "--epochz"]),
        ("lrfind explain LR101 --target x", ["lrfind explain --target"]),
        ("run `lrfind sweep DATA --epochs 3`; --target names another", []),
        ("use --epoch", ["--epoch"]),
        ("lrfind does not follow", []),
        ("it is not an lrfind run", []),
        ("see lrfind run list", ["lrfind run"]),
        ("`lrfind does`", ["lrfind does"]),
    ],
)
def test_what_is_not_there_is_found(text: str, expected: list[str]) -> None:
    assert objections(text) == expected


def test_no_docstring_names_what_is_not_there() -> None:
    for path in FILES:
        for name in re.findall(r"`(lrfind(?!\.toml)(?:\.[A-Za-z_]+)+)", path.read_text(encoding="utf-8")):
            # a module is an attribute of its package once it is imported
            assert pkgutil.resolve_name(name) is not None, (path, name)
