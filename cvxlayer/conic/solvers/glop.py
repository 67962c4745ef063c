"""GLOP of OR-Tools: linear programs; see `_ortools`."""

from functools import partial

import ortools  # noqa: F401  (missing: say so now)

from ._ortools import solve as _solve

solve = partial(_solve, "glop")
