"""``arrangements certify``: a network and data in, a report out; imported when it is chosen."""

from __future__ import annotations

import argparse
import json
import os
from typing import Any

import numpy as np

import cvxlayer
from cvxlayer import Certificate, Network, Problem
from cvxlayer.losses import LOSSES
from cvxlayer.paths import Path, path_to_minimal, path_to_optimum

from ._train import (
    _ACCENT,
    _INK,
    _LINE,
    _about,
    _bounds,
    _check,
    _costs,
    _draw_function,
    _finite,
    _label,
    _layout,
    _problem,
    _require,
    _save_figure,
    _solving,
)
from ._validate import check_jobs
from .cli import _progress
from .errors import InputError

__all__ = ["certify"]

_NEGATIVE, _PALE = "#009e73", "#d8dde5"
_SHOWN = 20  # neurons in the table
_LISTED = 6  # numbers in a line of it
_ZERO = 1e-9  # |x.u| up to this times ||x|| ||u|| is no activation, as in `stationarity`


def certify(arguments: argparse.Namespace) -> str:
    """Certify, save and draw as the arguments say; the report to print."""
    _check(arguments)
    if not arguments.seconds >= 0:
        raise InputError(f"seconds must be a number of at least 0, got {arguments.seconds!r}")
    if not LOSSES[arguments.loss].smooth:
        _require(f"certify --loss {arguments.loss}", "Clarabel", "OR-Tools")
    elif arguments.tighten or arguments.plot is not None:
        _require("certify " + ("--tighten" if arguments.tighten else "--plot"), "Clarabel")
    network = _read(arguments.network)
    problem, names = _problem(arguments)
    _check_width(network, problem)
    with _solving():
        found = cvxlayer.certify(
            network, problem, tol=arguments.tol, tighten=arguments.tighten,
            max_seconds=arguments.seconds, n_jobs=check_jobs(arguments.jobs),
            progress=_progress(arguments),
        )
        if arguments.out is not None:
            found.save(arguments.out)
        if arguments.plot is not None:
            path = _path(found, problem, arguments.tighten)
            _draw(found, problem, path, names, arguments.plot)
        landscape = cvxlayer.local_minimum(found, problem).verdict
    fields = _fields(arguments, found, problem, names) | {"landscape": landscape} | _costs(
        arguments, found.seconds)
    return json.dumps(fields) + "\n" if arguments.json else _table(fields)


def _read(path: str) -> Network:
    suffix = os.path.splitext(path)[1].lower()
    if suffix == ".npz":
        return Network.load(path)
    if suffix not in (".pt", ".pth"):
        raise InputError("the network must be an .npz file, as `train --out` writes it, or a "
                         f"state_dict, .pt or .pth, got {path!r}")
    try:
        import torch
    except ImportError as error:
        raise InputError(f"{path!r} is read with PyTorch, which is not installed; "
                         "pip install torch") from error
    written = "must be written by torch.save(module.state_dict(), path)"
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
    except (MemoryError, OSError):
        raise
    except Exception as error:  # what is no such file can fail in any way
        raise InputError(f"{path!r} {written}, and it cannot be read as one") from error
    if not (isinstance(state, dict) and all(torch.is_tensor(x) for x in state.values())):
        raise InputError(f"{path!r} {written}, got a {type(state).__name__} of other things")
    if wrong := [key for key, x in state.items() if key.endswith("weight") and x.ndim != 2]:
        raise InputError(f"{path!r} must hold two linear layers, got {wrong[0]!r} of shape "
                         f"{tuple(state[wrong[0]].shape)}")
    return Network.from_torch({key: x.double() for key, x in state.items()})


def _check_width(network: Network, problem: Problem) -> None:
    if network.d != problem.d:
        more = network.d - problem.d
        what = "; the network has no bias" if problem.bias and more == -1 else (
            "; --bias appends a column of ones" if not problem.bias and more == 1 else "")
        raise InputError(f"the network must have {problem.d} input weights, one for each column, "
                         f"got {network.d}{what}")


# --- output


def _fields(arguments: argparse.Namespace, found: Certificate, problem: Problem,
            names: list[str]) -> dict[str, Any]:
    network = found.network
    lengths = np.linalg.norm(network.U, axis=0)
    heights = problem.X @ network.U
    least = _ZERO * np.outer(np.linalg.norm(problem.X, axis=1), lengths)
    return {"network": arguments.network} | _about(arguments, problem, names) | {
        "neurons": network.m,
        "tol": found.tol,
        "objective": found.objective,
        "lower_bound": _finite(found.lower_bound),
        "gap": _finite(found.gap),
        "verdict": found.verdict,
        "margin": _finite(found.margin),
        "price": found.price,
        "price_bound": _finite(found.price_bound),
        "complete": found.complete,
        "u": found.u.tolist(),
        "sign": found.sign,
        "decrease": found.decrease,
        "stationary": found.stationary,
        "scaled": found.scaled,
        "nearly_minimal": found.nearly_minimal,
        "minimal": found.minimal,
        "lengths": lengths.tolist(),
        "alpha": network.alpha.tolist(),
        "residual": found.residual.tolist(),
        "relative": found.relative.tolist(),
        "active": (heights > least).sum(axis=0).tolist(),
        "unscaled": found.unscaled.tolist(),
        "crowded": [g.tolist() for g in found.crowded],
        "repeated": [g.tolist() for g in found.repeated],
    }


