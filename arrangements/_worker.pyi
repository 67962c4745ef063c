# Nothing for Python: a walk's state is reached from `_chambers` and `_enumeration` by cimport.
