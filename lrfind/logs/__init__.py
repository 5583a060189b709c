"""Read a training log, whatever wrote it: `read_log(source) -> TrainingLog`.

The story is told in `read`; each step has its place::

    opened     open the file: refuse what is no log, unpack it, decode it, parse JSON once
    folder     find the log in a directory
    ...        one file a format: claims(log), read(log) -> Readings
    readings   what a format's reader hands over: sparse columns
    optimizer  which optimizer a log names
    printed    what scripts print, a package of its own: the grammar of its lines
    cells      numbers as logs spell them
    names      what a column's name says it is; languages knows other names for it
    wholes     losses that are logged in parts alone
    nature     adversarial and reinforcement training, by the names of the losses
    roles      which column is the loss, the step, the learning rate
    padding    zeros and NaN that stand for "not computed"
    steps      counts that start anew with each epoch
    runs       several runs in one file
    repair     resumed, unsorted and broken logs to strictly increasing steps
    log        the types: TrainingLog, Repair, Run, Passed
"""

from lrfind.logs.log import Passed, Repair, Run, TrainingLog
from lrfind.logs.optimizer import Optimizer
from lrfind.logs.read import READERS, Reader, read_log

__all__ = ["READERS", "Optimizer", "Passed", "Reader", "Repair", "Run", "TrainingLog", "read_log"]
