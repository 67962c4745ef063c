import numpy as np
from numpy.typing import ArrayLike

def bounded_least_squares(
    A: ArrayLike, b: ArrayLike, upper: ArrayLike | None = None
) -> tuple[np.ndarray, np.ndarray]: ...
