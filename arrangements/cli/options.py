"""Options that several commands share, as parents of their parsers, and what they ask for."""

from __future__ import annotations

import argparse
import sys
from fractions import Fraction

import numpy as np

from arrangements.arrangement import Arrangement
from arrangements.errors import InputError

__all__ = ["arranged", "effort", "patterns", "progress", "source", "tolerance"]


def source() -> argparse.ArgumentParser:
    """Where the data are, what of them is taken, how numbers are read; the form of the report."""
    options = _parent()
    options.add_argument(
        "data", metavar="DATA",
        help="a .csv, .tsv, .txt, .npy, .npz or .parquet file, or a bundled set: iris, diabetes, "
        "wine, breast_cancer",
    )
    options.add_argument("--bias", action="store_true", help="append a column of ones")
    options.add_argument(
        "--columns", action="append", metavar="LIST",
        help="names, zero-based indices, ranges: 0-2,7 or 'alcohol,ash'; may be repeated",
    )
    options.add_argument(
        "--rows", metavar="LIST", help="zero-based rows: 0:50 or 0,3,7 (--rows=-50: for the last)"
    )
    options.add_argument(
        "--numbers", choices=("binary", "decimal"),
        help="how to read 5.1: the double or 51/10 (default: decimal for text and bundled sets)",
    )
    options.add_argument("--json", action="store_true", help="print one JSON object")
    return options


def tolerance() -> argparse.ArgumentParser:
    """A tolerance instead of exactness."""
    options = _parent()
    options.add_argument("--tol", type=float, metavar="T", help="take what is under T for zero")
    return options


def effort() -> argparse.ArgumentParser:
    """Workers, and reports while they work."""
    options = _parent()
    options.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="workers, -1 for all cores (default 1)"
    )
    options.add_argument(
        "--progress", action=argparse.BooleanOptionalAction,
        help="report on stderr while it works (default: when stderr is a terminal)",
    )
    return options


def patterns() -> argparse.ArgumentParser:
    """A file for patterns."""
    options = _parent()
    options.add_argument(
        "--out", metavar="FILE", help="save the patterns: .npz, .parquet, .arrow or .feather"
    )
    return options


def _parent() -> argparse.ArgumentParser:
    return argparse.ArgumentParser(add_help=False, allow_abbrev=False)


def progress(arguments: argparse.Namespace) -> bool:
    """Whether to report while working, of `effort`."""
    return sys.stderr.isatty() if arguments.progress is None else arguments.progress


def arranged(arguments: argparse.Namespace, values: np.ndarray, numbers: str,
             tol: float | None = None) -> Arrangement:
    """The arrangement of a table that holds `numbers`, where `source` does not say otherwise."""
    if arguments.numbers == "binary" and values.dtype == object:
        values = _nearest_floats(values)
    return Arrangement(values, bias=arguments.bias, numbers=arguments.numbers or numbers, tol=tol)


def _nearest_floats(values: np.ndarray) -> np.ndarray:
    """The table with each Fraction read as a float; integers are binary numbers already."""
    read = values.copy()
    for place, cell in np.ndenumerate(values):
        if isinstance(cell, Fraction):
            try:
                read[place] = float(cell)
            except OverflowError as error:
                raise InputError(
                    f"numbers must fit a double with --numbers binary, got one of "
                    f"{len(str(int(cell)))} digits in row {place[0]}; leave the option out"
                ) from error
    return read
