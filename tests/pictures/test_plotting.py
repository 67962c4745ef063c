"""A picture shows every chamber, where it is: regions against the enumeration, in exact signs."""

import sys
from fractions import Fraction

import instances
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import exact_rows
from strategies import matrices

from arrangements import Arrangement, InputError
from arrangements.pictures import cells as _cells
from arrangements.pictures import scene as _scene

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("agg")

from matplotlib import pyplot as plt  # noqa: E402

from arrangements.pictures.plot import plot  # noqa: E402

RANK_3 = {
    "three planes": [(1, 0, 0), (0, 1, 0), (0, 0, 1)],
    "type B": instances.type_b(3),
    "braid in R^4": instances.braid(3),
    "resonance": instances.resonance(3),
    "generic": instances.generic(9, 3, seed=2),
    "answers on a scale": instances.small_integers(14, 3),
    "zero, repeated and opposite rows": [
        (0, 0, 0), (1, 2, 3), (2, 4, 6), (-1, -2, -3), (1, 0, 0), (0, 0, 0), (0, 1, 0), (1, 1, 0),
    ],
    "rank 3 of 5 columns": [(*row, row[0] + row[1], 2 * row[2]) for row in instances.type_d(3)],
    "pencil and one": [(1, 0, 0), (0, 1, 0), (1, 1, 0), (1, 2, 0), (0, 0, 1)],
    "floats": np.random.default_rng(5).normal(size=(8, 3)).tolist(),
}  # fmt: skip
RANK_2 = {
    "two lines": [(1, 0), (0, 1)],
    "generic": instances.generic(7, 2),
    "zero, repeated and opposite rows": [(1, 0), (0, 0), (2, 0), (-1, 0), (1, 1), (-3, 1)],
    "in R^3": [(1, 0, 1), (0, 1, 1), (1, 1, 2), (-1, 2, 1)],
}
RANK_1 = {"one column": [(2,), (-1,), (0,)], "one direction": [(1, 2), (-2, -4)]}


@pytest.fixture(autouse=True)
def figures():
    yield
    plt.close("all")


def regions(ax):
    return ax.collections[0].get_paths()


def written(ax, n):
    """(position, pattern) of every label of a chamber."""
    for text in ax.texts:
        if len(text.get_text()) == n and set(text.get_text()) <= {"0", "1"}:
            yield np.array(text.get_position()), [c == "1" for c in text.get_text()]


def area(outline):
    x, y = outline.T
    return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def lifted(scene, at):
    """A weight vector in front of the viewer that is seen at this place of the only disc."""
    radius = float(np.hypot(*at))
    if len(scene.turn) < 3:
        z = at[: len(scene.turn)]
    elif scene.power == 0:
        z = np.array([*at, np.sqrt(1 - radius**2)])
    else:
        half = np.arctan(radius) if scene.power == 1 else np.arcsin(radius / np.sqrt(2))
        z = np.array([*(at * np.sin(2 * half) / radius), np.cos(2 * half)])
        if scene.power == 0.5:
            assert np.hypot(*z[:2]) / np.sqrt(1 + z[2]) == pytest.approx(radius)
    return scene.frame.axes @ scene.turn.T @ z


def exact_pattern(X, u):
    u = [Fraction(x) for x in u]
    return [sum(Fraction(x) * y for x, y in zip(row, u, strict=True)) >= 0 for row in X]


def scene_of(X, **options):
    defaults = {"projective": True, "projection": "stereographic", "view": None}
    return _scene.build(Arrangement(X), **(defaults | options))


@pytest.mark.parametrize("projection", _scene.PROJECTIONS)
@pytest.mark.parametrize("X", RANK_3.values(), ids=RANK_3)
def test_regions_of_rank_3_fill_the_disc_and_carry_their_patterns(X, projection):
    A = Arrangement(X)
    scene = scene_of(X, projection=projection)
    assert 2 * len(scene.regions) == A.count_dichotomies()
    pieces = [piece for region in scene.regions for piece in region.pieces]
    assert len(pieces) == len(scene.regions)
    assert sum(area(piece.outline) for piece in pieces) == pytest.approx(np.pi, rel=1e-3)
    chambers = A.dichotomies()
    for region in scene.regions:
        assert all(pattern in chambers for pattern in region.patterns)
        (piece,) = region.pieces
        assert exact_pattern(X, lifted(scene, piece.centre)) == piece.pattern.tolist()


