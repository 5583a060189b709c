"""Texts of the checks of training logs, LR201 to LR214."""

from __future__ import annotations

from lrfind.checks.explanation import Explanation, curve, curves
from lrfind.checks.training_log.batches import NOISY as BATCH_NOISY
from lrfind.checks.training_log.batches import OWN_SIZE, QUIET, SEEN
from lrfind.checks.training_log.judgement import EARLY_TO, LATE_FROM
from lrfind.checks.training_log.schedules import LATE_LIKELY, NOISY, PLATEAU, WORTH, WORTH_OF_LEVEL
from lrfind.checks.training_log.too_high import (
    CLIMBS,
    COLD_FAR,
    COLD_LIKELY,
    FAR_LEAP,
    LEAP,
    LEAP_CLEAR,
    NOT_UNLIKELY,
    SHORT_WARMUP,
)
from lrfind.checks.training_log.too_high import LIKELY as LIKELY_HIGH
from lrfind.checks.training_log.too_low import BARELY, HIDDEN, STANDS_FROM
from lrfind.checks.training_log.too_low import LIKELY as LIKELY_LOW

COHEN = (
    "Cohen et al. 2021, Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability, arXiv:2103.00065"
)
GOYAL = "Goyal et al. 2017, Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour, arXiv:1706.02677"
SMITH = "Smith 2015, Cyclical Learning Rates for Training Neural Networks, arXiv:1506.01186"
COSINE = "Loshchilov & Hutter 2016, SGDR: Stochastic Gradient Descent with Warm Restarts, arXiv:1608.03983"
PASCANU = "Pascanu, Mikolov & Bengio 2012, On the Difficulty of Training Recurrent Neural Networks, arXiv:1211.5063"
MCCANDLISH = "McCandlish et al. 2018, An Empirical Model of Large-Batch Training, arXiv:1812.06162"
BENGIO = "Bengio 2012, Practical Recommendations for Gradient-Based Training of Deep Architectures, arXiv:1206.5533"

