"""``arrangements train``: data and options in, a report out; imported when it is chosen."""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from arrangements.arrangement import Arrangement
from arrangements.checks import check_jobs
from arrangements.cli.main import _nearest_floats, _peak_memory, _progress, _size
from arrangements.data import load_supervised
from arrangements.errors import InputError
from arrangements.files import check_target, replacing
from cvxlayer import MissingSolverError, Network, Problem, Solution, SolverError

__all__ = ["train"]

_INK, _LINE, _ACCENT = "#1b2a41", "#d55e00", "#33619e"


def train(arguments: argparse.Namespace) -> str:
    """Fit, save and draw as the arguments say; the report to print."""
    _require("train", "Clarabel")
    _check(arguments)
    problem, names = _problem(arguments)
    start = time.perf_counter()
    with _solving():
        found = problem.fit(
            arguments.method, tol=arguments.tol, rng=0, n_jobs=check_jobs(arguments.jobs),
            progress=_progress(arguments),
        )
    seconds = time.perf_counter() - start
    if arguments.out is not None:
        found.network.save(arguments.out)
    if arguments.plot is not None:
        _draw(found, names, arguments.plot)
    fields = _fields(arguments, found, names) | _costs(arguments, seconds)
    return json.dumps(fields) + "\n" if arguments.json else _table(fields)


def _require(command: str, *solvers: str) -> None:
    for solver in solvers:
        try:
            import_module(solver.replace("-", "").lower())
        except ImportError as error:
            raise InputError(f"{command} needs the solver {solver}, which is not installed; "
                             "pip install 'arrangements[convex]'") from error


@contextmanager
def _solving() -> Iterator[None]:
    try:
        yield
    except SolverError as error:
        raise InputError(f"{error}; scale the columns to similar sizes, or change beta") from error
    except MissingSolverError as error:
        raise InputError(str(error)) from error


def _check(arguments: argparse.Namespace) -> None:
    """Raise what would fail after the work."""
    check_jobs(arguments.jobs)
    if not 0 < arguments.tol < 1:
        raise InputError(f"tol must be a number between 0 and 1, got {arguments.tol!r}")
    if arguments.out is not None:
        check_target(arguments.out, (".npz",))
    if arguments.plot is not None:
        from arrangements.pictures.plot import check_picture

        check_picture(arguments.plot)


def _problem(arguments: argparse.Namespace) -> tuple[Problem, list[str]]:
    values, y, names, numbers = load_supervised(
        arguments.data, arguments.target, columns=arguments.columns, rows=arguments.rows
    )
    if arguments.numbers == "binary" and values.dtype == object:
        values = _nearest_floats(values)
    arrangement = Arrangement(values, bias=arguments.bias, numbers=arguments.numbers or numbers)
    return Problem(arrangement, y, arguments.beta, loss=arguments.loss, bias=arguments.bias), names


# --- output


def _fields(arguments: argparse.Namespace, found: Solution, names: list[str]) -> dict[str, Any]:
    return _about(arguments, found.problem, names) | {
        "method": arguments.method,
        "neurons": found.network.m,
        "objective": found.value,
        "lower_bound": _finite(found.lower_bound),
        "gap": _finite(found.gap),
        "rounds": len(found.history),
        "status": found.status,
    }


def _about(arguments: argparse.Namespace, problem: Problem, names: list[str]) -> dict[str, Any]:
    return {
        "data": arguments.data,
        "target": names[-1],
        "n": problem.n,
        "d": problem.d,
        "rank": int(problem.arrangement.rank),
        "loss": problem.loss.name,
        "beta": problem.beta,
        "classes": problem.classes,
    }


def _costs(arguments: argparse.Namespace, seconds: float) -> dict[str, Any]:
    """Time, memory, and the files that were written."""
    fields = {"seconds": seconds, "peak_memory_bytes": _peak_memory()}
    for option in ("out", "plot"):
        path = getattr(arguments, option)
        if path is not None:
            fields |= {option: path, f"{option}_bytes": os.path.getsize(path)}
    return fields


def _finite(value: float) -> float | None:
    """JSON has no infinity."""
    return float(value) if math.isfinite(value) else None


def _table(fields: dict[str, Any]) -> str:
    return _layout(fields, [
        ("neurons", f"{fields['neurons']:,}"),
        *_bounds(fields),
        ("rounds", f"{fields['rounds']:,}"),
        ("status", fields["status"]),
    ])


def _bounds(fields: dict[str, Any]) -> list[tuple[str, str]]:
    lower, gap = fields["lower_bound"], fields["gap"]
    return [
        ("objective", f"{fields['objective']:.10g}"),
        ("lower bound", "none" if lower is None else f"{lower:.10g}"),
        ("relative gap", "none" if gap is None else f"{gap:.2g}"),
    ]


def _layout(fields: dict[str, Any], results: list[tuple[str, str]]) -> str:
    """The results between what they are about and what they cost."""
    head: list[tuple[str, str]] = [
        (name, fields[name]) for name in ("network", "data", "target") if name in fields]
    if fields["classes"] is not None:
        head.append(("classes", "{} as -1, {} as 1".format(*map(_label, fields["classes"]))))
    lines = [
        ("samples n", f"{fields['n']:,}"),
        ("features d", f"{fields['d']:,}"),
        ("rank r", f"{fields['rank']:,}"),
        ("loss", fields["loss"]),
        ("beta", f"{fields['beta']:.6g}"),
        *results,
        ("time", f"{fields['seconds']:,.3g} s"),
        ("peak memory", _size(fields["peak_memory_bytes"])),
    ]
    width = max(len(value) for _, value in lines)
    foot = [("written", f"{fields[option]} ({_size(fields[f'{option}_bytes'])})")
            for option in ("out", "plot") if option in fields]
    return "".join(f"{name:<22}{value:>{width}}\n" for name, value in [*head, *lines, *foot])


def _label(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


# --- picture


def _draw(found: Solution, names: list[str], path: str) -> None:
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
    _save_figure(figure, path)


def _save_figure(figure: Any, path: str) -> None:
    suffix = os.path.splitext(path)[1].lower()
    with replacing(path) as file:
        figure.savefig(file, format=suffix[1:], dpi=200)


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
    ax.scatter(x, y, s=14, color=_INK, linewidth=0, alpha=0.7, label="data")
    ax.plot(at, network.predict(at[:, None]), color=_LINE, linewidth=1.8,
            label=f"network of {network.m} neurons")
    ax.set(xlabel=names[0], ylabel=names[-1])
    ax.legend(frameon=False)


def _draw_rounds(ax: Any, found: Solution) -> None:
    from matplotlib.ticker import MaxNLocator

    ax.plot([r.number for r in found.history], [r.upper for r in found.history], marker="o",
            markersize=3.5, color=_LINE, linewidth=1.4, label="objective")
    if math.isfinite(found.lower_bound):
        ax.axhline(found.lower_bound, color=_ACCENT, linestyle="--", linewidth=1.2,
                   label=f"lower bound, relative gap {found.gap:.1g}")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel="round", ylabel="objective")
    ax.legend(frameon=False)


def _draw_predictions(ax: Any, found: Solution, names: list[str]) -> None:
    y = found.problem.y
    ax.axline((float(y.mean()), float(y.mean())), slope=1, color=_ACCENT, linewidth=1)
    ax.scatter(y, found.network.predict(found.problem.X), s=14, color=_INK, linewidth=0, alpha=0.7)
    ax.set(xlabel=names[-1], ylabel="prediction")
