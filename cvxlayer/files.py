"""Files of arrays: .npz, written whole or not at all."""

from __future__ import annotations

import os
from typing import Any
from zipfile import BadZipFile

import numpy as np

from .errors import InputError

__all__ = ["load_arrays", "save_arrays"]


def save_arrays(path: str | os.PathLike[str], **arrays: Any) -> None:
    """Write an .npz file beside the target and rename it."""
    target = os.fspath(path)
    if not target.endswith(".npz"):
        raise InputError(f"path must end in .npz, got {target!r}")
    part = f"{target}.{os.getpid()}.part"
    try:
        with open(part, "wb") as file:
            np.savez(file, **arrays)
        os.replace(part, target)
    finally:
        if os.path.exists(part):
            os.unlink(part)


def load_arrays(path: str | os.PathLike[str], names: tuple[str, ...], writer: str
                ) -> dict[str, np.ndarray]:
    """Arrays of these names, or an InputError that says what should have written the file."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names}
    except (KeyError, ValueError, EOFError, BadZipFile, TypeError) as error:
        raise InputError(f"{os.fspath(path)!r} must be a file written by {writer}, and it cannot "
                         f"be read as one: {error}") from error
