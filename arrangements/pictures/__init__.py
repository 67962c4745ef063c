"""Pictures of arrangements of rank 1 to 3.

=====  ===========================================================================================
plot   pictures of rank 1 to 3
scene  where chambers lie in a picture
cells  chambers of rank at most 3 as cones, exactly
style  palette, files, the guard of matplotlib
=====  ===========================================================================================
"""
