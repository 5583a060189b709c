import errno
import json
import os
import re
import resource
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrfind.errors import OutputError
from lrfind.recommend import Evidence, Expected, Recommendation
from lrfind.runs import check_out_dir, default_run_dir, load_run, new_run
from lrfind.schedule import COURSES, make_schedule, to_dict

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def a_recommendation(schedule="warmup_cosine", optimizer="adam", n_steps=400):
    return Recommendation(
        verdict="ok",
        sentence="Train at 0.012.",
        lr=0.012,
        lr_low=0.006,
        lr_high=0.03,
        lr_max_stable=0.2,
        optimizer=optimizer,
        batch_size=64,
        train_steps=n_steps,
        schedule=make_schedule(schedule, peak_lr=0.012, n_steps=n_steps) if schedule in COURSES else schedule,
        expected=Expected(val_loss=0.11, val_loss_se=0.004, baseline_loss=0.66),
        evidence=(Evidence(name="valley", text="The valley of one seed.", lr=0.02), Evidence(name="race", text="Won.")),
    )


def a_document(recommendation=None, **changes):
    """What run.json holds, written down independently of the report."""
    recommendation = recommendation or a_recommendation()
    fields = asdict(recommendation)
    fields["schedule"] = None if recommendation.schedule is None else to_dict(recommendation.schedule)
    fields["evidence"] = list(fields["evidence"])
    document = {"schema_version": 1, "status": "complete", "lrfind_version": "0.1.0", "created": "2026-01-02T03:04:05Z"}
    return document | {"config": {}, "findings": [], "recommendation": fields} | changes


def put_run(folder, document=None, text=None):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(document or a_document()) if text is None else text)
    return folder


def listing(folder):
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


# --- names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("healthcare_breast_cancer.csv", "healthcare_breast_cancer"),
        ("/data/deep/iris.v2.csv.gz", "iris.v2"),
        ("prices.parquet", "prices"),
        ("standard input", "standard_input"),
    ],
)
def test_ordinary_names_are_kept(name, expected):
    assert default_run_dir(name, now=NOW) == Path(f"lrfind-runs/{expected}-20260102-030405")


@pytest.mark.parametrize(
    "name", ["..", ".", "", "-rf", "../../etc/passwd", ".csv", "\x1b]0;PWNED\x07", "a\0b", "*", "ü" * 300]
)
def test_hostile_names_become_plain_ones(name, tmp_path):
    made = default_run_dir(name, now=NOW, root=tmp_path)
    assert made.parent == tmp_path
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}-20260102-030405", made.name)


@given(st.text(max_size=200))
def test_every_name_is_safe(name):
    made = default_run_dir(name, now=NOW, root=Path("root"))
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}-20260102-030405", made.name)


def test_shortened_names_stay_apart():
    assert default_run_dir("x" * 100, now=NOW) != default_run_dir("x" * 101, now=NOW)
    assert default_run_dir("ä.csv", now=NOW) != default_run_dir("ö.csv", now=NOW)


def test_a_taken_name_is_numbered(tmp_path):
    first = default_run_dir("a.csv", now=NOW, root=tmp_path)
    first.mkdir()
    second = default_run_dir("a.csv", now=NOW, root=tmp_path)
    assert second.name == f"{first.name}-2"
    with new_run(second) as folder:
        put_run(folder)
        assert default_run_dir("a.csv", now=NOW, root=tmp_path).name == f"{first.name}-3"


# --- refusing a place


def refused(path, **options):
    with pytest.raises(OutputError) as caught:
        check_out_dir(path, **options)
    with pytest.raises(OutputError), new_run(path, **options):
        pytest.fail("the block must not run")
    return str(caught.value)


@pytest.mark.parametrize("path", ["", "  "])
def test_an_empty_name_is_refused(path):
    expected = "the output folder has an empty name: name a directory with --out, such as --out my-run"
    assert refused(path) == expected


