import numpy as np
import pytest

from lrfind.rules import BETA, RULES, minimum_tenth, published_rules, slide, steepest, valley

NOTHING = dict.fromkeys(RULES)
LRS = np.geomspace(1e-7, 10, 100)


def recording(smooth):
    """Return raw losses whose debiased moving average is `smooth`."""
    # the average times its weights' sum, (1 - beta^t) / (1 - beta), is the sum of beta^(t - i) loss_i
    weight = (1 - BETA ** np.arange(1, len(smooth) + 1)) / (1 - BETA)
    total = smooth * weight
    return total - BETA * np.concatenate([[0.0], total[:-1]])


def test_steepest_is_by_logarithm_not_by_rate_or_step():
    # per unit of ln lr: -1/ln 2 = -1.44, -1.5/ln 10 = -0.65, -0.5/ln 1.1 = -5.2
    lrs, losses = np.array([1.0, 2.0, 20.0, 22.0]), np.array([4.0, 3.0, 1.5, 1.0])
    assert steepest(lrs, losses) == 20


def test_valley_is_half_way_down_the_longest_decreasing_subsequence():
    lrs = np.arange(12.0)
    # one valley of twelve points ends at 11 and so begins at -1; a third of it is 4: -1 + 4 + 2
    assert valley(lrs, 12 - lrs) == 5
    # a curve that never falls is a valley of one point
    assert valley(lrs, lrs) == 0
    # the longest falls from 9 to 4 over seven of the points: end 8, length 6 (9, 8, 7, 6, 5, 4), begin 2, third 2
    losses = np.array([9.0, 9.5, 8.0, 7.0, 7.5, 6.0, 6.5, 5.0, 4.0, 9.0, 9.0, 9.0])
    assert valley(lrs, losses) == 2 + 2 + 1


def test_slide_walks_from_the_right_while_slopes_disagree():
    def walked(lrs, losses):
        slopes, right = np.gradient(losses), len(losses) - 1
        lr = lrs[right - 15]
        while right - 15 >= 0 and abs(slopes[right] - slopes[right - 15]) > 0.005:
            lr = lrs[right - 15]
            right -= 1
        return lr

    lrs, rng = np.arange(40.0), np.random.default_rng(0)
    curves = [np.where(lrs < 20, 0.0, 0.05 * (lrs - 20) ** 2), lrs**2, 0 * lrs]
    # flat up to 20: the window from 5 to 20 is the last that agrees; then nowhere, then at once
    assert [slide(lrs, losses) for losses in curves] == [5, 0, 24]
    for losses in [*curves, *(s * rng.normal(size=40).cumsum() for s in np.geomspace(1e-3, 1, 50))]:
        assert slide(lrs, losses) == walked(lrs, losses)
    # fewer points than a window
    assert slide(lrs[:12], curves[1][:12]) == 0


def test_minimum_tenth():
    assert minimum_tenth(np.array([1.0, 5.0, 10.0]), np.array([3.0, 1.0, 2.0])) == 0.5


def test_rules_read_the_debiased_average_between_a_tenth_and_the_last_five():
    # a fall in two straight lines with a step at 40: the minimum five before the end, the valley over all that is read
    smooth = np.linspace(2, 1, 100)
    smooth[41:] -= 0.05
    found = published_rules(LRS, recording(smooth))
    assert found["steepest"] == LRS[40]
    assert found["minimum / 10"] == pytest.approx(LRS[94] / 10)
    # 85 points, 10 to 94, all one valley: begins at 9, and a third is 28.3
    assert found["valley"] == LRS[9 + 28 + 14]
    # both outside what is read: a cliff in the first tenth and one in the last five points
    smooth[:9] += 50
    smooth[97:] -= 0.9
    assert published_rules(LRS, recording(smooth)) == pytest.approx(found)


def test_a_thousand_steps_are_thinned_to_a_hundred():
    lrs = np.geomspace(1e-7, 10, 1000)
    thin = np.linspace(0, 999, 100).round().astype(int)
    losses = np.full(1000, 1e9)
    losses[thin] = recording(2 - np.exp(-((np.log10(lrs[thin]) + 2) ** 2)))
    assert published_rules(lrs, losses) == published_rules(lrs[thin], losses[thin])
    assert published_rules(lrs, losses)["minimum / 10"] == pytest.approx(1e-3, rel=0.1)


def test_the_average_at_four_times_its_best_ends_the_curve():
    smooth = np.linspace(2, 1, 100)
    smooth[60:] = 4.001 * smooth[59]
    # the minimum is read five points before the explosion
    assert published_rules(LRS, recording(smooth))["minimum / 10"] == pytest.approx(LRS[54] / 10)
    smooth[60:] = 3.999 * smooth[59]
    assert published_rules(LRS, recording(smooth))["minimum / 10"] == pytest.approx(LRS[59] / 10)


def test_what_follows_the_first_lost_step_is_not_read():
    losses = recording(np.linspace(2, 1, 100))
    for lost in (np.nan, np.inf):
        broken = losses.copy()
        broken[70] = lost
        assert published_rules(LRS, broken)["minimum / 10"] == pytest.approx(LRS[64] / 10)


@pytest.mark.parametrize(
    "losses",
    [
        np.full(100, np.nan),
        np.full(10, np.nan),
        np.r_[np.ones(24), np.full(76, np.nan)],
        np.r_[1.0, 1.0, 1e3, np.linspace(1e3, 2e3, 97)],
        -np.ones(100),
        np.ones(15),
        np.ones(1),
    ],
    ids=["all lost", "ten lost", "24 known", "explodes at once", "negative, so 4 x best is below", "15 steps", "one"],
)
def test_too_little_to_read_gives_none(losses):
    assert published_rules(np.geomspace(1e-7, 10, len(losses)), losses) == NOTHING


def test_ten_points_are_just_enough():
    lost = np.full(75, np.nan)
    assert published_rules(LRS, np.r_[np.linspace(2, 1, 25), lost])["minimum / 10"] == pytest.approx(LRS[19] / 10)


def test_a_constant_curve_is_read_at_its_first_point_and_does_not_fail():
    found = published_rules(LRS, np.zeros(100))
    assert found["steepest"] == LRS[10]
    assert found["minimum / 10"] == LRS[10] / 10
    assert all(1e-8 <= lr <= 10 for lr in found.values())
