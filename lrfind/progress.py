"""How far a run is: `Stages`, one after the other in seconds, and `Parts` of one stage, in any unit of work.

Both give one share from 0 to 1 that never goes back, whatever turns up on the way.
"""

from __future__ import annotations

import time
from collections.abc import Callable

# Called with a stage's name and the share of the whole run that is done.
Progress = Callable[[str, float], None]

# Seconds between two reports of a stage that could report at every step.
REPORT_EVERY = 0.1
# What is expected of a stage's pace counts as much as this share of the stage measured: 5 % of a race are half a second
# of training, after which the machine tells more than the estimate.
EXPECTED_COUNTS = 0.05
# Of a stage that tells nothing and takes longer than was expected, this share of what was expected is always left.
ALWAYS_LEFT = 0.1


def silent(_stage: str, _share: float) -> None:
    """Tell nobody."""


class Stages:
    """The stages of a run, and the share of its time that has passed; may be read from another thread.

    Between two reports dt seconds apart, of which the second expects L seconds more, the share left shrinks by
    L / (L + dt). With right expectations that makes the share the time passed over the whole time; with wrong ones it
    still moves forward all the time, at the pace that fits what is left, and ends at 1.

    Parameters
    ----------
    tell : callable, optional
        Called with a stage's name and the share of the whole run that is done.
    after : float
        Seconds that are expected after the stages of `lrfind.find_lr`, for what its caller does then.
    clock : callable
        Returns seconds.
    """

    def __init__(
        self, tell: Progress = silent, *, after: float = 0.0, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._tell, self._after, self._clock = tell, after, clock
        self._seconds, self._later, self._done, self._share, self._highest = 0.0, 0.0, 0.0, 0.0, 0.0
        self._first = self._begun = self._last = self._told = clock()
        # of the stage
        self.name = ""

    @property
    def elapsed(self) -> float:
        """Seconds since the begin."""
        return self._clock() - self._first

    @property
    def left(self) -> float:
        """Seconds that are expected until the end."""
        return self._left(self._clock())

    @property
    def share(self) -> float:
        """Share of the run's time that has passed, as far as can be told at this moment."""
        if self.name:
            self._highest = max(self._highest, self._share_at(self._clock()))
        return self._highest

    def begin(self, name: str, *, seconds: float, later: float = 0.0) -> None:
        """Go on to the next stage.

        Parameters
        ----------
        name : str
        seconds : float
            That the stage is expected to take.
        later : float
            Seconds expected from its end to the end of the run, `after` left out.
        """
        self._pass()
        self.name, self._seconds, self._later, self._done = name, seconds, later, 0.0
        self._begun = self._last
        self._say()

    def at(self, done: float) -> None:
        """Tell which share of the stage is done; can be called at every step."""
        self._done = max(self._done, min(done, 1.0))
        if self._clock() - self._told >= REPORT_EVERY:
            self._pass()
            self._say()

    def beat(self) -> None:
        """Tell that the stage goes on, where its share is not known."""
        self.at(self._done)

    def end(self) -> None:
        """Tell that the last stage is over: that is the end of the run unless something was expected after it."""
        self._seconds, self._later, self._after, self._done = 0.0, self._after, 0.0, 1.0
        self._pass()
        self._say()

    def _pass(self) -> None:
        now = self._clock()
        if self.name:
            self._share = self._share_at(now)
        self._last = now

    def _share_at(self, now: float) -> float:
        passed, left = max(now - self._last, 0.0), self._left(now)
        return 1.0 - (1.0 - self._share) * left / (left + passed) if left > 0 else 1.0

    def _left(self, now: float) -> float:
        spent, rest = now - self._begun, self._later + self._after
        if not self._done:
            return max(self._seconds - spent, ALWAYS_LEFT * self._seconds) + rest
        whole = (EXPECTED_COUNTS * self._seconds + spent) / (EXPECTED_COUNTS + self._done)
        return (1.0 - self._done) * whole + rest

    def _say(self) -> None:
        self._told = self._last
        self._highest = max(self._highest, self._share)
        self._tell(self.name, self._highest)


class Parts:
    """Parts of one piece of work, of which more may turn up on the way.

    Parameters
    ----------
    tell : callable
        Called with the share of the whole work that is done.
    """

    def __init__(self, tell: Callable[[float], None]) -> None:
        self._tell, self._share = tell, 0.0

    def part(self, size: float, *, later: float = 0.0) -> Callable[[float], None]:
        """Return what the next part is to call with its own share.

        Parameters
        ----------
        size : float
            Of the part, in any unit of work.
        later : float
            Work expected after it: together they share what is left of the whole.
        """
        begin, whole = self._share, size + later
        width = (1.0 - begin) * (size / whole if whole > 0 else 0.0)

        def tell(share: float) -> None:
            self._share = max(self._share, begin + width * min(share, 1.0))
            self._tell(self._share)

        return tell
