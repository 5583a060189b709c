"""Settings that hold for all tests."""

import os

from hypothesis import settings

# No deadline: on a busy machine an example may take long without anything being wrong. In CI the same examples every
# time, so that a change fails for what it changes.
settings.register_profile("lrfind", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("lrfind")
