"""Sets of patterns as packed rows.

=============  ===================================================================================
dichotomies    Dichotomies: packed patterns, set algebra, saving and loading
trichotomies   Trichotomies: packed sign vectors of faces, and their composition
facets         facets of all chambers at once, and the graph of the chambers
facet_kernels  from faces of codimension one to facets of chambers
lookup         hash index of packed rows
=============  ===================================================================================
"""

from .dichotomies import SUFFIXES, Dichotomies, load
from .trichotomies import Trichotomies, compose

__all__ = ["SUFFIXES", "Dichotomies", "Trichotomies", "compose", "load"]
