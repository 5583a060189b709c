"""The jobs that the README shows, run as far as they can be without the servers they are for.

Their YAML is read, and their commands are run by the shells that GitHub, GitLab and make run them with, in a folder
with tables that are fit to train on and tables that are not. Only what installs lrfind is left out: it is there.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import xmlschema
import yaml

from lrfind.examine.configuration import configured, read_configuration

ROOT = Path(__file__).parents[1]
SCHEMA = Path(__file__).parent / "checks" / "junit.xsd"
INSTALLS = "pip install lrfind"


def block(language: str, first_line: str = "") -> str:
    """Return the README's block in a language that begins with a line."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(rf"^```{language}\n({re.escape(first_line)}.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1, (language, first_line)
    return blocks[0]


def hook() -> dict[str, Any]:
    """Return the hook as pre-commit puts it together: the repository's definition, and over it the user's."""
    (offered,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    (repository,) = yaml.safe_load(block("yaml", "# .pre-commit-config.yaml"))["repos"]
    (wanted,) = repository["hooks"]
    assert wanted["id"] == offered["id"]
    return offered | wanted


def write_table(path: Path, *, shuffled: bool = False) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 240)).round(4)
    y = np.where(a - b + 0.3 * rng.normal(size=240) > 0, "good", "bad")
    y = rng.permutation(y) if shuffled else y
    lines = ["a,b,y", *(f"{one},{other},{label}" for one, other, label in zip(a, b, y, strict=True))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with two good tables in `data`."""
    (tmp_path / "data").mkdir()
    for name in ("one", "two"):
        write_table(tmp_path / "data" / f"{name}.csv")
    return tmp_path


def break_a_table(project: Path) -> None:
    write_table(project / "data" / "two.csv", shuffled=True)


def lose_a_table(project: Path) -> None:
    (project / "data" / "two.csv").write_bytes(b"")


def leave_it(_project: Path) -> None:
    pass


CASES = pytest.mark.parametrize(("change", "code"), [(leave_it, 0), (break_a_table, 1), (lose_a_table, 2)])
Change = Callable[[Path], None]


def run(command: list[str], *, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    plain = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PATH": path}
    return subprocess.run(
        command, cwd=cwd, env=os.environ | plain | env, capture_output=True, text=True, timeout=300, check=False
    )


def validated(path: Path) -> ET.Element:
    xmlschema.XMLSchema(SCHEMA).validate(str(path))
    return ET.parse(path).getroot()  # noqa: S314 - we wrote it


@pytest.mark.slow
@CASES
def test_the_github_job(project: Path, change: Change, code: int) -> None:
    change(project)
    (job,) = yaml.safe_load(block("yaml", "# .github/workflows/data.yml"))["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    assert commands[0] == INSTALLS
    (project / "step.sh").write_text("\n".join(commands[1:]), encoding="utf-8")
    # as a runner does where no shell is named
    done = run(["bash", "-e", "step.sh"], cwd=project, GITHUB_STEP_SUMMARY=str(project / "summary.md"))
    assert done.returncode == code, done.stderr
    marked = [line.partition("::")[2] for line in done.stdout.splitlines() if line.startswith("::")]
    assert [line.split(",")[0] for line in marked] == ["error file=data/two.csv"] * bool(code)
    summary = (project / "summary.md").read_text(encoding="utf-8")
    words = {0: "2 passed", 1: "1 passed, 1 failed", 2: "1 passed, 1 could not be checked"}[code]
    assert summary.startswith(f"## 2 tables: {words}\n\n### one&#46;csv: passed")
    (kept,) = [step for step in job["steps"] if "artifact" in step.get("uses", "")]
    assert len(validated(project / kept["with"]["path"])) == 2


def test_the_github_job_may_only_read_and_keeps_its_file_when_a_check_fails() -> None:
    workflow = yaml.safe_load(block("yaml", "# .github/workflows/data.yml"))
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert all(re.search(r"@v\d+$", step["uses"]) for step in job["steps"] if "uses" in step)
    assert job["steps"][-1]["if"] == "${{ !cancelled() }}"
    # YAML 1.1 takes "on" for true
    assert "data/**" in workflow[True]["pull_request"]["paths"]


@pytest.mark.slow
@CASES
def test_the_gitlab_job(project: Path, change: Change, code: int) -> None:
    change(project)
    (job,) = yaml.safe_load(block("yaml", "# .gitlab-ci.yml")).values()
    assert job["script"][0] == INSTALLS
    done = run(["sh", "-e", "-c", "\n".join(job["script"][1:])], cwd=project)
    assert done.returncode == code, done.stderr
    suites = validated(project / job["artifacts"]["reports"]["junit"])
    assert job["artifacts"]["when"] == "always"
    assert [suite.get("name") for suite in suites] == ["data/one.csv", "data/two.csv"]
    told = {child.tag for suite in suites for case in suite.findall("testcase") for child in case}
    assert told - {"skipped"} == {0: set(), 1: {"failure"}, 2: {"error"}}[code]
    assert all(failure.text for failure in suites.iter("failure"))
    # what follows a dot would be taken for a class of its own
    assert {case.get("classname") for case in suites.iter("testcase")} == {"lrfind.data/one_csv", "lrfind.data/two_csv"}


@pytest.mark.slow
@CASES
def test_the_makefile(project: Path, change: Change, code: int) -> None:
    change(project)
    (project / "Makefile").write_text(block("make"), encoding="utf-8")
    done = run(["make", "--no-print-directory", "check-data"], cwd=project)
    # make has one code for all that fails, and names the command's
    assert done.returncode == (2 if code else 0)
    assert code == 0 or f"Error {code}" in done.stderr
    assert (done.stdout.count("\n") > 1) == (code == 1)


@pytest.mark.slow
@CASES
def test_the_entry_of_the_hook_is_given_files(project: Path, change: Change, code: int) -> None:
    change(project)
    asked = hook()
    tracked = [path.relative_to(project).as_posix() for path in sorted(project.rglob("*")) if path.is_file()]
    names = [name for name in [*tracked, "README.md", "data/note.txt"] if re.search(asked["files"], name)]
    assert names == ["data/one.csv", "data/two.csv"]
    done = run([*shlex.split(asked["entry"]), *asked["args"], *names], cwd=project)
    assert done.returncode == code, done.stderr


def test_the_hook_takes_the_files_that_are_read_and_no_others() -> None:
    (offered,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    read = ("a.csv", "b/a.tsv", "a.csv.gz", "a.parquet", "a.jsonl.zst", "a.ndjson", "a.npz")
    assert all(re.search(offered["files"], name) for name in read)
    assert not any(re.search(offered["files"], name) for name in ("a.csv.txt", "csv", "a.py", "lrfind-baseline.json"))


@pytest.mark.slow
def test_pre_commit_itself_runs_the_hook(project: Path) -> None:
    # here, not in an environment of its own, which would have to be filled from the network
    local = {"repo": "local", "hooks": [hook() | {"language": "system"}]}
    (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [local]}), encoding="utf-8")
    home = {"PRE_COMMIT_HOME": str(project / "home"), "GIT_CONFIG_GLOBAL": os.devnull}
    hooks = [sys.executable, "-m", "pre_commit"]
    assert run([*hooks, "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")], cwd=project, **home).returncode == 0
    for command in (["git", "init", "-q"], ["git", "add", "data"]):
        assert run(command, cwd=project).returncode == 0
    done = run([*hooks, "run"], cwd=project, **home)
    assert (done.returncode, "Passed" in done.stdout) == (0, True), done.stdout
    break_a_table(project)
    assert run(["git", "add", "data"], cwd=project).returncode == 0
    done = run([*hooks, "run"], cwd=project, **home)
    assert (done.returncode, "exit code: 1" in done.stdout) == (1, True), done.stdout
    assert re.search(r"error +LR301", done.stdout)
    assert "one.csv" not in done.stdout


def test_the_settings_are_what_lrfind_reads(tmp_path: Path) -> None:
    (tmp_path / "lrfind.toml").write_text(block("toml"), encoding="utf-8")
    options = configured(read_configuration(tmp_path))
    assert (options.settings.target, options.settings.budget, options.policy.fail_on) == ("price", 20, "warning")
    assert (list(options.policy.severity), list(options.policy.mute)) == (["LR306"], ["LR305"])
