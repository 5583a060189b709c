import errno
import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_runs import NOW, a_document, a_recommendation, put_run

from lrfind.errors import RunError
from lrfind.optim import OPTIMIZERS
from lrfind.recommend import Recommendation
from lrfind.runs import folder_of, list_runs, load_run, newest_run
from lrfind.runs.document import LOOK, MAX_BYTES
from lrfind.schedule import SCHEDULES, Schedule, Segment, values


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_recommendation_survives_the_round_trip(tmp_path, schedule, optimizer):
    advice = a_recommendation(schedule, optimizer)
    run = load_run(put_run(tmp_path, a_document(advice)))
    assert run.recommendation == advice
    assert run.created == NOW


def test_a_schedule_of_ones_own_survives_the_round_trip(tmp_path):
    segments = (
        Segment(start=0, stop=10.5, shape="exponential", begin=0.01, end=1),
        Segment(start=10.5, stop=99, shape="polynomial", begin=1, end=0, power=3),
    )
    advice = a_recommendation(Schedule(name="mine", peak_lr=0.1, n_steps=100, segments=segments))
    assert load_run(put_run(tmp_path, a_document(advice))).recommendation == advice


def test_an_abstention_survives_the_round_trip(tmp_path):
    nothing = Recommendation(
        verdict="no_signal",
        sentence="Nothing to learn.",
        lr=None,
        lr_low=None,
        lr_high=None,
        lr_max_stable=None,
        optimizer="sgd",
        batch_size=1,
        train_steps=1,
        schedule=None,
        expected=None,
        evidence=(),
    )
    assert load_run(put_run(tmp_path, a_document(nothing))).recommendation == nothing


def test_segments_may_be_left_out_of_a_known_schedule(tmp_path):
    document = a_document()
    document["recommendation"]["schedule"]["segments"] = []
    assert load_run(put_run(tmp_path, document)).recommendation == a_recommendation()


def said_of(folder):
    with pytest.raises(RunError) as caught:
        load_run(folder)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_a_missing_run_is_told(tmp_path):
    expected = f"cannot read the run '{tmp_path}/run': there is no such file or folder; {LOOK}"
    assert said_of(tmp_path / "run") == expected


def test_a_file_is_no_run(tmp_path):
    (tmp_path / "run").write_text("x")
    said = "it is a file; name the folder that holds run.json"
    assert said_of(tmp_path / "run") == f"cannot read the run '{tmp_path}/run': {said}"


def test_a_diagnosis_is_told_from_a_damaged_run(tmp_path):
    document = a_document(kind="diagnosis", log={})
    del document["recommendation"]
    expected = f"'{tmp_path}' is a diagnosis of a log, which advises no run: name a folder that `lrfind sweep` wrote"
    assert said_of(put_run(tmp_path, document)) == expected


def test_a_folder_without_run_json_is_no_run(tmp_path):
    (tmp_path / "package.json").write_text("{}")
    said = "is not a finished lrfind run: it has no run.json; name the folder that `lrfind sweep` reported"
    assert said_of(tmp_path) == f"'{tmp_path}' {said}"


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 300])
def test_a_path_no_file_can_have_is_told(name):
    assert said_of(Path(name)).startswith("cannot read the run '")


@pytest.mark.parametrize("to", ["/etc/passwd", "/nowhere", "."])
def test_a_link_is_not_followed(tmp_path, to):
    (tmp_path / "run.json").symlink_to(to)
    said = said_of(tmp_path)
    assert said.endswith("its run.json is a symbolic link, which lrfind does not follow; put the file itself there")


def test_neither_a_pipe_nor_a_folder_is_read(tmp_path):
    os.mkfifo(tmp_path / "run.json")
    assert "its run.json is not a regular file" in said_of(tmp_path)
    (tmp_path / "sub" / "run.json").mkdir(parents=True)
    assert "its run.json is not a regular file" in said_of(tmp_path / "sub")


def test_a_huge_file_is_not_read(tmp_path):
    with (tmp_path / "run.json").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert "has 50,000,001 bytes, at most 50,000,000 are read" in said_of(tmp_path)


def test_a_file_that_cannot_be_read_is_told(tmp_path, monkeypatch):
    def deny(*args, **kwargs):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    put_run(tmp_path)
    monkeypatch.setattr(os, "open", deny)
    assert said_of(tmp_path) == f"cannot read the run '{tmp_path}': permission denied; {LOOK}"


PRIVATE_LINE = "root:x:0:0:"


