"""Pictures of a trained network, and of a certified one beside the way to a better one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from arrangements.cli.report import label
from arrangements.pictures.style import BLUE, GREEN, INK, ORANGE, PALE, PAPER, save_figure
from cvxlayer.certificates.certificate import Certificate
from cvxlayer.conic.solution import Solution
from cvxlayer.landscape.paths import Path
from cvxlayer.model.network import Network
from cvxlayer.model.problem import Problem

__all__ = ["draw_solution", "draw_way"]


# --- train


def draw_solution(found: Solution, names: list[str], path: str) -> None:
    """One feature and a bias: the fitted function; else the objective by round, or, where there
    were no rounds, predictions over targets."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    ax = figure.add_subplot()
    ax.spines[["top", "right"]].set_visible(False)
    if found.problem.bias and found.problem.d == 2:
        _draw_function(ax, found.problem, found.network, names)
    elif found.history:
        _draw_rounds(ax, found)
    else:
        _draw_predictions(ax, found, names)
    save_figure(figure, path)


def _draw_function(ax: Any, problem: Problem, network: Network, names: list[str]) -> None:
    x, y = problem.X[:, 0], problem.y
    margin = 0.05 * (np.ptp(x) or 1.0)
    ends = x.min() - margin, x.max() + margin
    slopes, shifts = network.U
    sloped = slopes != 0
    kinks = -shifts[sloped] / slopes[sloped]
    # Piecewise linear: its ends and kinks are all there is to draw.
    at = np.concatenate([ends, kinks[(kinks > ends[0]) & (kinks < ends[1])]])
    at.sort()
    ax.scatter(x, y, s=14, color=INK, linewidth=0, alpha=0.7, label="data")
    ax.plot(at, network.predict(at[:, None]), color=ORANGE, linewidth=1.8,
            label=f"network of {network.m} neurons")
    ax.set(xlabel=names[0], ylabel=names[-1])
    ax.legend(frameon=False)


def _draw_rounds(ax: Any, found: Solution) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.plot([r.number for r in found.history], [r.upper for r in found.history], marker="o",
            markersize=3.5, color=ORANGE, linewidth=1.4, label="objective")
    if math.isfinite(found.lower_bound):
        ax.axhline(found.lower_bound, color=BLUE, linestyle="--", linewidth=1.2,
                   label=f"lower bound, relative gap {found.gap:.1g}")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="round", ylabel="objective")
    ax.legend(frameon=False)


def _draw_predictions(ax: Any, found: Solution, names: list[str]) -> None:
    y = found.problem.y
    ax.axline((float(y.mean()), float(y.mean())), slope=1, color=BLUE, linewidth=1)
    ax.scatter(y, found.network.predict(found.problem.X), s=14, color=INK, linewidth=0, alpha=0.7)
    ax.set(xlabel=names[-1], ylabel="prediction")


# --- certify