@pytest.mark.parametrize("X", RANK_3.values(), ids=RANK_3)
def test_a_chosen_view_cuts_chambers_at_the_rim(X):
    view = np.random.default_rng(3).normal(size=len(X[0]))
    scene = scene_of(X, view=view)
    assert 2 * len(scene.regions) == Arrangement(X).count_dichotomies()
    pieces = [piece for region in scene.regions for piece in region.pieces]
    assert len(pieces) > len(scene.regions)
    assert sum(area(piece.outline) for piece in pieces) == pytest.approx(np.pi, rel=1e-3)
    assert len({tuple(piece.pattern) for piece in pieces}) == len(pieces)
    for piece in pieces:
        assert exact_pattern(X, lifted(scene, piece.centre)) == piece.pattern.tolist()


@pytest.mark.parametrize("X", RANK_2.values(), ids=RANK_2)
def test_sectors_of_rank_2(X):
    A, scene = Arrangement(X), scene_of(X)
    assert len(scene.regions) == A.count_dichotomies()
    assert len(scene.curves) == A.n_hyperplanes
    total = sum(area(region.pieces[0].outline) for region in scene.regions)
    assert total == pytest.approx(np.pi, rel=1e-3)
    for region in scene.regions:
        (piece,) = region.pieces
        assert exact_pattern(X, lifted(scene, piece.centre)) == piece.pattern.tolist()


@pytest.mark.parametrize("X", RANK_1.values(), ids=RANK_1)
def test_half_lines_of_rank_1(X):
    scene = scene_of(X)
    assert len(scene.regions) == 2
    for region in scene.regions:
        (piece,) = region.pieces
        assert exact_pattern(X, lifted(scene, piece.centre)) == piece.pattern.tolist()
    assert len(regions(plot(X))) == 2


@given(matrices(st.integers(-3, 3), n=9))
def test_cells_are_the_chambers(rows):
    A = Arrangement(rows)
    if A.rank:
        found = _cells.cells(A.data.reduction)
        flags = _cells.patterns(found, A.data.reduction)
        both = np.concatenate([flags, ~flags | (A.data.reduction.class_of < 0)])
        assert sorted(both.tolist()) == A.dichotomies().sorted().to_numpy().tolist()
        for cell in found:
            assert A.rank < 3 or len(cell.rays) >= 3


@pytest.mark.parametrize("name", ["braid 3, 2^60", "resonance 3, 2^75", "Fibonacci 90"])
def test_cells_are_exact_on_rows_a_hair_away_from_degenerate(name):
    rows = instances.near_degenerate()[name]
    A = Arrangement(rows)
    assert 2 * len(_cells.cells(A.data.reduction)) == A.count_dichotomies()
    if name == "Fibonacci 90":  # its hyperplanes are one in floats, its chambers two half spaces
        with pytest.raises(InputError, match="cannot tell apart"):
            plot(A)
    else:
        assert 2 * len(regions(plot(A))) == A.count_dichotomies()


def test_rounded_rows_with_a_tolerance():
    A = Arrangement(instances.h3()[3:] + instances.h3()[:3], tol=1e-9)
    for options in ({}, {"view": [1, 2, 4]}):
        ax = plot(A, **options)
        assert len(regions(ax)) == 60
        whole = sum(area(part) for path in regions(ax) for part in path.to_polygons())
        assert whole == pytest.approx(np.pi, rel=1e-3)
    scene = _scene.build(A, projective=True, projection="stereographic", view=None)
    assert {len(region.pieces) for region in scene.regions} == {1}
    assert len(_cells.cells(A.data.reduction)) > 60


