"""The convex layer: training two-layer ReLU networks to global optimality.

Over the dichotomies D_i of a data matrix X the training problem

    min  l(sum_j (X u_j)_+ alpha_j) + beta/2 sum_j (||u_j||^2 + alpha_j^2)

is a convex program: blocks v_i, w_i in the cones (2 D_i - I) X u >= 0 with a group penalty (Pilanci
and Ergen 2020). It is written down over all or some patterns, or solved by column generation
without being written down; either way the result says how far it can be from the optimum.

============  ====================================================================================
cli           the commands `arrangements train` and `arrangements certify`
estimators    ReLURegressor and ReLUClassifier for scikit-learn (extra `sklearn`)
landscape     paths of networks, and the set of all optima
certificates  certify, verify, kkt: is a network globally optimal, how far can it fall, which way
training      fit: the full program, column generation, samples; interpolation
conic         patterns and a problem -> a conic program; one adapter for each solver
model         Problem, Network, Blocks, losses
checks        checks of arguments
errors        SolverError, MissingSolverError, InfeasibleError
============  ====================================================================================
"""

from arrangements.moved import forward

from .certificates.certificate import Certificate, certify
from .certificates.kkt import KKT, kkt
from .certificates.own_faces import SubsampledCertificate, subsampled_certificate
from .certificates.pricing import Price, price
from .certificates.stationarity import Stationarity, stationarity
from .certificates.verification import Check, Verification, verify
from .conic.program import ConvexProgram, Term
from .conic.solution import Round, Solution
from .errors import InfeasibleError, MissingSolverError, SolverError
from .landscape.local import LocalMinimum, local_minimum
from .landscape.optima import OptimalSet, Smallest, minimal_width, optimal_set
from .landscape.path import Path, PathCheck
from .landscape.paths import (
    join,
    path_to_minimal,
    path_to_nearly_minimal,
    path_to_optimum,
    path_to_reduced,
)
from .model.blocks import Blocks
from .model.losses import Absolute, Hinge, Huber, Logistic, Loss, Squared
from .model.network import Network
from .model.problem import Problem
from .training.interpolation import Interpolation, minimum_norm, solutions_over_beta
from .training.output_weights import over_neurons

__all__ = ["KKT", "Absolute", "Blocks", "Certificate", "Check", "ConvexProgram", "Hinge", "Huber",
           "InfeasibleError", "Interpolation", "LocalMinimum", "Logistic", "Loss",
           "MissingSolverError", "Network", "OptimalSet", "Path", "PathCheck", "Price",
           "Problem", "Round", "Smallest", "Solution", "SolverError", "Squared",
           "Stationarity", "SubsampledCertificate", "Term", "Verification", "certify",
           "join", "kkt", "local_minimum", "minimal_width", "minimum_norm",
           "optimal_set", "over_neurons", "path_to_minimal", "path_to_nearly_minimal",
           "path_to_optimum", "path_to_reduced", "price", "solutions_over_beta",
           "stationarity", "subsampled_certificate", "verify"]

forward("cvxlayer", {
    "certificate": "certificates.certificate",
    "interpolation": "training.interpolation",
    "kkt": "certificates.kkt",
    "losses": "model.losses",
    "network": "model.network",
    "neurons": "training.output_weights",
    "optima": "landscape.optima",
    "paths": "landscape.paths",
    "pricing": "certificates.pricing",
    "problem": "model.problem",
    "program": "conic.program",
    "sampling": "training.start_patterns",
    "solvers": "conic.solvers",
    "stationarity": "certificates.stationarity",
    "subsampled": "certificates.own_faces",
    "verification": "certificates.verification",
}, {
    "Block": "Term",
    "interpolation.path": "training.interpolation.solutions_over_beta",
    "line": "join",
    "losses.Conic": "model.conic_program.ConicProgram",
    "path": "solutions_over_beta",
    "paths.line": "landscape.paths.join",
    "program.Block": "conic.program.Term",
})
