"""Every check there is, and what `lrfind explain` says about it: `CATALOGUE`, `explanation_of(code)`."""

from __future__ import annotations

from lrfind.checks.baseline import BASELINE_CHECKS
from lrfind.checks.dataset import DATASET_CHECKS
from lrfind.checks.explanation import Explanation
from lrfind.checks.finding import Check
from lrfind.checks.range_test import RANGE_TEST_CHECKS
from lrfind.checks.texts.dataset import DATASET_TEXTS
from lrfind.checks.texts.range_test import RANGE_TEST_TEXTS
from lrfind.checks.texts.training_log import TRAINING_LOG_TEXTS
from lrfind.checks.training_log import TRAINING_LOG_CHECKS

FAMILIES: tuple[tuple[str, tuple[Check, ...]], ...] = (
    ("range test", tuple(check for check, _ in RANGE_TEST_CHECKS)),
    ("training log", tuple(check for check, _ in TRAINING_LOG_CHECKS)),
    ("dataset", tuple(check for check, _ in DATASET_CHECKS)),
    ("against a baseline", tuple(check for check, _ in BASELINE_CHECKS)),
)
CATALOGUE: dict[str, Check] = {check.code: check for _, checks in FAMILIES for check in checks}
EXPLANATIONS: dict[str, Explanation] = {
    text.code: text for text in (*RANGE_TEST_TEXTS, *TRAINING_LOG_TEXTS, *DATASET_TEXTS)
}
