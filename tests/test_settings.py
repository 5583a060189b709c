"""Settings as the command line's options, and back."""

from __future__ import annotations

import importlib

import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from lrfind.settings import Settings, as_options

# the package's name for it is the command itself
command = importlib.import_module("lrfind.cli.sweep")

WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=5).map("c".__add__)


def parsed(options: tuple[str, ...]) -> Settings:
    """Return the settings that the command line makes of options."""
    found: list[Settings] = []

    def take(_data: str, settings: Settings, **_rest: object) -> object:
        found.append(settings)
        raise typer.Exit(0)

    swept, command._swept = command._swept, take
    try:
        app = typer.Typer()
        app.command()(command.sweep)
        result = CliRunner().invoke(app, ["data.csv", *options])
    finally:
        command._swept = swept
    assert result.exit_code == 0, result.output
    return found[0]


def test_defaults_need_no_option():
    assert as_options(Settings()) == ()
    assert as_options(Settings(jobs=4)) == ()


def test_options_read_as_they_are_typed():
    settings = Settings(target="price", hidden=(64, 32), race=None, schedules=("cosine", "linear"), learn=True, seed=3)
    assert " ".join(as_options(settings)) == (
        "--target price --hidden 64,32 --no-race --schedules cosine,linear --learn --seed 3"
    )


@given(
    target=st.none() | WORDS | st.just("-x"),
    hidden=st.lists(st.integers(1, 99), min_size=1, max_size=3).map(tuple),
    optimizer=st.sampled_from(["sgd", "adamw"]),
    train_steps=st.none() | st.integers(1, 1000),
    columns=st.none() | st.lists(WORDS, min_size=1, max_size=2, unique=True).map(tuple),
    race=st.sampled_from([None, "quick", "full"]),
    lr_max=st.sampled_from([1.0, 0.3, 1e-3]),
    forget=st.none() | WORDS,
)
def test_options_make_the_settings_they_came_from(**chosen: object):
    settings = Settings(**chosen, jobs=0)
    assert parsed(as_options(settings)) == settings
