"""The package's own errors; each also derives from the built-in one a caller would expect."""


class InputError(ValueError):
    """An argument is not what a function needs; the message names what, where and what to do."""


class CapacityError(MemoryError):
    """A result cannot fit in memory.

    Attributes
    ----------
    n_chambers : int
        Number of chambers, or a lower bound of it where `exact` is False.
    bytes_needed, bytes_available : int
    exact : bool
        Whether `n_chambers` is the exact number.
    """

    def __init__(self, message, *, n_chambers, bytes_needed, bytes_available, exact):
        super().__init__(message)
        self.n_chambers = n_chambers
        self.bytes_needed = bytes_needed
        self.bytes_available = bytes_available
        self.exact = exact
