import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrfind.errors import UsageError
from lrfind.schedule import (
    COURSES,
    SCHEDULES,
    Schedule,
    Segment,
    make_schedule,
    rescaled,
    to_dict,
    values,
    warmup_cosine,
)

# A busy machine is no failure.
brief = settings(max_examples=50, deadline=None)
DECAYS = ("constant", "linear", "polynomial", "exponential", "cosine", "step")
names = st.sampled_from(sorted(SCHEDULES))
lengths = st.integers(1, 3000)
PEAK = 0.3


def rates(name, n_steps, peak=PEAK):
    return values(make_schedule(name, peak_lr=peak, n_steps=n_steps))


@given(names, lengths, st.floats(1e-12, 1e6))
@brief
def test_rates_are_finite_and_between_nothing_and_the_peak(name, n_steps, peak):
    lrs = rates(name, n_steps, peak)
    assert lrs.shape == (n_steps,)
    assert np.isfinite(lrs).all()
    assert lrs.min() >= 0
    assert lrs.max() <= peak * (1 + 1e-12)


@given(names.filter(lambda name: name not in {"one_cycle", "cyclical", "step"}), lengths)
@brief
def test_the_peak_is_reached(name, n_steps):
    assert rates(name, n_steps).max() == pytest.approx(PEAK, rel=1e-12)


@given(st.sampled_from(["one_cycle", "cyclical"]), st.integers(30, 3000))
@brief
def test_a_peak_between_two_steps_is_nearly_reached(name, n_steps):
    # the turning point lies at most half a step away, and a rise takes at least an eighth of the run
    rise = n_steps / 8 if name == "cyclical" else 0.3 * n_steps - 1
    assert rates(name, n_steps).max() >= PEAK * (1 - 0.5 / rise)


@given(st.sampled_from(DECAYS), lengths)
@brief
def test_decays_never_rise(name, n_steps):
    assert (np.diff(rates(name, n_steps)) <= 1e-15).all()


def test_the_closed_forms():
    n, t = 700, np.arange(700)
    left = 1 - t / n
    expected = {
        "constant": np.ones(n),
        "linear": left,
        "polynomial": left**2,
        "exponential": 0.01 ** (t / n),
        "cosine": (1 + np.cos(np.pi * t / n)) / 2,
        "step": np.select([t < 350, t < 525], [1, 0.1], 0.01),
        "warmup_cosine": np.where(t < 70, t / 70, (1 + np.cos(np.pi * (t - 70) / 630)) / 2),
        "one_cycle": np.where(
            t <= 209,
            1 - 0.96 * (1 + np.cos(np.pi * t / 209)) / 2,
            4e-6 + (1 - 4e-6) * (1 + np.cos(np.pi * (t - 209) / 490)) / 2,
        ),
        # distance to the nearest valley, valleys every 175 steps
        "cyclical": 0.25 + 0.75 * np.minimum(t % 175, 175 - t % 175) / 87.5,
        "warm_restarts": np.select(
            [t < 100, t < 300], [1 + np.cos(np.pi * t / 100), 1 + np.cos(np.pi * (t - 100) / 200)],
            1 + np.cos(np.pi * (t - 300) / 400),
        ) / 2,
    }  # fmt: skip
    assert set(expected) == set(SCHEDULES)
    for name, fractions in expected.items():
        np.testing.assert_allclose(rates(name, n, 1.0), fractions, rtol=1e-12, atol=1e-15, err_msg=name)


@pytest.mark.parametrize("n_steps", [4, 10, 57, 1000])
def test_first_and_last_rates(n_steps):
    n = n_steps
    rise = max(1, n // 10)
    first_last = {
        "constant": (1, 1),
        "linear": (1, 1 / n),
        "polynomial": (1, 1 / n**2),
        "exponential": (1, 0.01 ** (1 - 1 / n)),
        "cosine": (1, np.sin(np.pi / (2 * n)) ** 2),
        "step": (1, 0.01),
        "warmup_cosine": (0, np.sin(np.pi / (2 * (n - rise))) ** 2),
        "one_cycle": (1 / 25, 1 / 25 / 1e4),
        # the last step is one before the last valley; four steps touch valleys alone
        "cyclical": (0.25, 0.25 + (0.75 * 8 / n if n >= 8 else 0)),
        "warm_restarts": (1, np.sin(np.pi / (2 * n * 4 / 7)) ** 2),
    }
    for name, (first, last) in first_last.items():
        lrs = rates(name, n, 1.0)
        assert lrs[0] == pytest.approx(first, abs=1e-12), name
        assert lrs[-1] == pytest.approx(last, rel=1e-9), name


@pytest.mark.parametrize("name", sorted(set(SCHEDULES) - {"step"}))
def test_a_single_step_uses_the_peak(name):
    expected = PEAK / 4 if name == "cyclical" else PEAK
    assert rates(name, 1) == pytest.approx([expected])


def test_runs_too_short_to_warm_up_are_all_cosine():
    np.testing.assert_array_equal(rates("warmup_cosine", 1), rates("cosine", 1))
    np.testing.assert_array_equal(rates("one_cycle", 3), rates("cosine", 3))
    assert warmup_cosine(10, warmup=0) == SCHEDULES["cosine"](10)
    assert warmup_cosine(10, warmup=10) == SCHEDULES["cosine"](10)


def test_a_warm_up_of_ones_own_length():
    lrs = values(Schedule(name="mine", peak_lr=1, n_steps=10, segments=warmup_cosine(10, warmup=4)))
    np.testing.assert_allclose(lrs[:5], [0, 0.25, 0.5, 0.75, 1])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cosin", "unknown schedule 'cosin': did you mean 'cosine'?"),
        ("warmup-cosine", "unknown schedule 'warmup-cosine': did you mean 'warmup_cosine'?"),
        ("xyz\x1b", "unknown schedule 'xyz\\x1b': choose one of " + ", ".join(COURSES)),
    ],
)
def test_an_unknown_name_is_refused_with_what_there_is(name, message):
    with pytest.raises(UsageError) as error:
        make_schedule(name, peak_lr=1, n_steps=10)
    assert str(error.value) == message


