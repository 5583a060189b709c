"""What is shipped, and that what is declared is what is used."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lrfind"
TOP_LEVEL = {"pyproject.toml", "README.md", "LICENSE", "Makefile", "lrfind", "tests", "sample_data"}
# Where the name that is imported is not the name that is installed.
INSTALLED_AS = {"sklearn": "scikit-learn"}
# Groups for those who work on lrfind; there are no extras for anybody else.
GROUPS = {"test", "lint", "frameworks", "rivals", "dev"}


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9_.-]+", requirement)
    assert found
    return found[0].lower()


def imported_by(path: Path) -> set[str]:
    """Return the top-level packages a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {"lrfind"}


def test_every_import_is_declared() -> None:
    declared = {name_of(line) for line in project()["project"]["dependencies"]}
    for path in PACKAGE.rglob("*.py"):
        used = {INSTALLED_AS.get(name, name) for name in imported_by(path)}
        assert used <= declared, path


def test_every_extra_has_code_that_needs_it() -> None:
    extras = project()["project"]["optional-dependencies"]
    # what an extra of the package itself would bring must be imported somewhere in it
    used = set().union(*map(imported_by, PACKAGE.rglob("*.py")))
    for name in set(extras) - GROUPS:
        assert {name_of(line) for line in extras[name]} & used, name
    installed = re.findall(r"-e '?\.\[([a-z,]+)\]", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert set(",".join(installed).split(",")) <= set(extras)


def test_every_layer_is_there() -> None:
    layers = project()["tool"]["importlinter"]["contracts"][0]["layers"]
    named = set(re.findall(r"\w+", " ".join(layers)))
    there = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert named == there - {"__init__", "__main__"}


def test_every_dependency_says_what_it_is_for_and_how_old_it_may_be() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for requirement in project()["project"]["dependencies"]:
        assert re.search(r">=\d", requirement), requirement
        assert re.search(rf'"{re.escape(requirement)}",\s+# \w', text), requirement


def test_every_ignored_rule_has_a_reason() -> None:
    lint = project()["tool"]["ruff"]["lint"]
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    for code in {*lint["ignore"], *(code for codes in lint["per-file-ignores"].values() for code in codes)}:
        stated = [line for line in lines if line.strip().startswith(f'"{code}"')]
        assert stated, code
        assert all(re.search(r"# \S", line) for line in stated), code


def test_the_version_is_written_once() -> None:
    home = ROOT / project()["tool"]["hatch"]["version"]["path"]
    version = re.findall(r'^__version__ = "(\d+\.\d+\.\d+)"$', home.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(version) == 1
    assert "version" not in project()["project"]
    quoted = [path for path in PACKAGE.rglob("*.py") if f'"{version[0]}"' in path.read_text(encoding="utf-8")]
    assert quoted == [home]


def test_the_top_level_holds_what_it_should() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
    if listed.returncode:
        pytest.skip("not a git checkout")
    seen = {line.partition("/")[0] for line in listed.stdout.splitlines()}
    assert {name for name in seen if not name.startswith(".")} <= TOP_LEVEL


def test_the_changelog_has_a_place_for_what_comes_next() -> None:
    text = (PACKAGE / "CHANGELOG.md").read_text(encoding="utf-8")
    assert text.index("## [Unreleased]") == text.index("## [")


def test_each_make_target_is_explained() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", text, re.MULTILINE)) - {"help", "bench-smoke"}
    assert targets == set(re.findall(r'@echo "make ([a-z-]+)', text))


@pytest.mark.slow
def test_the_wheel_holds_the_package_whole(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=ROOT, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"lrfind/py.typed", "lrfind/CHANGELOG.md", "lrfind/__main__.py"} <= set(names)
    shipped = {name for name in names if not name.partition("/")[0].endswith(".dist-info")}
    there = (path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert shipped == {path.relative_to(ROOT).as_posix() for path in there}
    entry = next(name for name in names if name.endswith("entry_points.txt"))
    assert "lrfind = lrfind.cli:main" in zipfile.ZipFile(wheel).read(entry).decode()
