"""What each schedule does, when to take it, and who says so: `SCHEDULE_TEXTS`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleText:
    """A schedule in words.

    Attributes
    ----------
    what : str
        How the rate moves.
    use : str
        When to take it.
    source : str
        A paper.
    """

    what: str
    use: str
    source: str


SGDR = "Loshchilov & Hutter 2016, SGDR: Stochastic Gradient Descent with Warm Restarts, arXiv:1608.03983"
# In the order of `lrfind.schedule.COURSES`.
SCHEDULE_TEXTS: Mapping[str, ScheduleText] = {
    "constant": ScheduleText(
        what="The same rate at every step.",
        use="As a baseline, and for runs whose end is not known. The noise of the batches stays in the weights.",
        source="Bottou, Curtis & Nocedal 2018, Optimization Methods for Large-Scale Machine Learning, arXiv:1606.04838",
    ),
    "linear": ScheduleText(
        what="A straight line from the peak to 0.",
        use="For a run of known length, with any optimiser: simple, and seldom beaten by much.",
        source="Defazio et al. 2023, Optimal Linear Decay Learning Rate Schedules and Further Refinements, "
        "arXiv:2310.07831",
    ),
    "polynomial": ScheduleText(
        what="The square of what is left of the run, from the peak to 0: a quick fall first, a long quiet end.",
        use="For a run of known length that gains from many small steps at its end.",
        source="Chen et al. 2016, DeepLab, arXiv:1606.00915",
    ),
    "exponential": ScheduleText(
        what="The same factor at each step, down to a hundredth of the peak.",
        use="For runs that may be stopped or prolonged: every part of it looks like the one before.",
        source="Szegedy et al. 2015, Rethinking the Inception Architecture for Computer Vision, arXiv:1512.00567",
    ),
    "cosine": ScheduleText(
        what="Half a cosine from the peak to 0: slow at first, quick in the middle, slow at the end.",
        use="For a run of known length; the usual first choice.",
        source=SGDR,
    ),
    "step": ScheduleText(
        what="The peak for half of the run, a tenth of it for a quarter, a hundredth for the last quarter.",
        use="To repeat classic results, and to see what one fall of the rate does to the loss.",
        source="He et al. 2015, Deep Residual Learning for Image Recognition, arXiv:1512.03385",
    ),
    "warmup_cosine": ScheduleText(
        what="A straight rise from 0 over a tenth of the run, then half a cosine to 0.",
        use="For large rates, large batches, and optimisers whose first steps are wild, as Adam's are.",
        source="Goyal et al. 2017, Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour, arXiv:1706.02677",
    ),
    "one_cycle": ScheduleText(
        what="A cosine up from a 25th of the peak for three tenths of the run, then down to almost nothing.",
        use="For short runs: between the gentle ends it bears a higher peak than a constant rate could.",
        source="Smith 2018, A disciplined approach to neural network hyper-parameters, arXiv:1803.09820",
    ),
    "cyclical": ScheduleText(
        what="Four triangles between a quarter of the peak and the peak.",
        use="Where the best rate is known only roughly, and for runs whose end is not known.",
        source="Smith 2015, Cyclical Learning Rates for Training Neural Networks, arXiv:1506.01186",
    ),
    "warm_restarts": ScheduleText(
        what="Three cosines to 0, each twice as long as the one before; each restart returns to the peak.",
        use="To have a trained model at the end of each cosine: for an early stop, or an ensemble of them.",
        source=SGDR,
    ),
    "reduce_on_plateau": ScheduleText(
        what="The peak until the loss stops falling, then a tenth of it, and so on; it reads the loss as it goes. "
        "Shown on an example: a loss that the noise of the batches holds up until the rate falls.",
        use="For runs whose length is not known, where the loss is smooth enough to see it stop.",
        source="He et al. 2015, Deep Residual Learning for Image Recognition, arXiv:1512.03385",
    ),
    "adaptive": ScheduleText(
        what="A slow rise that ends where the fall of the loss is done, then a cosine; where loss or gradient rise "
        "beyond their noise, back to the last good state at a lower rate. It reads both as it goes.",
        use="Where the best rate is uncertain: a peak ten times too high costs little.",
        source="lrfind's own; it rises as a range test does: Smith 2015, arXiv:1506.01186",
    ),
}
