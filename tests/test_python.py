"""What Python sees of a run: one line, a card, charts, a folder; and options as Python spells them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.text import Text
from race_fixture import RACES
from report_fixture import PAYLOADS, REPORTS, hostile_report, no_signal_report, ok_report

import lrfind
from lrfind.diagnose import diagnose
from lrfind.errors import OutputError, UsageError
from lrfind.examine import examine
from lrfind.keywords import chosen
from lrfind.report import Report
from lrfind.report.figures import CHARTS
from lrfind.runs import load_run

RACED: Report = next(iter(RACES.values()))()
# Of a usual screen.
MOST_CHARACTERS = 125

# --- One line. ---


def parts(value: object) -> Iterator[object]:
    """Yield a value and every value of ours inside it."""
    if is_dataclass(value) and not isinstance(value, type):
        yield value
        for field in fields(value):
            yield from parts(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value[:3]:
            yield from parts(item)


@pytest.mark.parametrize("make", [*REPORTS.values(), *RACES.values()])
def test_a_report_and_all_that_holds_arrays_is_one_line(make: Any) -> None:
    report = make()
    assert len(repr(report)) <= MOST_CHARACTERS
    for value in parts(report):
        assert "\n" not in repr(value)
        if any(isinstance(getattr(value, field.name), np.ndarray) for field in fields(value)):  # type: ignore[arg-type]
            assert len(repr(value)) <= MOST_CHARACTERS, type(value)


def test_the_line_of_a_report_is_its_answer() -> None:
    report = ok_report()
    advice = replace(report.recommendation, lr=0.0042, lr_low=0.0015, lr_high=0.012)
    told = replace(report, recommendation=advice)
    name = report.table.source.name
    assert advice.schedule is not None
    assert repr(told) == f"Report({name}: lr 0.0042, good 0.0015 to 0.012, {advice.schedule.name}, ok)"
    assert repr(no_signal_report()).endswith(": no_signal)")


def test_shapes_stand_first() -> None:
    report = ok_report()
    n_seeds, n_steps = report.sweep.losses.shape
    assert repr(report.sweep).startswith(f"Sweep(lrs=<{n_steps}>, losses=<{n_seeds} x {n_steps}>")
    rows, columns = report.problem.X_train.shape
    assert repr(report.problem).startswith(f"Problem(X_train=<{rows} x {columns}>")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_the_line_of_a_hostile_report_is_safe(payload: str) -> None:
    report = hostile_report(payload)
    for value in (report, report.table, report.problem, report.recommendation):
        assert repr(value).isprintable()


def test_what_check_and_diagnose_return_is_one_line(tmp_path: Path) -> None:
    table = tmp_path / "d.csv"
    X = np.random.default_rng(0).normal(size=(80, 2))
    table.write_text("a,b,y\n" + "".join(f"{a},{b},{a + b}\n" for a, b in X))
    checked = examine(str(table))
    assert re.fullmatch(r"CheckReport\(d\.csv: passed, (nothing found|LR.*)\)", repr(checked))
    assert checked.to_dict()["data"]["name"] == "d.csv"
    assert len(repr(checked.baseline)) <= MOST_CHARACTERS
    log = tmp_path / "log.csv"
    log.write_text("step,loss\n" + "".join(f"{k},{1 / (k + 1)}\n" for k in range(200)))
    found = diagnose(str(log))
    assert repr(found).startswith("Diagnosis(log.csv: ")
    assert max(len(repr(found)), len(repr(found.log)), len(repr(found.signals))) <= MOST_CHARACTERS


# --- A card. ---


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if not (self.get_starttag_text() or "").endswith("/>"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]


def elements(card: str) -> Elements:
    found = Elements()
    found.feed(card)
    assert found.open == []
    return found


@pytest.mark.parametrize("make", [*REPORTS.values(), *RACES.values()])
def test_a_card_needs_no_script_and_nothing_from_outside(make: Any) -> None:
    found = elements(make()._repr_html_())
    assert not {"script", "iframe", "link", "img", "object"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith(("on", "data-"))]
    assert not found.values("href") + found.values("src")
    assert "@import" not in found.text
    assert set(re.findall(r"url\(([^)]*)\)", found.text)) == set()
    assert 1 <= found.tags.count("svg") <= 2


def test_a_card_says_the_answer_beside_two_charts() -> None:
    found = elements(RACED._repr_html_())
    assert found.tags.count("svg") == 2
    assert lrfind.text.rate(RACED.recommendation.lr) in found.text
    none = no_signal_report()
    assert none.recommendation.sentence[:40] in elements(none._repr_html_()).text


def test_two_cards_share_no_id_and_each_finds_its_own() -> None:
    cards = [elements(report._repr_html_()) for report in (RACED, RACED, ok_report())]
    ids = [set(card.values("id")) for card in cards]
    assert all(ids)
    assert not ids[0] & ids[1]
    assert not (ids[0] | ids[1]) & ids[2]
    for card, own in zip(cards, ids, strict=True):
        assert {name for value in card.values("aria-labelledby") for name in value.split()} <= own
        assert {value.removeprefix("url(#").removesuffix(")") for value in card.values("clip-path")} <= own


def test_every_rule_of_a_card_is_about_cards_and_every_colour_has_a_dark_twin() -> None:
    card = RACED._repr_html_()
    style = card[card.index("<style>") + 7 : card.index("</style>")]
    plain = re.sub(r"@media[^{]*\{([^{}]*\{[^{}]*\})\}", r"\1", style)
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", plain)
    assert all(".lrfind-card" in part for selector, _ in rules for part in selector.split(","))
    # what is used is given: light, dark by the system, and both by what notebooks say of themselves
    given = [set(re.findall(r"(--\w+):", body)) for _, body in rules if "--ink:" in body]
    assert len(given) == 4
    assert all(set(re.findall(r"var\((--\w+)\)", style)) <= names for names in given)
    assert any(".chart .pooled" in selector for selector, _ in rules)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_card_of_a_hostile_report_is_inert(payload: str) -> None:
    harmless, hostile = (elements(hostile_report(text)._repr_html_()) for text in ("plain", payload))
    assert hostile.tags == harmless.tags


# --- Charts, a folder, JSON values. ---


def test_each_chart_of_a_run_is_a_figure() -> None:
    drawn = {name: RACED.plot(name) for name in CHARTS}
    assert {type(figure).__name__ for figure in drawn.values()} == {"Figure"}
    # what each is of: the chosen rate among the race's, the landmarks of the range test
    shown = {name: {text.get_text() for text in figure.findobj(Text)} for name, figure in drawn.items()}
    assert "peak learning rate" in shown["race"]
    assert "learning rate" in shown["loss"]
    assert "step" in shown["schedule"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rase", "there is no chart 'rase': did you mean 'race'?"),
        ("histogram", "there is no chart 'histogram': choose one of race, learning, loss, schedule, gradient"),
        ("race", "this run has no chart 'race': no race was run; it has loss"),
        ("schedule", "this run has no chart 'schedule': no schedule is advised; it has loss"),
    ],
)
def test_a_chart_that_is_not_there_is_told_in_a_sentence(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        no_signal_report().plot(name)


def test_charts_are_called_as_their_files(tmp_path: Path) -> None:
    folder = RACED.save(tmp_path / "run")
    assert {path.stem for path in (folder / "plots").iterdir()} <= set(CHARTS)


def test_a_saved_run_is_whole_and_reads_back(tmp_path: Path) -> None:
    folder = RACED.save(tmp_path / "deep" / "run", plots=False)
    assert folder == tmp_path / "deep" / "run"
    assert {path.name for path in folder.iterdir()} == {"run.json", "sweep.csv", "race.csv", "report.html"}
    assert json.loads((folder / "run.json").read_text()) == RACED.to_dict()
    assert load_run(folder).recommendation.lr == RACED.recommendation.lr
    assert [path.name for path in folder.parent.iterdir()] == ["run"]


def test_a_run_is_replaced_only_when_forced_and_other_files_never(tmp_path: Path) -> None:
    folder = ok_report().save(str(tmp_path / "run"), plots=False)
    with pytest.raises(OutputError, match="replace it with force=True"):
        RACED.save(folder, plots=False)
    assert json.loads((folder / "run.json").read_text()) == ok_report().to_dict()
    RACED.save(folder, plots=False, force=True)
    assert json.loads((folder / "run.json").read_text()) == RACED.to_dict()
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="is not empty and is not an lrfind run") as told:
        RACED.save(tmp_path, force=True)
    assert "--" not in str(told.value)


# --- Options. ---


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"batchsize": 3}, "there is no option 'batchsize': did you mean 'batch_size'?"),
        ({"n_seeds": 3}, "there is no option 'n_seeds': did you mean 'seeds'?"),
        ({"qqqq": 3}, "there is no option 'qqqq': choose among target, task"),
        ({"seeds": "8"}, "seeds= is '8': expected a whole number"),
        ({"seeds": 8.5}, "seeds= is 8.5: expected a whole number"),
        ({"seeds": True}, "seeds= is True: expected a whole number"),
        ({"seeds": float("nan")}, "seeds= is nan: expected a whole number"),
        ({"lr_min": "1e-5"}, "lr_min= is '1e-5': expected a number"),
        ({"lr_min": None}, "lr_min= is None: expected a number"),
        ({"hidden": (64, "x")}, "hidden= is (64, 'x'): expected whole numbers, as in 64 or (64, 32)"),
        ({"schedules": 3}, 'schedules= is 3: expected names, as in "a,b" or ["a", "b"] or None'),
        ({"race": False}, "race= is False: expected a text or None"),
        ({"learn": "no"}, "learn= is 'no': expected True or False"),
        ({"optimizer": 3}, "optimizer= is 3: expected a text"),
        ({"settings": {"seed": 1}}, "settings= is a dict: expected lrfind.Settings(...)"),
    ],
)
def test_an_option_that_cannot_be_used_is_told_in_a_sentence(option: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        lrfind.find_lr("no-such-file.csv", **option)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ({"hidden": 64}, (64,)),
        ({"hidden": [64, np.int64(32)]}, (64, 32)),
        ({"hidden": "64,32"}, (64, 32)),
        ({"schedules": "cosine, linear"}, ("cosine", "linear")),
        ({"schedules": ["cosine"]}, ("cosine",)),
        ({"schedules": "all"}, None),
        ({"seeds": np.int32(4)}, 4),
        ({"steps": 100.0}, 100),
        ({"lr_max": 1}, 1.0),
        ({"lr_max": np.float32(1)}, 1.0),
        ({"drop": "a,b"}, ("a", "b")),
        ({"sample": None}, None),
    ],
)
def test_options_may_be_spelled_as_is_natural(option: dict[str, Any], value: object) -> None:
    (name,) = option
    got = getattr(chosen(None, option), name)
    assert got == value
    assert type(got) is type(value)


def test_every_option_has_a_reader() -> None:
    settings = lrfind.Settings()
    every = {field.name: getattr(settings, field.name) for field in fields(settings)}
    assert chosen(None, every) == settings


@pytest.mark.parametrize("X", [np.zeros((30, 3)), [[1.0, 2.0]] * 30, np.zeros(30)])
def test_features_without_a_target_are_refused(X: Any) -> None:
    with pytest.raises(UsageError, match=r"there is no target: pass it after the features, as in find_lr\(X, y\)"):
        lrfind.find_lr(X)
