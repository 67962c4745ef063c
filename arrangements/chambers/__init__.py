"""Single chambers: their cones, their neighbours, random ones.

==========  ======================================================================================
cone        Cone: facets, rays, membership and projection of one chamber
polyhedra   facets and rays of one cone, in integers
at_points   chambers at given points
neighbours  chambers within a number of facet crossings
sampling    random chambers, each once, with exact patterns
==========  ======================================================================================
"""