def _table(fields: dict[str, Any]) -> str:
    results = [
        ("neurons", f"{fields['neurons']:,}"),
        *_bounds(fields),
        ("verdict", fields["verdict"]),
    ]
    if fields["verdict"] == "undecided":
        results.append(("margin", f"{fields['margin']:.2g}"))
    form = [name for name in ("minimal", "nearly_minimal", "scaled") if fields[name]]
    results += [
        ("largest price", _price(fields["price"], fields["beta"])),
        *([] if fields["complete"] else [("  at most", _price(fields["price_bound"],
                                                              fields["beta"]))]),
        ("guaranteed decrease", f"{fields['decrease']:.6g}"),
        ("stationary", "yes" if fields["stationary"] else "no"),
        ("landscape", fields["landscape"]),
        ("form", form[0].replace("_", " ") if form else "not scaled"),
    ]
    return _layout(fields, results) + _neurons(fields) + _advice(fields)


def _price(price: float | None, beta: float) -> str:
    return "unknown" if price is None else f"{price:.6g} = {price / beta:.6g} beta"


def _neurons(fields: dict[str, Any]) -> str:
    """The neurons; of many, those farthest from stationary."""
    m, notes = fields["neurons"], _notes(fields)
    if not m:
        return ""
    shown = sorted(range(m), key=lambda j: -fields["relative"][j])[:_SHOWN]
    lines = [f"\n{'neuron':>6}{'||u||':>14}{'alpha':>14}{'residual':>11}{'active':>9}  notes"]
    for j in shown if m > _SHOWN else range(m):
        line = (f"{j:>6}{fields['lengths'][j]:>14.6g}{fields['alpha'][j]:>14.6g}"
                f"{fields['relative'][j]:>11.1e}{fields['active'][j]:>9,}  {'; '.join(notes[j])}")
        lines.append(line.rstrip())
    if m > _SHOWN:
        lines.append(f"and {m - _SHOWN:,} more, of smaller residuals; --json lists them")
    return "\n".join(lines) + "\n"


def _notes(fields: dict[str, Any]) -> list[list[str]]:
    notes: list[list[str]] = [[] for _ in range(fields["neurons"])]
    for j in fields["unscaled"]:
        notes[j].append("unscaled")
    same = {j: set(g) for g in fields["repeated"] for j in g}
    for g in fields["crowded"]:
        for j in g:
            notes[j].append("shares a face with " + _listed(set(g) - same.get(j, {j})))
    for j, g in same.items():
        notes[j].append("same as " + _listed(g - {j}))
    return notes


def _listed(indices: set[int]) -> str:
    more = len(indices) - _LISTED
    shown = ", ".join(map(str, sorted(indices)[:_LISTED]))
    return f"{shown} and {more} more" if more > 0 else shown


def _advice(fields: dict[str, Any]) -> str:
    """What to do where the network is not optimal, or may not be."""
    if fields["verdict"] == "optimal":
        return ""
    if fields["verdict"] == "undecided":
        return "\nundecided: --tighten, more --seconds or a larger --tol may decide it\n"
    if fields["price"] > fields["beta"]:
        u = ", ".join(f"{x:.4g}" for x in fields["u"][:_LISTED])
        if fields["d"] > _LISTED:
            u += f", ... {fields['d'] - _LISTED} more"
        return f"\nmissing: a neuron u = ({u}), alpha {'> 0' if fields['sign'] > 0 else '< 0'}\n"
    return "\nmissing: no neuron; those there are not yet at their best\n"


# --- picture


def _path(found: Certificate, problem: Problem, tighten: bool) -> Path:
    """Down to the best network known; for one that is optimal, to a minimal one."""
    network = found.network
    if found.optimal or found.better is None:
        return path_to_minimal(network, problem)
    # A picture does not show what more steps gain.
    better = (found.better if tighten else found.improve(steps=20)).scaled()
    value = problem.objective(better)
    # On the way F may be less than at the end, but nowhere below the lower bound.
    gap = max(value - found.lower_bound, 0.0) / max(value, 1e-300)
    # Of more neurons than n + 1 the others are made zero on the way.
    width = max(network.m, min(network.m, problem.n + 1) + better.m)
    return path_to_optimum(network.padded(width), better, problem, gap=gap)


