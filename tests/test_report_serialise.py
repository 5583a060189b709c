"""A report as JSON: strict, complete, the same every time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from race_fixture import EVERY
from report_fixture import HOSTILE, N_SEEDS, N_STEPS, REPORTS, no_signal_report, ok_report

from lrfind.report import Report, to_dict, to_json
from lrfind.report.serialise import MAX_CURVE_POINTS
from lrfind.schedule import values


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


@pytest.mark.parametrize("name", EVERY)
def test_json_is_strict_ascii_and_the_same_twice(name: str) -> None:
    text = to_json(EVERY[name]())
    assert text.isascii()
    assert json.loads(text, parse_constant=refuse) == to_dict(EVERY[name]())
    assert text == to_json(EVERY[name]())


def test_json_has_the_documented_keys() -> None:
    document = to_dict(ok_report())
    keys = "schema_version lrfind_version status created command data problem config sweep analysis gradient experience"
    assert list(document) == [*keys.split(), "race", "proof", "recommendation", "findings", "timing"]
    assert (document["schema_version"], document["status"], document["race"]) == (1, "complete", None)
    data = "name path format sha256 size mtime rows rows_total columns target task notes"
    assert set(data.split()) <= set(document["data"])
    problem = (
        "n_train n_val n_features classes split target_reason task_reason encodings notes n_rows_dropped baseline_loss"
    )
    assert {*problem.split(), "target_mean", "target_sd"} <= set(document["problem"])
    assert set(document["analysis"]["landmarks"]) == {"onset", "steepest", "fallen", "minimum", "divergence"}
    assert (document["problem"]["n_train"], document["problem"]["n_val"]) == (427, 142)
    assert (document["data"]["rows"], document["data"]["columns"]) == (569, 31)


def test_recommendation_is_as_given() -> None:
    report = ok_report()
    advice = to_dict(report)["recommendation"]
    names = (
        "verdict sentence lr lr_low lr_high lr_max_stable optimizer batch_size train_steps schedule expected evidence "
        "raced"
    )
    assert list(advice) == names.split()
    assert advice["lr"] == report.recommendation.lr
    assert advice["expected"] == {"val_loss": 0.081, "val_loss_se": 0.006, "baseline_loss": 0.661}
    assert advice["schedule"]["name"] == "warmup_cosine"
    assert advice["schedule"]["n_steps"] == values(report.recommendation.schedule).size


def test_abstention_keeps_its_nulls() -> None:
    advice = to_dict(no_signal_report())["recommendation"]
    assert advice["verdict"] == "no_signal"
    assert [advice[key] for key in ("lr", "lr_low", "lr_high", "schedule", "expected")] == [None] * 5


def test_sweep_is_summarised_and_its_raw_losses_left_to_the_file() -> None:
    sweep = to_dict(ok_report())["sweep"]
    expected = {"n_seeds": N_SEEDS, "n_steps": N_STEPS, "lr_min": 1e-7, "lr_max": 10.0, "file": "sweep.csv"}
    assert {key: sweep[key] for key in expected} == pytest.approx(expected)
    assert sweep["n_seeds_lost"] == N_SEEDS


def test_curve_is_thinned_with_both_ends_kept() -> None:
    report = ok_report()
    lrs = np.geomspace(1e-7, 10, 5000)
    analysis = replace(report.analysis, lrs=lrs, pooled=lrs.copy(), low=lrs.copy(), high=lrs.copy())
    curve = to_dict(replace(report, analysis=analysis))["analysis"]["curve"]
    assert len(curve["lrs"]) == len(curve["pooled"]) == MAX_CURVE_POINTS
    assert (curve["lrs"][0], curve["lrs"][-1]) == (lrs[0], lrs[-1])


def test_numbers_that_are_not_finite_become_null() -> None:
    report = ok_report()
    config = {
        "nan": float("nan"), "inf": np.float32(np.inf), "array": np.array([1.0, np.nan]), "path": Path("a"),
        "flag": True, "whole": np.int64(3), 7: {"deep": (float("-inf"), 1)}, "surrogate": "\ud800",
    }  # fmt: skip
    analysis = replace(report.analysis, start_loss=float("nan"), noise=float("inf"), rules={"valley": float("nan")})
    document = json.loads(to_json(replace(report, config=config, analysis=analysis)), parse_constant=refuse)
    assert document["config"] == {
        "nan": None, "inf": None, "array": [1.0, None], "path": "a", "flag": True, "whole": 3,
        "7": {"deep": [None, 1]}, "surrogate": "\ud800",
    }  # fmt: skip
    assert document["analysis"]["start_loss"] is None
    assert document["analysis"]["rules"] == {"valley": None}


def test_names_from_data_are_kept_as_they_are() -> None:
    document = to_dict(REPORTS["hostile"]())
    assert document["data"]["target"] == f"t {HOSTILE}"
    assert document["problem"]["encodings"][0]["column"] == HOSTILE


def test_an_empty_sweep_can_be_written() -> None:
    assert to_dict(empty(ok_report()))["sweep"]["lr_min"] is None


def empty(report: Report) -> Report:
    nothing = np.zeros(0)
    sweep = replace(report.sweep, lrs=nothing.copy(), losses=np.zeros((2, 0)), grad_norms=None)
    arrays = {name: nothing.copy() for name in ("lrs", "pooled", "low", "high")}
    marks = dict.fromkeys(("onset", "steepest", "fallen", "minimum", "divergence"))
    return replace(report, sweep=sweep, analysis=replace(report.analysis, **arrays, **marks))
