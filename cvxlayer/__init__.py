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
certificate    certify: is a network globally optimal, how far can it fall, which way; Certificate
pricing        the most violated neuron, exactly or between bounds
stationarity   Clarke's condition, neuron by neuron
kkt            the optimality conditions cone by cone, as the papers have them
subsampled     optimality within a network's own faces
local          local_minimum: is a network one, and if not, which way is down
landscape      blocks, merging, splitting, reduction of networks
paths          paths of networks along which the objective does not rise
optima         the set of all optimal networks: bounds, vertices, samples, least width
verification   verify: a certificate checked in exact arithmetic
estimators     ReLURegressor and ReLUClassifier for scikit-learn (extra `sklearn`)
errors         SolverError, MissingSolverError, InfeasibleError
_polish        Newton's method on the faces of a network's neurons
_polytope      vertices, bounds and walks of a polytope, by linear programs
_checks        checks of arguments
_files         arrays in files, whole or not at all
_cover         exact proof of a bound on all neurons, by a cover of space by cones
_cvxpy         the program in CVXPY
=============  =================================================================================
"""

from .certificate import Certificate, certify
from .errors import InfeasibleError, MissingSolverError, SolverError
from .interpolation import Interpolation, minimum_norm, path
from .kkt import KKT, kkt
from .landscape import Blocks
from .local import LocalMinimum, local_minimum
from .losses import Absolute, Hinge, Huber, Logistic, Loss, Squared
from .network import Network
from .neurons import over_neurons
from .optima import OptimalSet, Smallest, minimal_width, optimal_set
from .paths import (
    Path,
    PathCheck,
    line,
    path_to_minimal,
    path_to_nearly_minimal,
    path_to_optimum,
    path_to_reduced,
)
from .pricing import Price, price
from .problem import Problem
from .program import Block, ConvexProgram
from .stationarity import Stationarity, stationarity
from .subsampled import SubsampledCertificate, subsampled_certificate
from .training import Round, Solution
from .verification import Check, Verification, verify

__all__ = [
    "KKT",
    "Absolute",
    "Block",
    "Blocks",
    "Certificate",
    "Check",
    "ConvexProgram",
    "Hinge",
    "Huber",
    "InfeasibleError",
    "Interpolation",
    "LocalMinimum",
    "Logistic",
    "Loss",
    "MissingSolverError",
    "Network",
    "OptimalSet",
    "Path",
    "PathCheck",
    "Price",
    "Problem",
    "Round",
    "Smallest",
    "Solution",
    "SolverError",
    "Squared",
    "Stationarity",
    "SubsampledCertificate",
    "Verification",
    "certify",
    "kkt",
    "line",
    "local_minimum",
    "minimal_width",
    "minimum_norm",
    "optimal_set",
    "over_neurons",
    "path",
    "path_to_minimal",
    "path_to_nearly_minimal",
    "path_to_optimum",
    "path_to_reduced",
    "price",
    "stationarity",
    "subsampled_certificate",
    "verify",
]
