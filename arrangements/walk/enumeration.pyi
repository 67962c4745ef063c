from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from .tables import Tables

# A buffer of rows, or (rows, ids, levels, values) while tracing; and how many rows are in it.
_Filled: TypeAlias = tuple[Any, int]

simd: str

def residues(rows: np.ndarray, p: np.ndarray, minus_inv: np.ndarray,
             inverse: np.ndarray) -> np.ndarray: ...

class Geometry:
    @property
    def tables(self) -> Tables: ...
    @property
    def n(self) -> int: ...
    @property
    def m(self) -> int: ...
    @property
    def r(self) -> int: ...
    def __init__(self, tables: Tables) -> None: ...

class Enumeration:
    def __init__(
        self,
        geometry: Geometry,
        sink: Callable[..., Any] | None = None,
        *,
        only_simple: bool = False,
        tracing: bool = False,
        dims: Sequence[bool] | None = None,
    ) -> None: ...
    @property
    def filled(self) -> int: ...
    @property
    def n_rows(self) -> int: ...
    @property
    def counters(self) -> Any: ...
    @property
    def stats(self) -> dict[str, int]: ...
    def begin(self, sink: Callable[[int], _Filled | None]) -> None: ...
    def run(self, prefix: int, first: int, end: int, own: bool) -> bool: ...
    def sign(
        self, basis: Sequence[int], place: int, vector: int,
        exchanged: tuple[int, int] | None = ...,
    ) -> int: ...
    def stop(self) -> None: ...
