"""The page in a real browser: it opens without a complaint, fits a phone, and answers a pointer and the keyboard."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from html import escape, unescape
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from log_fixture import broken, healthy, write_log
from race_fixture import EVERY
from report_fixture import ok_report

from lrfind import find_lr
from lrfind.diagnose import diagnose
from lrfind.report.diagnosis.html import to_html as diagnoses_to_html
from lrfind.report.html import to_html

pytestmark = pytest.mark.browser

# As distributions call it.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
)
# Milliseconds of the page's own clock that scripts get.
BUDGET = 2000
# Of a phone, a tablet held upright, and a desk; a window cannot be as narrow as a phone, a frame in it can.
WIDTHS = (360, 700, 1200)
# What the probe finds out in a frame.
PROBE = """<script>
var probed = () => {
  const beyond = [...document.querySelectorAll("main *, header *")].filter((e) =>
    e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll") && !e.closest("svg"));
  const charts = [...document.querySelectorAll("svg[data-x]")].filter((e) => e.getBoundingClientRect().width > 0);
  const read = (chart) => chart.closest("figure").querySelector(".readout").textContent;
  const hovered = charts.map((chart) => {
    const box = chart.getBoundingClientRect(), before = read(chart);
    const at = { clientX: box.left + box.width * 0.55, clientY: box.top + box.height / 2, bubbles: true };
    chart.dispatchEvent(new PointerEvent("pointermove", at));
    const over = read(chart), seen = chart.querySelector(".cursor").getAttribute("visibility");
    chart.dispatchEvent(new KeyboardEvent("keydown", { key: "PageUp", bubbles: true }));
    const moved = read(chart);
    chart.dispatchEvent(new PointerEvent("pointerleave"));
    return { before, over, seen, moved, after: read(chart) };
  });
  return {
    width: innerWidth, scrolls: document.documentElement.scrollWidth,
    beyond: beyond.map((e) => e.outerHTML.slice(0, 80)),
    charts: [...document.querySelectorAll("svg.chart")].filter((e) => e.getBoundingClientRect().width > 0).length,
    hovered, buttons: [...document.querySelectorAll("button")].every((e) => !e.hidden),
    page: getComputedStyle(document.body).backgroundColor,
    texts: [...document.querySelectorAll("svg")].filter((e) => e.getBoundingClientRect().width > 0).map((svg) => ({
      chart: svg.getAttribute("class"), size: [svg.viewBox.baseVal.width, svg.viewBox.baseVal.height],
      texts: [...svg.querySelectorAll("text")].map((text) => {
        const box = text.getBBox();
        return [text.textContent, box.x, box.y, box.x + box.width, box.y + box.height];
      }),
    })),
  };
};
</script></body>"""
# Frames of a page inside share its origin, so it may ask them.
FRAMES = """<!doctype html><body>{frames}<script>
addEventListener("load", () => {{
  const found = [...document.querySelectorAll("iframe")].map((frame) => frame.contentWindow.eval("probed()"));
  document.body.replaceChildren(Object.assign(document.createElement("pre"), {{ textContent: JSON.stringify(found) }}));
}});
</script></body>"""


@pytest.fixture(scope="session")
def browser() -> str:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    return found


def opened(browser: str, page: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Return what the browser prints: its log on standard error, the page as it became on standard output."""
    profile = page.with_name(f"profile-{page.stem}")
    command = [browser, *FLAGS, f"--user-data-dir={profile}", f"--virtual-time-budget={BUDGET}", *flags, "--dump-dom"]
    return subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=120, check=True)


def probed(
    browser: str, page_text: str, folder: Path, *flags: str, ask: str = "", widths: Sequence[int] = WIDTHS
) -> list[dict[str, Any]]:
    """Return what the probe found at every width; `ask` may replace the end of the probe by more of it."""
    # The page allows no script but its own, so a copy without that rule is asked.
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page_text).replace("</body>", PROBE)
    html = html.replace("</body>", ask) if ask else html
    frames = "".join(f'<iframe style="width:{width}px;border:0" srcdoc="{escape(html)}"></iframe>' for width in widths)
    page = folder / "frames.html"
    page.write_text(FRAMES.format(frames=frames), encoding="utf-8")
    found = re.search(r"<pre>(.*?)</pre>", opened(browser, page, *flags).stdout, re.DOTALL)
    assert found is not None, "the probe did not run"
    return list(json.loads(unescape(found[1])))


@pytest.mark.parametrize("name", EVERY)
def test_the_page_opens_without_a_complaint(browser: str, tmp_path: Path, name: str) -> None:
    page = tmp_path / "report.html"
    page.write_text(to_html(EVERY[name]()), encoding="utf-8")
    run = opened(browser, page, "--enable-logging=stderr", "--v=0")
    assert "</html>" in run.stdout
    assert [line for line in run.stderr.splitlines() if "CONSOLE" in line] == []