@pytest.mark.parametrize("path", [".", "..", "/", "a/.."])
def test_the_current_folder_is_refused(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    expected = f"cannot write the run '{Path(path)}': it is the current folder or one above it; name a new folder"
    assert refused(path) == expected
    assert refused(tmp_path).endswith("it is the current folder or one above it; name a new folder")


def test_a_file_is_refused_and_kept(tmp_path):
    (tmp_path / "out").write_text("precious")
    expected = f"cannot write the run '{tmp_path}/out': it is a file, not a directory; name another folder"
    assert refused(tmp_path / "out", force=True) == expected
    assert (tmp_path / "out").read_text() == "precious"


def test_a_file_in_the_middle_of_the_path_is_refused(tmp_path):
    (tmp_path / "file").write_text("precious")
    assert "a file stands where a folder is needed" in refused(tmp_path / "file" / "out")


@pytest.mark.parametrize("force", [True, False])
def test_a_folder_of_the_users_is_refused_even_with_force(tmp_path, force):
    (tmp_path / "thesis.txt").write_text("precious")
    expected = (
        f"cannot write the run '{tmp_path}': it exists, is not empty and is not an lrfind run; name another folder"
    )
    assert refused(tmp_path, force=force) == expected


def test_a_run_is_refused_without_force(tmp_path):
    run = put_run(tmp_path / "run")
    said = f"cannot write the run '{run}': an lrfind run exists there; name another folder or replace it with --force"
    assert refused(run) == said
    assert check_out_dir(run, force=True) == run


@pytest.mark.parametrize("name", ["thesis.txt", "plots/thesis.txt", "plots/deep/a.png", "sweep.csv/notes"])
def test_a_run_with_a_file_of_the_users_is_refused_even_with_force(tmp_path, name):
    run = put_run(tmp_path / "run")
    (run / name).parent.mkdir(parents=True, exist_ok=True)
    (run / name).write_text("precious")
    assert "which lrfind did not write; move that away" in refused(run, force=True)


@pytest.mark.parametrize("name", ["nowhere", "folder"])
def test_a_symbolic_link_is_refused(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / name)
    said = "it is a symbolic link, which lrfind does not write through; name the folder itself"
    assert refused(tmp_path / "out", force=True) == f"cannot write the run '{tmp_path}/out': {said}"
    assert listing(tmp_path / "folder") == {}


@pytest.mark.parametrize("name", ["o" * 300, "o" * 250, "missing/" + "o" * 300])
def test_a_long_name_is_refused_and_leaves_no_parent(tmp_path, name):
    assert "the name is too long; name a shorter one with --out" in refused(tmp_path / name)
    assert listing(tmp_path) == {}


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_name_no_file_can_have_is_refused(tmp_path, name):
    assert "no path can be so named" in refused(tmp_path / name)


def test_a_place_that_stops_even_root_is_refused():
    said = refused("/proc/lrfind_out")
    assert said == "cannot write the run '/proc/lrfind_out': no such file or directory; name another folder"


def test_a_mount_point_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "is_mount", lambda path: path == tmp_path)
    assert refused(tmp_path).endswith("another file system is mounted there; name a folder inside it")


def test_a_read_only_parent_is_refused(tmp_path, monkeypatch):
    # Permissions do not bind root, so the system call is made to say no.
    def deny(path, *args, **kwargs):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr(os, "mkdir", deny)
    expected = f"cannot write the run '{tmp_path}/run': permission denied; name a folder you may write in with --out"
    assert refused(tmp_path / "run") == expected


def test_checking_leaves_nothing_behind(tmp_path):
    assert check_out_dir(str(tmp_path / "a" / "b" / "c")) == tmp_path / "a" / "b" / "c"
    (tmp_path / "empty").mkdir()
    check_out_dir(tmp_path / "empty")
    assert listing(tmp_path) == {"empty": None}


# --- putting a run in its place


@pytest.mark.parametrize("place", ["run", "a/b/c", "[red]run[/nope]", "zwölf läufe", "empty", "-rf", "sta*r"])
def test_a_run_appears_whole(tmp_path, place):
    (tmp_path / "empty").mkdir()
    target = tmp_path / place
    with new_run(target) as folder:
        assert not target.exists() or place == "empty"
        put_run(folder)
        (folder / "plots").mkdir()
        (folder / "plots" / "curve.png").write_bytes(b"x")
    assert sorted(listing(target)) == ["plots", "plots/curve.png", "run.json"]
    assert [p.name for p in target.parent.iterdir() if p.name.startswith(".")] == []
    assert load_run(target).recommendation == a_recommendation()


def test_a_run_may_be_named_relative_to_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with new_run("run") as folder:
        put_run(folder)
    assert load_run("run").path == Path("run")


