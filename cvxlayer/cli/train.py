"""``arrangements train``: data and options in, a report out."""

from __future__ import annotations

import argparse
import time
from typing import Any

from arrangements.checks import check_jobs
from arrangements.cli.options import effort, progress, source
from arrangements.cli.report import costs, finite, shown
from cvxlayer.conic.solution import Solution

from .common import about, bounds, check, learning, read_problem, require, solving, table
from .pictures import draw_solution

__all__ = ["add", "train"]


def add(commands: Any) -> None:
    """Join the command line."""
    command = commands.add_parser(
        "train", parents=[source(), effort(), learning()], allow_abbrev=False,
        help="train a two-layer ReLU network to the certified global optimum")
    command.add_argument(
        "--method", choices=("auto", "full", "columns", "sampled"), default="auto",
        help="the whole convex program, column generation, or 1000 random patterns")
    command.add_argument("--out", metavar="FILE", help="save the network: .npz")
    command.add_argument(
        "--plot", metavar="FILE", help="the fitted function or the objective: .png, .svg or .pdf")
    command.set_defaults(command=train)


def train(arguments: argparse.Namespace) -> str:
    """Fit, save and draw as the arguments say; the report to print."""
    require("train", "Clarabel")
    check(arguments)
    problem, names = read_problem(arguments)
    start = time.perf_counter()
    with solving():
        found = problem.fit(
            arguments.method, tol=arguments.tol, rng=0, n_jobs=check_jobs(arguments.jobs),
            progress=progress(arguments),
        )
    seconds = time.perf_counter() - start
    if arguments.out is not None:
        found.network.save(arguments.out)
    if arguments.plot is not None:
        draw_solution(found, names, arguments.plot)
    fields = _fields(arguments, found, names) | {"seconds": seconds} | costs(arguments)
    return shown(arguments, _table, fields)


def _fields(arguments: argparse.Namespace, found: Solution, names: list[str]) -> dict[str, Any]:
    return about(arguments, found.problem, names) | {
        "method": arguments.method,
        "neurons": found.network.m,
        "objective": found.value,
        "lower_bound": finite(found.lower_bound),
        "gap": finite(found.gap),
        "rounds": len(found.history),
        "status": found.status,
    }


def _table(fields: dict[str, Any]) -> str:
    return table(fields, [
        ("neurons", f"{fields['neurons']:,}"),
        *bounds(fields),
        ("rounds", f"{fields['rounds']:,}"),
        ("status", fields["status"]),
    ])