@pytest.mark.parametrize(
    "text",
    [
        PRIVATE_LINE,
        "{" + PRIVATE_LINE,
        '{"schema_version": NaN}',
        '{"schema_version": -Infinity}',
        '{"a": 1e999}',
        "[" * 200_000,
        '{"a":' * 200_000,
        "\udcff",
        "9" * 5000,
        json.dumps(a_document())[:-1],
    ],
)
def test_what_is_not_json_is_damaged_and_never_quoted(tmp_path, text):
    (tmp_path / "run.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    said = "is damaged: its run.json is truncated or is not valid JSON; run `lrfind sweep` again"
    assert said_of(tmp_path) == f"the run '{tmp_path}' {said}"


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_file_is_damaged(tmp_path, text):
    said = "is damaged: its run.json is empty; run `lrfind sweep` again"
    assert said_of(put_run(tmp_path, text=text)) == f"the run '{tmp_path}' {said}"


@pytest.mark.parametrize("text", ["[]", "1", "null", '"x"'])
def test_json_of_another_shape_is_no_run(tmp_path, text):
    said = "is not an lrfind run: its run.json holds no JSON object; name another folder"
    assert said_of(put_run(tmp_path, text=text)) == f"'{tmp_path}' {said}"


def test_someone_elses_json_is_no_run(tmp_path):
    assert "its run.json has no schema_version" in said_of(put_run(tmp_path, text='{"name": "x"}'))


def test_a_newer_schema_asks_for_an_upgrade(tmp_path):
    said = "was written by a newer lrfind (schema 999, this one reads up to 1): upgrade lrfind to read it"
    assert said_of(put_run(tmp_path, a_document(schema_version=999))) == f"the run '{tmp_path}' {said}"


@pytest.mark.parametrize("status", ["interrupted", "running", None, 1, [], "Complete"])
def test_an_unfinished_run_is_refused(tmp_path, status):
    said = "is incomplete: it was interrupted or failed; run `lrfind sweep` again"
    assert said_of(put_run(tmp_path, a_document(status=status))) == f"the run '{tmp_path}' {said}"


HOSTILE = [None, True, "x", PRIVATE_LINE, [], {}, [1], {"a": 1}, -1, 0, 1e308, 10**400, 0.5, -0.0]
# (path to the field, the values that are fine after all)
FIELDS = [
    ("schema_version", ()),
    ("config", (None, {}, {"a": 1})),
    ("findings", (None, [], [1])),
    ("recommendation", ()),
    ("recommendation.verdict", ()),
    ("recommendation.sentence", (None, "x", PRIVATE_LINE)),
    ("recommendation.lr", ()),
    ("recommendation.lr_low", (None,)),
    ("recommendation.lr_high", (None, 0.5)),
    ("recommendation.lr_max_stable", (None, 0.5)),
    ("recommendation.optimizer", ()),
    ("recommendation.batch_size", ()),
    ("recommendation.train_steps", ()),
    ("recommendation.schedule", (None,)),
    ("recommendation.schedule.name", ("x",)),
    ("recommendation.schedule.peak_lr", (0.5,)),
    ("recommendation.schedule.n_steps", ()),
    ("recommendation.schedule.segments", ([],)),
    ("recommendation.schedule.segments.0.start", (0, -0.0)),
    ("recommendation.schedule.segments.0.stop", ()),
    ("recommendation.schedule.segments.0.shape", ()),
    ("recommendation.schedule.segments.0.begin", (0, 0.5, -0.0)),
    ("recommendation.schedule.segments.0.end", (0, 0.5, -0.0)),
    ("recommendation.schedule.segments.0.power", (None, 0.5)),
    ("recommendation.expected", (None, {}, {"a": 1})),
    ("recommendation.expected.val_loss", (None, -1, 0, 0.5, -0.0)),
    ("recommendation.evidence", ([],)),
    ("recommendation.evidence.0.name", ("x", PRIVATE_LINE)),
    ("recommendation.evidence.0.lr", (None, 0.5)),
]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: repr(value)[:12])
@pytest.mark.parametrize(("path", "fine"), FIELDS, ids=[path for path, _ in FIELDS])
def test_every_field_is_checked(tmp_path, path, fine, value):
    document = a_document()
    *parents, key = path.split(".")
    place = document
    for parent in parents:
        place = place[int(parent) if parent.isdigit() else parent]
    place[key] = value
    put_run(tmp_path, document)
    if any(type(value) is type(x) and value == x for x in fine):
        assert isinstance(load_run(tmp_path).recommendation, Recommendation)
    elif path == "schema_version" and value == 10**400:
        assert "is damaged" in said_of(tmp_path)
    else:
        said = said_of(tmp_path)
        assert said.startswith(f"the run '{tmp_path}' is damaged: ")
        assert PRIVATE_LINE not in said


def test_an_exponential_needs_a_level_above_zero(tmp_path):
    document = a_document(a_recommendation("exponential"))
    document["recommendation"]["schedule"]["segments"][0]["begin"] = 0
    assert "begin in its run.json is missing or invalid, expected a finite number above 0 up to 1" in said_of(
        put_run(tmp_path, document)
    )


