"""What is trained: the problem, its losses, and networks.

=============  ===================================================================================
problem        Problem: data, loss and penalty; objective, dual vector, rigorous lower bounds
network        Network: predictions, scaling, exchange with PyTorch and scikit-learn, files
blocks         Blocks of the convex program; neurons that share a chamber and a sign
newton         Newton's method on the faces of a network's neurons
weights        arrays of weights: merging, reduction, projections, scaling
losses         one class for each loss: value, gradient, conjugate, conic form
conic_program  ConicProgram, as every solver takes it
=============  ===================================================================================
"""
