"""Run directories: where a run is kept, how it gets there whole or not at all, and how it is read again.

`default_run_dir` names one, `check_out_dir` refuses a bad place before any work is done, `new_run` fills one,
`load_run`, `list_runs` and `newest_run` read, `own_rows` learns from them.
"""

from lrfind.runs.learn import own_rows, rows_used
from lrfind.runs.load import SCHEMA_VERSION, StoredRun, list_runs, load_run, newest_run, steps_in
from lrfind.runs.store import RUNS_ROOT, check_out_dir, default_run_dir, new_run

__all__ = [
    "RUNS_ROOT",
    "SCHEMA_VERSION",
    "StoredRun",
    "check_out_dir",
    "default_run_dir",
    "list_runs",
    "load_run",
    "new_run",
    "newest_run",
    "own_rows",
    "rows_used",
    "steps_in",
]
