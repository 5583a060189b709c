"""What training reveals of a dataset: LR301, LR310, LR313 and LR314."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from lrfind.checks.dataset.association import ASSOCIATED, Association, Coded, associate, most_rows
from lrfind.checks.dataset.learn import MOST_ROWS, HeldOut
from lrfind.checks.dataset.significance import CHANCE, Significance, best_model, gains, significance
from lrfind.checks.dataset.value import Dataset
from lrfind.checks.finding import Check, Finding, Numbers
from lrfind.curve import Outcome
from lrfind.text import listed

Floats = npt.NDArray[np.float64]

# Rows held out below which a mean of losses has no usable standard error.
FEWEST_HELD_OUT = 16


def no_signal(check: Check, dataset: Dataset) -> Finding:
    """LR301: nothing can be learned that helps on rows held out.

    Linear models and networks, stopped early, midway and at the end, and mixtures of each with the constant predictor
    are judged on rows held out (each row once in tables under 6,000 rows) against the best constant predictor of the
    rows trained on. The best gain must be one that sign flips of the rows exceed in at most 1 % of draws. Where none
    is, a random forest is tried as well.

    Where none is, it is a warning if columns do have to do with the target (see `associate`), if the best gain is one
    that chance reaches in 3 % of draws at most, or if the rows are so few that they need not show it: then nothing is
    known. It is an error if a column that explains 13 % of the target would have been seen four times in five, or if
    there are more features than rows, so that any loss trained to says nothing.
    """
    if dataset.learning is None:
        return check.not_applicable(dataset.reason)
    association, held_out = dataset.learning.association, dataset.learning.every
    n_held = len(held_out.held)
    if n_held < FEWEST_HELD_OUT:
        return check.not_applicable(
            f"Only {n_held} rows can be held out, too few to tell learning from luck (at least {FEWEST_HELD_OUT})."
        )
    (mean, error), best, test = gains(held_out), best_model(held_out), significance(held_out)
    level = float(held_out.baseline.mean())
    numbers: Numbers = {
        "gain": float(mean[best]), "standard_error": float(error[best]), "constant_loss": level,
        "p": test.p, "p_allowed": CHANCE, "errors_above_nothing": test.errors, "errors_required": test.errors_required,
        "n_held_out": n_held, "n_models": len(held_out.models), "best_model": held_out.models[best],
        "p_association": None if association is None else association.p, "p_association_allowed": ASSOCIATED,
        "least_share_seen": least_share(n_rows=len(dataset.rows), n_columns=len(dataset.used)),
    }  # fmt: skip
    gain = f"{mean[best]:.3g} ± {error[best]:.2g}" if np.isfinite(mean[best]) else "none, all diverged"
    if test.p <= CHANCE:
        return check.passed(
            f"On {n_held:,} rows held out the best model beats a constant guess ({level:.3g}) by {gain}: there is "
            f"signal (p = {test.p:.2g}).",
            numbers,
        )
    message = (
        f"On {n_held:,} rows held out none of {len(held_out.models)} models beats a constant guess ({level:.3g}) "
        f"beyond chance (p = {test.p:.2g}, allowed {CHANCE:g}); the best gains {gain}."
    )
    needed = f"at least {rows_needed(test, n_held=n_held):,} rows"
    doubt = _doubt(dataset, test, needed=needed)
    if doubt is not None:
        why, advice = doubt
        return replace(check, severity="warning", title="too few rows to learn from").found(
            f"{message} {why}", numbers, advice
        )
    target = listed([dataset.problem.target])
    advice = f"Check that {target} belongs to these rows and can be known from them, or collect {needed}."
    return check.found(message, numbers, advice)


def _doubt(dataset: Dataset, test: Significance, *, needed: str) -> tuple[str, str] | None:
    """Return why there may be a signal all the same, and what to do; None where that is not to be expected."""
    association = dataset.learning.association if dataset.learning else None
    if association is not None and association.is_certain:
        return (
            f"Yet columns have to do with the target, {listed([association.column])} above all (p = "
            f"{association.p:.2g}): the signal is too weak for so few rows."
        ), f"Collect {needed}."
    n_rows, n_columns = len(dataset.rows), len(dataset.used)
    if dataset.problem.n_features >= n_rows:
        return None
    if test.p <= DOUBTFUL:
        return "That is too good to be called noise.", f"Collect {needed}."
    least = least_share(n_rows=n_rows, n_columns=n_columns)
    if least <= USEFUL_SHARE:
        return None
    return f"Rows are too few to say more: only a column that explains {least:.0%} of the target would show.", (
        f"Collect at least {rows_to_see(USEFUL_SHARE, n_columns=n_columns):,} rows: one that explains "
        f"{USEFUL_SHARE:.0%} of the target would show then."
    )


# Up to this probability of chance a gain is no proof, and yet a reason not to speak of noise.
DOUBTFUL = 0.03
# Share of the target's variance that a useful column explains at least: a medium effect (f^2 = 0.15, Cohen 1988,
# chapter 9); and the probability with which it shall be seen, also his.
USEFUL_SHARE, POWER = 0.13, 0.8


def rows_to_see(share: float, *, n_columns: int) -> int:
    """Return the rows in which a column that explains a share of the target shows with a probability of `POWER`.

    Of n rows its trend lies sqrt(n * share) standard errors above nothing.
    """
    normal = NormalDist()
    errors = normal.inv_cdf(1 - ASSOCIATED / (2 * max(n_columns, 1))) + normal.inv_cdf(POWER)
    return math.ceil(errors**2 / share)


def least_share(*, n_rows: int, n_columns: int) -> float:
    """Return the least share of the target that a column can explain and still show in so many rows, at most 1."""
    return min(rows_to_see(1.0, n_columns=n_columns) / n_rows, 1.0)


def find_association(dataset: Dataset, *, seed: int, is_late: Callable[[], bool]) -> Association | None:
    """Return whether columns have to do with the target, which models of them need not show.

    Parameters
    ----------
    dataset : Dataset
    seed : int
    is_late : callable

    Returns
    -------
    Association or None
        None where that cannot be asked: rows in groups or in order of time are not to be shuffled, and with more
        features than rows one of them always fits.
    """
    problem, used, n_rows = dataset.problem, set(dataset.used), len(dataset.rows)
    if problem.split != "random" or problem.n_features >= n_rows:
        return None
    places = np.linspace(0, n_rows - 1, min(n_rows, MOST_ROWS, most_rows(len(used)))).round().astype(np.int64)
    rows = dataset.rows[places]
    columns = [
        Coded(name=column.name, codes=codes[rows].astype(np.int64), is_ordered=column.kind != "text")
        for column, codes in zip(dataset.profile.columns, dataset.profile.codes, strict=True)
        if column.name in used
    ]
    target = np.concatenate([problem.y_train, problem.y_val])[places]
    n_classes = len(problem.classes) if problem.task == "classification" else 0
    return associate(columns, target, n_classes=n_classes, seed=seed, is_late=is_late)


def rows_needed(test: Significance, *, n_held: int) -> int:
    """Return the rows at which such a gain would be beyond chance; four times as many where there is none."""
    if test.errors <= 0:
        return 4 * n_held
    # the error falls with the square root of the rows
    needed = n_held * (test.errors_required / test.errors) ** 2
    return math.ceil(min(max(needed, n_held), 100 * n_held) / 10) * 10


# A label is doubted below the first probability and unsure up to the second.
DOUBTED, UNSURE = 0.2, 0.6
# Doubted labels must be this share of the rows, and so many for each unsure one. Of 160 generated tables without wrong
# labels (200 to 1,000 rows, four kinds) 1 % reached both; with 0.02 and 0.5 it was 10 %.
DOUBTED_SHARE, PER_UNSURE = 0.05, 0.7
# Rows a class needs for each class there is: with fewer, models doubt right labels of classes they hardly know.
ROWS_PER_RIVAL = 10


def label_noise(check: Check, dataset: Dataset) -> Finding:
    """LR310: labels contradict what the other rows say.

    A label is doubted where a model that has not seen the row gives it less than 0.2, both as it is and as if classes
    were equally frequent: a rare class is no mistake, and a common one with 0.7 is in no doubt. Where
    classes overlap, rows are unsure before they are doubted: a calibrated model whose probabilities are spread evenly
    doubts one label for eight that it is unsure of. A wrong label is doubted without that. So doubted labels count when
    there are at least 0.7 for each unsure one; where classes overlap much, wrong ones cannot be told from unlucky ones.

    References
    ----------
    Northcutt, Jiang & Chuang 2021, "Confident learning", arXiv:1911.00068: labels against held-out probabilities.
    """
    if dataset.problem.task == "regression":
        return check.not_applicable("The target is a number.")
    if dataset.learning is None:
        return check.not_applicable(dataset.reason)
    n_classes = len(dataset.problem.classes)
    if len(dataset.rows) < ROWS_PER_RIVAL * n_classes**2:
        return check.not_applicable(f"{len(dataset.rows):,} rows are too few to doubt labels of {n_classes} classes.")
    probability = label_probability(dataset, dataset.learning.held_out)
    if probability is None:
        return check.not_applicable("No model could be trained to doubt labels.")
    n_rows, n_doubted = len(probability), int(np.count_nonzero(probability < DOUBTED))
    n_unsure = int(np.count_nonzero(probability < UNSURE)) - n_doubted
    numbers = {
        "n_held_out": n_rows, "n_doubted": n_doubted, "share": n_doubted / n_rows, "n_unsure": n_unsure,
        "n_contradictory": contradictions(dataset),
    }  # fmt: skip
    if n_doubted < DOUBTED_SHARE * n_rows or n_doubted < PER_UNSURE * n_unsure:
        return check.passed(
            f"{n_doubted:,} of {n_rows:,} labels are doubted by a model that had not seen them; {n_unsure:,} unsure.",
            numbers,
        )
    message = (
        f"{n_doubted:,} of {n_rows:,} labels ({n_doubted / n_rows:.0%}) contradict a model that has not seen them, and "
        f"only {n_unsure:,} are unsure."
    )
    return check.found(message, numbers, f"Look through them by hand: about {n_doubted:,} may be wrong.")


def label_probability(dataset: Dataset, held_out: HeldOut) -> Floats | None:
    """Return the probability (n_held,) that the best model gave each row's label.

    The larger of what it is and what it would be if classes were equally frequent. None where every model diverged.
    Mixtures with the constant are left out: they doubt nothing.
    """
    losses = held_out.whole
    means = np.where(np.isfinite(losses).all(axis=1), losses.mean(axis=1), np.inf)
    if not np.isfinite(means).any():
        return None
    given = np.exp(-losses[int(np.argmin(means))])
    y = np.concatenate([dataset.problem.y_train, dataset.problem.y_val]).astype(np.int64)
    share = (np.bincount(y) / len(y))[y[held_out.held]]
    own, other = given / share, (1 - given) / (1 - share)
    return np.asarray(np.maximum(given, own / (own + other)))


def contradictions(dataset: Dataset) -> int:
    """Return how many rows have a twin with the same features and another target."""
    features = dataset.profile.row_hashes(dataset.used)[dataset.rows]
    whole = dataset.profile.row_hashes([*dataset.used, dataset.problem.target])[dataset.rows]
    order = np.lexsort((whole, features))
    features, whole = features[order], whole[order]
    same = features[1:] == features[:-1]
    differ = same & (whole[1:] != whole[:-1])
    groups = np.concatenate([[0], np.cumsum(~same)])
    return int(np.isin(groups, groups[1:][differ]).sum())


# Standard errors by which rows in order must be worse than rows at random, and the share of the constant's loss:
# a difference nobody would act on is no finding.
ORDER_ERRORS, ORDER_SHARE = 3.0, 0.05


def order_dependence(check: Check, dataset: Dataset) -> Finding:
    """LR313: the order of the rows matters.

    The last quarter of the rows is predicted twice by the same model: once from rows drawn at random from the whole
    file, once from the first three quarters. Paired by row, the second may be worse by at most three standard errors,
    or 5 % of the constant's loss.

    References
    ----------
    Bergmeir & Benitez 2012, "On the use of cross-validation for time series predictor evaluation".
    """
    if dataset.problem.split != "random":
        return check.not_applicable(f"The split is {dataset.problem.split} already.")
    if dataset.learning is None or dataset.learning.in_order is None:
        return check.not_applicable(dataset.reason or "Too few rows to hold out the last of them.")
    random, ordered = dataset.learning.held_out, dataset.learning.in_order
    best = best_model(random)
    rows, at_random, in_order = np.intersect1d(random.held, ordered.held, return_indices=True)
    worse = ordered.losses[best, in_order] - random.losses[best, at_random]
    if len(rows) < FEWEST_HELD_OUT or not np.isfinite(worse).all():
        return check.not_applicable(
            "Too few rows to hold out the last of them." if len(rows) < FEWEST_HELD_OUT else "Training diverged."
        )
    mean, error = float(worse.mean()), float(worse.std(ddof=1) / math.sqrt(len(rows)))
    level = float(random.baseline.mean())
    numbers = {
        "worse": mean,
        "standard_error": error,
        "constant_loss": level,
        "n_rows": len(rows),
        "sortedness": sortedness(dataset),
    }
    if mean <= ORDER_ERRORS * error or mean <= ORDER_SHARE * level:
        return check.passed(
            f"The last rows are predicted as well from the first ones as from all others ({mean:+.2g} ± {error:.2g}).",
            numbers,
        )
    message = (
        f"The last {len(rows):,} rows are predicted worse from the first ones than from rows of all times: loss "
        f"{mean:+.2g} ± {error:.2g}."
    )
    if numbers["sortedness"] > SORTED:
        message += " The rows are sorted by the target."
        return check.found(message, numbers, "Split at random, as is done here, and shuffle before every epoch.")
    promise = f"a random split promises a loss {mean:.2g} too low"
    return check.found(message, numbers, f"If the rows are in order of time, split with --split time:COL: {promise}.")


# Correlation of each row's target with the next one's from which rows count as sorted by it.
SORTED = 0.9


def sortedness(dataset: Dataset) -> float:
    """Return the correlation of the targets of neighbouring rows of the file, -1 to 1."""
    y = np.concatenate([dataset.problem.y_train, dataset.problem.y_val]).astype(np.float64)[np.argsort(dataset.rows)]
    if y[1:].std() == 0 or y[:-1].std() == 0:
        return 0.0
    return float(np.corrcoef(y[1:], y[:-1])[0, 1])


def unstable_training(check: Check, dataset: Dataset) -> Finding:
    """LR314: training is unstable at the rate the range test speaks for.

    Seeds that diverge on the way, a stable window under half a decade (LR106), or seeds that place the minimum more
    than a decade and a half apart (LR105): the seeds are the sample, and one in four that is lost is one too many.
    """
    learning = dataset.learning
    if learning is None:
        return check.not_applicable(dataset.reason)
    if learning.at_rate is None or learning.reading is None:
        return check.not_applicable(dataset.reason or f"No rate could be read: {learning.analysis.outcome.value}")
    losses = learning.at_rate.whole
    n_seeds, lr = len(losses), learning.reading.lr
    lost = n_seeds - int(np.isfinite(losses).all(axis=1).sum())
    fallen, divergence = learning.analysis.fallen, learning.analysis.divergence
    width = math.log10(divergence.lr / fallen.lr) if fallen and divergence else math.inf
    numbers = {
        "n_seeds": n_seeds,
        "n_lost": lost,
        "decades": width if math.isfinite(width) else None,
        "lr_suggested": lr / 3,
    }
    if not lost and width >= NARROW and learning.analysis.outcome is not Outcome.SEEDS_DISAGREE:
        return check.passed(f"{n_seeds} seeds train steadily at {lr:.2g}.", numbers)
    why = "the seeds place the lowest loss far apart"
    if width < NARROW:
        why = f"the stable window is {width:.1f} decades wide"
    if lost:
        why = f"{lost} of {n_seeds} seeds diverge at {lr:.2g}"
    advice = f"Train at {lr / 3:.2g} or below and warm up over the first tenth of the steps."
    return check.found(f"Training is unstable: {why}.", numbers, advice)


# As in LR106.
NARROW = 0.5
