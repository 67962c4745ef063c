import numpy as np

def fill(heads: np.ndarray, head_dims: np.ndarray, table: np.ndarray, table_dims: np.ndarray,
         choice: np.ndarray, start: np.ndarray, cuts: np.ndarray | None, i: int, j: int,
         out: np.ndarray) -> tuple[int, int, int]: ...
