"""Eight samples in the plane with numbers and labels as targets, also as a table with header."""

import numpy as np

X = np.array([[0, 1], [1, 3], [2, -1], [3, 2], [5, 1], [4, -2], [-1, 2], [-2, -3]])
Y = [1.5, -0.5, 2.0, 0.0, 1.0, -1.0, 0.5, 0.0]
KINDS = ["no", "no", "yes", "no", "yes", "yes", "no", "yes"]
LABELS = [1 if kind == "yes" else -1 for kind in KINDS]


def write(path):
    """The columns a, y, b, kind: features a and b, targets y and kind."""
    rows = [f"{a},{y},{b},{kind}" for (a, b), y, kind in zip(X, Y, KINDS, strict=True)]
    path.write_text("a,y,b,kind\n" + "\n".join(rows) + "\n")
    return str(path)
