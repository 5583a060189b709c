import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.text import listed, nearest, plural, printable

# Characters that act on a terminal or turn its text around.
ACTING = "\x1b[31m", "\x07", "\r", "\n", "\t", "\x9b2J", "\u202e", "\u2066", "\u2028", "\x00", "\ud800", "\U000e0041"


def test_ten_thousand_random_strings_come_out_printable_and_short():
    rng = np.random.default_rng(0)
    # half from all of Unicode, surrogates included, half from the controls and the first plane's marks
    for i in range(10_000):
        top = 0x110000 if i % 2 else 0x2100
        text = "".join(map(chr, rng.integers(0, top, size=rng.integers(0, 50))))
        width = int(rng.integers(1, 60))
        shown = printable(text, width=width)
        assert shown.isprintable()
        assert len(shown) <= width


@given(st.text(st.characters(codec=None), max_size=200), st.integers(1, 100))
@settings(deadline=None)
def test_any_text_is_shown_printable_within_the_width(text, width):
    shown = printable(text, width=width)
    assert shown.isprintable()
    assert len(shown) <= width
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for c in shown)


@given(st.text(st.characters(codec="utf-8"), max_size=80).filter(str.isprintable))
@settings(deadline=None)
def test_printable_text_that_fits_is_left_alone(text):
    assert printable(text) == text


@pytest.mark.parametrize("text", ACTING)
def test_nothing_acts(text):
    assert printable(f"a{text}b").startswith("a\\")


def test_each_kind_of_escape():
    assert printable("\x1b\u202e\U000e0041") == "\\x1b\\u202e\\U000e0041"


def test_the_cut_leaves_room_for_its_ellipsis():
    assert printable("abcdef", width=4) == "abc…"
    assert printable("abcd", width=4) == "abcd"
    # four characters, but escaped they are seven
    assert printable("ab\x1bd", width=4) == "ab\\…"


@pytest.mark.parametrize("width", [0, -1])
def test_in_no_width_nothing_is_shown(width):
    assert not printable("abc", width=width)
    assert not printable("\x1b", width=width)


def test_a_very_long_name_is_not_escaped_in_full():
    class Watched(str):
        __slots__ = ()

        def __getitem__(self, key):
            assert key == slice(None, 81)
            return str.__getitem__(self, key)

        def __str__(self):
            return self

    assert len(printable(Watched("\x1b" * 10**6))) == 80


@pytest.mark.parametrize(
    ("name", "choice"),
    [("cosin", "cosine"), ("COSINE", "cosine"), ("warmup-cosine", "warmup_cosine"), ("xyzzy", None), ("", None)],
)
def test_nearest_finds_the_likely_meaning_or_nothing(name, choice):
    assert nearest(name, ["cosine", "step", "warmup_cosine"]) == choice


def test_nearest_gives_the_choice_as_it_is_written():
    assert nearest("target", ["Target", "other"]) == "Target"
    assert nearest("target", []) is None


def test_listed_quotes_cuts_and_counts():
    assert listed([]) == ""
    assert listed(["a"]) == "'a'"
    assert listed(["a", "b\n"]) == "'a', 'b\\x0a'"
    assert listed((str(i) for i in range(5)), most=3) == "'0', '1', '2' and 2 more"
    assert listed(["x" * 100]) == f"'{'x' * 39}…'"


def test_plurals_are_spelt_as_they_are_spoken():
    spelt = {"epoch": "epochs", "batch": "batches", "loss": "losses", "class": "classes", "step": "steps"}
    for noun, many in spelt.items():
        assert plural(2, noun) == f"2 {many}"
        assert plural(1, noun) == f"1 {noun}"
