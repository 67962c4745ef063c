"""The command line: ``arrangements enumerate DATA`` and ``arrangements count DATA``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from fractions import Fraction
from typing import Any

import numpy as np

from .errors import InputError

__all__ = ["main"]

_DATA = """a .csv, .tsv, .txt, .npy, .npz or .parquet file, or a bundled set: iris, diabetes, wine,
breast_cancer"""


def main(argv: list[str] | None = None) -> int:
    """Run one command; the status is 0, 2 after an error (one line on stderr), 130 after Ctrl-C."""
    try:
        arguments = _parser().parse_args(argv)
        _write(arguments.command(arguments))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141  # what a shell reports for a reader that left: 128 + SIGPIPE
    except (InputError, MemoryError, OSError) as error:
        message = " ".join(str(error).split()) or "out of memory"
        print(f"arrangements: error: {message}", file=sys.stderr)
        return 2
    return 0


def _enumerate(arguments: argparse.Namespace) -> str:
    from .patterns import check_target

    if arguments.out is not None:
        check_target(arguments.out)
    arrangement = _arrangement(arguments)
    progress = sys.stderr.isatty() if arguments.progress is None else arguments.progress
    start = time.perf_counter()
    found = arrangement.dichotomies(n_jobs=arguments.jobs, progress=progress)
    seconds = time.perf_counter() - start
    if arguments.out is not None:
        found.save(arguments.out)
    return _report(arguments, arrangement, len(found), seconds)


def _count(arguments: argparse.Namespace) -> str:
    arrangement = _arrangement(arguments)
    start = time.perf_counter()
    p = arrangement.count_dichotomies()
    return _report(arguments, arrangement, p, time.perf_counter() - start)


def _arrangement(arguments: argparse.Namespace) -> Any:
    from . import Arrangement
    from .data import load_table

    values, _, numbers = load_table(arguments.data, columns=arguments.columns, rows=arguments.rows)
    if arguments.numbers == "binary" and values.dtype == object:
        values = _nearest_floats(values)
    return Arrangement(
        values,
        bias=arguments.bias,
        numbers=arguments.numbers or numbers,
        tol=arguments.tol,
    )


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


# --- output


def _report(arguments: argparse.Namespace, arrangement: Any, p: int, seconds: float) -> str:
    bound = int(arrangement.cover_bound())
    fields = {
        "data": arguments.data,
        "n": int(arrangement.n),
        "d": int(arrangement.d),
        "rank": int(arrangement.rank),
        "general_position": bool(arrangement.general_position),
        "n_hyperplanes": int(arrangement.n_hyperplanes),
        "exact": bool(arrangement.exact),
        "p": int(p),
        "cover_bound": bound,
        "ratio": int(p) / bound,
        "seconds": seconds,
        "chambers_per_second": int(int(p) / Fraction(max(seconds, 1e-9))),
        "peak_memory_bytes": _peak_memory(),
    }
    if getattr(arguments, "out", None) is not None:
        fields |= {"out": arguments.out, "out_bytes": os.path.getsize(arguments.out)}
    return json.dumps(fields) + "\n" if arguments.json else _table(fields)


def _table(fields: dict[str, Any]) -> str:
    lines = [
        ("data", fields["data"]),
        ("samples n", f"{fields['n']:,}"),
        ("features d", f"{fields['d']:,}"),
        ("rank r", f"{fields['rank']:,}"),
        ("general position", "yes" if fields["general_position"] else "no"),
        ("distinct hyperplanes", f"{fields['n_hyperplanes']:,}"),
        ("dichotomies p", f"{fields['p']:,}"),
        ("Cover's bound", f"{fields['cover_bound']:,}"),
        ("p / bound", f"{fields['ratio']:.6g}"),
        ("exact", "yes" if fields["exact"] else "no, up to the tolerance"),
        ("time", f"{fields['seconds']:,.3g} s"),
        ("chambers per second", f"{fields['chambers_per_second']:,}"),
        ("peak memory", _size(fields["peak_memory_bytes"])),
    ]
    if "out" in fields:
        lines.append(("written", f"{fields['out']} ({_size(fields['out_bytes'])})"))
    width = max(len(value) for _, value in lines[1:13])
    return "".join(f"{name:<22}{value:>{width}}\n" for name, value in lines)


def _size(n_bytes: int) -> str:
    size, units = float(n_bytes), ["TB", "GB", "MB", "kB", "B"]
    while size >= 1000 and len(units) > 1:
        size /= 1000
        units.pop()
    return f"{size:,.4g} {units[-1]}"


def _peak_memory() -> int:
    """Bytes; from the kernel's own page, since ru_maxrss remembers the parent across exec."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            return next(1024 * int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:
        # What is left in the buffer would raise once more when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


# --- arguments


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *rest: Any) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            text = version("arrangements")
        except PackageNotFoundError:
            text = "(not installed)"
        _write(f"arrangements {text}\n")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="arrangements",
        description="Enumerate or count, exactly, the dichotomies 1[Xu >= 0] of a data matrix X.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    shared = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    shared.add_argument("data", metavar="DATA", help=_DATA)
    shared.add_argument("--bias", action="store_true", help="append a column of ones")
    shared.add_argument(
        "--columns",
        action="append",
        metavar="LIST",
        help="names, zero-based indices, ranges: 0-2,7 or 'alcohol,ash'; may be repeated",
    )
    shared.add_argument(
        "--rows", metavar="LIST", help="zero-based rows: 0:50 or 0,3,7 (--rows=-50: for the last)"
    )
    shared.add_argument(
        "--numbers",
        choices=("binary", "decimal"),
        help="how to read 5.1: the double or 51/10 (default: decimal for text and bundled sets)",
    )
    shared.add_argument("--tol", type=float, metavar="T", help="take what is under T for zero")
    shared.add_argument("--json", action="store_true", help="print one JSON object")

    command = commands.add_parser(
        "enumerate", parents=[shared], allow_abbrev=False, help="list all dichotomies"
    )
    command.add_argument(
        "--out", metavar="FILE", help="save the patterns: .npz, .parquet, .arrow or .feather"
    )
    command.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="workers, -1 for all cores (default 1)"
    )
    command.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="a bar on stderr after half a second (default: when stderr is a terminal)",
    )
    command.set_defaults(command=_enumerate)
    commands.add_parser(
        "count", parents=[shared], allow_abbrev=False, help="count them, storing none"
    ).set_defaults(command=_count)
    return parser