def test_a_run_has_the_users_permissions(tmp_path):
    (tmp_path / "plain").mkdir()
    with new_run(tmp_path / "run") as folder:
        put_run(folder)
    assert (tmp_path / "run").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_force_replaces_a_run(tmp_path):
    run = put_run(tmp_path / "run")
    (run / "race.csv").write_text("old")
    with new_run(run, force=True) as folder:
        put_run(folder, a_document(a_recommendation("cosine")))
    assert load_run(run).recommendation.schedule.name == "cosine"
    assert sorted(listing(tmp_path)) == ["run", "run/run.json"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, SystemExit])
@pytest.mark.parametrize("force", [True, False])
def test_an_exception_leaves_nothing_new(tmp_path, error, force):
    target = put_run(tmp_path / "run") if force else tmp_path / "a" / "b" / "run"
    before = listing(tmp_path)

    def write():
        with new_run(target, force=force) as folder:
            put_run(folder, a_document(status="half"))
            raise error

    with pytest.raises(error):
        write()
    assert listing(tmp_path) == before


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full; free some space or name another folder with --out"),
        (errno.EFBIG, "a file would pass the size limit of this process; raise it (ulimit -f)"),
        (errno.EIO, "the disk reports an input/output error; name another folder with --out"),
        (errno.EROFS, "the file system is read-only; name another folder with --out"),
        (errno.ENODEV, "no such device; name another folder"),
    ],
)
def test_a_failed_write_is_told_in_a_sentence(tmp_path, number, said):
    with pytest.raises(OutputError) as caught, new_run(tmp_path / "run"):
        raise OSError(number, os.strerror(number))
    assert str(caught.value) == f"cannot write the run '{tmp_path}/run': {said}"


def test_a_place_taken_in_the_meantime_is_not_overwritten(tmp_path):
    def write():
        with new_run(tmp_path / "run") as folder:
            put_run(folder)
            (tmp_path / "run").mkdir()
            (tmp_path / "run" / "thesis.txt").write_text("precious")

    with pytest.raises(OutputError, match="exists, is not empty"):
        write()
    assert listing(tmp_path) == {"run": None, "run/thesis.txt": b"precious"}


@pytest.mark.slow
@pytest.mark.parametrize("limit", [0, 1000, 20_000])
def test_a_limit_on_file_sizes_is_an_error_not_a_death(tmp_path, limit):
    code = (
        "import sys\nfrom lrfind.runs import new_run\nfrom lrfind.errors import OutputError\n"
        "try:\n    with new_run(sys.argv[1]) as folder:\n        (folder / 'run.json').write_text('x' * 30_000)\n"
        "except OutputError as error:\n    sys.exit(str(error))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "run")],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 1
    assert "size limit of this process" in done.stderr
    assert listing(tmp_path) == {}


# --- litter


def litter(folder, name, *, age, **entries):
    place = folder / name
    for entry, document in entries.items():
        put_run(place / entry, document)
    place.mkdir(exist_ok=True)
    then = datetime.now(UTC).timestamp() - age
    for path in (*place.iterdir(), place):
        os.utime(path, (then, then))
    return place


def test_old_litter_is_removed_and_young_or_foreign_folders_stay(tmp_path):
    day = 100_000
    gone = [litter(tmp_path, ".run.tmp-abcd1234", age=day, new=None), litter(tmp_path, ".x.tmp-abcd1234", age=day)]
    kept = [
        litter(tmp_path, ".run.tmp-abcd1235", age=60, new=None),
        litter(tmp_path, ".run.tmp-abcd1236", age=day, new=None, thesis=None),
        litter(tmp_path, ".run.tmp-mine", age=day),
        litter(tmp_path, "run.tmp-abcd1234", age=day),
    ]
    (tmp_path / ".link.tmp-abcd1234").symlink_to(kept[2])
    with new_run(tmp_path / "next") as folder:
        put_run(folder)
    assert [p for p in gone if p.exists()] == []
    assert [p for p in kept if not p.exists()] == []
    assert (tmp_path / ".link.tmp-abcd1234").is_symlink()


def test_a_run_caught_between_two_renames_comes_back(tmp_path):
    document = a_document(a_recommendation("linear"))
    litter(tmp_path, ".run.tmp-abcd1234", age=100_000, new=None, old=document)
    check_out_dir(tmp_path / "next")
    assert load_run(tmp_path / "run").recommendation.schedule.name == "linear"
    assert sorted(listing(tmp_path)) == ["run", "run/run.json"]
