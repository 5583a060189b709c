"""The race: the same numbers in JSON, CSV, words, pictures and the page."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from race_fixture import (
    BASELINE,
    BEST,
    N_FOLDS,
    N_SEEDS,
    OFFSETS,
    RACES,
    abstaining_report,
    crowded_report,
    lonely_report,
    lost_report,
    raced_report,
)
from report_fixture import ok_report
from rich.console import Console

from lrfind.race import Margin, Race
from lrfind.recommend import cost, schedule_why
from lrfind.report import Report, to_dict, words, write_report
from lrfind.report.figures import figures
from lrfind.report.html import to_html
from lrfind.report.race import charts as race_charts
from lrfind.report.race import words as race_words
from lrfind.report.race.curves import learning_view, loss_range, race_view, spread
from lrfind.report.race.serialise import MAX_FIT_POINTS, race_csv
from lrfind.report.svg import NARROW, log_label, log_levels
from lrfind.report.terminal import print_advice, print_report
from lrfind.report.titles import loss_title
from lrfind.report.trust import trust


def race_of(report: Report) -> Race:
    assert report.race is not None
    return report.race


def shown(report: Report, *, width: int = 80) -> str:
    file = io.StringIO()
    print_report(report, Console(file=file, width=width), folder=Path("runs/x"))
    return file.getvalue()


def test_json_holds_every_candidate_and_null_where_a_replica_diverged() -> None:
    race = race_of(raced_report())
    document = to_dict(raced_report())["race"]
    assert len(document["candidates"]) == len(race.scores.names)
    for row, (name, lr, losses) in zip(
        document["candidates"], zip(race.scores.names, race.scores.lrs, race.scores.losses, strict=True), strict=True
    ):
        assert (row["schedule"], row["lr"]) == (name, lr)
        assert row["losses"] == [None if math.isnan(loss) else loss for loss in losses.tolist()]
        assert (row["loss"] is None) == np.isnan(losses).all()
    lost = [row["losses"].count(None) for row in document["candidates"]]
    assert {0, 1, race.n_replicas} == set(lost)


def test_json_has_the_documented_keys() -> None:
    document = to_dict(raced_report())["race"]
    keys = "n_steps n_folds n_held_out n_replicas baseline_loss gain gain_se candidates fit margins winner leaders"
    assert {*keys.split(), "steps_sooner"} <= set(document)
    assert (document["n_steps"], document["n_folds"], document["n_replicas"]) == (390, N_FOLDS, N_FOLDS * N_SEEDS)
    assert set(document["fit"]) == {"lrs", "losses", "best"}
    assert len(document["fit"]["lrs"]) == len(document["fit"]["losses"]) <= MAX_FIT_POINTS
    assert {"schedule", "lr", "loss", "ahead", "ahead_se", "behind", "behind_se"} <= set(document["winner"])
    assert document["winner"]["low"] <= document["winner"]["lr"] <= document["winner"]["high"]
    assert document["winner"] in document["margins"]
    labels = [leader["label"] for leader in document["leaders"]]
    assert labels == ["advised", "best constant", "default 0.001", "default 0.01"]
    assert set(document["leaders"][0]) == {"label", "schedule", "lr", "cost", "cost_se", "n_lost", "steps", "losses"}
    assert to_dict(ok_report())["race"] is None


def test_csv_reads_back_to_the_losses() -> None:
    race = race_of(raced_report())
    rows = list(csv.reader(race_csv(race).splitlines()))
    columns = [f"loss_seed_{seed}_fold_{fold}" for seed in range(N_SEEDS) for fold in range(N_FOLDS)]
    assert rows[0] == ["schedule", "peak_lr", *columns]
    assert [row[0] for row in rows[1:]] == list(race.scores.names)
    read = np.array([[float(cell or "nan") for cell in row[1:]] for row in rows[1:]])
    np.testing.assert_array_equal(read[:, 0], race.scores.lrs)
    np.testing.assert_array_equal(read[:, 1:], race.scores.losses)


def test_files_of_a_race_are_the_same_twice(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_report(raced_report(), tmp_path / name)
    files = sorted(str(path.relative_to(tmp_path / "a")) for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert {"race.csv", "plots/race.png", "plots/race.svg", "plots/learning.png", "plots/learning.svg"} <= set(files)
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file


def test_terminal_says_in_short_what_was_raced_and_what_defaults_cost() -> None:
    text = " ".join(shown(raced_report(), width=100).split())
    assert "Why 12 rates and 5 schedules raced in 320 runs Defaults" in text
    assert "Defaults constant 0.001 gives up 4 % of the gain, 0.01 is within noise Target" in text
    assert "Schedule warmup_cosine beats constant by" in text
    assert "warmup_cosine warmup_cosine" not in text
    assert "(estimated)" not in text
    assert " on 120 rows (" in shown(lonely_report(), width=100)
    assert "Defaults" not in shown(abstaining_report())


def test_advice_read_from_a_run_keeps_its_reasons() -> None:
    file = io.StringIO()
    print_advice(raced_report().recommendation, Console(file=file, width=100))
    assert "  Why            12 rates and 5 schedules raced, 10 runs each\n" in file.getvalue()
    assert "  Defaults       0.001 would give up 4% of the gain" in file.getvalue()


def test_an_interval_is_measured_by_a_race_and_estimated_without() -> None:
    assert words.promise(raced_report().recommendation).startswith("measured: any rate in it gives up at most 5")
    estimated = words.promise(ok_report().recommendation)
    assert "should give up at most 5" in estimated
    assert "90\u00a0% of 80 test problems" in estimated
    assert words.promise(abstaining_report().recommendation) == ""


def margin(schedule: str, **numbers: float) -> Margin:
    blank = {"lr": BEST, "loss": 0.1, "ahead": 0, "ahead_se": 0, "behind": 0, "behind_se": 0, "expected_behind": 0}
    blank |= {"unbeaten": True, "loss_se": 0.01, "low": BEST / 2, "high": BEST * 2}
    return Margin(schedule=schedule, **{**blank, **numbers})


CONSTANT = margin("constant", loss=0.12, behind=0.02, behind_se=0.002, lr=0.002)
CLEAR = margin("cosine", ahead=0.02, ahead_se=0.002)
FAINT = margin("cosine", ahead=0.02, ahead_se=0.02)
CLOSE = margin("linear", loss=0.101, behind=0.001, behind_se=0.001, ahead=0.019, ahead_se=0.002)
WORSE = margin("linear", loss=0.13, behind=0.03, behind_se=0.001, ahead=-0.01, ahead_se=0.01)


@pytest.mark.parametrize(
    ("best", "others", "title", "why"),
    [
        (CLEAR, [CONSTANT], "cosine at 0.0042 beats the best constant by 0.020 ± 0.002",
         "beats the best constant by 0.020 ± 0.002"),
        (CLEAR, [CONSTANT, CLOSE], "cosine at 0.0042 beats the best constant by 0.020 ± 0.002",
         "beats the best constant by 0.020 ± 0.002; linear is within noise"),
        (FAINT, [CONSTANT, CLOSE, CLEAR, margin("step")], "No schedule does clearly better than cosine at 0.0042",
         "is the best bet by this race and earlier ones; step and linear are within noise"),
        (CONSTANT, [CLEAR], "constant at 0.002 was asked for; cosine ends lower",
         "was asked for; cosine, which was not, ends 0.020 ± 0.002 lower"),
        (margin("constant"), [CLOSE, margin("step"), margin("cyclical")],
         "No schedule does clearly better than constant at 0.0042",
         "is the simplest, and none does clearly better; step, cyclical and 1 more are within noise"),
        (WORSE, [CONSTANT, CLEAR], "linear at 0.0042 was asked for; cosine ends lower",
         "was asked for; cosine, which was not, ends 0.0300 ± 0.0010 lower"),
        (margin("cosine"), [], "cosine at 0.0042 ends lowest on rows held out", "was the only schedule raced"),
    ],
)  # fmt: skip
def test_words_claim_no_more_than_the_margins_do(best: Margin, others: list[Margin], title: str, why: str) -> None:
    table = tuple(sorted((best, *others), key=lambda each: each.loss))
    race = replace(race_of(raced_report()), winner=best, margins=table)
    assert race_words.race_title(race, has_answer=True) == title
    assert schedule_why(race) == why


def test_what_is_beaten_is_not_within_noise() -> None:
    noisy = replace(CONSTANT, behind_se=0.02)
    race = replace(race_of(raced_report()), winner=CLEAR, margins=(CLEAR, noisy))
    assert schedule_why(race) == "beats the best constant by 0.020 ± 0.002"


def test_costs_in_words() -> None:
    race = race_of(raced_report())
    leader = race.leaders[-2]

    def said(**changes: float) -> str:
        return cost(replace(leader, **changes), race=race)

    assert said() == "gives up 4 % of the gain"
    assert race_words.cost_share(leader) == "4.1 ± 0.4 %"
    assert said(cost=0.004, cost_se=0.001) == "gives up 0.4 % of the gain"
    assert said(cost=1.0) == "gives up all of the gain"
    assert said(cost=-0.02) == "gains 2 % more"
    assert said(n_lost=2) == "diverges in 2 of 10 runs"
    # in noise: as good inside the range that is called good, and only not worse outside of it
    assert said(cost=0.02, cost_se=0.03) == "is within noise"
    inside = replace(race, winner=replace(race.winner, low=leader.schedule.peak_lr / 2))
    assert cost(replace(leader, cost=0.02, cost_se=0.03), race=inside) == "does as well"
    assert race_words.cost_share(replace(leader, cost=-0.02)) == "\u22122.0 ± 0.4 %"
    lost = race_of(lonely_report()).leaders[-1]
    assert (cost(lost, race=race), race_words.cost_share(lost)) == ("diverges", "100 %")


def test_a_difference_of_nothing_has_no_sign() -> None:
    race = race_of(raced_report())
    assert race_words.ahead(race, margin("cosine", ahead=-0.00001, ahead_se=0.003)) == "0.000 ± 0.003"
    assert race_words.ahead(race, margin("cosine", ahead=-0.01, ahead_se=0.003)) == "\u22120.010 ± 0.003"


@pytest.mark.parametrize("width", [NARROW, 880])
@pytest.mark.parametrize("place", [0, 14])
def test_the_step_from_which_a_run_is_as_good_is_labelled_inside_the_picture(place: int, width: int) -> None:
    report = raced_report()
    race = race_of(report)
    level = race.leaders[1].losses[-1]
    ahead = np.where(np.arange(30) < place, level + 0.1, level - 0.01)
    race = replace(race, leaders=(replace(race.leaders[0], losses=ahead), *race.leaders[1:]))
    root = ET.fromstring(race_charts.learning_chart(report, race, width=width))  # noqa: S314 - our own
    labels = [e for e in root.iter() if (e.text or "").startswith("as good after")]
    assert len(labels) == 1
    assert "learning" in figures(replace(report, race=race))


def test_sooner_is_said_only_when_it_is_sooner() -> None:
    race = race_of(raced_report())
    share = race.steps_sooner
    assert share is not None
    assert race_words.sooner(race).endswith(f"rate's final loss after {100 * share:.0f} % of the steps")
    assert race_words.learning_title(race, has_answer=True).startswith("warmup_cosine reaches")
    late = replace(race.leaders[0], losses=race.leaders[0].losses + 0.03)
    assert race_words.sooner(replace(race, leaders=(late, *race.leaders[1:]))) == ""
    nobody = replace(race, leaders=race.leaders[:1])
    assert race_words.learning_title(nobody, has_answer=True) == "How the advised run learns"
    assert learning_view(nobody, has_answer=True).sooner is None


def test_a_default_that_is_the_best_constant_rate_is_drawn_once() -> None:
    race = race_of(raced_report())
    best = race.leaders[1]
    same = replace(best, label="default 0.0021")
    labels = [line.label for line in learning_view(replace(race, leaders=(*race.leaders, same)), has_answer=True).lines]
    assert labels.count("constant 0.0021") == 1
    assert labels == [line.label for line in learning_view(race, has_answer=True).lines]


def test_without_an_answer_nothing_is_called_advised() -> None:
    drawn, page = figures(abstaining_report()), to_html(abstaining_report())
    titles = [text.get_text() for name in ("race", "learning") for text in drawn[name].texts]
    assert "No rate clearly beats a constant guess on rows held out" in titles
    assert "Training hardly helps on rows held out" in titles
    view = learning_view(race_of(abstaining_report()), has_answer=False)
    assert "advised" not in [line.label for line in view.lines]
    assert view.sooner is None
    assert ">advised<" in to_html(raced_report())
    assert ">advised<" not in page


def test_advised_and_simplest_and_three_rivals_are_strong_and_the_advised_on_top() -> None:
    roles = [line.role for line in race_view(race_of(crowded_report())).lines]
    assert sorted(roles) == ["advised", *["other"] * 5, *["rival"] * 3, "simplest"]
    assert roles[-1] == "advised"
    view = race_view(race_of(raced_report()))
    assert [line.name for line in view.lines][-2:] == ["constant", "warmup_cosine"]


def test_crosses_stand_where_a_replica_diverged() -> None:
    race = race_of(raced_report())
    lost = race_view(race).lost
    np.testing.assert_allclose(lost, [BEST * 10, BEST * 10**1.25])
    assert race_view(race_of(lost_report())).lost.size == np.unique(race.scores.lrs).size


def test_fitted_curve_is_lowest_near_the_advised_rate_and_as_deep() -> None:
    race = race_of(raced_report())
    view = race_view(race)
    at = np.interp(np.log(race.winner.lr), np.log(view.fit_lrs), view.fit_losses)
    assert at == pytest.approx(race.winner.loss)
    assert view.fit_losses.max() < race.winner.loss + 0.1 * race.gain


def test_errors_are_standard_errors_over_rows() -> None:
    race = race_of(raced_report())
    line = race_view(race).lines[-1]
    first = race.scores.rows[race.scores.of([line.name])[0]]
    assert line.errors[0] == pytest.approx(np.std(first, ddof=1) / math.sqrt(first.size))
    assert line.losses[0] == pytest.approx(first.mean())


@given(st.lists(st.floats(1e-6, 1e6) | st.just(math.nan), min_size=1, max_size=20), st.floats(1e-6, 1e6))
def test_window_holds_the_lowest_loss_and_the_level_of_knowing_nothing(losses: list[float], level: float) -> None:
    low, high, log_y = loss_range([np.array(losses)], level=level)
    floor = min([loss for loss in losses if math.isfinite(loss)] + [level])
    assert low < floor <= level < high
    assert not log_y or low > 0


def test_scale_is_logarithmic_when_much_is_gained_only() -> None:
    assert loss_range([np.array([0.05])], level=0.66)[2]
    assert not loss_range([np.array([0.4])], level=0.66)[2]
    assert loss_range([np.array([0.0])], level=0.0) == (-1e-12, 1e-12, False)


@given(st.lists(st.floats(-50, 150), max_size=8), st.floats(1, 30))
def test_labels_keep_their_order_and_their_distance_inside_the_picture(places: list[float], gap: float) -> None:
    moved = spread(places, gap=gap, low=0, high=100)
    room = min(gap, 100 / max(len(places) - 1, 1))
    order = np.argsort(places, kind="stable")
    assert (np.diff(np.array(moved)[order]) >= room - 1e-6).all()
    assert all(-1e-6 <= place <= 100 + 1e-6 for place in moved)
    inside = np.sort(places)
    if len(places) and inside[0] >= 0 and inside[-1] <= 100 and (np.diff(inside) >= gap).all():
        np.testing.assert_allclose(moved, places, atol=1e-9)


def test_marks_of_a_logarithmic_axis_are_round_and_few() -> None:
    assert log_levels(0.06, 0.7, most=7) == [0.1, 0.2, 0.5]
    assert log_levels(1e-6, 1, most=12) == pytest.approx([1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1])
    assert len(log_levels(0.00011, 0.9, most=4)) <= 4
    assert [log_label(x) for x in (0.001, 0.002, 1e-6)] == ["0.001", "0.002", "1e-6"]


@pytest.mark.parametrize("name", RACES)
@pytest.mark.parametrize("width", [NARROW, 880])
def test_each_strong_line_is_named_once(name: str, width: int) -> None:
    report = RACES[name]()
    for draw in (race_charts.race_chart, race_charts.learning_chart):
        root = ET.fromstring(draw(report, race_of(report), width=width))  # noqa: S314 - our own
        named = [e.text for e in root.iter() if "named" in (e.get("class") or "")]
        assert len(set(named)) == len(named)
    assert {line.label for line in learning_view(race_of(report), has_answer=words.has_answer(report)).lines} == {
        *named
    }


def read_out(svg: str) -> list[list[str]]:
    (rows,) = re.findall(r'data-rows="([^"]*)"', svg)
    (places,) = re.findall(r'data-x="([^"]*)"', svg)
    texts = [row.split(";") for row in rows.split("|")]
    assert len(texts) == len(places.split())
    return texts


def test_read_out_names_every_schedule_best_first() -> None:
    report = raced_report()
    texts = read_out(race_charts.race_chart(report, race_of(report)))
    lrs = np.unique(race_of(report).scores.lrs)
    assert [head for head, *_ in texts] == [f"peak rate {words.rate(lr)}" for lr in lrs]
    (at_best,) = [parts for head, *parts in texts if head == "peak rate 0.0042"]
    assert {part.split()[0] for part in at_best} == set(OFFSETS)
    losses = [float(part.split()[1]) for part in at_best]
    assert losses == sorted(losses)
    assert texts[-1][1:] == ["1 diverged"]
    steps = read_out(race_charts.learning_chart(report, race_of(report)))
    assert steps[-1][0] == "step 390"
    assert steps[-1][1].startswith("advised ")
    lost = read_out(race_charts.learning_chart(lonely_report(), race_of(lonely_report())))
    assert lost[0][2:] == ["constant 0.001 diverged", "constant 0.01 diverged"]


def test_figures_show_the_race_first() -> None:
    drawn = figures(raced_report())
    assert list(drawn) == ["race", "learning", "loss", "schedule", "gradient"]
    (axes,) = drawn["race"].axes
    gids = [line.get_gid() for line in axes.lines]
    assert gids.count("race-advised") == gids.count("race-simplest") == gids.count("chosen") == 1
    assert {"fit", "lost"} <= set(gids)
    race = race_of(raced_report())
    (advised,) = [line for line in axes.lines if line.get_gid() == "race-advised"]
    own = race.scores.of(["warmup_cosine"])
    np.testing.assert_allclose(advised.get_xdata(), race.scores.lrs[own])
    np.testing.assert_allclose(advised.get_ydata(), race.scores.rows[own].mean(axis=1))
    texts = {text.get_text() for text in axes.texts}
    assert {*OFFSETS, "diverged", "0.0042", f"knowing nothing {BASELINE}"} <= texts
    (axes,) = drawn["learning"].axes
    texts = {text.get_text() for text in axes.texts}
    assert {"advised", "constant 0.0021", "constant 0.001", "constant 0.01"} <= texts
    assert any(text.startswith("as good after") for text in texts)
    assert "chosen" not in [line.get_gid() for line in figures(abstaining_report())["race"].axes[0].lines]


def test_page_puts_the_race_before_the_range_test() -> None:
    html = to_html(raced_report())
    places = [html.index(f'id="{name}"') for name in ("answer", "race", "learning", "range-test", "schedule", "trust")]
    assert places == sorted(places)
    assert 'id="why"' not in html
    assert "race.csv" in html
    assert 'id="race"' not in to_html(ok_report())
    assert "race.csv" not in to_html(ok_report())


def test_page_tells_of_margins_and_of_defaults() -> None:
    html = to_html(raced_report())
    for text in ("Ahead of constant", "lowest", "clearly worse", "4.1 ± 0.4 %", "measured: any rate in it"):
        assert text in html
    assert "Ahead of" not in to_html(lonely_report())
    assert "No rate clearly beats a constant guess on rows held out" in to_html(abstaining_report())
    assert "4.1 ± 0.4 %" not in to_html(abstaining_report())


def test_bar_and_strip_stay_in_their_cells() -> None:
    race = race_of(raced_report())
    for row in race.margins:
        x = [float(v) for v in re.findall(r'(?:x1|x2|cx)="([-\d.]+)"', race_charts.margin_strip(race, row))]
        assert all(0 <= place <= 120 for place in x)
    for share, width in ((-0.5, 0.0), (0.5, 110.0), (7.0, 220.0)):
        bar = race_charts.cost_bar(replace(race.leaders[-1], cost=share))
        assert f'width="{width:.1f}"' in bar


def test_title_of_the_range_test_leaves_the_answer_to_the_race() -> None:
    assert loss_title(raced_report()) == "In the range test the loss is lowest at 0.03 and diverges at 0.21"


def states(report: Report) -> list[str]:
    return [answer.state for answer in trust(report)]


def test_a_good_race_is_trusted() -> None:
    answers = trust(raced_report())
    assert [answer.state for answer in answers] == ["yes", "yes", "yes", "yes", "yes", "unknown"]
    texts = " ".join(answer.text for answer in answers)
    for text in (
        "On 120 rows held out", "320 runs: 32 pairs of rate and schedule, each with 2 seeds in each of 5 folds",
        "1 of 5 end within noise of the lowest loss", "where runs diverge from 0.042 on",
        "1.5 decades above the lower end",
    ):  # fmt: skip
        assert text in texts, text


def change(report: Report, *, alter: Callable[[Race], Race]) -> Report:
    return replace(report, race=alter(race_of(report)))


def test_noise_edges_and_a_single_schedule_ask_for_care() -> None:
    noisy = change(raced_report(), alter=lambda race: replace(race, gain=0.01, gain_se=0.01))
    assert states(noisy)[1] == "careful"
    certain = change(raced_report(), alter=lambda race: replace(race, gain_se=0.0))
    assert "times its error" not in trust(certain)[1].text
    edge = change(
        raced_report(),
        alter=lambda race: replace(race, winner=replace(race.winner, lr=float(race.scores.lrs.min()))),
    )
    assert states(edge)[3] == "careful"
    assert "--lr-min" in trust(edge)[3].text
    assert states(lonely_report())[2] == "unknown"
    worse = change(raced_report(), alter=lambda race: replace(race, winner=WORSE))
    assert states(worse)[2] == "careful"
    assert "A race may" in trust(ok_report())[-1].text
    assert "A race may" not in trust(raced_report())[-1].text
