"""The parser of the command line: the commands of this package, and those that join."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from arrangements.errors import InputError

from .commands import add_count, add_enumerate, add_faces, add_plot
from .report import write

__all__ = ["parser"]

_GROUP = "arrangements.commands"


def parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """What reads `argv`; commands that join are imported only where `argv` asks for them."""
    out = argparse.ArgumentParser(
        prog="arrangements",
        description="Enumerate, count or draw, exactly, the dichotomies 1[Xu >= 0] and the faces "
        "sign(Xu) of a data matrix X; train two-layer ReLU networks over them, and certify them.",
        allow_abbrev=False,
    )
    out.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = out.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for add in (add_enumerate, add_count, add_faces, add_plot):
        add(commands)
    if argv and argv[0] not in (*commands.choices, "--version"):
        _join(commands, argv[0], out)
    return out


def _join(commands: Any, chosen: str, whole: argparse.ArgumentParser) -> None:
    """Add the command of the entry point `chosen`, or, where that is none, those of all."""
    from importlib.metadata import entry_points

    points = {point.name: point for point in entry_points(group=_GROUP)}
    if not points and not chosen.startswith("-"):
        whole.error(f"the command {chosen!r} is unknown; some are found only where the package is "
                    "installed: pip install arrangements")
    for point in [points[chosen]] if chosen in points else points.values():
        try:
            add = point.load()
        except ModuleNotFoundError as error:
            missing = f"{point.name} needs {error.name}, which is not installed"
            if point.name == chosen:
                package = point.dist.name if point.dist else error.name
                raise InputError(f"{missing}; pip install {package}") from error
            commands.add_parser(point.name, help=missing)
        else:
            add(commands)


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *rest: Any) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            text = version("arrangements")
        except PackageNotFoundError:
            text = "(not installed)"
        write(f"arrangements {text}\n")
        parser.exit()
