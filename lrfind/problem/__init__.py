"""Turn a table into numbers a model can learn from: `make_problem(table) -> Problem`.

`target` chooses what to predict, `split` which rows are held out, `encode` what each column becomes, and `make` puts
the three together. Text is the only thing that needs a library beyond NumPy; `words` imports it when it meets some.
"""

from lrfind.problem.make import make_problem
from lrfind.problem.value import Encoding, Problem, Task

__all__ = ["Encoding", "Problem", "Task", "make_problem"]
