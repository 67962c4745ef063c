"""``arrangements certify``: a network and data in, a report out."""

from __future__ import annotations

import argparse
import os
from typing import Any

import numpy as np

import cvxlayer
from arrangements.checks import check_jobs
from arrangements.cli.options import effort, progress, source
from arrangements.cli.report import costs, finite, shown
from arrangements.errors import InputError
from cvxlayer.certificates.certificate import Certificate
from cvxlayer.landscape.paths import Path, path_to_minimal, path_to_optimum
from cvxlayer.model.losses import LOSSES
from cvxlayer.model.network import Network
from cvxlayer.model.problem import Problem

from .common import about, bounds, check, learning, read_problem, require, solving, table
from .pictures import draw_way

__all__ = ["add", "certify", "way_down"]

_SHOWN = 20  # neurons in the table
_LISTED = 6  # numbers in a line of it
_ZERO = 1e-9  # |x.u| up to this times ||x|| ||u|| is no activation, as in `stationarity`


def add(commands: Any) -> None:
    """Join the command line."""
    given = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    given.add_argument(
        "network", metavar="NETWORK",
        help=".npz as `train --out` writes it, or .pt, .pth: a PyTorch state_dict")
    command = commands.add_parser(
        "certify", parents=[given, source(), effort(), learning()], allow_abbrev=False,
        help="prove that a network is a global optimum, or how far it can still fall")
    command.add_argument(
        "--tighten", action="store_true",
        help="go on by column generation until the bound is that of the optimum")
    command.add_argument(
        "--seconds", type=float, default=60.0, metavar="S",
        help="for the search for the most violated neuron (default 60)")
    command.add_argument("--out", metavar="FILE", help="save the certificate: .npz")
    command.add_argument(
        "--plot", metavar="FILE", help="the way down, and the neurons: .png, .svg or .pdf")
    command.set_defaults(command=certify)


def certify(arguments: argparse.Namespace) -> str:
    """Certify, save and draw as the arguments say; the report to print."""
    check(arguments)
    if not arguments.seconds >= 0:
        raise InputError(f"seconds must be a number of at least 0, got {arguments.seconds!r}")
    if not LOSSES[arguments.loss].smooth:
        require(f"certify --loss {arguments.loss}", "Clarabel", "OR-Tools")
    elif arguments.tighten or arguments.plot is not None:
        require("certify " + ("--tighten" if arguments.tighten else "--plot"), "Clarabel")
    network = _read(arguments.network)
    problem, names = read_problem(arguments)
    _check_width(network, problem)
    with solving():
        found = cvxlayer.certify(
            network, problem, tol=arguments.tol, tighten=arguments.tighten,
            max_seconds=arguments.seconds, n_jobs=check_jobs(arguments.jobs),
            progress=progress(arguments),
        )
        if arguments.out is not None:
            found.save(arguments.out)
        if arguments.plot is not None:
            path = way_down(found, problem, arguments.tighten)
            draw_way(found, problem, path, names, arguments.plot)
        landscape = cvxlayer.local_minimum(found, problem).verdict
    fields = _fields(arguments, found, problem, names) | {
        "landscape": landscape, "seconds": found.seconds}
    return shown(arguments, _table, fields | costs(arguments))


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


def way_down(found: Certificate, problem: Problem, tighten: bool) -> Path:
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


# --- output


def _fields(arguments: argparse.Namespace, found: Certificate, problem: Problem,
            names: list[str]) -> dict[str, Any]:
    network = found.network
    lengths = np.linalg.norm(network.U, axis=0)
    heights = problem.X @ network.U
    least = _ZERO * np.outer(np.linalg.norm(problem.X, axis=1), lengths)
    return {"network": arguments.network} | about(arguments, problem, names) | {
        "neurons": network.m,
        "tol": found.tol,
        "objective": found.objective,
        "lower_bound": finite(found.lower_bound),
        "gap": finite(found.gap),
        "verdict": found.verdict,
        "margin": finite(found.margin),
        "price": found.price,
        "price_bound": finite(found.price_bound),
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
        *bounds(fields),
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
    return table(fields, results) + _neurons(fields) + _advice(fields)


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
