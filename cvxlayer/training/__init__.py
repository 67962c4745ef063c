"""Training to the global optimum.

==============  ==================================================================================
interpolation   the least norm that interpolates (beta -> 0), and paths over beta
fit             fit: the full program, column generation, samples; Solution
newton          Newton's method on the faces of a network's neurons
start_patterns  patterns of random and of given networks
output_weights  the best output weights of given neurons, by linear programs
==============  ==================================================================================
"""

from .fit import Round, Solution, fit

__all__ = ["Round", "Solution", "fit"]
