# Nothing for Python: recurring arrangements are reached from `_chambers` by cimport.
