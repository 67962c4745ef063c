"""A picture of an arrangement as outlines and curves in the plane, before anything is drawn.

Which chambers there are, and which rays bound them, is decided exactly by `_cells`; floats only
say where in the picture a ray lies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from arrangements.algebra.rounding import unit_rows
from arrangements.errors import InputError

from .cells import Cell, Rays, cells, patterns

_STEP = math.radians(1.5)  # arcs are drawn as chords of at most this length
_BAR = 0.16  # half the height of a picture of rank 1
_INDISTINCT = ("X must have columns of comparable size for a picture, got hyperplanes that floats "
               "cannot tell apart; rescale the columns")
_GAP = 1.22  # half the distance of the centres of two discs

# Seen along z, a point (x, y, z) of the upper half sphere goes to (x, y) / (1 + z)**power.
PROJECTIONS = {"stereographic": 1.0, "equal-area": 0.5, "orthographic": 0.0}


class Frame:
    """Orthonormal coordinates of the row space of X.

    Attributes
    ----------
    axes : ndarray, shape (d, r)
        Orthonormal columns; the identity where r == d, otherwise the independent columns' axes,
        projected on the row space and made orthonormal in order.
    normals : ndarray, shape (m, r)
        Unit normals of the hyperplanes.
    """

    def __init__(self, arrangement: Any) -> None:
        data = arrangement.data
        reduction = data.reduction
        self._columns, r, d = reduction.columns, reduction.rank, reduction.d
        scale = reduction.column_scale
        rows = _unit([[x * s for x, s in zip(row, scale, strict=True)]
                      for row in data.matrix.values[reduction.first].tolist()])
        self.axes = np.eye(d)
        if r < d:
            basis = np.linalg.svd(rows, full_matrices=False)[2][:r].T
            turn, upper = np.linalg.qr(basis[self._columns].T)
            self.axes = basis @ turn * np.where(np.diag(upper) < 0, -1.0, 1.0)
        self.normals = _unit((rows @ self.axes).tolist())
        smallest = min(scale[c] for c in self._columns)
        # u[c] = w[c] / scale[c], up to a common factor that keeps it within floats.
        self._map = self.axes[self._columns].T * [float(smallest / scale[c]) for c in self._columns]

    def directions(self, rays: list[list[Any]]) -> np.ndarray:
        """Unit vectors (k, r) along rays in the coordinates of the reduction."""
        return _unit((_unit(rays) @ self._map.T).tolist())

    def row(self, direction: np.ndarray) -> list[int]:
        """The functional direction.z as an integer row in the coordinates of the reduction."""
        exact = [Fraction(x) for x in (direction @ self._map).tolist()]
        common = math.lcm(*(x.denominator for x in exact))
        return [int(x * common) for x in exact]


@dataclass(frozen=True, eq=False)
class Piece:
    """The visible part of a chamber: its pattern (n,), outline (k, 2), a point inside (2,)."""

    pattern: np.ndarray
    outline: np.ndarray
    centre: np.ndarray


@dataclass(frozen=True, eq=False)
class Region:
    """A chamber, or in a projective picture a chamber and its opposite.

    Attributes
    ----------
    patterns : tuple of one or two bool arrays (n,)
        That of the first piece first.
    pieces : list of Piece
        One, or two where the rim cuts the chamber.
    """

    patterns: tuple[np.ndarray, ...]
    pieces: list[Piece]


@dataclass(eq=False)
class Scene:
    """What there is to draw.

    Attributes
    ----------
    frame : Frame
    turn : ndarray, shape (r, r)
        Rows are the picture's axes in the frame; the last one points at the viewer (rank 3).
    power : float
        Of the projection.
    regions : list of Region
    curves : list of (int, ndarray (k, 2))
        Hyperplanes: row of the reduction, and the curve.
    ends : list of (int, ndarray (2,))
        Row of the reduction, and where its curve meets the rim.
    rim : int or None
        The row whose hyperplane is the rim of the disc.
    discs : list of ndarray (2,)
        Centres of the discs.
    size : (float, float)
        Half the width and height of all.
    """

    frame: Frame
    turn: np.ndarray
    power: float = 1.0
    regions: list[Region] = field(default_factory=list)
    curves: list[tuple[int, np.ndarray]] = field(default_factory=list)
    ends: list[tuple[int, np.ndarray]] = field(default_factory=list)
    rim: int | None = None
    discs: list[np.ndarray] = field(default_factory=lambda: [np.zeros(2)])
    size: tuple[float, float] = (1.0, 1.0)

    def place(self, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where weight vectors u (k, d) are seen: points (k, 2), and whether u itself is in front
        rather than -u."""
        z = u / np.abs(u).max(axis=1, keepdims=True) @ self.frame.axes @ self.turn.T
        norm = np.linalg.norm(z, axis=1, keepdims=True)
        if (norm < 1e-12).any():
            raise InputError(
                f"points must not be orthogonal to all rows of X, got one in row "
                f"{int(np.argmax(norm[:, 0] < 1e-12))}; it is on every hyperplane, leave it out")
        z /= norm
        if z.shape[1] == 1:
            return np.column_stack([0.5 * z, 0 * z]), np.ones(len(z), dtype=bool)
        if z.shape[1] == 2:
            return z, np.ones(len(z), dtype=bool)
        front = z[:, 2] >= 0
        back = ~front & (len(self.discs) == 2)
        z[~front] *= -1
        return (self.project(z) + np.where(back[:, None], self.discs[-1], self.discs[0]),
                front | back)

    def project(self, z: np.ndarray) -> np.ndarray:
        """Unit vectors (k, 3) of the upper half sphere in the disc, (k, 2)."""
        out: np.ndarray = z[:, :2] / (1 + np.clip(z[:, 2:], 0, None)) ** self.power
        return out


