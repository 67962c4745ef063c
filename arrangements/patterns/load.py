"""Reading what `Dichotomies.save` and `Trichotomies.save` wrote."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from arrangements.errors import InputError

from .columns import read
from .dichotomies import Dichotomies
from .trichotomies import Trichotomies

__all__ = ["load"]

_NAMES = ("packed", "positive", "negative", "dims", "witnesses", "witness_found")


def load(path: str | os.PathLike[str]) -> Dichotomies | Trichotomies:
    """Read what `Dichotomies.save` or `Trichotomies.save` wrote: same rows, order and witnesses.

    Parameters
    ----------
    path : str or path
        A ``.npz``, ``.parquet``, ``.arrow`` or ``.feather`` file; all but the first need pyarrow.

    Returns
    -------
    Dichotomies or Trichotomies
        Whichever was saved; without an arrangement, so that `witness` is not available.

    Raises
    ------
    InputError
        The file is damaged or holds something else.
    OSError
        The file cannot be read.
    """
    out: Dichotomies | Trichotomies = read(path, _NAMES, _table)
    return out


def _table(n: int, columns: Mapping[str, np.ndarray]) -> Dichotomies | Trichotomies:
    """What was saved, told by its columns."""
    options: dict[str, Any] = {name: columns.get(name) for name in _NAMES[-2:]}
    if "packed" in columns:
        return Dichotomies(columns["packed"], n, **options)
    if not {"positive", "negative"} <= columns.keys():
        raise InputError("it lacks the column 'packed', or 'positive' and 'negative'")
    planes = columns["positive"], columns["negative"]
    return Trichotomies(*planes, n, dims=columns.get("dims"), **options)
