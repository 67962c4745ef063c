"""The walk over flats that finds every chamber and face once.

============  ====================================================================================
numbers       Numbers: counts of one arrangement, found once and remembered
blocks        blocks of rows: cut and joined to one size
counts        Whitney numbers and f-vectors, by walks that only count
faces         all faces, by walks in a chain of restrictions
sums          direct sums: products of the rows of the summands
products      their rows, written at the speed of memory
walks         Walks: geometry, new tries, memory; every walk goes through it
threads       walks in threads: order, streaming, interrupts
boundaries    patterns that only boundaries have
float_points  float witnesses, checked exactly
points        their kernel: points from traces, and error bounds
tables        an arrangement in the forms the kernels read
enumeration   Geometry and Enumeration: one walk, from Python
flats         the recursion
catalogue     small local arrangements, solved once
memory        workers: scratch, masks, output
predicates    from coordinates to signs: filter, separation bound, exact stage
pairs         the inverse of a basis in pairs of floats, with a proven bound
kernels.h     vector loops, chosen at run time
============  ====================================================================================
"""
