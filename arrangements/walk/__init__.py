"""The walk over flats that finds every chamber and face once.

============  ====================================================================================
threads       walks in threads: order, streaming, interrupts
counts        Whitney numbers and f-vectors, by walks that only count
faces         all faces, by walks in a chain of restrictions
boundaries    patterns that only boundaries have
float_points  float witnesses, checked exactly
tables        an arrangement in the forms the kernels read
enumeration   Geometry and Enumeration: one walk, from Python
flats         the recursion
catalogue     small local arrangements, solved once
memory        workers: scratch, masks, output
predicates    from coordinates to signs: filter, separation bound, exact stage
kernels.h     vector loops, chosen at run time
============  ====================================================================================
"""
