"""Let ``python -m lrfind`` do what the ``lrfind`` command does."""

from __future__ import annotations

from lrfind.cli import main

if __name__ == "__main__":
    main()
