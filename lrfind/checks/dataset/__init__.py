"""What a dataset can reveal: LR301 to LR315, each a small pure function of the evidence.

`profile` counts, `learn` trains small models and `forest` grows trees where those find nothing, `value` holds it all,
`significance` tells learning from luck; the checks are in `signal`, `leak`, `columns` and `rows`.
"""

from __future__ import annotations

from lrfind.checks.dataset import columns, leak, rows, signal
from lrfind.checks.dataset.value import Dataset, Look
from lrfind.checks.finding import Check, Finding

__all__ = ["DATASET_CHECKS", "Dataset", "check_dataset"]

# Each row of the family, and the function that looks. A severity is an error where what follows from training on such
# a table would be wrong, and a warning where it would be worse than it could be.
DATASET_CHECKS: tuple[tuple[Check, Look], ...] = (
    (Check(code="LR301", severity="error", title="no learnable signal"), signal.no_signal),
    (Check(code="LR302", severity="warning", title="target leak"), leak.target_leak),
    (Check(code="LR303", severity="warning", title="constant column"), columns.constant_columns),
    (Check(code="LR304", severity="warning", title="duplicate columns"), columns.duplicate_columns),
    (Check(code="LR305", severity="warning", title="id-like column"), columns.id_columns),
    (Check(code="LR306", severity="warning", title="duplicate rows"), rows.duplicate_rows),
    (Check(code="LR307", severity="warning", title="rows shared by train and validation part"), rows.shared_rows),
    (Check(code="LR308", severity="warning", title="missing targets"), rows.missing_targets),
    (Check(code="LR309", severity="warning", title="class too rare"), rows.rare_classes),
    (Check(code="LR310", severity="warning", title="label noise"), signal.label_noise),
    (Check(code="LR311", severity="warning", title="heavy-tailed or unscaled features"), columns.unscaled_features),
    (Check(code="LR312", severity="warning", title="numbers stored as text"), columns.numbers_as_text),
    (Check(code="LR313", severity="warning", title="order dependence"), signal.order_dependence),
    (Check(code="LR314", severity="warning", title="unstable training"), signal.unstable_training),
    (Check(code="LR315", severity="warning", title="non-finite values"), columns.non_finite_values),
)


def check_dataset(dataset: Dataset) -> tuple[Finding, ...]:
    """Return what each dataset check found, in the order of their codes.

    Parameters
    ----------
    dataset : Dataset

    Returns
    -------
    tuple of Finding
    """
    return tuple(look(check, dataset) for check, look in DATASET_CHECKS)
