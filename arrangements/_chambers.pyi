# Nothing for Python: the walk is reached from `_enumeration` by cimport.
