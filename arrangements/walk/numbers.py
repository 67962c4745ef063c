"""The numbers of one arrangement, each found once and remembered."""

from __future__ import annotations

import math
from collections.abc import Callable

from arrangements.counting.closed_forms import (
    cover_bound,
    generic_f_vector,
    generic_whitney_numbers,
)

from . import counts
from .walks import Walks


class Numbers:
    """Counts of chambers, flats and faces: closed forms where these hold, else walks.

    Attributes
    ----------
    general : bool or None
        Whether the rows are in general position, if that is known. Counts are then closed forms.
    chambers : int or None
        The number of chambers, once a walk has found it.
    """

    def __init__(self, walks: Walks) -> None:
        self._walks = walks
        self.general: bool | None = None
        self.chambers: int | None = None
        self._lists: dict[Callable[[Walks, int], list[int]], list[int]] = {}

    @property
    def known(self) -> int | None:
        """The number of chambers where it needs no walk, else None."""
        w = self._walks
        if self.chambers is None and w.tol is None and (self.general or w.m == w.rank):
            return cover_bound(w.m, w.rank)
        return self.chambers

    def general_position(self) -> bool:
        """Whether every `rank` samples are independent; at worst by one walk."""
        if self.general is None:
            w = self._walks
            if w.rank <= 1:
                self.general = w.rank == 0 or len(w.reduction.cut) == w.n
            elif w.m < w.n:
                self.general = False
            elif w.tol is None and w.m == w.rank:
                self.general = True
            elif self.chambers is None:
                w.check_walkable()
                self.chambers = w.count(only_simple=True)
                self.general = self.chambers is not None
            else:
                self.general = self.chambers == cover_bound(w.n, w.rank)
        return self.general

    def count(self, jobs: int) -> int:
        """The number of chambers."""
        w = self._walks
        if self.chambers is None:
            if w.tol is None:
                self.chambers = sum(self.first_kind(jobs))
            elif w.m <= 1:
                self.chambers = 2**w.m
            else:
                w.check_walkable()
                self.chambers = w.count()
        return self.chambers or 0

    def first_kind(self, jobs: int) -> list[int]:
        """Magnitudes of the coefficients of the characteristic polynomial."""
        w = self._walks
        return self._found(counts.first_kind, jobs, lambda: generic_whitney_numbers(w.m, w.rank))

    def second_kind(self, jobs: int) -> list[int]:
        """Numbers of flats by rank."""
        w = self._walks
        return self._found(counts.second_kind, jobs,
                           lambda: [math.comb(w.m, k) for k in range(w.rank)] + [1])

    def faces(self, jobs: int) -> list[int]:
        """Numbers of faces by dimension."""
        w = self._walks
        return self._found(counts.faces, jobs, lambda: generic_f_vector(w.m, w.rank))

    def _found(self, walk: Callable[[Walks, int], list[int]], jobs: int,
               closed: Callable[[], list[int]]) -> list[int]:
        if walk not in self._lists:
            simple = self._walks.rank == 0 or self.general
            self._lists[walk] = closed() if simple else walk(self._walks, jobs)
        return list(self._lists[walk])
