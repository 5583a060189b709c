"""`lrfind schedule`: what it shows, writes and exports."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from rich.console import Console
from test_cli import Call, call  # noqa: F401 - a fixture

from lrfind.errors import UsageError
from lrfind.export import EXPORTERS
from lrfind.report.schedule.figures import schedules_figure
from lrfind.report.schedule.terminal import print_schedule, print_schedules, rates_line
from lrfind.report.schedule.texts import SCHEDULE_TEXTS
from lrfind.report.schedule.view import ScheduleView, view
from lrfind.schedule import COURSES, SCHEDULES, make_schedule, values, warmed_up

PNG = b"\x89PNG\r\n\x1a\n"


def shown(name: str, n_steps: int = 400) -> ScheduleView:
    return view(make_schedule(name, peak_lr=0.01, n_steps=n_steps), kind=name)


def printed(what: object, *, width: int, encoding: str = "utf-8") -> list[str]:
    import io

    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    console = Console(file=stream, width=width, no_color=True)
    if isinstance(what, list):
        print_schedules(what, console)
    else:
        print_schedule(what, console, again="lrfind schedule x")
    stream.flush()
    return raw.getvalue().decode(encoding).splitlines()


# --- A warm-up of any length.


@pytest.mark.parametrize("n_warmup", [0, 1, 5, 19])
@pytest.mark.parametrize("name", sorted(set(SCHEDULES) - {"warmup_cosine", "one_cycle"}))
def test_a_warmup_rises_in_a_line_and_leaves_the_rest_to_the_schedule(name: str, n_warmup: int) -> None:
    made = values(warmed_up(make_schedule(name, peak_lr=0.3, n_steps=20), n_warmup))
    rest = values(make_schedule(name, peak_lr=0.3, n_steps=20 - n_warmup))
    np.testing.assert_allclose(made[n_warmup:], rest, rtol=1e-12)
    np.testing.assert_allclose(made[:n_warmup], rest[0] * np.arange(n_warmup) / max(n_warmup, 1), rtol=1e-12)


@pytest.mark.parametrize("n_warmup", [0, 3, 10])
def test_a_warmed_up_cosine_has_this_warmup_instead_of_its_own(n_warmup: int) -> None:
    own = warmed_up(make_schedule("warmup_cosine", peak_lr=1.0, n_steps=20), n_warmup)
    np.testing.assert_allclose(
        values(own), values(warmed_up(make_schedule("cosine", peak_lr=1.0, n_steps=20), n_warmup))
    )


@pytest.mark.parametrize(("name", "n_warmup"), [("cosine", 20), ("cosine", -1), ("one_cycle", 5), ("adaptive", 5)])
def test_a_warmup_that_cannot_be_is_refused(name: str, n_warmup: int) -> None:
    with pytest.raises(UsageError, match="warm-up"):
        warmed_up(make_schedule(name, peak_lr=1.0, n_steps=20), n_warmup)


# --- What is said and drawn.


def test_every_schedule_has_its_text() -> None:
    assert set(COURSES) <= set(SCHEDULE_TEXTS)
    for name, text in SCHEDULE_TEXTS.items():
        assert text.what.endswith("."), name
        assert text.use.endswith("."), name
        assert "19" in text.source or "20" in text.source, name


def test_the_rates_are_summed_up() -> None:
    assert rates_line(shown("linear", 101)) == "first 0.01, peak 0.01, last 9.9e-5, mean 0.005"
    assert rates_line(shown("warmup_cosine", 100)) == "first 0, peak 0.01 at step 10, last 3e-6, mean 0.005"


@pytest.mark.parametrize("width", [20, 40, 80, 140])
@pytest.mark.parametrize("n_steps", [1, 2, 7, 400])
@pytest.mark.parametrize("name", COURSES)
def test_one_schedule_fits_its_screen(name: str, n_steps: int, width: int) -> None:
    lines = printed(shown(name, n_steps), width=width)
    assert max(map(len, lines)) <= min(width, 100)
    assert any("arXiv" in line for line in lines)


@pytest.mark.parametrize("width", [20, 40, 80, 140])
def test_all_schedules_fit_one_screen_side_by_side(width: int) -> None:
    lines = printed([shown(name) for name in COURSES], width=width)
    assert max(map(len, lines)) <= min(width, 100)
    whole = "\n".join(lines)
    assert all(name in whole for name in COURSES)


def test_the_plot_shows_the_shape() -> None:
    plot = [line for line in printed(shown("step"), width=80) if "┤" in line or "│" in line]
    ends = [len(line) for line in plot]
    # the peak for half of the run, the last row to its end
    assert ends[0] == pytest.approx(9 + 71 / 2, abs=2)
    assert ends[-1] == 79
    assert plot[0].strip().startswith("0.01 ┤")
    assert plot[-1].strip().startswith("0 ┤")


def test_a_stream_without_braille_gets_ascii() -> None:
    assert "\n".join(printed(shown("cosine"), width=80, encoding="ascii")).isascii()
    assert "\n".join(printed([shown("cosine"), shown("step")], width=80, encoding="ascii")).isascii()


def test_small_multiples_draw_every_schedule_and_its_mean() -> None:
    every = [shown(name) for name in COURSES]
    axes = schedules_figure(every).axes
    assert [a.texts[0].get_text() for a in axes] == list(COURSES)
    for a, one in zip(axes, every, strict=True):
        curve, mean = a.lines
        np.testing.assert_allclose(curve.get_ydata(), one.rates / 0.01)
        assert mean.get_ydata()[0] == pytest.approx(one.mean / 0.01)


@pytest.mark.parametrize("n_steps", [100, 1_000, 50_000])
@pytest.mark.parametrize("peak", [1e-4, 3.0])
def test_a_plateau_is_shown_on_a_loss_that_has_some(n_steps: int, peak: float) -> None:
    made = view(make_schedule("reduce_on_plateau", peak_lr=peak, n_steps=n_steps), kind="reduce_on_plateau")
    assert len(made.rates) == n_steps
    assert made.first == made.peak == pytest.approx(peak)
    falls = np.flatnonzero(made.rates <= 0.11 * peak)
    assert 0.1 * n_steps < falls[0] < 0.6 * n_steps
    assert made.last == pytest.approx(peak / 100, rel=1e-6)


# --- The command.


def test_the_command_shows_one_and_all(call: Call) -> None:  # noqa: F811
    code, out, err = call("schedule", "one_cycle", "--peak-lr", "0.01", "--train-steps", "400")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "one_cycle rises to 0.01 by step 119, then falls to almost nothing"
    assert "lrfind schedule one_cycle --peak-lr 0.01 --train-steps 400 --for torch" in " ".join(out.split())
    assert call("schedule").out == call("schedule", "all").out
    assert f"{len(COURSES)} schedules over 1,000 steps" in call("schedule").out


@pytest.mark.parametrize(
    "options",
    [
        "",
        "--peak-lr 0.1234567 --train-steps 77",
        "--warmup 10% --optimizer nesterov --batch-size 8",
        "--peak-lr 1e-05 --warmup 0.1",
    ],
)
def test_the_next_command_keeps_the_options_and_gives_the_code(options: str, call: Call, tmp_path: Path) -> None:  # noqa: F811
    picture = ("--svg", str(tmp_path / "a picture.svg"))
    out = call("schedule", "linear", *options.split(), *picture).out
    command = out.splitlines()[-1].removeprefix("  Next           ")
    assert command == " ".join(f"lrfind schedule linear {options} --for torch".split())
    code = call(*command.split()[1:])
    assert (code.code, code.err) == (0, "")
    rate = options.split()[1] if "peak" in options else "0.001"
    assert f"# Learning rate {float(rate)!r}: " in code.out
    every = call("schedule", *("--peak-lr", "0.5")).out.splitlines()[-1]
    assert every == "lrfind schedule NAME --peak-lr 0.5 says more about each."


@pytest.mark.parametrize(("text", "n_warmup"), [("100", 100), ("0.1", 40), ("10%", 40), ("0", 0), ("0.0", 0), ("1", 1)])
def test_a_warmup_is_steps_or_a_share(text: str, n_warmup: int, call: Call) -> None:  # noqa: F811
    out = call("schedule", "linear", "--train-steps", "400", "--warmup", text, "--json").out
    expected = values(warmed_up(make_schedule("linear", peak_lr=1e-3, n_steps=400), n_warmup))
    assert json.loads(out)["rates"] == expected.tolist()


def test_json_holds_rates_and_facts(call: Call) -> None:  # noqa: F811
    one = json.loads(call("schedule", "cosine", "--train-steps", "10", "--json").out)
    rates = values(make_schedule("cosine", peak_lr=1e-3, n_steps=10))
    assert one["rates"] == rates.tolist()
    assert (one["name"], one["peak_lr"], one["n_steps"]) == ("cosine", 1e-3, 10)
    assert (one["first_lr"], one["last_lr"], one["max_lr"], one["max_step"]) == (rates[0], rates[-1], rates.max(), 0)
    assert one["mean_lr"] == pytest.approx(rates.mean())
    every = json.loads(call("schedule", "--train-steps", "10", "--json").out)["schedules"]
    assert [each["name"] for each in every] == list(COURSES)


@pytest.mark.parametrize("name", EXPORTERS)
def test_each_format_is_the_exporters(name: str, call: Call) -> None:  # noqa: F811
    code, out, err = call("schedule", "step", "--train-steps", "40", "--for", name, "--optimizer", "sgd")
    assert (code, err) == (0, "")
    if name == "csv":
        assert [float(line.split(",")[1]) for line in out.splitlines()[1:]] == values(
            make_schedule("step", peak_lr=1e-3, n_steps=40)
        ).tolist()
    elif name == "json":
        assert len(json.loads(out)["rates"]) == 40
    else:
        assert out.startswith("# Learning rate 0.001: sgd, batches of 64, 40 steps, step schedule.")
        compile(out, name, "exec")


def test_pictures_are_written(call: Call, tmp_path: Path) -> None:  # noqa: F811
    code, out, err = call("schedule", "--png", "all.png", "--svg", "all.svg")
    assert (code, err) == (0, "")
    assert "all.png" in out
    assert (tmp_path / "all.png").read_bytes().startswith(PNG)
    drawn = "".join(ET.parse(tmp_path / "all.svg").getroot().itertext())  # noqa: S314 - our own file
    assert all(name in drawn for name in COURSES)
    first = (tmp_path / "all.svg").read_bytes()
    call("schedule", "--svg", "all.svg", "--json")
    assert (tmp_path / "all.svg").read_bytes() == first


ERRORS = {
    "cosin": "unknown schedule 'cosin': did you mean 'cosine'?",
    "cosine --warmup 1.0": (
        "--warmup is '1.0': expected steps from 0 to 999, or a share of the run below 1 such as 0.1"
    ),
    "cosine --warmup nan": (
        "--warmup is 'nan': expected steps from 0 to 999, or a share of the run below 1 such as 0.1"
    ),
    "cosine --warmup 1000": (
        "--warmup is '1000': expected steps from 0 to 999, or a share of the run below 1 such as 0.1"
    ),
    "one_cycle --warmup 5": "one_cycle rises by itself, for three tenths of the run: leave the warm-up out",
    "--warmup 5": "--warmup changes one schedule: name it, as in `lrfind schedule cosine --warmup 100`",
    "--for torch": "--for prints code for one schedule: name it, as in `lrfind schedule cosine --for torch`",
    "cosine --for pytorch": "--for 'pytorch' is not known: did you mean 'torch'?",
    "cosine --for csv --json": "--for and --json both say what to print: give one of them",
    "cosine --optimizer adma": "--optimizer 'adma' is not known: did you mean 'adam'?",
    "cosine --batch-size 0": "--batch-size is 0: expected a whole number from 1 to 10000000",
    "cosine --peak-lr 0": "--peak-lr is 0: expected a finite number above 0",
    "cosine --peak-lr inf": "--peak-lr is inf: expected a finite number above 0",
    "cosine --train-steps 0": "--train-steps is 0: expected a whole number from 1 to 10000000",
    "cosine --png no/x.png": "--png: no/x.png cannot be written: no such file or directory; name another file",
}


@pytest.mark.parametrize(("options", "message"), ERRORS.items())
def test_what_cannot_be_shown_is_refused_in_a_line(options: str, message: str, call: Call) -> None:  # noqa: F811
    assert call("schedule", *options.split()) == (2, "", f"lrfind: error: {message}\n")
