"""Around a network: paths along which the objective does not rise, and the set of all optima.

========  ========================================================================================
local     local_minimum: is a network one, and if not, which way is down
path      Path: a piecewise straight path of networks, and its check
paths     paths along which the objective does not rise
optima    the set of all optimal networks: bounds, vertices, samples, least width
polytope  vertices, bounds and walks of a polytope, by linear programs
========  ========================================================================================
"""

from cvxlayer.model.blocks import Blocks, faces, factors, from_blocks, groups, to_blocks
from cvxlayer.model.network import Network
from cvxlayer.model.weights import caratheodory, collinear, merged, nearest, reduced

split = Network.split

__all__ = ["Blocks", "caratheodory", "collinear", "faces", "factors", "from_blocks", "groups",
           "merged", "nearest", "reduced", "split", "to_blocks"]
