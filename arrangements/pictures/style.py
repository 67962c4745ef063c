"""What all pictures share: the palette, files, and the guard of matplotlib, the extra `plot`."""

from __future__ import annotations

import os
from typing import Any

from arrangements.errors import InputError
from arrangements.files import check_target, replacing

__all__ = ["BLUE", "GREEN", "INK", "ORANGE", "PALE", "PAPER", "SHADES", "check_picture",
           "require_matplotlib", "save_figure"]

INK, PAPER, PALE = "#1b2a41", "#ffffff", "#d8dde5"
ORANGE, BLUE, GREEN = "#d55e00", "#33619e", "#009e73"  # told apart by the colour-blind too
SHADES = ("#f8eec6", "#c5e3bf", "#7cc4bd", "#3f94b5", BLUE, "#2b3a73")

_SUFFIXES = (".png", ".svg", ".pdf")


def require_matplotlib() -> None:
    """Raise InputError, which names the remedy, where matplotlib is missing."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise InputError("pictures need matplotlib, which is not installed; "
                         "pip install 'arrangements[plot]'") from error


def check_picture(path: str | os.PathLike[str]) -> str:
    """Return the suffix; raise what writing a picture there would raise, before any work."""
    require_matplotlib()
    return check_target(path, _SUFFIXES)


def save_figure(figure: Any, path: str | os.PathLike[str], **options: Any) -> None:
    """Write a matplotlib Figure in the format of the suffix; an old file stays if it fails."""
    suffix = check_picture(path)
    with replacing(path) as file:
        figure.savefig(file, format=suffix[1:], dpi=200, **options)