TRAINING_LOG_TEXTS = (
    Explanation(
        code="LR201",
        meaning="The loss became NaN or infinite, for good or on the way, or it ended far above where it began.",
        detection="A logged loss that is no number; or a last twentieth of the losses whose mean lies above the "
        "first loss by more than that loss itself, and by four standard errors.",
        advice="Start again with the rate that is named, warm up over the first tenth of the run, and clip the "
        "gradient's norm at 1.0. A single NaN in an otherwise calm run points at the data or at half "
        "precision.",
        picture=curve(
            "76544332233457^       ", "loss over steps: it falls, turns, leaves the picture, and is NaN from there"
        ),
        references=(COHEN,),
    ),
    Explanation(
        code="LR202",
        meaning="The rate is beyond what the model can follow: each step overshoots, and the loss is thrown back.",
        detection="Thousands of small runs whose best rate is known were used to fit a score of the rate and the "
        "curve: how far the loss is thrown above its first value, climbs back, spikes and comes down, and "
        "how the held-out loss moves. It gives the chance that the rate is three times too high or more. From "
        f"{LIKELY_HIGH:.0%} on that is a finding, from {NOT_UNLIKELY:.0%} on where the loss leaps above its "
        f"first value or climbs back by {CLIMBS:.0%} of its fall in plain sight. Where the log (or --optimizer) "
        "names the optimizer, the rate is set against what is usual for it. Models far larger than those were not "
        "seen.",
        advice="Take the rate that is named; the interval beside it holds the best one in eight runs of ten. Then "
        "warm up.",
        picture=curve("65485^4673^5482^6573864^5374^6583746573", "loss over steps: each fall is thrown back"),
        references=(COHEN, BENGIO),
    ),
    Explanation(
        code="LR203",
        meaning="The run ended on its way down: the steps were too small, or too few.",
        detection="Thousands of small runs whose best rate is known were used to fit a score of the rate and the "
        "curve: how late half of the loss is lost, how clearly it still falls, how far it came down, and "
        "how the held-out loss moves. It gives the chance that the rate is three times too low or more; from "
        f"{LIKELY_LOW:.0%} on that is a finding. A rate that is high enough does half of its fall almost at "
        "once. Where the log (or --optimizer) names the optimizer, the rate is set against what is usual for it. "
        "Models far larger than those were not seen.",
        advice="Take the rate that is named; the interval beside it holds the best one in eight runs of ten. Or train "
        "longer, by the same factor.",
        picture=curve("98765432", "loss over steps: on its way down when the run ends"),
        references=(SMITH, BENGIO),
    ),
    Explanation(
        code="LR204",
        meaning="The loss has stopped falling and only scatters: noise and steps of this size are in balance. This "
        "is for a run that goes on; LR206 says the same of one that is over.",
        detection=f"No fall beyond noise over the last {PLATEAU:.0%} of the run, scatter of more than {NOISY:.0%} of "
        "the fall, and a logged rate that is still at half of its peak or more, and not too low (LR203).",
        advice="Lower the rate to a tenth now, or anneal it to 0 over the rest of the run.",
        picture=curves(
            ("loss", "96433424334243342433424334243"),
            ("rate", "88888888888888888888888888888"),
            caption="over steps: the loss only scatters, and the rate stays where it was",
        ),
        references=(COSINE,),
    ),
    Explanation(
        code="LR205",
        meaning="The rate was lowered while the loss was still falling fast, and the rest of the run stood still.",
        detection=f"The rate is below half of its peak after {EARLY_TO:.0%} of the run or earlier, and a score that "
        "was fitted to thousands of small runs, of the curve and the schedule (the sum of the rates, how "
        "far the loss came down and how soon), makes it likelier than not that a later decay would have "
        "reached more.",
        advice="Keep the peak and stretch the decay over the whole run, so that half of the peak is reached in its "
        "middle.",
        picture=curves(
            ("loss", "98765555555555555555"),
            ("rate", "77773000000000000000"),
            caption="over steps: the loss freezes where the rate falls",
        ),
        references=(COSINE,),
    ),
    Explanation(
        code="LR206",
        meaning="The rate stayed high until the end, or almost, so the noise of its steps never averaged out.",
        detection=f"The rate stays at half of its peak or more for {LATE_FROM:.0%} of the run, and one of three "
        "things: a plateau (LR204); a score of the climbs, leaps and pace of the curve, fitted to "
        f"thousands of small runs, that makes it {LATE_LIKELY:.0%} likely that a decay would have reached "
        f"more; or a loss that drops at the late decay, by more than {WORTH:.0%} of its fall and "
        f"{WORTH_OF_LEVEL:.0%} of the level before.",
        advice="Anneal to 0 over the second half of the run, or use a cosine from the start.",
        picture=curves(
            ("loss", "97545455454554545542"),
            ("rate", "88888888888888888840"),
            caption="over steps: the loss drops as soon as the rate does, at the very end",
        ),
        references=(COSINE, GOYAL),
    ),
    Explanation(
        code="LR207",
        meaning="The first steps at full rate threw the model off, and what was lost then was not made up for.",
        detection=f"The five points after the first lie above it by more than {LEAP:.0%} of it on average, and by "
        f"{LEAP_CLEAR:g} standard deviations of the points after them, with a "
        f"warm-up of at most {SHORT_WARMUP:.0%} of the run; and the whole curve is more like the runs that a warm-up "
        "alone would have brought much further than like those that did well without, by a score that was fitted to "
        f"some thousands of small runs, each trained with and without one: from {COLD_LIKELY:.0%} on, or from "
        f"{COLD_FAR:.0%} on where the five lie more than {FAR_LEAP:.0%} above it.",
        advice="Raise the rate linearly from 0 over the first tenth of the run.",
        picture=curve("3799754433222222111111111111111", "loss over steps: a hump at the beginning"),
        references=(GOYAL, "Gotmare et al. 2018, A Closer Look at Deep Learning Heuristics, arXiv:1810.13243"),
    ),
    Explanation(
        code="LR208",
        meaning="The loss jumps far above its neighbours and comes back: an odd batch, or a step that went too far.",
        detection="A point that stands above its 24 neighbours by ten times their usual scatter, and eight times "
        "further than one point in twenty does. It must be as high as the whole fall, or 15% of that where "
        "the loss takes three points to come back.",
        advice="Look at the batch of that step; clip the gradient's norm at 1.0; if it happens again, lower the peak "
        "by a third.",
        picture=curve("7665554444433333393332222222222228222111111111", "loss over steps: single towers"),
        references=("Chowdhery et al. 2022, PaLM: Scaling Language Modeling with Pathways, arXiv:2204.02311",),
    ),
    Explanation(
        code="LR209",
        meaning="Gradients are at times so large that one step undoes many, or many steps are cut off by clipping.",
        detection="One of four things: a norm that is infinite; one fifty times the median, and six times the first "
        "ones, that matters, since the loss rises after it or rate times squared norm is above 8 times the "
        "loss, more than plain descent bears; three steps at which that is above 100 times the loss; or "
        "15% of the norms equal to the largest, which is then the limit of clipping.",
        advice="Clip at a norm that nine steps in ten do not reach; where most are clipped, raise the limit or lower "
        "the rate.",
        picture=curve(
            "1121112111121111211191112111211112111121112111", "gradient norm over steps: one that dwarfs the rest"
        ),
        references=(PASCANU,),
    ),
    Explanation(
        code="LR210",
        meaning="Hardly any gradient reaches the weights, though the loss is still high: units are saturated or dead.",
        detection="A gradient norm that ends below 2% of where it began, or below 1% of the loss, while the loss is "
        "still above 90% of where it began.",
        advice="Use ReLU or GELU, normalise the layers, scale the initial weights by sqrt(2 / inputs).",
        picture=curves(
            ("loss", "89898989898989"),
            ("gradient", "75321000000000"),
            caption="over steps: the gradient is gone, and the loss has not fallen",
        ),
        references=(PASCANU, "Glorot & Bengio 2010, Understanding the Difficulty of Training Deep Networks, AISTATS"),
    ),
    Explanation(
        code="LR211",
        meaning="From some step on the model learns its training rows by heart, and gets worse on others.",
        detection="The held-out loss rises above its lowest by more than three standard errors, 3% of the fall and "
        "8% of the lowest itself, while the training loss falls on.",
        advice="Stop at the step that is named, where the logged held-out loss is lowest, or keep the weights from "
        "there; regularise, or get more data. What is advised of the schedule beside it is for a run up to that step.",
        picture=curves(
            ("held out", "97543334445566778899"),
            ("training", "97532211110000000000"),
            caption="loss over steps: from some step on the two go apart",
        ),
        references=("Prechelt 1998, Early Stopping - But When?, Neural Networks: Tricks of the Trade",),
    ),
    Explanation(
        code="LR212",
        meaning="Single batches say so little that each step is mostly noise, as if they had a handful of rows.",
        detection=f"Losses scatter from one step to the next by more than {BATCH_NOISY:.0%} of the loss at the start, "
        f"and by more than {OWN_SIZE:.0%} of the loss itself, as the mean of ten squared errors does; or, where they "
        f"scatter by {SEEN:.0%} of the start, now and then one is less than {QUIET:.0%} of what is usual around it, as "
        "that of many rows never is. Trends and slow swings do not count, rare large losses do.",
        advice="Use larger batches, or accumulate gradients over several: scatter falls with the square root of the "
        "batch.",
        picture=curve(
            "937284916384^259173848261938472951638274619374825163728", "loss over steps: the trend drowns in scatter"
        ),
        references=(MCCANDLISH, "Smith et al. 2017, Increase the Batch Size, arXiv:1711.00489"),
    ),
    Explanation(
        code="LR213",
        meaning="The log has gaps, repeated or unsorted steps, unreadable rows or a cut end; it was mended as far as "
        "it goes.",
        detection="Counted while reading; each kind of damage is named with the first place it was seen.",
        advice="Log one row a step and flush after each; after a resumed run the last value of a step counts.",
        picture=curve(
            "98776655      4443332    22222211111111111111", "loss over steps: holes where nothing was logged"
        ),
        references=(),
    ),
    Explanation(
        code="LR214",
        meaning="The loss does not move from where it began: nothing is learned beyond the mean of the target.",
        detection=f"The loss does not fall beyond its noise from {STANDS_FROM:.0%} of the run on, and by less than "
        f"{BARELY:.0%} of the first loss in all. Where noise could hide a fall of {HIDDEN:.0%}, that is left open.",
        advice="Check that gradients reach the first layer and that 20 rows alone can be learned by heart; then try "
        "the rate that is named.",
        picture=curve("78677687867768678767867768767867", "loss over steps: it stays where it was"),
        references=(BENGIO,),
    ),
)
