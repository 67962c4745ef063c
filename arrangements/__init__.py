"""Hyperplane arrangements of data, exactly.

For a data matrix X the hyperplanes {u : x_i.u = 0} cut weight space into chambers, and on each the
activation pattern of a ReLU neuron is constant. This package enumerates them. Each room imports
only from rooms listed below it; see docs/architecture.md.

============  ====================================================================================
cli           the command `arrangements`
pictures      pictures of rank 1 to 3
verification  proof that a set of dichotomies is complete and correct
families      named arrangements with published counts
shortcuts     one call from data to answer
arrangement   Arrangement: the front door, to every count and enumeration
ellipsoid     the support function: maxima of v.(Xu)_+ over the unit ball
chambers      Cone: facets, rays, projection; neighbours and random samples of chambers
walk          the walk over flats that finds every chamber and face once
counting      closed forms; characteristic polynomial; estimates
patterns      Dichotomies and Trichotomies: packed patterns, set algebra, files; facets
algebra       exact numbers, reduction to independent columns, witnesses, least squares
data          tables from files and bundled data sets
bundled       data sets of scikit-learn, from its files
files         files that are whole or absent
checks        checks of arguments
progress      progress bars
errors        InputError, NotAChamberError, CapacityError, NumericalRankWarning
moved         old names of modules
============  ====================================================================================
"""

from . import data, families
from .arrangement import Arrangement
from .chambers.cone import Cone
from .counting import cover_bound
from .errors import CapacityError, InputError, NotAChamberError, NumericalRankWarning
from .moved import forward
from .patterns import Dichotomies, Trichotomies, compose, load
from .pictures.plot import plot
from .shortcuts import (
    count_dichotomies,
    count_trichotomies,
    dichotomies,
    f_vector,
    iter_dichotomies,
    iter_trichotomies,
    support,
    trichotomies,
)
from .verification import Verification, verify

__all__ = [
    "Arrangement",
    "CapacityError",
    "Cone",
    "Dichotomies",
    "InputError",
    "NotAChamberError",
    "NumericalRankWarning",
    "Trichotomies",
    "Verification",
    "compose",
    "count_dichotomies",
    "count_trichotomies",
    "cover_bound",
    "data",
    "dichotomies",
    "f_vector",
    "families",
    "iter_dichotomies",
    "iter_trichotomies",
    "load",
    "plot",
    "support",
    "trichotomies",
    "verify",
]
__version__ = "0.1.0"

forward("arrangements", {
    "cones": "chambers.cone",
    "estimation": "counting.estimation",
    "facets": "patterns.facets",
    "neighbours": "chambers.neighbours",
    "plotting": "pictures.plot",
    "reduction": "algebra.reduction",
    "sampling": "chambers.sampling",
    "support": "ellipsoid.support",
    "trichotomies": "patterns.trichotomies",
    "witness": "algebra.witness",
}, {
    "arrangement.count_dichotomies": "count_dichotomies",
    "arrangement.dichotomies": "dichotomies",
    "arrangement.iter_dichotomies": "iter_dichotomies",
    "cones.first_samples": "algebra.reduction.Reduction.first.func",
    "patterns.check_target": "files.check_target",
    "plotting.check_target": "pictures.style.check_picture",
    "trichotomies.compose": "patterns.compose.compose",
})
