"""Hyperplane arrangements of data, exactly.

For a data matrix X the hyperplanes {u : x_i.u = 0} cut weight space into chambers, and on each the
activation pattern of a ReLU neuron is constant. This package enumerates them.

================  ==============================================================================
arrangement       Arrangement: exact reduction of the data, counts, entry to every enumeration
patterns          Dichotomies: packed patterns, set algebra, saving and loading
counting          Cover's bound
witness           exact points inside chambers, and proofs that there are none
reduction         rank, independent columns, one row per hyperplane
data              tables from files and bundled data sets
cli               the command `arrangements`
errors            InputError, CapacityError
_validate         reading of input; the only place that refuses it
_tables           an arrangement in the forms the kernels read
_predicates       from coordinates to signs: filter, separation bound, exact stage
_chambers         the walk over flats that finds every chamber once
_kernels.h        vector loops, chosen at run time
_pipeline         walks in threads: order, streaming, interrupts
_points           float witnesses, checked exactly
_closed           patterns that only boundaries have
================  ==============================================================================
"""

from . import data
from .arrangement import Arrangement, count_dichotomies, dichotomies, iter_dichotomies
from .counting import cover_bound
from .errors import CapacityError, InputError
from .patterns import Dichotomies, load

__all__ = [
    "Arrangement",
    "CapacityError",
    "Dichotomies",
    "InputError",
    "count_dichotomies",
    "cover_bound",
    "data",
    "dichotomies",
    "iter_dichotomies",
    "load",
]
__version__ = "0.1.0"