@pytest.mark.parametrize("peak", [0.0, -0.1, float("nan"), float("inf")])
@pytest.mark.parametrize("name", SCHEDULES)
def test_an_impossible_peak_is_refused(name, peak):
    with pytest.raises(UsageError) as error:
        make_schedule(name, peak_lr=peak, n_steps=10)
    assert str(error.value) == f"the peak learning rate is {peak!r}: expected a finite number above 0"


@pytest.mark.parametrize("n_steps", [0, -3])
@pytest.mark.parametrize("name", SCHEDULES)
def test_no_step_is_refused(name, n_steps):
    with pytest.raises(UsageError) as error:
        make_schedule(name, peak_lr=1, n_steps=n_steps)
    assert str(error.value) == f"the schedule has {n_steps} steps: expected at least 1"


def test_a_schedule_of_no_segments_or_steps_is_refused():
    schedule = make_schedule("cosine", peak_lr=1, n_steps=10)
    for change in ({"segments": ()}, {"n_steps": 0}):
        with pytest.raises(UsageError, match=r"^the schedule has \d+ steps: expected at least 1$"):
            replace(schedule, **change)


SHAPE_AND_NUMBERS = "expected a shape of constant, linear, polynomial, exponential, cosine and finite numbers"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": "wobbly"}, SHAPE_AND_NUMBERS),
        ({"begin": float("nan")}, SHAPE_AND_NUMBERS),
        ({"stop": float("inf")}, SHAPE_AND_NUMBERS),
        ({"stop": -1.0}, "it ends before it starts, or a rate in it is negative"),
        ({"end": -0.1}, "it ends before it starts, or a rate in it is negative"),
        ({"power": 0.0}, "a power is not above 0, or an exponential starts at 0"),
        ({"shape": "exponential", "begin": 0.0}, "a power is not above 0, or an exponential starts at 0"),
    ],
)
def test_a_damaged_segment_is_refused(change, message):
    segment = Segment(start=0, stop=10, shape="linear", begin=1, end=0)
    with pytest.raises(UsageError) as error:
        replace(segment, **change)
    assert str(error.value) == f"a schedule's segment is damaged: {message}"


@given(names, lengths)
@brief
def test_a_schedule_survives_json(name, n_steps):
    schedule = make_schedule(name, peak_lr=PEAK, n_steps=n_steps)
    read = json.loads(json.dumps(to_dict(schedule)))
    segments = tuple(Segment(**row) for row in read.pop("segments"))
    assert Schedule(segments=segments, **read) == schedule


@given(names, lengths, lengths)
@brief
def test_rescaling_a_known_schedule_makes_it_anew(name, n_steps, length):
    schedule = make_schedule(name, peak_lr=PEAK, n_steps=n_steps)
    assert rescaled(schedule, peak_lr=0.7, n_steps=length) == make_schedule(name, peak_lr=0.7, n_steps=length)
    assert rescaled(schedule) == schedule


@given(st.sampled_from(["linear", "cosine", "warm_restarts", "cyclical"]), st.integers(1, 300), st.integers(2, 9))
@brief
def test_stretching_an_unknown_schedule_keeps_its_shape(name, n_steps, factor):
    mine = replace(make_schedule(name, peak_lr=PEAK, n_steps=n_steps), name="mine")
    longer = rescaled(mine, peak_lr=2 * PEAK, n_steps=factor * n_steps)
    assert longer.name == "mine"
    # where a segment begins, rounding may choose the one before or after: a restart jumps there
    joints = {round(s.start) for s in mine.segments}
    same = [t for t in range(n_steps) if t not in joints]
    np.testing.assert_allclose(values(longer)[::factor][same], 2 * values(mine)[same], rtol=1e-9, atol=1e-12)


def test_a_segment_of_no_length_has_its_end():
    segments = (
        Segment(start=0, stop=2, shape="constant", begin=1, end=1),
        Segment(start=2, stop=2, shape="linear", begin=1, end=0.5),
    )
    lrs = values(Schedule(name="mine", peak_lr=1, n_steps=4, segments=segments))
    np.testing.assert_array_equal(lrs, [1, 1, 0.5, 0.5])
