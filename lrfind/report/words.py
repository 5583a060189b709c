"""The facts of a report in words, shared by the terminal, the figures and the page.

Every string that came from data has passed `lrfind.text.printable` when it leaves here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Container
from typing import TYPE_CHECKING

from lrfind import text as texts
from lrfind.problem.value import ASKED, NAMED
from lrfind.race import PROMISE
from lrfind.text import measured, printable, shell_line

if TYPE_CHECKING:
    from lrfind.checks import Finding
    from lrfind.problem import Problem
    from lrfind.recommend import Evidence, Recommendation
    from lrfind.report import Report

# A name longer than this is recognised by its beginning.
NAME_WIDTH = 60
# Room for a sentence that quotes a name or two.
SENTENCE_WIDTH = 400
# Powers of ten outside these have more zeros than a reader counts at a glance.
SMALLEST_DECIMAL, LARGEST_DECIMAL = -4, 5

# How often the interval that is advised without a race kept its promise, and on how many problems that was tried.
ESTIMATE_HELD, TEST_PROBLEMS = "90\u00a0%", 80
# How a reason begins that reads on from the schedule's name.
PREDICATES = ("beats ", "decays ", "is ", "was ")
# Kinds of encoding that fit on a line.
MOST_WAYS = 4

VERDICTS = {
    "ok": "Recommended",
    "no_signal": "No answer",
    "range_too_narrow": "Range too narrow",
    "unstable": "Unstable",
    "too_little_data": "Too little data",
}

# Rates, numbers and counts read alike in every report and in every finding.
rate, number, plural, short = texts.rate, texts.number, texts.plural, texts.short


def tick(lr: float) -> str:
    """Return a power of ten as an axis shows it: "1e-5", "0.001", "10"."""
    exponent = round(math.log10(lr))
    if exponent > LARGEST_DECIMAL or exponent < SMALLEST_DECIMAL:
        return f"1e{exponent}"
    return f"{10.0**exponent:,.{max(-exponent, 0)}f}"


def name(text: str) -> str:
    """Return a name from data, safe and short."""
    return printable(text, width=NAME_WIDTH)


def sentence(text: str) -> str:
    """Return a sentence that may quote data, safe and bounded."""
    return printable(text, width=SENTENCE_WIDTH)


def shape(report: Report) -> str:
    """Return "569 rows, 30 features → diagnosis (2 classes)"."""
    problem = report.problem
    kind = plural(len(problem.classes), "class") if problem.task == "classification" else "regression"
    sizes = f"{plural(report.table.n_rows, 'row')}, {plural(problem.n_features, 'feature')}"
    return f"{sizes} → {name(problem.target)} ({kind})"


def loss_unit(report: Report) -> str:
    """Return what the losses are measured in."""
    if report.problem.task == "classification":
        return "cross-entropy, nats"
    return "squared error in target variances"


def setting(advice: Recommendation) -> str:
    """Return what the advice is for: "adam · batch 64 · 400 steps"."""
    return (
        f"{printable(advice.optimizer, width=20)} · batch {advice.batch_size:,} · {plural(advice.train_steps, 'step')}"
    )


def interval(advice: Recommendation) -> str:
    """Return "between 0.0015 and 0.012", or what is known of it."""
    low, high = advice.lr_low, advice.lr_high
    if low is not None and high is not None:
        return f"between {rate(low)} and {rate(high)}"
    if low is not None:
        return f"from {rate(low)} up"
    return f"up to {rate(high)}" if high is not None else "interval not known"


def span(advice: Recommendation) -> str:
    """Return "0.0015 to 0.012", or what is known of it."""
    return interval(advice).removeprefix("between ").replace(" and ", " to ")


def stable(advice: Recommendation, *, highest: float | None = None) -> str:
    """Return the highest stable rate: "0.21", or that it lies above the highest rate tried."""
    if advice.lr_max_stable is not None:
        return rate(advice.lr_max_stable)
    return "not known" if highest is None else f"beyond {rate(highest)}, the highest tried"


def highest(report: Report) -> float | None:
    """Return the highest rate tried, or None where none was."""
    lrs = report.sweep.lrs
    return float(lrs[-1]) if lrs.size else None


def held_out(advice: Recommendation) -> str:
    """Return what training as advised reached, against knowing nothing; empty when it was not measured."""
    expected = advice.expected
    if expected is None:
        return ""
    reached = measured(expected.val_loss, expected.val_loss_se)
    return f"held-out loss {reached} (knowing nothing: {number(expected.baseline_loss)})"


def schedule_name(advice: Recommendation) -> str:
    """Return the schedule's name, or "none"."""
    return name(advice.schedule.name) if advice.schedule else "none"


def reasons(advice: Recommendation, *, rules: Container[str] = ()) -> list[Evidence]:
    """Return the evidence that speaks for the rate itself, published rules and the schedule left out."""
    return [reason for reason in advice.evidence if reason.name != "schedule" and reason.name not in rules]


def is_measured(advice: Recommendation) -> bool:
    """Return whether the rate and its interval rest on training runs, not on the range test alone."""
    return any(reason.name == "race" for reason in advice.evidence)


def promise(advice: Recommendation) -> str:
    """Return what may be expected of the interval; empty where one of its ends is not known."""
    if advice.lr_low is None or advice.lr_high is None:
        return ""
    if is_measured(advice):
        return f"measured: any rate in it gives up at most {100 * PROMISE:.0f}\u00a0% of the gain"
    return (
        f"an estimate: any rate in it should give up at most {100 * PROMISE:.0f}\u00a0% of the gain, "
        f"as it did on {ESTIMATE_HELD} of {TEST_PROBLEMS} test problems"
    )


