"""What the benchmarks share: repeated timing, a memory write to compare with, checks, output.

The instances and the judges of answers are those of tests/.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "judges"))

import instances as instances
from oracles import check_witness, packed_faults
from oracles import cover_bound as cover_bound
from oracles import exact_rows as exact_rows

from arrangements.cli.report import peak_memory as peak_memory


@dataclass(frozen=True)
class Timing:
    """Seconds of the repeats of one thing: the minimum is the figure, the median its spread."""

    seconds: tuple[float, ...]

    @property
    def min(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def as_dict(self) -> dict[str, Any]:
        return {"min_s": self.min, "median_s": self.median, "repeats": len(self.seconds)}


def alternate(
    *tasks: Callable[[], Any], repeats: int = 5, max_seconds: float = 30.0
) -> list[Timing]:
    """Time the tasks in turn, so that a slow spell of the machine falls on all of them.

    At least two rounds are run, and no further one is started after `max_seconds`. A result is
    freed before the clock starts again.
    """
    seconds: list[list[float]] = [[] for _ in tasks]
    begin = time.perf_counter()
    for k in range(repeats):
        if k >= 2 and time.perf_counter() - begin > max_seconds:
            break
        for task, taken in zip(tasks, seconds, strict=True):
            start = time.perf_counter()
            result = task()
            taken.append(time.perf_counter() - start)
            del result
    return [Timing(tuple(taken)) for taken in seconds]


def memory_write(n_bytes: int) -> Callable[[], np.ndarray]:
    """A plain write of as many bytes into an array as fresh as an enumeration's."""

    def write() -> np.ndarray:
        out = np.empty(n_bytes, dtype=np.uint8)
        out.fill(0xA5)
        return out

    return write


def check(name: str, rows: Any, found: Any, p: int) -> None:
    """Refuse a wrong answer: count, width, distinctness, symmetry, three witnesses in Fractions.

    `rows` are exact; ValueError, so that it also stops under ``python -O``.
    """
    n = len(rows)
    zero_rows = [i for i, row in enumerate(rows) if not any(row)]
    out = packed_faults(found.packed, n, p, zero_rows)
    for i in {0, p // 3, p - 1} if not out else ():
        if not check_witness(rows, found.witness(i), found[i].tolist()):
            out.append(f"the witness of row {i} is not in its chamber")
    if out:
        raise ValueError(f"{name}: wrong answer, nothing is timed: {'; '.join(out)}")


def run_child(*arguments: str) -> Any:
    """The JSON value on the last line of a fresh interpreter's output."""
    done = subprocess.run(
        [sys.executable, *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def machine() -> dict[str, Any]:
    """What a figure needs beside it to be compared with another."""
    from importlib.metadata import PackageNotFoundError, version

    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            names = [line.partition(":")[2].strip() for line in file if "model name" in line]
        model = names[0] if names else model
    except OSError:
        pass
    versions = {}
    for package in ("arrangements", "numpy", "scipy"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(),
        **versions,
    }


def main(
    description: str | None,
    benchmark: Callable[[argparse.Namespace], dict[str, Any]],
    child: Callable[..., Any] | None = None,
    options: dict[str, dict[str, Any]] | None = None,
) -> int:
    """Run a benchmark: measure and print everything, and write the figures where --json says.

    ``--child ARGUMENTS`` makes this the process of one figure, which has its memory to itself:
    `child` is called with the arguments, JSON values, and what it returns is printed as JSON.
    """
    if child is not None and sys.argv[1:2] == ["--child"]:
        print(json.dumps(child(*map(json.loads, sys.argv[2:]))))
        return 0
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", metavar="FILE", help="also write all figures to FILE")
    parser.add_argument("--quick", action="store_true", help="smaller instances, fewer repeats")
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="J", help="workers to compare with one"
    )
    for name, settings in (options or {}).items():
        parser.add_argument(name, **settings)
    args = parser.parse_args()
    here = machine()
    print(f"{here['cpu']}, {here['cores']} cores, Python {here['python']}, numpy {here['numpy']}")
    figures = benchmark(args)
    if args.json is not None:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"machine": here} | figures, file, indent=1)
            file.write("\n")
    return 0


def table(header: list[str], rows: list[list[str]]) -> str:
    """Columns as wide as they need be, the first to the left and the others to the right."""
    widths = [max(len(row[j]) for row in [header, *rows]) for j in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if j == 0 else cell.rjust(width)
            for j, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [header, *rows]
    )


def seconds(value: float) -> str:
    """Three digits and a unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"
