"""The convex layer: training two-layer ReLU networks to global optimality.

Over the dichotomies D_i of a data matrix X the training problem

    min  l(sum_j (X u_j)_+ alpha_j) + beta/2 sum_j (||u_j||^2 + alpha_j^2)

is a convex program: blocks v_i, w_i in the cones (2 D_i - I) X u >= 0 with a group penalty (Pilanci
and Ergen 2020). It is written down over all or some patterns, or solved by column generation
without being written down; either way the result says how far it can be from the optimum.

=============  =================================================================================
problem        Problem: data, loss and penalty; objective, dual vector, rigorous lower bounds
losses         one class for each loss: value, gradient, conjugate, conic form
network        Network: predictions, scaling, exchange with PyTorch and scikit-learn, files
program        patterns and a problem -> a conic program
solvers        one adapter for each solver
training       fit: the full program, column generation, samples; Solution
sampling       patterns of random and of given networks
interpolation  the least norm that interpolates (beta -> 0), and paths over beta
neurons        the best output weights of given neurons, by linear programs
estimators     ReLURegressor and ReLUClassifier for scikit-learn (extra `sklearn`)
errors         SolverError, MissingSolverError, InfeasibleError
_polish        Newton's method on the faces of a network's neurons
_cvxpy         the program in CVXPY
=============  =================================================================================
"""

from .errors import InfeasibleError, MissingSolverError, SolverError
from .interpolation import Interpolation, minimum_norm, path
from .losses import Absolute, Hinge, Huber, Logistic, Loss, Squared
from .network import Network
from .neurons import over_neurons
from .problem import Problem
from .program import Block, ConvexProgram
from .training import Round, Solution

__all__ = [
    "Absolute",
    "Block",
    "ConvexProgram",
    "Hinge",
    "Huber",
    "InfeasibleError",
    "Interpolation",
    "Logistic",
    "Loss",
    "MissingSolverError",
    "Network",
    "Problem",
    "Round",
    "Solution",
    "SolverError",
    "Squared",
    "minimum_norm",
    "over_neurons",
    "path",
]
