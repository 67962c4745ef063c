"""The command line: ``arrangements enumerate``, ``count``, ``faces``, ``plot``, ``train`` DATA, and
``certify`` NETWORK DATA."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from fractions import Fraction
from typing import Any

import numpy as np

from arrangements.errors import InputError

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
    from arrangements.files import check_target
    from arrangements.patterns import SUFFIXES

    if arguments.out is not None:
        check_target(arguments.out, SUFFIXES)
    arrangement = _arrangement(arguments)
    start = time.perf_counter()
    found = arrangement.dichotomies(n_jobs=arguments.jobs, progress=_progress(arguments))
    seconds = time.perf_counter() - start
    if arguments.out is not None:
        found.save(arguments.out)
    return _report(arguments, arrangement, _chambers(arrangement, len(found), seconds))


def _count(arguments: argparse.Namespace) -> str:
    arrangement = _arrangement(arguments)
    start = time.perf_counter()
    p = arrangement.count_dichotomies()
    fields = _chambers(arrangement, p, time.perf_counter() - start)
    if arguments.faces:
        fields |= _faces_by_dimension(list(enumerate(arrangement.f_vector())))
    return _report(arguments, arrangement, fields)


def _faces(arguments: argparse.Namespace) -> str:
    from arrangements.checks import check_jobs
    from arrangements.files import check_target
    from arrangements.patterns import SUFFIXES

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
            dims=dims, n_jobs=arguments.jobs, progress=_progress(arguments)
        )
        numbers = np.bincount(found.dims, minlength=arrangement.rank + 1).tolist()
    seconds = time.perf_counter() - start
    if found is not None:
        found.save(arguments.out)
    faces = _faces_by_dimension([(k, numbers[k]) for k in dims])
    return _report(arguments, arrangement, faces | {"seconds": seconds})


def _plot(arguments: argparse.Namespace) -> str:
    from arrangements.pictures.plot import check_picture, save_plot

    check_picture(arguments.out)
    arrangement = _arrangement(arguments)
    start = time.perf_counter()
    save_plot(arrangement, arguments.out, labels=arguments.labels)
    seconds = time.perf_counter() - start
    p = arrangement.count_dichotomies()
    return _report(arguments, arrangement, {"p": int(p), "seconds": seconds})


def _train(arguments: argparse.Namespace) -> str:
    from cvxlayer.cli.train import train

    return train(arguments)


def _certify(arguments: argparse.Namespace) -> str:
    from cvxlayer.cli.certify import certify

    return certify(arguments)


def _progress(arguments: argparse.Namespace) -> bool:
    return sys.stderr.isatty() if arguments.progress is None else arguments.progress


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


def _arrangement(arguments: argparse.Namespace) -> Any:
    from arrangements import Arrangement
    from arrangements.data import load_table

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


def _chambers(arrangement: Any, p: int, seconds: float) -> dict[str, Any]:
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


def _report(arguments: argparse.Namespace, arrangement: Any, results: dict[str, Any]) -> str:
    fields = {
        "data": arguments.data,
        "n": int(arrangement.n),
        "d": int(arrangement.d),
        "rank": int(arrangement.rank),
        "general_position": bool(arrangement.general_position),
        "n_hyperplanes": int(arrangement.n_hyperplanes),
        "exact": bool(arrangement.exact),
        **results,
        "peak_memory_bytes": _peak_memory(),
    }
    if getattr(arguments, "out", None) is not None:
        fields |= {"out": arguments.out, "out_bytes": os.path.getsize(arguments.out)}
    return json.dumps(fields) + "\n" if arguments.json else _table(fields)


def _table(fields: dict[str, Any]) -> str:
    lines = [
        ("samples n", f"{fields['n']:,}"),
        ("features d", f"{fields['d']:,}"),
        ("rank r", f"{fields['rank']:,}"),
        ("general position", "yes" if fields["general_position"] else "no"),
        ("distinct hyperplanes", f"{fields['n_hyperplanes']:,}"),
    ]
    if "p" in fields:
        lines.append(("dichotomies p", f"{fields['p']:,}"))
    if "cover_bound" in fields:
        lines.append(("Cover's bound", f"{fields['cover_bound']:,}"))
        lines.append(("p / bound", f"{fields['ratio']:.6g}"))
    if "q" in fields:
        lines.append(("faces q", f"{fields['q']:,}"))
        for k, number in zip(fields["dims"], fields["f_vector"], strict=True):
            lines.append((f"  of dimension {k}", f"{number:,}"))
    lines.append(("exact", "yes" if fields["exact"] else "no, up to the tolerance"))
    lines.append(("time", f"{fields['seconds']:,.3g} s"))
    if "chambers_per_second" in fields:
        lines.append(("chambers per second", f"{fields['chambers_per_second']:,}"))
    lines.append(("peak memory", _size(fields["peak_memory_bytes"])))
    width = max(len(value) for _, value in lines)
    lines.insert(0, ("data", fields["data"]))
    if "out" in fields:
        lines.append(("written", f"{fields['out']} ({_size(fields['out_bytes'])})"))
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
        description="Enumerate, count or draw, exactly, the dichotomies 1[Xu >= 0] and the faces "
        "sign(Xu) of a data matrix X; train two-layer ReLU networks over them, and certify them.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    source = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    source.add_argument("data", metavar="DATA", help=_DATA)
    source.add_argument("--bias", action="store_true", help="append a column of ones")
    source.add_argument(
        "--columns",
        action="append",
        metavar="LIST",
        help="names, zero-based indices, ranges: 0-2,7 or 'alcohol,ash'; may be repeated",
    )
    source.add_argument(
        "--rows", metavar="LIST", help="zero-based rows: 0:50 or 0,3,7 (--rows=-50: for the last)"
    )
    source.add_argument(
        "--numbers",
        choices=("binary", "decimal"),
        help="how to read 5.1: the double or 51/10 (default: decimal for text and bundled sets)",
    )
    source.add_argument("--json", action="store_true", help="print one JSON object")

    shared = argparse.ArgumentParser(parents=[source], add_help=False, allow_abbrev=False)
    shared.add_argument("--tol", type=float, metavar="T", help="take what is under T for zero")

    effort = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    effort.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="workers, -1 for all cores (default 1)"
    )
    effort.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        help="report on stderr while it works (default: when stderr is a terminal)",
    )

    work = argparse.ArgumentParser(parents=[effort], add_help=False, allow_abbrev=False)
    work.add_argument(
        "--out", metavar="FILE", help="save the patterns: .npz, .parquet, .arrow or .feather"
    )

    commands.add_parser(
        "enumerate", parents=[shared, work], allow_abbrev=False, help="list all dichotomies"
    ).set_defaults(command=_enumerate)

    command = commands.add_parser(
        "count", parents=[shared], allow_abbrev=False, help="count them, storing none"
    )
    command.add_argument("--faces", action="store_true", help="count the faces too, by dimension")
    command.set_defaults(command=_count)

    command = commands.add_parser(
        "faces",
        parents=[shared, work],
        allow_abbrev=False,
        help="count the faces by dimension; with --out, list the trichotomies",
    )
    command.add_argument(
        "--dims",
        action="append",
        metavar="LIST",
        help="dimensions, 0 the origin, the rank for chambers: 0,1 or 2-4 (default: all)",
    )
    command.set_defaults(command=_faces)

    command = commands.add_parser(
        "plot", parents=[shared], allow_abbrev=False, help="draw data of rank 1 to 3"
    )
    command.add_argument(
        "--out", metavar="FILE", required=True, help="the picture: .png, .svg or .pdf"
    )
    command.add_argument(
        "--no-labels", dest="labels", action="store_false", help="leave the labels out"
    )
    command.set_defaults(command=_plot)

    given = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    given.add_argument(
        "network",
        metavar="NETWORK",
        help=".npz as `train --out` writes it, or .pt, .pth: a PyTorch state_dict",
    )

    learning = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    learning.add_argument(
        "--target",
        required=True,
        metavar="COLUMN",
        help="what to predict: a name or zero-based index, or 'target' of a bundled set",
    )
    learning.add_argument(
        "--beta", type=float, required=True, metavar="B", help="weight decay, positive"
    )
    learning.add_argument(
        "--loss",
        choices=("squared", "logistic", "hinge", "absolute", "huber"),
        default="squared",
        help="a sum over samples (default squared: half the sum of squares)",
    )
    learning.add_argument(
        "--tol", type=float, default=1e-8, metavar="T", help="relative gap (default 1e-8)"
    )

    command = commands.add_parser(
        "train",
        parents=[source, effort, learning],
        allow_abbrev=False,
        help="train a two-layer ReLU network to the certified global optimum",
    )
    command.add_argument(
        "--method",
        choices=("auto", "full", "columns", "sampled"),
        default="auto",
        help="the whole convex program, column generation, or 1000 random patterns",
    )
    command.add_argument("--out", metavar="FILE", help="save the network: .npz")
    command.add_argument(
        "--plot", metavar="FILE", help="the fitted function or the objective: .png, .svg or .pdf"
    )
    command.set_defaults(command=_train)

    command = commands.add_parser(
        "certify",
        parents=[given, source, effort, learning],
        allow_abbrev=False,
        help="prove that a network is a global optimum, or how far it can still fall",
    )
    command.add_argument(
        "--tighten",
        action="store_true",
        help="go on by column generation until the bound is that of the optimum",
    )
    command.add_argument(
        "--seconds",
        type=float,
        default=60.0,
        metavar="S",
        help="for the search for the most violated neuron (default 60)",
    )
    command.add_argument("--out", metavar="FILE", help="save the certificate: .npz")
    command.add_argument(
        "--plot", metavar="FILE", help="the way down, and the neurons: .png, .svg or .pdf"
    )
    command.set_defaults(command=_certify)
    return parser