def draw_way(found: Certificate, problem: Problem, path: Path, names: list[str], target: str
             ) -> None:
    """The objective along the path; beside it, where a plane shows them, neurons and samples."""
    from matplotlib.figure import Figure

    beside = {(2, False): _draw_weights, (2, True): _draw_fit, (3, True): _draw_kinks}.get(
        (problem.d, problem.bias))
    figure = Figure(figsize=(11.2 if beside else 6.4, 4.8), layout="constrained")
    axes = figure.subplots(1, 2 if beside else 1, squeeze=False)[0]
    _draw_path(axes[0], found, path)
    if beside is not None:
        beside(axes[1], found, problem, names)
    rows = max(-(-len(ax.get_legend().get_texts()) // 2) for ax in axes)
    figure.set_layout_engine("constrained", rect=(0, 0, 1, 0.98 - 0.05 * rows))
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
    save_figure(figure, target)


def _legend(ax: Any, **options: Any) -> None:
    """Above the axes, where it covers nothing; `draw_way` leaves room for it."""
    legend = ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2,
                       borderaxespad=0.2, **options)
    legend.set_in_layout(False)


def _draw_path(ax: Any, found: Certificate, path: Path) -> None:
    times = np.union1d(np.linspace(0, 1, 201), path.breakpoints)
    values = np.array([path.objective(t) for t in times])
    ax.plot(times, values, color=ORANGE, linewidth=1.8, label="objective")
    corners = np.isin(times, path.breakpoints)
    ax.plot(times[corners], values[corners], "o", markersize=4, color=ORANGE)
    ax.axhline(found.lower_bound, color=BLUE, linestyle="--", linewidth=1.2,
               label=f"lower bound, relative gap {found.gap:.2g}")
    low, high = min(values.min(), found.lower_bound), values.max()
    # A constant is drawn as one: its rounding errors are not stretched over the axis.
    room = max(0.06 * (high - low), 0.02 * abs(high), 1e-12)
    down = found.better is not None and not found.optimal
    if path.start is path.end:
        said = "and optimal: the path stays" if found.optimal else "and no better one is known"
        ax.text(0.5, 0.6, f"the network is minimal,\n{said}", transform=ax.transAxes, ha="center",
                color=INK)
    few = len(path.breakpoints) <= 5
    ax.set(xlabel="along the path to a " + ("better network" if down else "minimal network"),
           ylabel="objective", xlim=(-0.02, 1.02), ylim=(low - room, high + room),
           xticks=path.breakpoints,
           xticklabels=[f"{t:.2g}" if few or t in (0, 1) else "" for t in path.breakpoints])
    _legend(ax)


def _draw_fit(ax: Any, found: Certificate, problem: Problem, names: list[str]) -> None:
    """One feature and a bias: the function, and where the missing neuron has its kink."""
    _draw_function(ax, problem, found.network, names)
    (slope, shift), (left, right) = found.u, ax.get_xlim()
    if _missing(found) and slope and left < -shift / slope < right:
        ax.axvline(-shift / slope, color=INK, linestyle="--", linewidth=1.4,
                   label="kink of the missing neuron")
    _legend(ax)


def _draw_weights(ax: Any, found: Certificate, problem: Problem, names: list[str]) -> None:
    """Two features: neurons u |alpha| in the plane of weights, cut into chambers by the samples."""
    W, signs = found.network.weights
    size = 1.15 * float(np.abs(W).max(initial=0)) or 1.0
    classes, first = np.unique(problem.arrangement.parallel_classes[0], return_index=True)
    for x in problem.X[first[classes >= 0]]:
        ax.axline((0, 0), (-x[1], x[0]), color=PALE, linewidth=0.8, zorder=1)
    for w, sign in zip(W.T, signs, strict=True):
        if w.any():
            _arrow(ax, w, _colour(sign))
    if _missing(found):
        w = 0.85 * size * found.u / np.abs(found.u).max()
        ax.plot([0, w[0]], [0, w[1]], color=ORANGE, linestyle="--", linewidth=1.6, zorder=2)
        _arrow(ax, w, ORANGE, tail=0.97)
    ax.set(xlim=(-size, size), ylim=(-size, size), aspect="equal",
           xlabel=f"weight of {names[0]}", ylabel=f"weight of {names[1]}")
    ax.locator_params(nbins=5)
    _legend(ax, handles=[_line(PALE, f"x.u = 0 for {problem.n} samples"), *_neuron_handles(found)])


def _arrow(ax: Any, w: np.ndarray, colour: str, tail: float = 0.0) -> None:
    ax.annotate("", w, tail * w, arrowprops={
        "arrowstyle": "-|>", "color": colour, "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0,
        "mutation_scale": 11})


def _draw_kinks(ax: Any, found: Certificate, problem: Problem, names: list[str]) -> None:
    """Two features and a bias: samples, and the line of each neuron with its active side."""
    X, y = problem.X[:, :2], problem.y
    low, width = X.min(axis=0), np.ptp(X, axis=0)
    width[width == 0] = 1.0
    low, width = low - 0.08 * width, 1.16 * width
    handles = _draw_samples(ax, X, y, problem, names)
    # In fractions of the square axes, where right angles are seen as such.
    ax.set(xlim=(low[0], low[0] + width[0]), ylim=(low[1], low[1] + width[1]), box_aspect=1,
           xlabel=names[0], ylabel=names[1])
    W, signs = found.network.weights
    lengths = np.linalg.norm(W, axis=0)
    unseen = 0
    for u, weight, sign in zip(W.T, lengths, signs, strict=True):
        unseen += not _kink(ax, u, low, width, color=_colour(sign),
                            linewidth=0.7 + 2.0 * weight / max(lengths.max(), 1e-300))
    handles += _neuron_handles(found)
    if _missing(found) and not _kink(ax, found.u, low, width, color=ORANGE, linewidth=1.6,
                                     linestyle="--"):
        handles[-1].set_label("missing, out of view")
    if unseen:
        handles.append(_line("none", f"{unseen} more out of view"))
    _legend(ax, handles=handles)


def _draw_samples(ax: Any, X: np.ndarray, y: np.ndarray, problem: Problem, names: list[str]
                  ) -> list[Any]:
    """Grey by target, with a scale beside them, or, for classes, handles of the legend."""
    from matplotlib.colors import LinearSegmentedColormap

    style = {"s": 22, "edgecolor": INK, "linewidth": 0.5, "zorder": 3}
    if problem.classes is not None:
        kinds = zip((-1, 1), (PALE, INK), problem.classes, strict=True)
        return [ax.scatter(*X[y == code].T, color=colour, label=f"{names[-1]} {label(kind)}",
                           **style) for code, colour, kind in kinds]
    ax.set_anchor("E")  # beside the scale
    greys = LinearSegmentedColormap.from_list("targets", (PAPER, INK))
    ax.figure.colorbar(ax.scatter(*X.T, c=y, cmap=greys, **style), ax=ax, label=names[-1],
                       shrink=0.8)
    return []


def _kink(ax: Any, u: np.ndarray, low: np.ndarray, width: np.ndarray, **style: Any) -> bool:
    """The part in view of x.u + b = 0, with an arrow to the active side; whether there is one."""
    a, c = u[:2] * width, float(u[:2] @ low + u[2])
    size = float(np.linalg.norm(a))
    if not size:
        return False
    near, along = -c * a / size**2, np.array([-a[1], a[0]]) / size
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.sort((np.array([[0.0], [1.0]]) - near) / along, axis=0)
    inside = (near >= 0) & (near <= 1)
    free = along == 0
    if not inside[free].all():
        return False
    first, last = ends[0, ~free].max(), ends[1, ~free].min()
    if not first < last:
        return False
    points = near + np.outer([first, last], along)
    ax.plot(*points.T, transform=ax.transAxes, zorder=2, **style)
    middle = points.mean(axis=0)
    arrow = ax.annotate("", middle + 0.06 * a / size, middle, xycoords="axes fraction", zorder=2,
                        arrowprops={"arrowstyle": "-|>", "color": style["color"], "shrinkA": 0,
                                    "shrinkB": 0, "mutation_scale": 9})
    arrow.arrow_patch.set_clip_path(ax.patch)
    return True


def _missing(found: Certificate) -> bool:
    return not found.optimal and found.price > found.beta


def _colour(sign: float) -> str:
    return BLUE if sign > 0 else GREEN


def _neuron_handles(found: Certificate) -> list[Any]:
    signs = found.network.weights[1]
    handles = [_line(_colour(sign), f"neuron, alpha {mark} 0")
               for sign, mark in ((1, ">"), (-1, "<")) if (signs == sign).any()]
    if _missing(found):
        sign = "> 0" if found.sign > 0 else "< 0"
        handles.append(_line(ORANGE, f"missing, alpha {sign}", "--"))
    return handles


def _line(colour: str, text: str, style: Any = "-") -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, linestyle=style, linewidth=1.8, label=text)
