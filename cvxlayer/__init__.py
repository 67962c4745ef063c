"""The convex layer: training two-layer ReLU networks to global optimality, and certificates of it.

Over the dichotomies D_i of a data matrix X, which `arrangements` enumerates, the training problem

    min  l(sum_j (X u_j)_+ alpha_j) + beta/2 sum_j (||u_j||^2 + alpha_j^2)

is a convex program: blocks v_i, w_i in the cones (2 D_i - I) X u >= 0 with a group penalty (Pilanci
and Ergen 2020). This package will hold that program, its solvers, and the certificates that a given
network is optimal or how far it can still fall. It uses enumerations only through the public
interface of `arrangements`. There is nothing here yet.
"""

__all__: list[str] = []
