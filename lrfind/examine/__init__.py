"""Is a dataset fit to train on, and does it still behave as it did? `examine(source) -> CheckReport`.

`story` tells it on one page; `baseline_file` keeps what a dataset was like, and `configuration` what a project wants.
"""

from lrfind.examine.story import Examination, Policy, examine

__all__ = ["Examination", "Policy", "examine"]
