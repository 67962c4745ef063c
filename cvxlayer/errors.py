"""Errors of the convex layer; input errors are those of `arrangements`."""

from arrangements.errors import CapacityError, InputError

__all__ = ["CapacityError", "InfeasibleError", "InputError", "MissingSolverError", "SolverError"]


class SolverError(RuntimeError):
    """A solver stopped short.

    Attributes
    ----------
    status : str
        What it said.
    """

    def __init__(self, message: str, status: str = "") -> None:
        super().__init__(message)
        self.status = status


class MissingSolverError(ImportError):
    """A solver is not installed, or cannot be imported beside another one."""


class InfeasibleError(ValueError):
    """No network interpolates the data.

    Attributes
    ----------
    proof : ndarray of float64, shape (n,)
        A vector v with v.(Xu)_+ = 0 for every u, and v.y > 0.
    """

    def __init__(self, message: str, proof: object) -> None:
        super().__init__(message)
        self.proof = proof