def build(arrangement: Any, *, projective: bool, projection: str, view: np.ndarray | None) -> Scene:
    """The scene of an arrangement of rank 1, 2 or 3; `view` (d,) points at the viewer."""
    frame = Frame(arrangement)
    reduction = arrangement.data.reduction
    found = cells(reduction, arrangement.tol)
    flags = patterns(found, reduction)
    zero = reduction.class_of < 0
    pairs = [(cell, pattern, ~pattern | zero)
             for cell, pattern in zip(found, flags, strict=True)]
    if arrangement.rank == 3:
        return _sphere(arrangement, frame, pairs, projective, projection, view)
    return (_line if arrangement.rank == 1 else _circle)(frame, pairs)


def _line(frame: Frame, pairs: list[tuple[Cell, np.ndarray, np.ndarray]]) -> Scene:
    scene = Scene(frame, np.eye(1), size=(1.0, _BAR))
    box = np.array([[0, -_BAR], [1, -_BAR], [1, _BAR], [0, _BAR]])
    ((cell, pattern, opposite),) = pairs
    side = frame.directions(cell.rays)[0, 0]
    for sign, flags in ((side, pattern), (-side, opposite)):
        piece = Piece(flags, box * [sign, 1], np.array([sign / 2, 0]))
        scene.regions.append(Region((flags,), [piece]))
    scene.curves.append((0, np.array([[0, -_BAR], [0, _BAR]])))
    scene.ends.append((0, np.array([0, _BAR])))
    scene.discs = []
    return scene


def _circle(frame: Frame, pairs: list[tuple[Cell, np.ndarray, np.ndarray]]) -> Scene:
    scene = Scene(frame, np.eye(2))
    for cell, pattern, opposite in pairs:
        arc = _arcs(frame.directions(cell.rays), closed=False)
        outline = np.vstack([np.zeros(2), arc])
        middle = arc[0] + arc[-1]
        half = math.acos(np.clip(arc[0] @ arc[-1], -1, 1)) / 2
        # The centroid of a wide sector; in a narrow one there is more room further out.
        distance = 0.66 if half < 0.8 else 2 * math.sin(half) / (3 * half)
        centre = distance * middle / np.linalg.norm(middle)
        for sign, flags in ((1, pattern), (-1, opposite)):
            piece = Piece(flags, sign * outline, sign * centre)
            scene.regions.append(Region((flags,), [piece]))
    for k, (x, y) in enumerate(frame.normals):
        end = np.array([-y, x]) * (1 if (x, -y) > (0, 0) else -1)
        scene.curves.append((k, np.array([-end, end])))
        scene.ends.append((k, end))
    return scene


