"""Training to the global optimum.

==============  ==================================================================================
interpolation   the least norm that interpolates (beta -> 0), and solutions over beta
fit             fit: chooses between the full program, column generation and samples
columns         column generation
start_patterns  patterns of random and of given networks
output_weights  the best output weights of given neurons, by linear programs
==============  ==================================================================================
"""

from cvxlayer.conic.program import solution_of
from cvxlayer.conic.solution import Round, Solution

from .fit import fit

__all__ = ["Round", "Solution", "fit", "solution_of"]
