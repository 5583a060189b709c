"""Texts of the checks of range tests, LR101 to LR108."""

from __future__ import annotations

from lrfind.checks.explanation import Explanation, curve, curves, points
from lrfind.curve import DISAGREEMENT, FALL_EXISTS, FALL_IS_CLEAR, LOST_SHARE

SMITH = "Smith 2015, Cyclical Learning Rates for Training Neural Networks, arXiv:1506.01186"
BENGIO = "Bengio 2012, Practical Recommendations for Gradient-Based Training of Deep Architectures, arXiv:1206.5533"

RANGE_TEST_TEXTS = (
    Explanation(
        code="LR101",
        meaning="At no learning rate does the loss fall: there is nothing to choose a rate by.",
        detection=f"The curve pooled over all seeds never falls below its start by more than {FALL_EXISTS:g} of its "
        "standard errors.",
        advice="Check the target and the features; `lrfind check` looks for both.",
        picture=curve("5655465564556546555645566789^", "loss as the rate rises: never below its start, then up"),
        references=(SMITH,),
    ),
    Explanation(
        code="LR102",
        meaning="The loss did not blow up in the range, so the highest stable rate is not known.",
        detection=f"At the highest rate tried the curve pooled over all seeds has not lost {LOST_SHARE:.0%} of its "
        "fall again.",
        advice="Sweep further with --lr-max, ten times at a time.",
        picture=curve(
            "999999998876543221111111", "loss as the rate rises: it falls, and the range ends before it rises again"
        ),
        references=(SMITH,),
    ),
    Explanation(
        code="LR103",
        meaning="The lowest rate tried is already too high.",
        detection="The curve pooled over all seeds rises from its first steps on.",
        advice="Start a thousand times lower with --lr-min.",
        picture=curve("0137^         ", "loss as the rate rises: it leaves the picture at once"),
        references=(SMITH,),
    ),
    Explanation(
        code="LR104",
        meaning="The fall is hardly larger than the scatter of single batches, so its place is uncertain.",
        detection=f"The curve pooled over all seeds falls by less than {FALL_IS_CLEAR:g} of its standard errors.",
        advice="Use batches four times as large, or twice the seeds and steps.",
        picture=curve(
            "675846758647385746583645372645364758364758675847", "loss as the rate rises: scatter, and somewhere a fall"
        ),
        references=("McCandlish et al. 2018, An Empirical Model of Large-Batch Training, arXiv:1812.06162",),
    ),
    Explanation(
        code="LR105",
        meaning="Different starting weights place the lowest loss at very different rates.",
        detection=f"Drawn anew from the seeds, the rate of the lowest loss varies by more than {DISAGREEMENT:g} "
        "decades.",
        advice="Use at least 16 seeds, or a larger batch; trust the interval more than the rate.",
        picture=curves(
            ("", "88887642135789999999"),
            ("", "88888888764213578999"),
            ("", "88888888888888642135"),
            caption="loss as the rate rises, a line a seed: each has its lowest elsewhere",
        ),
        references=(),
    ),
    Explanation(
        code="LR106",
        meaning="Between the rate that learns and the rate that diverges there is little room.",
        detection="From the rate at which four fifths of the fall are done to the one that diverges it is less than "
        "half a decade, a factor of 3.",
        advice="Stay at half of the lower end, warm up, or normalise the layers.",
        picture=curve("9999999999999984139999999999", "loss as the rate rises: a narrow notch"),
        references=(SMITH, BENGIO),
    ),
    Explanation(
        code="LR107",
        meaning="The loss is lowest at the upper end of the range: the best rate may lie beyond it.",
        detection="The curve pooled over all seeds is lowest at the highest rate tried, and a race did not find lower "
        "rates better.",
        advice="Widen the range with --lr-max.",
        picture=curve("99999999887654321", "loss as the rate rises: lowest where the range ends"),
        references=(SMITH,),
    ),
    Explanation(
        code="LR108",
        meaning="There are too few steps or rows for a curve to be read.",
        detection="Fewer than 100 steps in the sweep, or fewer than 50 rows to train on.",
        advice="Use 400 steps; with few rows trust the interval, not the rate.",
        picture=points("9 7 3 1 2 6 9", "loss as the rate rises: a handful of points"),
        references=(),
    ),
)
