"""The training problem as a conic program.

=========  =======================================================================================
program    patterns and a problem -> a conic program
to_cvxpy   the program in CVXPY
solvers    one adapter for each solver
=========  =======================================================================================
"""