@pytest.mark.parametrize(("low", "high"), [(0.1, 0.2), (0.001, 0.002), (0.02, 0.01)])
def test_the_interval_holds_the_rate(tmp_path, low, high):
    document = a_document()
    document["recommendation"] |= {"lr_low": low, "lr_high": high}
    assert "is damaged: recommendation.lr_" in said_of(put_run(tmp_path, document))


def test_segments_must_cover_the_run_in_order(tmp_path):
    document = a_document()
    document["recommendation"]["schedule"]["segments"].reverse()
    assert "segments that cover every step in order" in said_of(put_run(tmp_path, document))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150)
@given(data=st.data())
def test_any_json_in_any_place_is_a_run_or_an_error(tmp_path_factory, data):
    document = a_document()
    place, key = document, None
    while isinstance(place, dict | list) and place and (key is None or data.draw(st.booleans())):
        parent = place
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        place = parent[key]
    parent[key] = data.draw(JSON)
    folder = put_run(tmp_path_factory.mktemp("run"), document)
    try:
        run = load_run(folder)
    except RunError:
        return
    if run.recommendation.schedule is not None:
        rates = values(run.recommendation.schedule)
        assert all(0 <= rate < 1e151 for rate in rates)


# --- the newest run


def test_the_newest_run_is_found_by_what_it_says(tmp_path):
    put_run(tmp_path / "z-old", a_document(created="2026-01-01T00:00:00Z"))
    put_run(tmp_path / "a-new", a_document(created="2026-01-03T00:00:00+00:00"))
    put_run(tmp_path / "middle", a_document(created="2026-01-02T00:00:00"))
    put_run(tmp_path / ".a.tmp-abcd1234", a_document(created="2027-01-01T00:00:00Z"))
    put_run(tmp_path / "unfinished", a_document(created="2027-01-01T00:00:00Z", status="interrupted"))
    put_run(tmp_path / "damaged", text="{")
    (tmp_path / "notes.txt").write_text("x")
    assert newest_run(tmp_path) == tmp_path / "a-new"
    assert [run.path.name for run in list_runs(tmp_path)] == ["a-new", "middle", "z-old"]


def test_a_run_without_a_date_has_the_age_of_its_folder(tmp_path):
    put_run(tmp_path / "dated")
    put_run(tmp_path / "undated", a_document(created="yesterday"))
    os.utime(tmp_path / "undated", (2e9, 2e9))
    assert newest_run(tmp_path) == tmp_path / "undated"


@pytest.mark.parametrize("root", ["nowhere", "file", "empty"])
def test_no_run_at_all_says_what_to_do(tmp_path, root):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(RunError) as caught:
        newest_run(tmp_path / root)
    todo = "name the folder of one, as in `lrfind recommend FOLDER`, or make one with `lrfind sweep DATA`"
    assert str(caught.value) == f"no run found under '{tmp_path}/{root}': {todo}"


@pytest.mark.parametrize("name", ["run", "my run", "-x", "a\nb"])
def test_without_a_run_in_its_place_one_beside_it_is_named(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    put_run(tmp_path / "older", a_document(created="2025-01-01T00:00:00Z"))
    put_run(tmp_path / name)
    with pytest.raises(RunError) as caught:
        newest_run(Path("lrfind-runs"))
    words = said_by_bash(str(caught.value).split("`")[1])
    assert words[:2] == ["lrfind", "recommend"]
    assert load_run(words[2]).path.resolve() == tmp_path / name


def said_by_bash(line):
    """Return the words that a shell takes a command line for."""
    read = subprocess.run(["bash", "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True)  # noqa: S607
    return [os.fsdecode(word) for word in read.stdout.split(b"\0")[:-1]]


# --- A file in place of its folder


@pytest.mark.parametrize("name", ["", "run.json", "report.html", "sweep.csv", "plots", "plots/loss.png"])
def test_a_file_of_a_run_stands_for_its_folder(tmp_path, name):
    put_run(tmp_path / "run")
    (tmp_path / "run/plots").mkdir()
    for file in ("report.html", "sweep.csv", "plots/loss.png"):
        (tmp_path / "run" / file).write_text("x")
    given = tmp_path / "run" / name
    assert folder_of(given) == (given if given.is_dir() else tmp_path / "run")


@pytest.mark.parametrize("name", ["report.html", "other/x.csv", "run/inside/x.csv"])
def test_a_file_outside_a_run_is_told(tmp_path, name):
    put_run(tmp_path / "run")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("x")
    with pytest.raises(RunError, match=r"there is no run\.json beside it; name the folder that `lrfind sweep` wrote"):
        folder_of(tmp_path / name)


@pytest.mark.parametrize("name", ["nowhere", "a\0b", "\ud800", "a" * 5000])
def test_a_name_that_names_nothing_is_left_to_who_reads_it(name):
    assert folder_of(Path(name)) == Path(name)
