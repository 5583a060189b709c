"""The palette: text can be read on every ground, in light and in dark."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from lrfind.report.palette import DARK, LIGHT

# WCAG 2.2, success criterion 1.4.3
LEAST_CONTRAST = 4.5


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_of_black_and_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("text", ["INK", "MUTED", "ACCENT", "ALARM"])
def test_text_can_be_read_on_every_ground(text: str, colours: Mapping[str, str]) -> None:
    assert min(contrast(colours[text], colours[ground]) for ground in ("PAGE", "CARD", "WASH")) >= LEAST_CONTRAST


def test_both_modes_have_the_same_roles() -> None:
    assert set(LIGHT) == set(DARK)
