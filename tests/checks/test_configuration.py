"""What a project wants of `check`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from dataset_fixture import good_columns, write_csv

from lrfind.errors import UsageError
from lrfind.examine import Examination, Policy, examine
from lrfind.examine.configuration import configured
from lrfind.project import data_options, read_configuration, source_line

WHOLE = """
target = "price"
fail-on = "warning"
drop = ["id"]
budget = 5
[severity]
LR306 = "error"
[mute]
LR305 = "needed for the join"
"""


def test_options_given_come_before_those_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "lrfind.toml").write_text(WHOLE, encoding="utf-8")
    options = configured(read_configuration(tmp_path), target="size", seed=None)
    assert (options.settings.target, options.settings.budget, options.settings.drop) == ("size", 5, ("id",))
    assert options.policy.fail_on == "warning"
    assert options.policy.severity == {"LR306": "error"}


def test_pyproject_is_read_where_there_is_no_file_of_our_own(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[project]\nname='x'\n[tool.lrfind]\ntask='regression'\n", encoding="utf-8"
    )
    assert read_configuration(tmp_path).values == {"task": "regression"}
    (tmp_path / "lrfind.toml").write_text("task='classification'", encoding="utf-8")
    assert read_configuration(tmp_path).values == {"task": "classification"}


def test_the_nearest_file_counts_up_to_the_root_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lrfind.toml").write_text("baseline = 'data/base.json'\nseed = 1", encoding="utf-8")
    below = tmp_path / "code" / "deep"
    below.mkdir(parents=True)
    assert read_configuration(below).values["seed"] == 1
    # it says nothing to lrfind, and so is none of ours
    (below / "pyproject.toml").write_text("[project]\nname = 'x'", encoding="utf-8")
    monkeypatch.chdir(below)
    assert configured(read_configuration(Path())).baseline == "../../data/base.json"
    assert configured(read_configuration(Path()), baseline="own.json").baseline == "own.json"
    (tmp_path / "code" / "pyproject.toml").write_text("[tool.lrfind]\nseed = 2", encoding="utf-8")
    assert read_configuration(below).values == {"seed": 2}
    (below / ".git").mkdir()
    assert read_configuration(below).values == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("targt = 'y'", "did you mean 'target'"),
        ("target = 3", "target is 3; expected the name of a column"),
        ("seed = true", "expected a whole number"),
        ("seed = -1", "lrfind.toml: seed is -1; expected a whole number, 0 or more"),
        ("task = 'cls'", "lrfind.toml: task is 'cls'; expected auto, classification or regression"),
        ("split = 'tim'", "expected random, time:COL or group:COL"),
        ("sample = 0", "expected a number of rows, 1 or more"),
        ("drop = 'a,b'", "expected a list of columns"),
        ("mute = ['LR305']", "expected a table of codes and reasons"),
        ("[mute]\nLR305 = ' '", "LR305 is muted without a reason"),
        ("[mute]\nLR999 = 'why'", "unknown check 'LR999'"),
        ("[severity]\nLR305 = 'off'", "expected error, warning or tip .to leave a check out, mute it with a reason"),
        ("fail-on = 'never'", "lrfind.toml: fail-on is 'never'; expected error or warning"),
        ("budget = 0", "expected a number of seconds above 0"),
        ("target = ", "no valid TOML"),
        ("target = '\ud800'", "no valid TOML"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "lrfind.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(UsageError, match=message):
        configured(read_configuration(tmp_path))


@pytest.mark.slow
def test_a_policy_changes_severities_and_mutes(tmp_path: Path) -> None:
    path = write_csv({"fixed": [1] * 240, **good_columns()}, tmp_path / "t.csv")
    plain = examine(str(path), Examination(target="y"))
    assert plain.passed
    strict = examine(str(path), Examination(target="y"), policy=Policy(severity={"LR303": "error"}))
    assert [finding.code for finding in strict.failures] == ["LR303"]
    muted = examine(str(path), Examination(target="y"), policy=Policy(mute={"LR303": "on purpose"}))
    finding = next(finding for finding in muted.findings if finding.code == "LR303")
    assert (finding.state, finding.message) == ("not_applicable", "Muted: on purpose")
    assert replace(plain, fail_on="warning").passed is False


def test_the_data_part_holds_for_other_commands_and_the_rest_is_left_to_check(tmp_path: Path) -> None:
    (tmp_path / "lrfind.toml").write_text(f'na = ["?"]\ntext = ["zip"]\ntask = "Regression"{WHOLE}', encoding="utf-8")
    project = read_configuration(tmp_path)
    options, used = data_options(project, target="size", drop=None, seed=3)
    assert options == {
        "target": "size",
        "task": "Regression",
        "drop": ("id",),
        "na": ("?",),
        "text": ("zip",),
        "seed": 3,
    }
    assert used == ("task", "drop", "na", "text")
    settings = configured(project).settings
    assert (settings.na, settings.text, settings.drop) == (("?",), ("zip",), ("id",))


def test_the_file_is_named_as_seen_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    (tmp_path / "pyproject.toml").write_text("[tool.lrfind]\ntarget = 'y'\nfail-on = 'Warning'\n", encoding="utf-8")
    project = read_configuration(Path())
    assert source_line(project, ["target", "fail_on"]) == (
        "settings from [tool.lrfind] of ../pyproject.toml: target, fail-on"
    )
    assert configured(project).policy.fail_on == "warning"
    (tmp_path / "a" / "lrfind.toml").write_text("drop = ['x']", encoding="utf-8")
    assert source_line(read_configuration(Path()), ["drop"]) == "settings from lrfind.toml: drop"
