# Nothing for Python: tableaux and their signs are reached from `_chambers` by cimport.
