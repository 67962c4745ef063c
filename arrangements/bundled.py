"""Data sets of scikit-learn, read from its files: importing it takes a second."""

from __future__ import annotations

import csv
import gzip
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from .errors import InputError

SETS = ("iris", "diabetes", "wine", "breast_cancer")

_MEASURES = ("radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity",
             "concave points", "symmetry", "fractal dimension")
_NAMES = {
    "iris": [f"{part} {size} (cm)" for part in ("sepal", "petal") for size in ("length", "width")],
    "diabetes": ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"],
    "wine": [
        "alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols",
        "flavanoids", "nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue",
        "od280/od315_of_diluted_wines", "proline"],
    "breast_cancer": [*(f"mean {x}" for x in _MEASURES), *(f"{x} error" for x in _MEASURES),
                      *(f"worst {x}" for x in _MEASURES)],
}  # fmt: skip


def bundled(name: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Values (n, d) and target (n,) of a set, float64 as it was measured, and the d names.

    Raises
    ------
    InputError
        Without scikit-learn.
    """
    try:
        folder = _folder()
        if name == "diabetes":  # the scaled data are rounded quotients
            values = _table(folder / "diabetes_data_raw.csv.gz", " ")
            target = _table(folder / "diabetes_target.csv.gz", " ")[:, 0]
        else:
            table = _table(folder / f"{'wine_data' if name == 'wine' else name}.csv", ",")
            values, target = np.ascontiguousarray(table[:, :-1]), table[:, -1]
    except OSError as error:
        raise InputError(
            f"the set {name!r} comes with scikit-learn: pip install 'arrangements[data]'"
        ) from error
    return values, target, list(_NAMES[name])


def _folder() -> Path:
    spec = find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("sklearn")
    return Path(spec.submodule_search_locations[0]) / "datasets" / "data"


def _table(path: Path, delimiter: str) -> np.ndarray:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter=delimiter))
    # the first line of a .csv has numbers of rows and columns, and names of classes
    return np.array(rows[1:] if delimiter == "," else rows, dtype=np.float64)
