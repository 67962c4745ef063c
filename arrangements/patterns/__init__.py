"""Sets of patterns as packed rows. Each file imports only from files listed below it.

=============  ===================================================================================
load           reading what was saved
compose        composition of sign vectors
trichotomies   Trichotomies: the sign vectors of faces, their dimensions, points and chambers
dichotomies    Dichotomies: the patterns of chambers, their points and facets
packed         PackedRows: a sequence and a set of packed vectors, with witnesses
columns        arrays by name in .npz, .parquet, .arrow and .feather files
facets         facets of all chambers at once, and the graph of the chambers
facet_kernels  from faces of codimension one to facets of chambers
lookup         hash index of packed rows
=============  ===================================================================================
"""

from .columns import SUFFIXES
from .compose import compose
from .dichotomies import Dichotomies
from .load import load
from .trichotomies import Trichotomies

__all__ = ["SUFFIXES", "Dichotomies", "Trichotomies", "compose", "load"]
