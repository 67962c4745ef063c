"""What is trained: the problem, its losses, and networks.

=======  =========================================================================================
problem  Problem: data, loss and penalty; objective, dual vector, rigorous lower bounds
blocks   blocks, merging, splitting, reduction of networks
network  Network: predictions, scaling, exchange with PyTorch and scikit-learn, files
losses   one class for each loss: value, gradient, conjugate, conic form
=======  =========================================================================================
"""
