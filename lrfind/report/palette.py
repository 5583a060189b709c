"""The colours every rendering shares: one accent for the answer, one for danger, greys for the rest.

Blue and vermilion stay apart for every kind of colour blindness (Okabe & Ito 2008, darkened to a contrast of 4.5 on
white) and each is also told apart by its label and its dashes, so print in grey loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "INK": "#1a1e26",
    "MUTED": "#5c6473",
    "HAIRLINE": "#e6e8ec",
    "EDGE": "#c3c8d1",
    "SEED": "#a4acb9",
    "BAND": "#c6ccd6",
    "ACCENT": "#0b5fc0",
    "ALARM": "#b3410a",
    "PAGE": "#fcfcfb",
    "CARD": "#ffffff",
    "WASH": "#f6f7f9",
}
# The same roles on a dark page.
DARK: Mapping[str, str] = {
    "INK": "#eceef2",
    "MUTED": "#9ba4b3",
    "HAIRLINE": "#262b34",
    "EDGE": "#3d4451",
    "SEED": "#6b7485",
    "BAND": "#434b5a",
    "ACCENT": "#74b0fa",
    "ALARM": "#f28d5a",
    "PAGE": "#0f1217",
    "CARD": "#161a21",
    "WASH": "#1b2029",
}

INK, MUTED, HAIRLINE = LIGHT["INK"], LIGHT["MUTED"], LIGHT["HAIRLINE"]
SEED, BAND, EDGE, PAPER = LIGHT["SEED"], LIGHT["BAND"], LIGHT["EDGE"], LIGHT["CARD"]
ACCENT, ALARM = LIGHT["ACCENT"], LIGHT["ALARM"]