def _sphere(arrangement: Any, frame: Frame, pairs: list[tuple[Cell, np.ndarray, np.ndarray]],
            projective: bool, projection: str, view: np.ndarray | None) -> Scene:
    if view is None:
        # The rim is the hyperplane most nearly orthogonal to the others: no chamber is cut by it.
        rim = int(np.argmin(np.round(((frame.normals @ frame.normals.T) ** 2).sum(axis=0), 6)))
        toward, row = frame.normals[rim], arrangement.data.reduction.rows[rim].tolist()
    else:
        rim, toward = None, view @ frame.axes
        if not np.linalg.norm(toward) > 1e-12 * np.linalg.norm(view):
            raise InputError("view must not be orthogonal to all rows of X; choose another vector")
        row = frame.row(toward)
    scene = Scene(frame, _facing(toward), PROJECTIONS[projection], rim=rim)
    if not projective:
        scene.discs = [np.array([-_GAP, 0.0]), np.array([_GAP, 0.0])]
        scene.size = (1.0 + _GAP, 1.0)
    arithmetic = Rays(arrangement.tol)
    row = arithmetic.row(row)
    for cell, pattern, opposite in pairs:
        front, back = arithmetic.split(cell, row)
        seen = [(rays, sign) for rays, sign in ((front, 1), (back, -1)) if rays]
        # What is behind the rim is seen from its other end, where the opposite chamber is.
        parts = [(sign, *_outline(scene, sign * frame.directions(rays))) for rays, sign in seen]
        flags = {1: pattern, -1: opposite}
        if projective:
            pieces = [Piece(flags[sign], *shape) for sign, *shape in parts]
            first = parts[0][0]
            scene.regions.append(Region((flags[first], flags[-first]), pieces))
            continue
        for side in (1, -1):
            pieces = []
            for sign, outline, centre in parts:
                disc = scene.discs[0 if sign == side else 1]
                pieces.append(Piece(flags[side], outline + disc, centre + disc))
            scene.regions.append(Region((flags[side],), pieces))
    for k, normal in enumerate(frame.normals @ scene.turn.T):
        if k == rim or np.hypot(*normal[:2]) < 1e-12:
            continue
        start = np.array([normal[1], -normal[0], 0]) / np.hypot(*normal[:2])
        top = np.cross(start, normal)
        top *= np.copysign(1.0, top[2])
        t = np.linspace(0, math.pi, 121)[:, None]
        curve = scene.project(np.cos(t) * start + np.sin(t) * top)
        scene.curves += [(k, curve + disc) for disc in scene.discs]
        end = start[:2] * (1 if (start[1], start[0]) > (0, 0) else -1)
        scene.ends += [(k, end + disc) for disc in scene.discs]
    return scene


def _facing(toward: np.ndarray) -> np.ndarray:
    """Rotation whose last row is the direction; its second row is as upright as it can be."""
    z = toward / np.linalg.norm(toward)
    up = np.eye(3)[2 if abs(z[2]) < 0.9 else 1]
    y = up - (up @ z) * z
    y /= np.linalg.norm(y)
    return np.array([np.cross(y, z), y, z])


def _outline(scene: Scene, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Outline and centroid in the disc of the cone with these rays (k, 3) in the frame."""
    rays = rays @ scene.turn.T
    following = np.roll(rays, -1, axis=0)
    normals = np.cross(rays, following)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    angle = np.arctan2(length[:, 0], (rays * following).sum(axis=1))
    # The integral of x over a spherical polygon is half the sum of angle times normal.
    middle = rays.sum(axis=0)
    centroid = (angle[:, None] * normals / np.where(length > 0, length, 1)).sum(axis=0)
    if (length < 1e-9).any() or not np.linalg.norm(centroid) > 1e-12:
        centroid = middle
    centroid = centroid * np.copysign(1.0, centroid @ middle)
    centre = scene.project((centroid / np.linalg.norm(centroid))[None])[0]
    return scene.project(_arcs(rays, closed=True)), centre


def _arcs(rays: np.ndarray, *, closed: bool) -> np.ndarray:
    """Points along the great circles that join consecutive unit vectors."""
    out = []
    for i in range(len(rays) if closed else len(rays) - 1):
        a, b = rays[i], rays[(i + 1) % len(rays)]
        across = b - (a @ b) * a
        sine = np.linalg.norm(across)
        if sine == 0 and a @ b > 0:
            out.append(a[None])
            continue
        if sine < 1e-12 and a @ b < 0:
            raise InputError(_INDISTINCT)  # opposite to rounding: which way round is lost
        angle = math.atan2(sine, a @ b)
        steps = math.ceil(angle / _STEP)
        t = np.arange(steps)[:, None] * (angle / steps)
        out.append(np.cos(t) * a + np.sin(t) * (across / sine))
    return np.vstack(out if closed else [*out, rays[-1:]])


def _unit(rows: list[list[Any]]) -> np.ndarray:
    """Rows of any numbers as unit vectors of floats; their size does not matter."""
    out = unit_rows(rows)
    if not out.any(axis=1).all():
        raise InputError(_INDISTINCT)
    return out