def range_test(advice: Recommendation) -> str:
    """Return what the range test said, in a sentence; empty when it is not among the evidence."""
    return next((sentence(reason.text) for reason in advice.evidence if reason.name == "range test"), "")


def experience(advice: Recommendation) -> str:
    """Return what earlier races led to expect, in a sentence; empty when it is not among the evidence."""
    return next((sentence(reason.text) for reason in advice.evidence if reason.name == "experience"), "")


def schedule_reason(advice: Recommendation) -> str:
    """Return why this schedule, in a few words; empty when nothing is known."""
    texts = [reason.text for reason in advice.evidence if reason.name == "schedule"]
    if not texts:
        return ""
    # The name stands beside it already.
    return sentence(texts[0]).removesuffix(".").removeprefix(f"{schedule_name(advice)} ")


def schedule_line(advice: Recommendation) -> str:
    """Return the schedule and why: "warmup_cosine beats constant by 0.011 ± 0.003"."""
    name, why = schedule_name(advice), schedule_reason(advice)
    if not why:
        return name
    return f"{name} {why}" if why.startswith(PREDICATES) else f"{name}: {why}"


def found(report: Report) -> list[Finding]:
    """Return what the checks found, errors first."""
    order = {"error": 0, "warning": 1, "tip": 2}
    return sorted((f for f in report.findings if f.state == "found"), key=lambda f: order[f.severity])


def preparation(report: Report) -> str:
    """Return what became of the columns: "31 columns: 30 standardised, 1 dropped"."""
    # "dropped: constant" and "dropped: id-like" are one thing at this distance.
    ways = Counter(encoding.how.split(":")[0] for encoding in report.problem.encodings)
    total = plural(ways.total(), "column")
    if len(ways) <= 1:
        return f"{total} {''.join(map(name, ways))}".rstrip()
    parts = ", ".join(f"{count:,} {name(how)}" for how, count in ways.most_common(MOST_WAYS))
    return f"{total}: {parts}" + ("" if len(ways) <= MOST_WAYS else ", …")


def suspicions(report: Report) -> str:
    """Return the findings in a few words; nothing where only remarks on the data are to be made."""
    every = found(report)
    if not every:
        return "" if remarks(report) else "nothing suspicious found"
    return "; ".join(f"{finding.code} {printable(finding.title, width=40)}" for finding in every[:3])


def remarks(report: Report) -> list[str]:
    """Return what a reader of the file has to know: values and rows that were not used, or not as they stand."""
    notes = [*report.problem.remarks, *report.table.notes]
    if report.problem.n_rows_dropped:
        # Said first of all by the problem.
        notes += report.problem.notes[:1]
    return [sentence(note) for note in notes]


def guess(report: Report) -> str:
    """Return which column was taken for the target, and why, where the user did not say so."""
    return target_guess(report.problem)


def target_guess(problem: Problem) -> str:
    """Return the target and why it was chosen: "price: it is the last column"; empty where it was asked for."""
    if problem.target_reason == ASKED:
        return ""
    reason = "its name says so" if problem.target_reason == NAMED else problem.target_reason
    return f"{name(problem.target)}: {reason}; --target names another"


def task_guess(problem: Problem) -> str:
    """Return the task, why it was chosen and how to choose the other; empty where nobody would doubt it."""
    if not problem.task_doubt:
        return ""
    # the reason of some names the option already
    reason = sentence(problem.task_reason.partition(" (--task")[0])
    return f"{problem.task}: {reason}; {problem.task_doubt}"


def has_answer(report: Report) -> bool:
    """Return whether a rate is advised."""
    return report.recommendation.lr is not None


def to_try(report: Report) -> str:
    """Return what to do when nothing could be recommended; empty where something was."""
    verdict = report.recommendation.verdict
    if verdict == "no_signal":
        # errors of the range test say why nothing falls; a remark on its range is beside the point
        advice = [finding.advice for finding in found(report) if finding.severity == "error" and finding.advice]
        other = "; --target names another column" if report.problem.is_target_guessed else ""
        see = f"{check_command(report)} says whether other models find a signal{other}"
        return f"{sentence(advice[0])} {see}" if advice else see
    if verdict == "range_too_narrow":
        return "widen the range tested with --lr-min and --lr-max, as said above"
    if verdict == "unstable":
        return f"test {2 * report.sweep.n_seeds} seeds (--seeds), with quieter steps (a larger --batch-size)"
    return "collect more rows, or take the rate of a similar, larger table" if verdict == "too_little_data" else ""


# Options that say which rows and columns are meant; the check of a table takes them too.
DATA_OPTIONS = frozenset({"--target", "--task", "--split", "--where", "--columns", "--drop", "--sample", "--seed"})


def check_command(report: Report) -> str:
    """Return the command that checks the table of a run, as it was read: "lrfind check data.csv --target price"."""
    source, options = report.command[2:3], report.command[3:]
    kept = [
        word
        for place, word in enumerate(options)
        if word.partition("=")[0] in DATA_OPTIONS or (place and options[place - 1] in DATA_OPTIONS)
    ]
    return shell_line(["lrfind", "check", *source, *kept])


def command(report: Report) -> str:
    """Return the command line that reproduces the run, quoted for a shell."""
    # never cut: half a command is another one
    return texts.shell_line(report.command)


def reproducible(report: Report) -> str:
    """Return how the data are known: a hash, or size and time of change."""
    source = report.table.source
    if source.sha256:
        return f"sha256 {printable(source.sha256)}"
    changed = "" if source.mtime is None else f", changed at {source.mtime:.0f} s since 1970"
    return f"{source.size:,} bytes{changed}"