def _draw(found: Certificate, problem: Problem, path: Path, names: list[str], target: str) -> None:
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
    _save_figure(figure, target)


def _legend(ax: Any, **options: Any) -> None:
    """Above the axes, where it covers nothing; `_draw` leaves room for it."""
    legend = ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2,
                       borderaxespad=0.2, **options)
    legend.set_in_layout(False)


def _draw_path(ax: Any, found: Certificate, path: Path) -> None:
    times = np.union1d(np.linspace(0, 1, 201), path.breakpoints)
    values = np.array([path.objective(t) for t in times])
    ax.plot(times, values, color=_LINE, linewidth=1.8, label="objective")
    corners = np.isin(times, path.breakpoints)
    ax.plot(times[corners], values[corners], "o", markersize=4, color=_LINE)
    ax.axhline(found.lower_bound, color=_ACCENT, linestyle="--", linewidth=1.2,
               label=f"lower bound, relative gap {found.gap:.2g}")
    low, high = min(values.min(), found.lower_bound), values.max()
    # A constant is drawn as one: its rounding errors are not stretched over the axis.
    room = max(0.06 * (high - low), 0.02 * abs(high), 1e-12)
    down = found.better is not None and not found.optimal
    if path.start is path.end:
        said = "and optimal: the path stays" if found.optimal else "and no better one is known"
        ax.text(0.5, 0.6, f"the network is minimal,\n{said}", transform=ax.transAxes, ha="center",
                color=_INK)
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
        ax.axvline(-shift / slope, color=_INK, linestyle="--", linewidth=1.4,
                   label="kink of the missing neuron")
    _legend(ax)


def _draw_weights(ax: Any, found: Certificate, problem: Problem, names: list[str]) -> None:
    """Two features: neurons u |alpha| in the plane of weights, cut into chambers by the samples."""
    W, signs = found.network.weights
    size = 1.15 * float(np.abs(W).max(initial=0)) or 1.0
    classes, first = np.unique(problem.arrangement.parallel_classes[0], return_index=True)
    for x in problem.X[first[classes >= 0]]:
        ax.axline((0, 0), (-x[1], x[0]), color=_PALE, linewidth=0.8, zorder=1)
    for w, sign in zip(W.T, signs, strict=True):
        if w.any():
            _arrow(ax, w, _colour(sign))
    if _missing(found):
        w = 0.85 * size * found.u / np.abs(found.u).max()
        ax.plot([0, w[0]], [0, w[1]], color=_LINE, linestyle="--", linewidth=1.6, zorder=2)
        _arrow(ax, w, _LINE, tail=0.97)
    ax.set(xlim=(-size, size), ylim=(-size, size), aspect="equal",
           xlabel=f"weight of {names[0]}", ylabel=f"weight of {names[1]}")
    ax.locator_params(nbins=5)
    _legend(ax, handles=[_line(_PALE, f"x.u = 0 for {problem.n} samples"), *_neuron_handles(found)])


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
    if _missing(found) and not _kink(ax, found.u, low, width, color=_LINE, linewidth=1.6,
                                     linestyle="--"):
        handles[-1].set_label("missing, out of view")
    if unseen:
        handles.append(_line("none", f"{unseen} more out of view"))
    _legend(ax, handles=handles)


def _draw_samples(ax: Any, X: np.ndarray, y: np.ndarray, problem: Problem, names: list[str]
                  ) -> list[Any]:
    """Grey by target, with a scale beside them, or, for classes, handles of the legend."""
    from matplotlib.colors import LinearSegmentedColormap

    style = {"s": 22, "edgecolor": _INK, "linewidth": 0.5, "zorder": 3}
    if problem.classes is not None:
        kinds = zip((-1, 1), (_PALE, _INK), problem.classes, strict=True)
        return [ax.scatter(*X[y == code].T, color=colour, label=f"{names[-1]} {_label(label)}",
                           **style) for code, colour, label in kinds]
    ax.set_anchor("E")  # beside the scale
    greys = LinearSegmentedColormap.from_list("targets", ("#ffffff", _INK))
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
    return _ACCENT if sign > 0 else _NEGATIVE


def _neuron_handles(found: Certificate) -> list[Any]:
    signs = found.network.weights[1]
    handles = [_line(_colour(sign), f"neuron, alpha {mark} 0")
               for sign, mark in ((1, ">"), (-1, "<")) if (signs == sign).any()]
    if _missing(found):
        handles.append(_line(_LINE, "missing, alpha " + ("> 0" if found.sign > 0 else "< 0"), "--"))
    return handles


def _line(colour: str, label: str, style: Any = "-") -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, linestyle=style, linewidth=1.8, label=label)
