"""What `train` and `certify` share: options, checks before the work, errors, lines of reports."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from arrangements.checks import check_jobs
from arrangements.cli.options import arranged
from arrangements.cli.report import label, layout, size, written
from arrangements.data import load_supervised
from arrangements.errors import InputError
from arrangements.files import check_target
from arrangements.pictures.style import check_picture
from cvxlayer.errors import MissingSolverError, SolverError
from cvxlayer.model.losses import LOSSES
from cvxlayer.model.problem import Problem

__all__ = ["about", "bounds", "check", "learning", "read_problem", "require", "solving", "table"]


def learning() -> argparse.ArgumentParser:
    """Options of the training problem, and of how exactly it is to be solved."""
    options = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    options.add_argument(
        "--target", required=True, metavar="COLUMN",
        help="what to predict: a name or zero-based index, or 'target' of a bundled set")
    options.add_argument(
        "--beta", type=float, required=True, metavar="B", help="weight decay, positive")
    options.add_argument(
        "--loss", choices=tuple(LOSSES), default="squared",
        help="a sum over samples (default squared: half the sum of squares)")
    options.add_argument(
        "--tol", type=float, default=1e-8, metavar="T", help="relative gap (default 1e-8)")
    return options


# --- the problem


def check(arguments: argparse.Namespace) -> None:
    """Raise what would fail after the work."""
    check_jobs(arguments.jobs)
    if not 0 < arguments.tol < 1:
        raise InputError(f"tol must be a number between 0 and 1, got {arguments.tol!r}")
    if arguments.out is not None:
        check_target(arguments.out, (".npz",))
    if arguments.plot is not None:
        check_picture(arguments.plot)


def read_problem(arguments: argparse.Namespace) -> tuple[Problem, list[str]]:
    """The training problem, and the names of its features and its target."""
    values, y, names, numbers = load_supervised(
        arguments.data, arguments.target, columns=arguments.columns, rows=arguments.rows
    )
    arrangement = arranged(arguments, values, numbers)
    return Problem(arrangement, y, arguments.beta, loss=arguments.loss, bias=arguments.bias), names


def require(command: str, *solvers: str) -> None:
    """Raise InputError, which names the remedy, where one of the solvers is missing."""
    for solver in solvers:
        try:
            import_module(solver.replace("-", "").lower())
        except ImportError as error:
            raise InputError(f"{command} needs the solver {solver}, which is not installed; "
                             "pip install 'arrangements[convex]'") from error


@contextmanager
def solving() -> Iterator[None]:
    """Turn errors of solvers into InputError with a remedy."""
    try:
        yield
    except SolverError as error:
        raise InputError(f"{error}; scale the columns to similar sizes, or change beta") from error
    except MissingSolverError as error:
        raise InputError(str(error)) from error


# --- the report


def about(arguments: argparse.Namespace, problem: Problem, names: list[str]) -> dict[str, Any]:
    """What the results are about."""
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


def bounds(fields: dict[str, Any]) -> list[tuple[str, str]]:
    """The objective, and how far from the optimum it can be."""
    lower, gap = fields["lower_bound"], fields["gap"]
    return [
        ("objective", f"{fields['objective']:.10g}"),
        ("lower bound", "none" if lower is None else f"{lower:.10g}"),
        ("relative gap", "none" if gap is None else f"{gap:.2g}"),
    ]


def table(fields: dict[str, Any], results: list[tuple[str, str]]) -> str:
    """The results between what they are about and what they cost."""
    head: list[tuple[str, str]] = [
        (name, fields[name]) for name in ("network", "data", "target") if name in fields]
    if fields["classes"] is not None:
        head.append(("classes", "{} as -1, {} as 1".format(*map(label, fields["classes"]))))
    lines = [
        ("samples n", f"{fields['n']:,}"),
        ("features d", f"{fields['d']:,}"),
        ("rank r", f"{fields['rank']:,}"),
        ("loss", fields["loss"]),
        ("beta", f"{fields['beta']:.6g}"),
        *results,
        ("time", f"{fields['seconds']:,.3g} s"),
        ("peak memory", size(fields["peak_memory_bytes"])),
    ]
    return layout(head, lines, written(fields))