def test_a_complaint_would_be_seen(browser: str, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(to_html(ok_report()).replace("</body>", "<script>1</script></body>"), encoding="utf-8")
    assert "CONSOLE" in opened(browser, page, "--enable-logging=stderr", "--v=0").stderr


@pytest.mark.parametrize("name", EVERY)
def test_the_page_fits_every_screen_and_its_charts_answer(browser: str, tmp_path: Path, name: str) -> None:
    found = probed(browser, to_html(EVERY[name]()), tmp_path)
    assert [each["width"] for each in found] == list(WIDTHS)
    for each in found:
        assert each["scrolls"] <= each["width"]
        assert each["beyond"] == []
        assert each["buttons"]
        assert each["hovered"]
        for chart in each["hovered"]:
            assert chart["before"] == chart["after"] == "Point at the curve, or use the arrow keys, to read it."
            assert chart["seen"] == "visible"
            assert re.search(r"\d", chart["over"])
            assert re.search(r"\d", chart["moved"])


def test_dark_is_dark_and_light_is_light(browser: str, tmp_path: Path) -> None:
    shades = []
    for scheme in ("0", "1"):
        found = probed(browser, to_html(ok_report()), tmp_path, f"--blink-settings=preferredColorScheme={scheme}")
        shades.append(sum(map(int, re.findall(r"\d+", found[0]["page"])[:3])))
    dark, light = shades
    assert dark < 150
    assert light > 600


@pytest.mark.parametrize("n_logs", [1, 2])
def test_a_page_of_diagnoses_fits_every_screen_and_shows_its_charts(browser: str, tmp_path: Path, n_logs: int) -> None:
    logs = [
        write_log(tmp_path / f"{'a-run-with-a-long-name' * 3}.csv", broken()),
        write_log(tmp_path / "b.csv", healthy()),
    ]
    text = diagnoses_to_html([diagnose(str(log)) for log in logs[:n_logs]], created="2026-01-02T10:00:00")
    page = tmp_path / "report.html"
    page.write_text(text, encoding="utf-8")
    run = opened(browser, page, "--enable-logging=stderr", "--v=0")
    assert [line for line in run.stderr.splitlines() if "CONSOLE" in line] == []
    for each in probed(browser, text, tmp_path):
        assert each["scrolls"] <= each["width"]
        assert each["beyond"] == []
        # One for each log, and one of both.
        assert each["charts"] == {1: 1, 2: 3}[n_logs]


SAMPLES = Path(__file__).parents[1] / "sample_data"
# Of every kind: few rows and many, classes and numbers, with an answer and without, raced and not.
TABLES: dict[str, dict[str, Any]] = {
    "healthcare_breast_cancer": {},
    "biology_iris": {},
    "vehicles_auto_mpg": {"optimizer": "sgd"},
    "chemistry_wine": {"race": None},
    "finance_synthetic_returns": {"race": None},
    "finance_us_macro": {},
    "text_seattle_pets": {},
}


def on_another_or_outside(found: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the texts of the charts on a page that overlap, or that leave their picture."""
    wrong: list[tuple[str, ...]] = []
    for chart in found["texts"]:
        width, height = chart["size"]
        for text, left, top, right, bottom in chart["texts"]:
            if left < 0 or top < 0 or right > width or bottom > height:
                wrong.append((chart["chart"], "outside", text))
        for (one, l1, t1, r1, b1), (other, l2, t2, r2, b2) in combinations(chart["texts"], 2):
            if l1 < r2 and l2 < r1 and t1 < b2 and t2 < b1:
                wrong.append((chart["chart"], one, other))
    return wrong


@pytest.mark.parametrize("name", EVERY)
def test_no_text_of_a_made_up_report_is_on_another(browser: str, tmp_path: Path, name: str) -> None:
    for found in probed(browser, to_html(EVERY[name]()), tmp_path, widths=(1200, 400)):
        assert sum(len(chart["texts"]) for chart in found["texts"]) > 5
        assert on_another_or_outside(found) == []


@pytest.mark.parametrize("name", TABLES)
def test_no_text_of_a_real_report_is_on_another(browser: str, tmp_path: Path, name: str) -> None:
    page = to_html(find_lr(str(SAMPLES / f"{name}.csv"), **TABLES[name]))
    for found in probed(browser, page, tmp_path, widths=(1200, 400)):
        assert on_another_or_outside(found) == []
        assert found["scrolls"] <= found["width"]


def test_texts_on_another_would_be_seen(browser: str, tmp_path: Path) -> None:
    wrong, group = '<text x="-5" y="60">a</text><text x="-3" y="60">b</text>', '<g class="cursor"'
    page = to_html(ok_report()).replace(group, wrong + group)
    kinds = {kind for found in probed(browser, page, tmp_path) for _, kind, _ in on_another_or_outside(found)}
    assert kinds == {"outside", "a"}
