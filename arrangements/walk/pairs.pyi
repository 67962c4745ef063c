from collections.abc import Sequence
from typing import Any

def coordinates(
    high: Any, low: Any, basis: Sequence[int], vector: int
) -> list[tuple[float, float, float]] | None: ...