def test_both_half_spheres_show_every_chamber_once():
    X = RANK_3["generic"]
    A = Arrangement(X)
    for view in (None, [1, 2, 3]):
        scene = scene_of(X, projective=False, view=None if view is None else np.array(view, float))
        assert len(scene.regions) == A.count_dichotomies()
        assert {tuple(r.patterns[0]) for r in scene.regions} == {tuple(p) for p in A.dichotomies()}
        whole = sum(area(p.outline) for region in scene.regions for p in region.pieces)
        assert whole == pytest.approx(2 * np.pi, rel=1e-3)
        left, right = scene.discs
        for region in scene.regions:
            for piece in region.pieces:
                front = piece.centre[0] < 0
                u = lifted(scene, piece.centre - (left if front else right))
                assert exact_pattern(X, u if front else -u) == piece.pattern.tolist()


def test_labels_stand_in_their_chambers():
    X = RANK_3["type B"]
    scene = scene_of(X)
    labels = list(written(plot(X), len(X)))
    assert len(labels) >= 20
    for at, pattern in labels:
        assert exact_pattern(X, lifted(scene, at)) == pattern
    assert not list(written(plot(X, labels=False), len(X)))


def test_hyperplanes_are_named_by_their_samples():
    texts = [t.get_text() for t in plot([(0, 1), (1, 1), (0, 0), (0, -2), (1, 0)]).texts]
    assert [t for t in texts if t.startswith("$")] == ["$x_{0,3}$", "$x_{1}$", "$x_{4}$"]
    assert "rim $x_{0}$" in [t.get_text() for t in plot(RANK_3["three planes"]).texts]


def test_lines_lie_on_their_hyperplanes():
    for X in RANK_3.values():
        scene = scene_of(X)
        rows = np.array(X, dtype=float)
        reduction = Arrangement(X).data.reduction
        assert len(scene.curves) == len(reduction.rows) - 1
        for k, curve in scene.curves:
            row = rows[reduction.class_of == k][0]
            for at in curve[1:-1]:
                assert abs(row @ lifted(scene, at)) < 1e-9 * np.linalg.norm(row) + 1e-9


def test_colors_by_mapping_function_and_default():
    X = RANK_2["two lines"]
    ax = plot(X, colors={"11": 5, (False, True): 7.0})
    values = ax.collections[0].get_array()
    assert sorted(values.compressed()) == [5, 7]
    assert values.mask.sum() == 2
    assert sorted(plot(X).collections[0].get_array()) == [0, 1, 1, 2]
    assert sorted(plot(X, colors=lambda p: 3 * p[0]).collections[0].get_array()) == [0, 0, 3, 3]
    packed = {bytes([3]): 1.0}
    assert plot(X, colors=packed).collections[0].get_array().compressed().tolist() == [1.0]


def test_a_projective_region_takes_the_value_of_either_chamber():
    X = RANK_3["generic"]
    places = []
    for pattern in Arrangement(X).dichotomies()[:2]:
        values = plot(X, colors={tuple(pattern): 2}, labels=False).collections[0].get_array()
        assert values.compressed().tolist() == [2]
        places.append(values.mask.argmin())
    assert places[0] == places[1]


def test_points_are_seen_in_their_chambers():
    X = RANK_3["generic"]
    A = Arrangement(X)
    D = A.dichotomies(witnesses=True)
    for options in ({}, {"projective": False}, {"view": np.array([1.0, -2, 1])}):
        scene = scene_of(X, **options)
        places, front = scene.place(D.witnesses)
        assert front.all() == (len(scene.discs) == 2)
        for at, seen, pattern in zip(places, front, D, strict=True):
            expected = pattern if seen else ~pattern
            inside = [
                piece.pattern.tolist()
                for region in scene.regions
                for piece in region.pieces
                if matplotlib.path.Path(piece.outline).contains_point(at)
            ]
            assert expected.tolist() in inside
            # Outlines are chords of arcs: a point may be in a neighbour by a hair.
            assert len(inside) <= 2
    ax = plot(X, points=[[1, 2, 3], [-1, -2, -3]])
    assert sum(len(c.get_offsets()) for c in ax.collections[2:]) == 2


