"""The page of several logs in a browser: each chart answers the pointer and the keys."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from log_fixture import broken, healthy, write_log
from test_report_browser import WIDTHS, browser, probed  # noqa: F401 - a fixture

from lrfind.diagnose import diagnose
from lrfind.report.diagnosis.html import to_html

pytestmark = pytest.mark.browser

READ = re.compile(r"0\.\d+ · [abc]\.csv {2}· {2}step \d+ · training loss [\d.]+ \(.*mean of \d points\) · rate 0\.\d+")
# Asks the charts with a pointer of several runs, as the other page's are asked.
ASK = """<script>
const asked = probed;
window.probed = () => ({ ...asked(), runs: [...document.querySelectorAll("svg[data-hover]")]
  .filter((each) => each.getBoundingClientRect().width > 0).map((chart) => {
    const box = chart.getBoundingClientRect();
    const read = () => chart.closest("figure").querySelector(".readout").textContent, before = read();
    chart.dispatchEvent(new PointerEvent("pointermove",
      { clientX: box.left + box.width * 0.4, clientY: box.top + box.height / 2, bubbles: true }));
    const over = read(), on = chart.querySelectorAll(".on").length;
    const down = new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true });
    chart.dispatchEvent(down);
    const other = read();
    chart.dispatchEvent(new PointerEvent("pointerleave"));
    return { before, over, on, other, after: read() };
  }) });
</script></body>"""


def test_charts_of_several_runs_read_run_step_loss_and_rate(browser: str, tmp_path: Path):  # noqa: F811 - a fixture
    logs = [write_log(tmp_path / "a.csv", broken(), lr=0.1), write_log(tmp_path / "b.csv", healthy(), lr=0.01),
            write_log(tmp_path / "c.csv", healthy(floor=0.5), lr=0.001)]  # fmt: skip
    text = to_html([diagnose(str(log)) for log in logs], created="2026-01-02T10:00:00")
    found = probed(browser, text, tmp_path, ask=ASK)
    assert len(found) == len(WIDTHS)
    for each in found:
        assert each["scrolls"] <= each["width"]
        assert each["beyond"] == []
        (over_steps, over_rates) = each["runs"]
        for chart in (over_steps, over_rates):
            assert chart["before"] == chart["after"] == "Point at a run, or use the arrow keys, to read it."
            assert chart["on"] == 1
            assert chart["over"] != chart["other"]
        assert READ.fullmatch(over_steps["over"]), over_steps["over"]
        assert READ.fullmatch(over_steps["other"]), over_steps["other"]
        assert "peak rate" in over_rates["over"]
