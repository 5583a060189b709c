"""Charts of several runs: lines that can be told apart, labels that do not overprint, what the pointer reads."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from log_fixture import broken, healthy, write_log

from lrfind.diagnose import diagnose
from lrfind.report import palette
from lrfind.report.diagnosis.comparison import Comparison, compare
from lrfind.report.diagnosis.comparison_charts import comparison_charts, rates_charts
from lrfind.report.diagnosis.comparison_plot import cut_names, dots_of, free_places, lines_of, short_names
from lrfind.report.diagnosis.figures import save_figures
from lrfind.report.diagnosis.run_colours import DARK, LIGHT, colour_of, dash_of

# What a dichromat sees of linear red, green and blue (Machado, Oliveira & Fernandes 2009, severity 1).
SEEN = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def linear(colour: str) -> np.ndarray:
    share = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(rgb, 0, 1)
    f = np.cbrt(np.maximum(xyz / [0.9505, 1.0, 1.089], 1e-9))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one: str, other: str) -> float:
    bright = sorted(float(np.array([0.2126, 0.7152, 0.0722]) @ linear(each)) + 0.05 for each in (one, other))
    return bright[1] / bright[0]


@pytest.mark.parametrize(("colours", "page"), [(LIGHT, palette.LIGHT["PAGE"]), (DARK, palette.DARK["PAGE"])])
def test_lines_are_told_apart_by_every_kind_of_eye(colours: tuple[str, ...], page: str):
    assert min(contrast(colour, page) for colour in colours) >= 4.5
    for a, b in itertools.combinations(range(12), 2):
        assert (colour_of(a), dash_of(a)) != (colour_of(b), dash_of(b))
        if dash_of(a) == dash_of(b):
            for matrix in SEEN.values():
                one, other = (lab(np.array(matrix) @ linear(colours[colour_of(k)])) for k in (a, b))
                assert np.linalg.norm(one - other) > 10, (a, b)


def compared(folder: Path, n: int, *, val: bool = False) -> Comparison:
    logs = []
    for k in range(n):
        loss = broken() if k == n - 1 else healthy(floor=0.1 + k / 20)
        path = write_log(folder / f"a_run_with_a_long_name_{k}.csv", loss, lr=0.001 * 2**k)
        if val:
            rows = path.read_text().splitlines()
            path.write_text("\n".join([f"{rows[0]},val_loss", *(f"{row},{0.3 + k / 20 + 3 / i:.4f}" for i, row in
                                                                 enumerate(rows[1:], start=1))]))  # fmt: skip
        logs.append(diagnose(str(path)))
    return compare(logs)


def elements(svg: str, name: str) -> list[dict[str, str]]:
    root = ET.fromstring(f"<all>{svg}</all>")  # noqa: S314
    return [{**each.attrib, "text": "".join(each.itertext())} for each in root.iter(name)]


@pytest.mark.parametrize("n", [2, 5, 12])
def test_names_of_lines_do_not_overprint_and_stay_in_the_picture(tmp_path: Path, n: int):
    for chart, width in zip(
        re.findall("<svg.*?</svg>", comparison_charts(compared(tmp_path, n))), (880, 350), strict=True
    ):
        names = [each for each in elements(chart, "text") if "named" in each["class"]]
        assert len(names) == n == len({each["text"] for each in names})
        heights = sorted(float(each["y"]) for each in names)
        assert min(np.diff(heights)) >= 15
        assert max(float(each["x"]) + 7.4 * len(each["text"]) for each in names) <= width


@pytest.mark.parametrize("n", [2, 5, 12])
@pytest.mark.parametrize("val", [False, True])
def test_names_of_dots_do_not_overprint(tmp_path: Path, n: int, *, val: bool):
    for chart in re.findall("<svg.*?</svg>", rates_charts(compared(tmp_path, n, val=val))):
        boxes = []
        for each in elements(chart, "text"):
            if "named" in each["class"]:
                length = 7.4 * len(each["text"])
                left = float(each["x"]) - length * {"start": 0, "middle": 0.5, "end": 1}[each["text-anchor"]]
                boxes.append((left, float(each["y"]) - 9, left + length, float(each["y"]) + 2))
        assert len(boxes) >= min(n, 3)
        for a, b in itertools.combinations(boxes, 2):
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], (a, b)


def test_the_pointer_reads_run_step_loss_and_rate(tmp_path: Path):
    comparison = compared(tmp_path, 3)
    (wide, _) = re.findall("<svg.*?</svg>", comparison_charts(comparison))
    paths = {each["data-name"]: each for each in elements(wide, "path") if "data-told" in each}
    assert len(paths) == 3
    for standing, line in zip(comparison.standings, lines_of(comparison).lines, strict=True):
        told, at = paths[line.label]["data-told"].split("|"), paths[line.label]["data-at"].split()
        assert len(told) == len(at) == len(line.step)
        mean = r"\((?:trimmed )?mean of \d points\)"
        as_read = re.compile(rf"step \d+ · training loss [\d.e-]+ {mean} · rate [\d.]+")
        assert all(as_read.fullmatch(each) for each in told), told
        assert f"step {standing.step[-1]:g} " in told[-1]


def test_losses_as_logged_are_read_as_such(tmp_path: Path):
    for line in lines_of(compared(tmp_path, 2, val=True)).lines:
        assert "mean" not in line.told[0]
        assert line.told[0].startswith("step 1 · held-out loss 3.3")


def test_dots_are_what_the_table_says_at_the_peak_rates(tmp_path: Path):
    comparison = compared(tmp_path, 4, val=True)
    dots = dots_of(comparison)
    assert [(d.lr, d.loss, d.lowest) for d in dots.dots[:3]] == [
        (s.lr, s.loss, s.lowest) for s in comparison.standings[:3]
    ]
    assert dots.dots[3].loss is None
    assert "NaN from step 151" in dots.dots[3].told


def test_runs_at_one_rate_have_no_chart_of_rates(tmp_path: Path):
    same = [diagnose(str(write_log(tmp_path / f"{k}.csv", healthy(floor=k)))) for k in (1, 2)]
    assert rates_charts(compare(same)) == ""
    assert [path.name for path in save_figures(same, tmp_path / "plots")][-1] == "compared.svg"


def test_long_names_keep_what_differs(tmp_path: Path):
    assert cut_names(["a_long_common_beginning_1", "a_long_common_beginning_2"], width=12) == ["…1", "…2"]
    assert cut_names(["short", "shorter"], width=12) == ["short", "shorter"]
    same = [diagnose(str(write_log(tmp_path / f"run_number_of_many_{k}.csv", healthy(floor=k)))) for k in (1, 2)]
    assert short_names(compare(same).standings) == ["0.01 · …1.csv", "0.01 · …2.csv"]


def test_a_label_without_a_free_place_is_left_out():
    (first, second) = free_places([(5, 5), (6, 5)], [30, 30], taken=[], room=(0, 0, 50, 12), height=10)
    assert first is not None
    assert second is None
