"""Pictures of arrangements of rank 1 to 3; needs matplotlib, the extra `plot`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from arrangements.arrangement import Arrangement
from arrangements.checks import check_choice
from arrangements.errors import InputError

from . import scene as _scene
from .style import INK, ORANGE, PALE, PAPER, SHADES, check_picture, require_matplotlib, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot", "save_plot"]

_SIZES = (12.0, 10.0, 8.5, 7.0, 6.0, 5.0)  # of labels, in points
_MAX_LABELS = 400
_MAX_PLANES = 400  # at rank 3: up to 160,000 chambers, minutes of work
_GLYPH = 0.62  # width of a monospaced glyph in units of its size


def plot(A: Any, *, ax: Axes | None = None, labels: bool = True, chambers: bool = True,
         colors: Mapping[Any, float] | Callable[[np.ndarray], float] | None = None,
         cmap: Any = None, points: Any = None, projective: bool = True,
         projection: str = "stereographic", view: Any = None) -> Axes:
    """Draw an arrangement of rank at most 3: hyperplanes, and chambers as coloured regions.

    Rank 2 is drawn as lines through a circle. Rank 3 is drawn on the half sphere, seen from
    outside, as a disc: hyperplanes are great circles, opposite points of the rim are one point of
    the projective plane, and each region stands for a pair of opposite chambers. Coordinates are
    orthonormal in the row space of X: lengths and angles are those of weight space.

    Parameters
    ----------
    A : Arrangement or array-like, shape (n, d)
    ax : matplotlib Axes, optional
        Where to draw; by default in a new figure.
    labels : bool, default True
        Write the patterns (sample 0 first) into chambers that have room for them, and the samples'
        indices beside their hyperplanes.
    chambers : bool, default True
        Fill the chambers.
    colors : mapping or callable, optional
        Values that choose the colours: {pattern: value}, a pattern being a string such as "0110", a
        sequence of n bools or packed bytes; or a function of a bool array (n,). Chambers that a
        mapping leaves out stay grey. By default the number of active samples. A projective
        region takes the value of the chamber in front, or of its opposite if only that has one.
        Where the value is nan the chamber stays grey.
    cmap : str or matplotlib Colormap, optional
    points : array-like, shape (k, d), optional
        Weight vectors to mark by their directions; those behind the disc are marked at their
        opposites by open circles.
    projective : bool, default True
        Rank 3 only. False draws both half spheres: in the second disc each chamber is at the place
        that its opposite has in the first.
    projection : {"stereographic", "equal-area", "orthographic"}
        Rank 3 only. Stereographic keeps angles, and great circles are circles; equal-area shows the
        share of directions in each chamber; orthographic is the sphere seen from afar.
    view : array-like, shape (d,), optional
        Rank 3 only: the direction at the centre of the disc. By default the normal of one of the
        hyperplanes, so that the rim is that hyperplane and cuts no chamber.

    Returns
    -------
    matplotlib Axes
        Its first collection has one path for each chamber, or pair of opposite chambers:
        ``ax.figure.colorbar(ax.collections[0])`` adds the scale of the colours.

    Raises
    ------
    InputError
        The rank is not 1, 2 or 3, an argument has the wrong form, or matplotlib is missing.

    Notes
    -----
    Which regions there are is decided exactly. O(m^3) for m hyperplanes of rank 3: about a second
    for the 2500 chambers of 50 samples.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = plot([[1, 0], [0, 1], [1, 1]], ax=Figure().subplots())
    >>> len(ax.collections[0].get_paths())
    6
    """
    require_matplotlib()
    if not isinstance(A, Arrangement):
        A = Arrangement(A)
    if not 1 <= A.rank <= 3:
        raise InputError(
            f"the rank of X must be 1, 2 or 3 for a picture, got {A.rank}; "
            + ("all rows are zero" if not A.rank else "choose 3 columns, or 2 and a bias"))
    if A.rank == 3 and A.n_hyperplanes > _MAX_PLANES:
        raise InputError(f"a picture of rank 3 must have at most {_MAX_PLANES} hyperplanes, got "
                         f"{A.n_hyperplanes}; choose fewer rows")
    check_choice("projection", projection, tuple(_scene.PROJECTIONS))
    marks = None if points is None else _vectors("points", points, A.d)
    toward = None if view is None else _vectors("view", [view], A.d)[0]
    scene = _scene.build(A, projective=projective, projection=projection, view=toward)
    places = None if marks is None else scene.place(marks)
    values = _values(scene, A.n, colors)

    if ax is None:
        import matplotlib.pyplot as plt

        width, height = scene.size
        fig, ax = plt.subplots(figsize=(6.4 * width, 6.4 * max(height, 0.3)))
        fig.subplots_adjust(left=0.02, right=0.98, bottom=0.02, top=0.94)
    margin = 0.17 if labels else 0.03
    ax.set(xlim=(-scene.size[0] - margin, scene.size[0] + margin),
           ylim=(-scene.size[1] - margin, scene.size[1] + margin), aspect="equal")
    ax.set_axis_off()
    faces = _fill(ax, scene, values, cmap, chambers)
    _draw_lines(ax, scene, chambers)
    if labels:
        _write_patterns(ax, scene, faces)
        _name_hyperplanes(ax, scene, A)
    if places is not None:
        _mark(ax, *places)
    return ax


def save_plot(A: Any, path: str | os.PathLike[str], **options: Any) -> None:
    """Write ``plot(A, **options)`` to a file, without a display; its old content stays if it fails.

    Parameters
    ----------
    A : Arrangement or array-like, shape (n, d)
    path : str or path
        The suffix chooses the format: ``.png``, ``.svg`` or ``.pdf``.
    **options
        As for `plot`.
    """
    check_picture(path)
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 6.4))
    plot(A, ax=figure.add_axes((0, 0, 1, 1)), **options)
    save_figure(figure, path, bbox_inches="tight")


# --- input


def _vectors(name: str, value: Any, d: int) -> np.ndarray:
    try:
        vectors = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers, got {value!r:.60}") from error
    if vectors.ndim != 2 or vectors.shape[1] != d:
        shape = vectors.shape if name == "points" else vectors.shape[1:]
        raise InputError(f"{name} must have shape {'(k, ' if name == 'points' else '('}{d}"
                         f"{')' if name == 'points' else ',)'}, got shape {shape}")
    if not np.isfinite(vectors).all() or not vectors.any(axis=1).all():
        raise InputError(f"{name} must be finite and not zero; leave such vectors out")
    return vectors


def _values(scene: _scene.Scene, n: int, colors: Any) -> np.ma.MaskedArray:
    """One value for each region, masked where there is none."""
    first = [region.patterns[0] for region in scene.regions]
    if colors is None:
        return np.ma.masked_invalid([float(pattern.sum()) for pattern in first])
    if callable(colors):
        return np.ma.masked_invalid([_number(colors(pattern.copy())) for pattern in first])
    if not isinstance(colors, Mapping):
        raise InputError(f"colors must be a mapping from patterns to numbers, or a function of a "
                         f"pattern, got {type(colors).__name__}")
    given = {_key(pattern, n): _number(value) for pattern, value in colors.items()}
    shown = [[_packed(pattern) for pattern in region.patterns] for region in scene.regions]
    if unknown := given.keys() - {key for keys in shown for key in keys}:
        bits = np.unpackbits(np.frombuffer(min(unknown), np.uint8), bitorder="little")[:n]
        raise InputError(f"colors must have patterns of chambers as keys, got "
                         f"{_text(bits):.60}, which no chamber has")
    return np.ma.masked_invalid(
        [next((given[key] for key in keys if key in given), np.nan) for keys in shown])


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"colors must have numbers as values, got {value!r:.60}") from error


def _packed(pattern: np.ndarray) -> bytes:
    return np.packbits(pattern, bitorder="little").tobytes()


def _text(pattern: np.ndarray) -> str:
    return "".join("1" if bit else "0" for bit in pattern)


def _key(pattern: Any, n: int) -> bytes:
    """A pattern given as text, bools or packed bytes, as packed bytes."""
    if isinstance(pattern, bytes) and len(pattern) == -(-n // 8):
        return pattern
    bits = list(pattern) if isinstance(pattern, str | tuple | list | np.ndarray) else []
    if len(bits) != n or not all(bit in (0, 1, "0", "1") for bit in bits):
        raise InputError(f"colors must have patterns of {n} bits as keys, such as {'01' * n:.{n}}, "
                         f"got {pattern!r:.60}")
    return _packed(np.array([int(bit) for bit in bits], dtype=bool))


# --- drawing


def _fill(ax: Axes, scene: _scene.Scene, values: np.ma.MaskedArray, cmap: Any, chambers: bool
          ) -> np.ndarray:
    """Add one path for each region; return their colours (regions, 4)."""
    import matplotlib as mpl
    from matplotlib.collections import PathCollection
    from matplotlib.colors import LinearSegmentedColormap, to_rgba
    from matplotlib.path import Path

    if cmap is None:
        # Lightness falls steadily, so that the order is seen without hues, and in print.
        cmap = LinearSegmentedColormap.from_list("chambers", SHADES)
    cmap = mpl.colormaps.get_cmap(cmap).with_extremes(bad=PALE)
    paths = [
        Path.make_compound_path(*(Path([*piece.outline, piece.outline[0]], closed=True)
                                  for piece in region.pieces))
        for region in scene.regions
    ]
    collection = PathCollection(paths, cmap=cmap, zorder=1)
    ax.add_collection(collection, autolim=False)
    if not chambers:
        collection.set(facecolor="none", edgecolor="none")
        return np.tile(to_rgba(PAPER), (len(paths), 1))
    collection.set_array(values)
    collection.autoscale()
    # Without edges of their own, neighbours would let the background through between them.
    collection.set(edgecolor="face", linewidth=0.4)
    collection.update_scalarmappable()
    return np.asarray(collection.get_facecolor())


def _draw_lines(ax: Axes, scene: _scene.Scene, chambers: bool) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Circle

    width = float(np.clip(12 / np.sqrt(len(scene.frame.normals)) / 3, 0.35, 1.6))
    lines = LineCollection([curve for _, curve in scene.curves], zorder=2, linewidth=width,
                           color=PAPER if chambers else INK, capstyle="butt")
    ax.add_collection(lines, autolim=False)
    for centre in scene.discs:
        ax.add_patch(Circle(tuple(centre), 1.0, fill=False, edgecolor=INK, zorder=3,
                            linewidth=1.6 if scene.rim is not None else 0.8))


def _write_patterns(ax: Axes, scene: _scene.Scene, faces: np.ndarray) -> None:
    n = len(scene.regions[0].patterns[0])
    if sum(len(region.pieces) for region in scene.regions) > _MAX_LABELS:
        return
    unit = _points_per_unit(ax)
    for region, face in zip(scene.regions, faces, strict=True):
        dark = face[:3] @ [0.299, 0.587, 0.114] < 0.55
        for piece in region.pieces:
            fit = _fit(piece, n, unit, len(scene.turn) == 2)
            if fit is not None:
                x, y = piece.centre
                ax.text(x, y, _text(piece.pattern), size=fit[0], rotation=fit[1],
                        rotation_mode="anchor", ha="center", va="center_baseline", zorder=5,
                        family="monospace", color=PAPER if dark else INK)


def _fit(piece: _scene.Piece, n: int, unit: float, radial: bool) -> tuple[float, float] | None:
    """Size in points and rotation in degrees of the largest label inside the piece, if any."""
    from matplotlib.path import Path

    outline = Path(piece.outline)
    angle = np.degrees(np.arctan2(piece.centre[1], piece.centre[0]))
    rotations = [0.0, (angle + 90) % 180 - 90] if radial else [0.0]
    frame = np.array([(x, y) for x in (-1, -0.5, 0, 0.5, 1) for y in (-1, 1)])
    for size in _SIZES:
        box = frame * [_GLYPH * n / 2, 0.5] * (size / unit) * 1.08
        for rotation in rotations:
            c, s = np.cos(np.radians(rotation)), np.sin(np.radians(rotation))
            if outline.contains_points(piece.centre + box @ [[c, s], [-s, c]]).all():
                return size, rotation
    return None


def _name_hyperplanes(ax: Axes, scene: _scene.Scene, A: Arrangement) -> None:
    """x_i outside the end of every hyperplane, hyperplanes that end together in one label."""
    size = 10.0
    groups: list[tuple[np.ndarray, list[int]]] = []
    for k, end in scene.ends:
        for other, members in groups:
            if np.linalg.norm(other - end) < 1e-6:
                members.append(k)
                break
        else:
            groups.append((end, [k]))
    spread = np.array([end for end, _ in groups]).reshape(-1, 2)
    gaps = np.linalg.norm(spread[:, None] - spread, axis=2) + 9 * np.eye(len(spread))
    # Labels that would cover each other are worse than none.
    if gaps.size and gaps.min() * _points_per_unit(ax) < 1.1 * size:
        return
    for end, members in groups:
        centre = min(scene.discs, key=lambda disc: np.linalg.norm(disc - end), default=None)
        out = np.array([0.0, 1.0]) if centre is None else end - centre
        _label(ax, end, out, _names(A, members), size)
    if scene.rim is not None:
        for centre in scene.discs:
            out = np.array([np.sqrt(0.5), -np.sqrt(0.5)])
            _label(ax, centre + out, out, "rim " + _names(A, [scene.rim]), size)


def _label(ax: Axes, at: np.ndarray, out: np.ndarray, text: str, size: float) -> None:
    """Text beyond a point of the rim, growing away from the disc."""
    across = "left" if out[0] > 0.2 else "right" if out[0] < -0.2 else "center"
    along = "bottom" if out[1] > 0.2 else "top" if out[1] < -0.2 else "center"
    x, y = at + 0.025 * out
    ax.text(x, y, text, size=size, ha=across, va=along, color=INK, zorder=5)


def _names(A: Arrangement, members: list[int]) -> str:
    samples = np.flatnonzero(np.isin(A.data.reduction.class_of, members)).tolist()
    listed = ",".join(map(str, samples[:4])) + (r",\ldots" if len(samples) > 4 else "")
    return f"$x_{{{listed}}}$"


def _points_per_unit(ax: Axes) -> float:
    box = ax.get_window_extent()
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    pixels = min(box.width / (right - left), box.height / (top - bottom))
    return float(72 / ax.figure.dpi * pixels)


def _mark(ax: Axes, places: np.ndarray, front: np.ndarray) -> None:
    for shown, face in ((front, ORANGE), (~front, "none")):
        if shown.any():
            x, y = places[shown].T
            ax.scatter(x, y, s=46, facecolor=face, linewidth=1.6, zorder=6,
                       edgecolor=PAPER if face != "none" else ORANGE)
