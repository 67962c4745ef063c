"""A progress bar on stderr."""

from __future__ import annotations

import sys
import time
from typing import Self


class progress_bar:  # noqa: N801  (used as a function: with progress_bar(...) as bar)
    """Context manager that draws label, bar, percent, counts, rate and remaining time.

    Parameters
    ----------
    total : int
        What `done` reaches at the end.
    label : str
    enabled : bool
        False makes every method return at once.

    Notes
    -----
    On a terminal the line is redrawn at most ten times a second; elsewhere a line is printed at
    most every ten seconds, and one at the end. Runs shorter than half a second draw nothing.
    """

    def __init__(self, total: int, label: str, enabled: bool) -> None:
        self.total, self.label, self.enabled = total, label, enabled
        self.done, self._drawn = 0, False

    def __enter__(self) -> Self:
        self._start = time.monotonic()
        self._terminal = self.enabled and sys.stderr.isatty()
        self._next = self._start + (0.5 if self._terminal else 10.0)
        return self

    def update(self, n: int) -> None:
        """Count n more."""
        self.set(self.done + n)

    def set(self, done: int) -> None:
        """Say how many are done in all."""
        self.done = done
        if self.enabled and (now := time.monotonic()) >= self._next:
            self._next = now + (0.1 if self._terminal else 10.0)
            self._draw(now)

    def __exit__(self, *exception: object) -> None:
        now = time.monotonic()
        if self.enabled and (self._drawn or now >= self._start + 0.5):
            self._draw(now)
            if self._terminal:
                print(file=sys.stderr)

    def _draw(self, now: float) -> None:
        share = min(self.done / self.total, 1.0) if self.total else 1.0
        rate = self.done / max(now - self._start, 1e-9)
        left = _clock((self.total - self.done) / rate) if rate else "?"
        filled = int(24 * share)
        line = (
            f"{self.label} [{'#' * filled}{'.' * (24 - filled)}] {int(100 * share):3d}% "
            f"{self.done:,}/{self.total:,} {rate:,.0f}/s ETA {left}"
        )
        end = "\x1b[K" if self._terminal else "\n"
        print("\r" * self._terminal + line, end=end, file=sys.stderr, flush=True)
        self._drawn = True


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(max(int(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
