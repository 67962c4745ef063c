"""Exact numbers and linear algebra.

===========  =====================================================================================
data         Data: the numbers that were read, and what they reduce to
numbers      IntegerMatrix: data read as exact integers with a scale for each column
elimination  integer linear algebra: echelon forms, kernels, adjugates, primitive vectors
reduction    Reduction: rank, independent columns, one row per hyperplane
witness      exact points inside chambers, and proofs that there are none
point_signs  signs of rows at given points, exactly
nnls         least squares with bounds
rounding     floats beside exact numbers
===========  =====================================================================================
"""
