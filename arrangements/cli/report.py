"""What the commands print: one JSON object, or a table for readers."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Callable
from typing import Any

from arrangements.arrangement import Arrangement

__all__ = ["costs", "finite", "label", "layout", "peak_memory", "report", "shown", "size", "table",
           "write", "written"]


def report(arguments: argparse.Namespace, arrangement: Arrangement, results: dict[str, Any]) -> str:
    """The report of a command on an arrangement."""
    return shown(arguments, table, {
        "data": arguments.data,
        "n": int(arrangement.n),
        "d": int(arrangement.d),
        "rank": int(arrangement.rank),
        "general_position": bool(arrangement.general_position),
        "n_hyperplanes": int(arrangement.n_hyperplanes),
        "exact": bool(arrangement.exact),
        **results,
        **costs(arguments),
    })


def table(fields: dict[str, Any]) -> str:
    """The fields of `report` for readers."""
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
    lines.append(("peak memory", size(fields["peak_memory_bytes"])))
    return layout([("data", fields["data"])], lines, written(fields))


# --- what reports are made of


def shown(arguments: argparse.Namespace, table: Callable[[dict[str, Any]], str],
          fields: dict[str, Any]) -> str:
    """The fields as --json asks: one object, or their table."""
    return json.dumps(fields) + "\n" if arguments.json else table(fields)


def layout(head: list[tuple[str, str]], lines: list[tuple[str, str]], foot: list[tuple[str, str]]
           ) -> str:
    """Names and values in two columns, the second as wide as `lines` need."""
    width = max(len(value) for _, value in lines)
    return "".join(f"{name:<22}{value:>{width}}\n" for name, value in [*head, *lines, *foot])


def costs(arguments: argparse.Namespace) -> dict[str, Any]:
    """Memory, and the files that were written."""
    fields: dict[str, Any] = {"peak_memory_bytes": peak_memory()}
    for option in ("out", "plot"):
        path = getattr(arguments, option, None)
        if path is not None:
            fields |= {option: path, f"{option}_bytes": os.path.getsize(path)}
    return fields


def written(fields: dict[str, Any]) -> list[tuple[str, str]]:
    """The files of `costs`, a line each."""
    return [("written", f"{fields[option]} ({size(fields[f'{option}_bytes'])})")
            for option in ("out", "plot") if option in fields]


def size(n_bytes: int) -> str:
    """Four digits and a unit."""
    value, units = float(n_bytes), ["TB", "GB", "MB", "kB", "B"]
    while value >= 1000 and len(units) > 1:
        value /= 1000
        units.pop()
    return f"{value:,.4g} {units[-1]}"


def label(value: Any) -> str:
    """A class, a name or a number."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def finite(value: float) -> float | None:
    """JSON has no infinity."""
    return float(value) if math.isfinite(value) else None


def peak_memory() -> int:
    """Peak resident bytes of this process.

    From the kernel's own page, since ru_maxrss remembers the parent across exec.
    """
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            return next(1024 * int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def write(text: str) -> None:
    """Write to stdout, all of it or OSError."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:
        # What is left in the buffer would raise once more when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
