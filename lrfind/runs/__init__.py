"""Run directories: where a run is kept, how it gets there whole or not at all, and how it is read again.

`default_run_dir` names one, `check_out_dir` refuses a bad place before any work is done, `new_run` fills one,
`folder_of` finds the run that a file belongs to, `load_run`, `list_runs` and `newest_run` read, `origin_of` says what a
run was made with, `own_rows` learns from all.
"""

from lrfind.runs.document import folder_of
from lrfind.runs.learn import own_rows, rows_used
from lrfind.runs.load import SCHEMA_VERSION, StoredRun, list_runs, load_run, newest_run, steps_in
from lrfind.runs.origin import Origin, origin_of
from lrfind.runs.store import RUNS_ROOT, check_out_dir, default_run_dir, new_run

__all__ = [
    "RUNS_ROOT",
    "SCHEMA_VERSION",
    "Origin",
    "StoredRun",
    "check_out_dir",
    "default_run_dir",
    "folder_of",
    "list_runs",
    "load_run",
    "new_run",
    "newest_run",
    "origin_of",
    "own_rows",
    "rows_used",
    "steps_in",
]
