"""The rectified ellipsoid {(Xu)_+ : ||u|| <= 1} and its support function.

=======  =========================================================================================
support  the support function: maxima of v.(Xu)_+ over the unit ball
search   branch and bound on cones
=======  =========================================================================================
"""
