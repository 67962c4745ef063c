"""The commands enumerate, count, faces and plot."""

from __future__ import annotations

import argparse
import time
from fractions import Fraction
from typing import Any

import numpy as np

from arrangements.arrangement import Arrangement
from arrangements.checks import check_jobs
from arrangements.data import load_table
from arrangements.errors import InputError
from arrangements.files import check_target
from arrangements.patterns import SUFFIXES
from arrangements.pictures.plot import save_plot
from arrangements.pictures.style import check_picture

from .options import arranged, effort, patterns, progress, source, tolerance
from .report import report

__all__ = ["add_count", "add_enumerate", "add_faces", "add_plot"]


def add_enumerate(commands: Any) -> None:
    """``arrangements enumerate``."""
    commands.add_parser(
        "enumerate", parents=[source(), tolerance(), effort(), patterns()], allow_abbrev=False,
        help="list all dichotomies",
    ).set_defaults(command=_enumerate)


def _enumerate(arguments: argparse.Namespace) -> str:
    if arguments.out is not None:
        check_target(arguments.out, SUFFIXES)
    arrangement = _arrangement(arguments)
    start = time.perf_counter()
    found = arrangement.dichotomies(n_jobs=arguments.jobs, progress=progress(arguments))
    seconds = time.perf_counter() - start
    if arguments.out is not None:
        found.save(arguments.out)
    return report(arguments, arrangement, _chambers(arrangement, len(found), seconds))


def add_count(commands: Any) -> None:
    """``arrangements count``."""
    command = commands.add_parser(
        "count", parents=[source(), tolerance()], allow_abbrev=False,
        help="count them, storing none",
    )
    command.add_argument("--faces", action="store_true", help="count the faces too, by dimension")
    command.set_defaults(command=_count)


def _count(arguments: argparse.Namespace) -> str:
    arrangement = _arrangement(arguments)
    start = time.perf_counter()
    p = arrangement.count_dichotomies()
    fields = _chambers(arrangement, p, time.perf_counter() - start)
    if arguments.faces:
        fields |= _faces_by_dimension(list(enumerate(arrangement.f_vector())))
    return report(arguments, arrangement, fields)


def add_faces(commands: Any) -> None:
    """``arrangements faces``."""
    command = commands.add_parser(
        "faces", parents=[source(), tolerance(), effort(), patterns()], allow_abbrev=False,
        help="count the faces by dimension; with --out, list the trichotomies",
    )
    command.add_argument(
        "--dims", action="append", metavar="LIST",
        help="dimensions, 0 the origin, the rank for chambers: 0,1 or 2-4 (default: all)",
    )
    command.set_defaults(command=_faces)


def _faces(arguments: argparse.Namespace) -> str:
    check_jobs(arguments.jobs)
    if arguments.out is not None:
        check_target(arguments.out, SUFFIXES)
    arrangement = _arrangement(arguments)
    dims = _dims(arguments.dims, arrangement.rank)
    start = time.perf_counter()
    if arguments.out is None:
        numbers = arrangement.f_vector()
        found = None
    else:
        found = arrangement.trichotomies(
            dims=dims, n_jobs=arguments.jobs, progress=progress(arguments)
        )
        numbers = np.bincount(found.dims, minlength=arrangement.rank + 1).tolist()
    seconds = time.perf_counter() - start
    if found is not None:
        found.save(arguments.out)
    faces = _faces_by_dimension([(k, numbers[k]) for k in dims])
    return report(arguments, arrangement, faces | {"seconds": seconds})


def _dims(listed: list[str] | None, rank: int) -> list[int]:
    """Dimensions from lists such as 0,1 and 2-4; all of them by default."""
    if listed is None:
        return list(range(rank + 1))
    dims: set[int] = set()
    for part in ",".join(listed).split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise InputError(f"dims must be integers and ranges such as 0,1 or 2-4, got {part!r}")
        low, high = int(first), int(last or first)
        if high > rank or low > high:
            raise InputError(
                f"dims must be from 0, the origin, to {rank}, the chambers, got {part!r}"
            )
        dims.update(range(low, high + 1))
    return sorted(dims)


def add_plot(commands: Any) -> None:
    """``arrangements plot``."""
    command = commands.add_parser(
        "plot", parents=[source(), tolerance()], allow_abbrev=False,
        help="draw data of rank 1 to 3",
    )
    command.add_argument(
        "--out", metavar="FILE", required=True, help="the picture: .png, .svg or .pdf"
    )
    command.add_argument(
        "--no-labels", dest="labels", action="store_false", help="leave the labels out"
    )
    command.set_defaults(command=_plot)


def _plot(arguments: argparse.Namespace) -> str:
    check_picture(arguments.out)
    arrangement = _arrangement(arguments)
    start = time.perf_counter()
    save_plot(arrangement, arguments.out, labels=arguments.labels)
    seconds = time.perf_counter() - start
    p = arrangement.count_dichotomies()
    return report(arguments, arrangement, {"p": int(p), "seconds": seconds})


# --- what they share


def _arrangement(arguments: argparse.Namespace) -> Arrangement:
    values, _, numbers = load_table(arguments.data, columns=arguments.columns, rows=arguments.rows)
    return arranged(arguments, values, numbers, arguments.tol)


def _chambers(arrangement: Arrangement, p: int, seconds: float) -> dict[str, Any]:
    bound = int(arrangement.cover_bound())
    return {
        "p": int(p),
        "cover_bound": bound,
        "ratio": int(p) / bound,
        "seconds": seconds,
        "chambers_per_second": int(int(p) / Fraction(max(seconds, 1e-9))),
    }


def _faces_by_dimension(numbers: list[tuple[int, int]]) -> dict[str, Any]:
    return {
        "q": sum(int(x) for _, x in numbers),
        "dims": [k for k, _ in numbers],
        "f_vector": [int(x) for _, x in numbers],
    }