def test_axes_are_orthonormal_and_those_of_the_columns_at_full_rank():
    for X in [*RANK_3.values(), *RANK_2.values(), *RANK_1.values()]:
        frame = _scene.Frame(Arrangement(X))
        r = frame.axes.shape[1]
        assert np.allclose(frame.axes.T @ frame.axes, np.eye(r))
        rows = np.array(exact_rows(X), dtype=float)
        assert np.allclose(rows @ frame.axes @ frame.axes.T, rows)
        if r == len(X[0]):
            assert np.array_equal(frame.axes, np.eye(r))


def test_thousands_of_chambers_without_labels():
    ax = plot(instances.generic(50, 3))
    assert len(regions(ax)) == 1226
    assert not list(written(ax, 50))


def test_columns_of_very_different_size():
    for size in (1e4, 1e150):
        X = np.array([(1, 1, 1), (2, 1, 1), (1, 3, 2), (5, 1, 7)]) * [1 / size, size, 1]
        if size == 1e4:
            assert 2 * len(regions(plot(X))) == Arrangement(X).count_dichotomies()
        else:
            with pytest.raises(InputError, match="rescale the columns"):
                plot(X)
    big = [(10**400, 1), (1, 10**400), (1, 1)]
    assert len(regions(plot(big))) == 6


def test_everything_can_be_saved(tmp_path):
    ax = plot(RANK_3["type B"], points=[[1, 2, 3]], projective=False)
    for suffix in ("png", "svg", "pdf"):
        ax.figure.savefig(tmp_path / f"picture.{suffix}")
    fig, ax = plt.subplots()
    assert plot(RANK_2["generic"], ax=ax, chambers=False) is ax
    fig.canvas.draw()
    ax = plot(RANK_2["generic"])
    ax.figure.colorbar(ax.collections[0], ax=ax)
    ax.figure.canvas.draw()


@pytest.mark.parametrize(
    ("X", "options", "part"),
    [
        ([[0, 0]], {}, "got 0"),
        (instances.type_b(4), {}, "got 4"),
        ([[1, 0], [0, 1]], {"projection": "mercator"}, "projection"),
        ([[1, 0], [0, 1]], {"points": [[1, 2, 3]]}, "points must have shape"),
        ([[1, 0], [0, 1]], {"points": [[0, 0]]}, "not zero"),
        ([[1, 0], [0, 1]], {"points": [[np.nan, 0]]}, "finite"),
        ([[1, 0], [0, 1]], {"points": "ab"}, "points must be numbers"),
        ([[1, 1], [2, 2]], {"points": [[1, 1], [1, -1]]}, "orthogonal to all rows"),
        (RANK_3["generic"], {"view": [1, 0]}, "view must have shape"),
        (RANK_3["braid in R^4"], {"view": [1, 1, 1, 1]}, "view must not be orthogonal"),
        ([[1, 0], [0, 1]], {"colors": 3}, "colors must be a mapping"),
        ([[1, 0], [0, 1]], {"colors": {"11": "red"}}, "numbers as values"),
        ([[1, 0], [0, 1]], {"colors": lambda pattern: None}, "numbers as values"),
        ([(1, i, i * i) for i in range(401)], {}, "at most 400 hyperplanes"),
        ([(1e-300, 1e300), (2e-300, 1e300), (1e-300, -1e300)], {}, "columns of comparable size"),
        ([[1, 0], [0, 1]], {"colors": {"010": 1}}, "patterns of 2 bits"),
        ([[1, 0], [0, 1]], {"colors": {"02": 1}}, "patterns of 2 bits"),
        ([[1, 0], [-1, 0], [0, 1]], {"colors": {"111": 1}}, "got 111, which no chamber"),
    ],
)
def test_wrong_input_is_refused(X, options, part):
    with pytest.raises(InputError, match=part):
        plot(X, **options)


def test_missing_matplotlib_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"arrangements\[plot\]"):
        plot([[1]])
