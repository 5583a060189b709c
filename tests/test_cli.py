"""`lrfind sweep` and `lrfind recommend` as people and scripts call them.

What concerns streams, signals and start-up runs the installed command; the rest calls its entry point, which spares
the start of a process.
"""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from lrfind.cli import COMMANDS, main
from lrfind.errors import ExitCode
from lrfind.export import EXPORTERS
from lrfind.optim import OPTIMIZERS
from lrfind.race import peak_ratio
from lrfind.schedule import SCHEDULES
from lrfind.text import rate

COMMAND = Path(sys.executable).with_name("lrfind")
PLAIN = {"NO_COLOR": "1", "COLUMNS": "100", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# The least training that still learns.
TINY = ("--jobs", "1", "--steps", "100", "--seeds", "4", "--train-steps", "100")
CURVE = ("--no-race", *TINY)
RACE = ("--race", "quick", *TINY)
ESC = "\x1b"


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Call = Callable[..., Ran]


def lrfind(*arguments: object, cwd: Path, **env: str) -> Ran:
    """Run the installed command."""
    run = subprocess.run(
        [COMMAND, *map(str, arguments)],
        cwd=cwd, env=os.environ | PLAIN | env, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return Ran(run.returncode, run.stdout, run.stderr)


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """Call the command's entry point in `tmp_path`."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.chdir(tmp_path)
    for name, value in PLAIN.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["lrfind", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        return Ran(int(end.value.code or 0), *capsys.readouterr())

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


def table(path: Path, *, shuffled: bool = False, n_rows: int = 120) -> Path:
    """Write rows whose label follows from two of their columns, or from nothing."""
    rng = np.random.default_rng(0)
    a, b, noise = rng.normal(size=(3, n_rows))
    label = np.where(a - b + 0.3 * noise > 0, "good", "bad")
    label = rng.permutation(label) if shuffled else label
    rows = (
        f"{a[i]:.4f},{b[i]:.4f},2024-{i // 28 % 12 + 1:02d}-{i % 28 + 1:02d},u{i % 15},{label[i]}"
        for i in range(n_rows)
    )
    path.write_text("\n".join(["width,height,day,user,label", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return table(tmp_path / "d.csv")


class Stored(NamedTuple):
    folder: Path
    ran: Ran


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """Return a raced run that the installed command made, with --json."""
    place = tmp_path_factory.mktemp("stored")
    data = table(place / "d.csv")
    return Stored(
        place / "run", lrfind("sweep", data.name, *RACE, "--out", "run", "--json", cwd=place, FORCE_COLOR="1")
    )


def document(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="ascii"))
    return read


def advice(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = document(folder)["recommendation"]
    return found


# --- Exit codes and errors. ---


def test_exit_codes_are_frozen() -> None:
    codes = {code.name: code.value for code in ExitCode}
    assert codes == {"OK": 0, "CHECK_FAILED": 1, "BAD_INPUT": 2, "NO_RECOMMENDATION": 3, "INTERRUPTED": 130}


COLUMNS = "it has 'width', 'height', 'day', 'user' and 1 more"
USAGE_ERRORS = {
    "--optimizer adma": "--optimizer 'adma' is not known: did you mean 'adam'?",
    "--optimizer zzz": f"--optimizer 'zzz' is not known: choose one of {', '.join(OPTIMIZERS)}",
    "--task clasification": "--task 'clasification' is not known: did you mean 'classification'?",
    "--model mpl": "--model 'mpl' is not known: did you mean 'mlp'?",
    "--activation relo": "--activation 'relo' is not known: did you mean 'relu'?",
    "--race ful": "--race 'ful' is not known: did you mean 'full'?",
    "--schedules cosin": "--schedules 'cosin' is not known: did you mean 'cosine'?",
    "--schedules=": "--schedules names none: expected all or names such as cosine,one_cycle",
    "--batch-size 0": "--batch-size is 0: expected a whole number from 1 to 1000000",
    "--seeds 257": "--seeds is 257: expected a whole number from 1 to 256",
    "--seed -1": "--seed is -1: expected a whole number from 0 to 18446744073709551615",
    "--steps 0": "--steps is 0: expected a whole number from 1 to 1000000",
    "--steps 19": "--steps is 19: expected at least 20 steps, or the curve has no shape",
    "--jobs -1": "--jobs is -1: expected a whole number from 0 to 1024",
    "--hidden a": "--hidden is 'a': expected widths such as 64 or 64,64",
    "--hidden=": "--hidden is '': expected widths such as 64 or 64,64",
    "--hidden 64,": "--hidden is '64,': expected widths such as 64 or 64,64",
    "--hidden 0": "--hidden is 0: expected a whole number from 1 to 16384",
    "--train-steps 0": "--train-steps is 0: expected a whole number from 1 to 10000000",
    "--epochs 0": "--epochs is 0: expected a whole number from 1 to 10000000",
    "--sample 0": "--sample is 0: expected a whole number from 1 to 10000000",
    "--train-steps 5 --epochs 5": "--train-steps and --epochs both say how long to train: give one of them",
    "--lr-min 0": "--lr-min is 0: expected a learning rate above 1e-37 and below infinity, such as 1e-7",
    "--lr-min nan": "--lr-min is nan: expected a learning rate above 1e-37 and below infinity, such as 1e-7",
    "--lr-max inf": "--lr-max is inf: expected a learning rate above 1e-37 and below infinity, such as 1e-7",
    "--lr-min 1 --lr-max 0.1": "--lr-max 0.1 is not above --lr-min 1: expected a range, such as 1e-7 to 10",
    "--target lable": f"d.csv has no column 'lable' (target); did you mean 'label'? {COLUMNS}",
    "--columns hight": f"d.csv has no column 'hight' (--columns); did you mean 'height'? {COLUMNS}",
    "--drop zzz": f"d.csv has no column 'zzz' (--drop); {COLUMNS}",
    "--where 1=0": "d.csv: no row meets the condition of --where",
    "--split tim:day": "--split: expected random, time:COL or group:COL, got 'tim:day'; did you mean time:COL?",
    "--split group:label": "--split: 'label' is the target; split by another column",
    "--out=": "the output folder has an empty name: name a directory with --out, such as --out my-run",
    "--out .": "cannot write the run '.': it is the current folder or one above it; name a new folder",
    "--out d.csv": "cannot write the run 'd.csv': it is a file, not a directory; name another folder",
}


@pytest.mark.parametrize(("options", "message"), USAGE_ERRORS.items())
def test_a_wrong_option_of_sweep_is_named_in_a_line(options: str, message: str, call: Call, data: Path) -> None:
    assert call("sweep", data.name, *options.split()) == (2, "", f"lrfind: error: {message}\n")
    assert [path.name for path in data.parent.iterdir()] == [data.name]


RECOMMEND_ERRORS = {
    "--for troch": "--for 'troch' is not known: did you mean 'torch'?",
    "--for zzz": f"--for 'zzz' is not known: choose one of {', '.join(EXPORTERS)}",
    "--schedule one_cyle": "--schedule 'one_cyle' is not known: did you mean 'one_cycle'?",
    "--batch-size 0": "--batch-size is 0: expected a whole number from 1 to 10000000",
    "--train-steps 0": "--train-steps is 0: expected a whole number from 1 to 10000000",
    "--epochs 0": "--epochs is 0: expected a whole number from 1 to 10000000",
    "--epochs 99000000000": "--epochs is 99000000000: expected a whole number from 1 to 10000000",
    "--epochs 2 --train-steps 2": "--epochs and --train-steps both say how long to train: give one of them",
}


@pytest.mark.parametrize(("options", "message"), RECOMMEND_ERRORS.items())
def test_a_wrong_option_of_recommend_is_named_in_a_line(options: str, message: str, call: Call, stored: Stored) -> None:
    assert call("recommend", stored.folder, *options.split()) == (2, "", f"lrfind: error: {message}\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("swep d.csv", "No such command 'swep'. Did you mean 'sweep'?"),
        ("sweep d.csv --optimzer adam", "No such option: --optimzer (Possible options: --optimizer)"),
        ("sweep", "Missing argument 'data'."),
        ("sweep d.csv --batch-size x", "Invalid value for '--batch-size': 'x' is not a valid int."),
        ("sweep d.csv e.csv", "Got unexpected extra argument(s) (e.csv)"),
    ],
)
def test_a_wrong_command_line_is_explained(arguments: str, words: str, call: Call) -> None:
    ran = call(*arguments.split())
    assert (ran.code, ran.out) == (2, "")
    assert words in " ".join(re.sub("[│╭╮╰╯─]", " ", ran.err).split())


def test_a_condition_that_is_no_sql_or_names_no_column_is_told_apart(call: Call, data: Path) -> None:
    wrong_name = call("sweep", data.name, "--where", "widht > 0")
    assert (wrong_name.code, wrong_name.out) == (2, "")
    assert "--where: there is no column 'widht'; did you mean width?" in wrong_name.err
    assert "--where is not one SQL condition" in call("sweep", data.name, "--where", "this is no sql").err


def test_a_run_that_is_not_there_is_named(call: Call, data: Path) -> None:
    assert "or make one with `lrfind sweep DATA`" in call("recommend").err
    for name, reason in (("nope", "no such file or folder"), (data.name, "there is no run.json beside it")):
        ran = call("recommend", name)
        assert (ran.code, ran.out) == (2, "")
        assert f"'{name}'" in ran.err
        assert reason in ran.err


def test_a_file_that_is_not_there_is_named(call: Call) -> None:
    assert call("sweep", "no.csv") == (2, "", "lrfind: error: no.csv: no such file\n")


# --- Help. ---


@pytest.mark.parametrize(("command", "example"), COMMANDS, ids=lambda value: getattr(value, "__name__", ""))
def test_the_help_of_a_command_ends_with_an_example(command: Callable[..., None], example: str, call: Call) -> None:
    ran = call(command.__name__, "--help")
    assert (ran.code, ran.err) == (0, "")
    assert example.startswith(f"lrfind {command.__name__} ")
    assert f"Example: {example}" in " ".join(ran.out.split())
    assert {word for word in example.split() if word.startswith("--")} <= set(ran.out.split())


def test_the_help_names_every_command_and_a_way_to_begin(call: Call) -> None:
    ran = call("--help")
    assert ran.code == 0
    assert {command.__name__ for command, _ in COMMANDS} <= set(ran.out.split())
    assert "Start with: lrfind sweep data.csv" in ran.out


def test_the_module_is_the_command(tmp_path: Path) -> None:
    command = lrfind("--version", cwd=tmp_path)
    module = subprocess.run([sys.executable, "-m", "lrfind", "--version"], capture_output=True, text=True, check=True)
    assert command == (0, module.stdout, module.stderr)
    assert re.fullmatch(r"lrfind \d+\.\d+\.\d+\n", command.out)


# --- What a sweep prints and writes. ---


def refused(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def test_json_is_one_strict_document_and_nothing_else(stored: Stored) -> None:
    code, out, err = stored.ran
    assert code == 0
    # on a slow machine the run takes more than ten seconds
    assert all(" % done, " in line for line in err.splitlines())
    assert out.isascii()
    assert json.loads(out, parse_constant=refused)["recommendation"]["verdict"] == "ok"
    assert out == (stored.folder / "run.json").read_text(encoding="ascii")


def test_a_run_holds_what_it_should(stored: Stored) -> None:
    assert {path.name for path in stored.folder.iterdir()} == {
        "run.json",
        "sweep.csv",
        "race.csv",
        "report.html",
        "plots",
    }
    assert {path.suffix for path in (stored.folder / "plots").iterdir()} == {".png", ".svg"}
    assert [path.name for path in stored.folder.parent.iterdir() if path.name.startswith(".")] == []


def timeless(text: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(text)
    for name in ("created", "timing", "command"):
        del read[name]
    return read


def test_the_same_input_gives_the_same_bytes(call: Call, data: Path) -> None:
    first, second = (call("sweep", data.name, *CURVE, "--json", "--out", name).out for name in ("a", "b"))
    assert json.dumps(timeless(first)) == json.dumps(timeless(second))
    assert (data.parent / "a/sweep.csv").read_bytes() == (data.parent / "b/sweep.csv").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [2, 3])
def test_the_number_of_processes_changes_no_number(jobs: int, stored: Stored, tmp_path: Path) -> None:
    data = table(tmp_path / "d.csv")
    many = timeless(lrfind("sweep", data.name, *RACE, "--jobs", jobs, "--json", cwd=tmp_path).out)
    one = timeless(stored.ran.out)
    assert (one["config"].pop("jobs"), many["config"].pop("jobs")) == (1, jobs)
    assert json.dumps(one) == json.dumps(many)


def test_quiet_says_nothing(call: Call, data: Path) -> None:
    assert call("sweep", data.name, *CURVE, "--quiet") == (0, "", "")


def test_a_run_is_named_after_its_data_and_found_again(call: Call, data: Path) -> None:
    ran = call("sweep", data.name, *CURVE)
    (folder,) = (data.parent / "lrfind-runs").iterdir()
    assert re.fullmatch(r"d-\d{8}-\d{6}", folder.name)
    assert f"lrfind-runs/{folder.name}/report.html" in ran.out
    assert re.match(r"d\.csv · 120 rows, \d+ features → label \(2 classes\)\n", ran.out)
    assert "Learning rate" in call("recommend").out


def test_a_run_is_replaced_only_when_asked_to(call: Call, data: Path) -> None:
    place = data.parent / "run"
    assert call("sweep", data.name, *CURVE, "-q", "--out", "run").code == 0
    again = "cannot write the run 'run': an lrfind run exists there; name another folder or replace it with --force"
    assert call("sweep", data.name, *CURVE, "--out", "run") == (2, "", f"lrfind: error: {again}\n")
    assert call("sweep", data.name, *CURVE, "-q", "--out", "run", "--force", "--seed", "1").code == 0
    assert document(place)["config"]["seed"] == 1
    (place / "notes.txt").write_text("mine", encoding="utf-8")
    assert "notes.txt" in call("sweep", data.name, *CURVE, "--out", "run", "--force").err
    assert (place / "notes.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_folder_that_is_no_run_is_never_replaced(force: tuple[str, ...], call: Call, data: Path) -> None:
    (data.parent / "mine").mkdir()
    (data.parent / "mine" / "thesis.txt").write_text("long", encoding="utf-8")
    ran = call("sweep", data.name, *CURVE, "--out", "mine", *force)
    assert (ran.code, ran.out) == (2, "")
    assert "it exists, is not empty and is not an lrfind run" in ran.err
    assert [path.name for path in (data.parent / "mine").iterdir()] == ["thesis.txt"]


def test_labels_that_follow_from_nothing_get_no_rate_but_a_report(call: Call, tmp_path: Path) -> None:
    data = table(tmp_path / "shuffled.csv", shuffled=True)
    ran = call("sweep", data.name, *CURVE, "--out", "run")
    assert (ran.code, ran.err) == (3, "")
    assert "No answer" in ran.out
    run = advice(tmp_path / "run")
    assert run["verdict"] == "no_signal"
    assert (run["lr"], run["schedule"]) == (None, None)
    assert (tmp_path / "run" / "report.html").is_file()
    again = call("recommend", "run")
    assert again.code == 3
    assert "No answer" in again.out
    nothing = call("recommend", "run", "--for", "torch")
    assert (nothing.code, nothing.out, nothing.err) == (3, "", f"lrfind: nothing to export: {run['sentence']}\n")


# --- Which rows and columns. ---


def test_rows_and_columns_are_chosen(call: Call, data: Path) -> None:
    options = ("--where", "width > -1", "--columns", "width,height,user,label", "--drop", "user", "--sample", "80")
    ran = call("sweep", data.name, *CURVE, "-q", "--out", "run", *options)
    assert ran.err == ""
    used = document(data.parent / "run")
    assert [column["name"] for column in used["data"]["column_kinds"]] == ["width", "height", "label"]
    assert used["data"]["rows"] == 80


def test_later_days_are_held_out(call: Call, data: Path) -> None:
    assert call("sweep", data.name, *CURVE, "-q", "--out", "run", "--split", "time:day").err == ""
    assert document(data.parent / "run")["problem"]["split"] == "time:day"


def test_a_group_is_kept_together_and_not_learned_from(call: Call, data: Path) -> None:
    assert call("sweep", data.name, *CURVE, "-q", "--out", "run", "--split", "group:user").err == ""
    problem = document(data.parent / "run")["problem"]
    assert problem["split"] == "group:user"
    # fifteen users of eight rows each
    assert (problem["n_train"] % 8, problem["n_val"] % 8) == (0, 0)
    assert [e["n_features"] for e in problem["encodings"] if e["column"] == "user"] == [0]


# --- What recommend makes of a run. ---


@pytest.mark.parametrize("name", EXPORTERS)
def test_a_run_is_exported(name: str, call: Call, stored: Stored) -> None:
    code, out, err = call("recommend", stored.folder, "--for", name)
    assert (code, err) == (0, "")
    if name == "csv":
        assert len(out.splitlines()) == 1 + 100
    elif name == "json":
        assert json.loads(out, parse_constant=refused)["lr"] == advice(stored.folder)["lr"]
    else:
        compile(out, name, "exec")
        # with the digits of the report, not those of a float64
        assert rate(advice(stored.folder)["lr"]) in out


@pytest.mark.parametrize("name", SCHEDULES)
def test_another_schedule_is_taken_as_raced_or_keeps_the_mean_rate(name: str, call: Call, stored: Stored) -> None:
    out = call("recommend", stored.folder, "--schedule", name, "--for", "json").out
    schedule, before = json.loads(out)["schedule"], advice(stored.folder)
    raced = {each["schedule"]: each["lr"] for each in before["raced"]}
    ratio = peak_ratio(name) / peak_ratio(before["schedule"]["name"])
    assert schedule["name"] == name
    assert math.isclose(schedule["peak_lr"], raced.get(name, ratio * before["lr"]), rel_tol=0.05)


def test_another_batch_size_scales_the_rate_and_says_by_which_rule(call: Call, stored: Stored) -> None:
    ran = call("recommend", stored.folder, "--batch-size", "256", "--for", "json")
    assert ran.err == "Batch 64 to 256: all rates times 2 (square-root rule, Malladi 2022).\n"
    scaled, before = json.loads(ran.out), advice(stored.folder)
    for name in ("lr", "lr_low", "lr_high"):
        assert math.isclose(scaled[name], 2 * before[name], rel_tol=0.05)


def test_epochs_are_passes_over_the_whole_table(call: Call, stored: Stored) -> None:
    # 120 rows make one whole batch of 64 a pass, and three of 32
    for batch_size, steps in ((64, 7), (32, 21)):
        ran = call("recommend", stored.folder, "--epochs", "7", "--batch-size", batch_size, "--for", "csv")
        assert len(ran.out.splitlines()) == 1 + steps
    assert (
        "Steps 100 to 7: the schedule is stretched and its peak kept."
        in call("recommend", stored.folder, "--train-steps", "7").err
    )


# --- Streams and signals. ---


def test_no_escape_code_leaves_the_terminal(stored: Stored, data: Path) -> None:
    for arguments in (("sweep", data.name, *CURVE), ("recommend", stored.folder), ("--help",), ("sweep", "no.csv")):
        ran = lrfind(*arguments, cwd=data.parent, NO_COLOR="")
        assert ESC not in ran.out + ran.err, arguments


def on_a_terminal(*arguments: object, **env: str) -> str:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    plain = {name: value for name, value in (os.environ | PLAIN).items() if name != "NO_COLOR"}
    with subprocess.Popen([COMMAND, *map(str, arguments)], stdout=theirs, env=plain | {"TERM": "xterm"} | env):
        os.close(theirs)
        said = b""
        # the other end of a terminal that was closed reads as an error, or as nothing
        while part := _read(ours):
            said += part
    os.close(ours)
    return said.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65_536)
    except OSError:
        return b""


def test_colour_is_for_terminals_that_want_it(stored: Stored) -> None:
    assert ESC in on_a_terminal("recommend", stored.folder)
    assert ESC not in on_a_terminal("recommend", stored.folder, NO_COLOR="1")
    assert ESC not in on_a_terminal("recommend", stored.folder, TERM="dumb")


def test_a_screen_of_no_columns_is_not_believed(stored: Stored) -> None:
    assert "Learning rate" in lrfind("recommend", stored.folder, cwd=stored.folder.parent, COLUMNS="0").out


def test_names_are_read_as_typed_whatever_the_locale(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("größe,класс\n" + "".join(f"{i},{'да' if i > 20 else 'нет'}\n" for i in range(60)))
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    ran = lrfind("sweep", "d.csv", "--target", "класс", "--columns", "größe", *CURVE, cwd=tmp_path, **plain)
    assert ran.code == 0, ran.err
    assert "1 feature" in ran.out


def shell(line: str, *arguments: object) -> Ran:
    run = subprocess.run(
        ["/bin/sh", "-c", line, "sh", *map(str, arguments)],
        env=os.environ | PLAIN, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return Ran(run.returncode, run.stdout, run.stderr)


def test_a_reader_who_leaves_is_no_error(stored: Stored) -> None:
    line = '{ "$1" recommend "$2" --for csv --train-steps 2000000; echo "code $?" >&2; } | head -n 1'
    ran = shell(line, COMMAND, stored.folder)
    assert ran.out == "step,lr\n"
    assert ran.err.endswith("code 0\n")
    assert "Traceback" not in ran.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("command", ['"$1" recommend "$2"', '"$1" recommend "$2" --for csv', '"$1" --help'])
def test_a_full_device_is_told_in_a_line(command: str, stored: Stored) -> None:
    message = "lrfind: error: the result could not be written: No space left on device\n"
    assert shell(f"{command} > /dev/full", COMMAND, stored.folder) == (2, "", message)


def test_a_closed_output_is_told_in_a_line(stored: Stored) -> None:
    message = "lrfind: error: the result could not be written: standard output is closed\n"
    assert shell('"$1" recommend "$2" >&-', COMMAND, stored.folder) == (2, "", message)
    assert shell('"$1" recommend "$2" >&- 2>&-', COMMAND, stored.folder) == (2, "", "")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no folder that not even root can write to")
def test_a_folder_that_cannot_be_written_to_is_told_before_any_work(data: Path) -> None:
    ran = lrfind("sweep", data, *CURVE, cwd=Path("/proc"))
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith("lrfind: error: cannot write the run 'lrfind-runs/d-")


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def is_alive(pid: int) -> bool:
    try:
        # "123 (name) Z ...": one that has ended but that nobody has asked after is a zombie
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="processes are watched through /proc")
def test_an_interrupted_race_leaves_nothing(tmp_path: Path) -> None:
    data = table(tmp_path / "d.csv", n_rows=2000)
    arguments = [COMMAND, "sweep", data.name, "--race", "grid", "--jobs", "2", "--train-steps", "5000"]
    with subprocess.Popen(
        arguments, cwd=tmp_path, env=os.environ | PLAIN, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        # workers are there once the race has begun
        while process.poll() is None and len(workers := children(process.pid)) < 2:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, "")
    assert err == "lrfind: interrupted: no run was written\n"
    assert [path.name for path in tmp_path.iterdir()] == [data.name]
    assert not any(is_alive(pid) for pid in workers)
