"""The files of a run."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from report_fixture import N_SEEDS, REPORTS, no_signal_report, ok_report

from lrfind.report import to_json, write_report
from lrfind.report.files import sweep_csv


def test_every_file_is_written_and_the_same_twice(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_report(ok_report(), tmp_path / name)
    files = sorted(str(path.relative_to(tmp_path / "a")) for path in (tmp_path / "a").rglob("*") if path.is_file())
    plots = [f"plots/{name}.{kind}" for name in ("gradient", "loss", "schedule") for kind in ("png", "svg")]
    assert files == [*plots, "report.html", "run.json", "sweep.csv"]
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file


def test_json_is_written_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    write_text = Path.write_text

    def note(path: Path, *args: object, **options: object) -> int:
        written.append(path.name)
        return write_text(path, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", note)
    write_report(no_signal_report(), tmp_path, plots=False)
    assert written == ["sweep.csv", "report.html", "run.json"]
    assert not (tmp_path / "plots").exists()
    assert (tmp_path / "run.json").read_text() == to_json(no_signal_report())
    assert json.loads((tmp_path / "run.json").read_text())["status"] == "complete"


def test_sweep_csv_holds_the_raw_losses_and_blanks_where_a_seed_was_lost() -> None:
    sweep = ok_report().sweep
    rows = list(csv.reader(sweep_csv(sweep).splitlines()))
    assert rows[0] == ["step", "lr", *(f"loss_seed_{seed}" for seed in range(N_SEEDS))]
    read = np.array([[float(cell or "nan") for cell in row] for row in rows[1:]])
    np.testing.assert_array_equal(read[:, 0], np.arange(sweep.n_steps))
    np.testing.assert_array_equal(read[:, 1], sweep.lrs)
    np.testing.assert_array_equal(read[:, 2:].T, sweep.losses)
    assert np.isnan(read[-1, 2:]).all()


@pytest.mark.parametrize("name", REPORTS)
def test_csv_has_no_text_cell_below_its_header(name: str) -> None:
    for row in csv.reader(sweep_csv(REPORTS[name]().sweep).splitlines()[1:]):
        assert all(cell == "" or np.isfinite(float(cell)) for cell in row)
