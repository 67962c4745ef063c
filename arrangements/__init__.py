"""Hyperplane arrangements of data, exactly.

For a data matrix X the hyperplanes {u : x_i.u = 0} cut weight space into chambers, and on each the
activation pattern of a ReLU neuron is constant. This package enumerates them.

================  ==============================================================================
arrangement       Arrangement: exact reduction of the data, counts, entry to every enumeration
patterns          Dichotomies: packed patterns, set algebra, saving and loading
trichotomies      Trichotomies: packed sign vectors of faces, and their composition
cones             Cone: facets, rays, membership and projection of one chamber
facets            facets of all chambers at once, and the graph of the chambers
support           the support function: maxima of v.(Xu)_+ over the unit ball
counting          closed forms; characteristic polynomial by deletion and restriction
verification      proof that a set of dichotomies is complete and correct
neighbours        chambers within a number of facet crossings
sampling          random chambers, each once, with exact patterns
estimation        unbiased estimates of the number of chambers
families          named arrangements with published counts
plotting          pictures of rank 1 to 3
witness           exact points inside chambers, and proofs that there are none
reduction         rank, independent columns, one row per hyperplane
data              tables from files and bundled data sets
cli               the command `arrangements`
errors            InputError, NotAChamberError, CapacityError
_validate         reading of input; the only place that refuses it
_tables           an arrangement in the forms the kernels read
_predicates       from coordinates to signs: filter, separation bound, exact stage
_chambers         the walk over flats that finds every chamber and face once
_kernels.h        vector loops, chosen at run time
_pipeline         walks in threads: order, streaming, interrupts
_faces            all faces, by walks in a chain of restrictions
_counts           Whitney numbers and f-vectors, by walks that only count
_points           float witnesses, checked exactly
_closed           patterns that only boundaries have
_lookup           hash index of packed rows
_facets           from faces of codimension one to facets of chambers
_polyhedra        facets and rays of one cone, in integers
_nnls             least squares with bounds
_support          branch and bound on cones
_train            the command `arrangements train`
_certify          the command `arrangements certify`
_scene            where chambers lie in a picture
_cells            chambers of rank at most 3 as cones, exactly
================  ==============================================================================
"""

from . import data, families
from .arrangement import Arrangement, count_dichotomies, dichotomies, iter_dichotomies
from .cones import Cone
from .counting import cover_bound
from .errors import CapacityError, InputError, NotAChamberError
from .patterns import Dichotomies, load
from .plotting import plot
from .trichotomies import Trichotomies, compose
from .verification import Verification, verify

__all__ = [
    "Arrangement",
    "CapacityError",
    "Cone",
    "Dichotomies",
    "InputError",
    "NotAChamberError",
    "Trichotomies",
    "Verification",
    "compose",
    "count_dichotomies",
    "cover_bound",
    "data",
    "dichotomies",
    "families",
    "iter_dichotomies",
    "load",
    "plot",
    "verify",
]
__version__ = "0.1.0"
