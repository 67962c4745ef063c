"""The training problem as a conic program.

=========  =======================================================================================
program    ConvexProgram: patterns and a problem -> a conic program -> a Solution
solution   Solution: a network, and how far it can be from the optimum
to_cvxpy   the program in CVXPY
solvers    one adapter for each solver
=========  =======================================================================================
"""
