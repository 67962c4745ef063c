"""Files that are whole or absent, and what their names must be."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .errors import InputError


def suffix_of(path: str | os.PathLike[str], suffixes: Sequence[str]) -> str:
    """The suffix of a file name, which must be one of some, in lower case."""
    suffix = Path(path).suffix.lower()
    if suffix not in suffixes:
        what = "in one of " * (len(suffixes) > 1) + ", ".join(suffixes)
        raise InputError(f"the file name must end {what}, got {os.fspath(path)!r}")
    return suffix


def check_target(path: str | os.PathLike[str], suffixes: Sequence[str]) -> str:
    """The suffix; raise what writing such a file would raise, before there is anything to write."""
    suffix = suffix_of(path, suffixes)
    if suffix in (".parquet", ".arrow", ".feather"):
        pyarrow(suffix)
    folder = Path(path).resolve().parent
    if not folder.is_dir():
        raise InputError(f"the folder of {os.fspath(path)!r} must exist; create {str(folder)!r}")
    if Path(path).is_dir():
        raise InputError(f"{os.fspath(path)!r} must be a file, got a folder")
    return suffix


def pyarrow(purpose: str) -> Any:
    """The pyarrow module, with pyarrow.parquet loaded where `purpose` is that suffix."""
    try:
        import pyarrow as pa

        if purpose == ".parquet":
            import pyarrow.parquet
    except ImportError as error:
        raise InputError(
            f"{purpose} files need pyarrow: pip install 'arrangements[data]', or use .npz"
        ) from error
    return pa


def is_damage(error: Exception) -> bool:
    """Whether an opened file failed for what is in it, not for lack of memory or disk."""
    # pyarrow reports damage as OSError without a number, a wrong offset in a file gives EINVAL.
    number = getattr(error, "errno", None)
    return not isinstance(error, MemoryError) and number in (None, errno.EINVAL)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Any]:
    """Binary file that takes the name `path` once it is complete and on disk, or leaves nothing."""
    target = Path(path).resolve()
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "No such folder", str(target.parent))
    partial = str(target.with_name(f".arrangements-{os.urandom(8).hex()}.part"))
    try:
        with open(partial, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    except BaseException as error:
        with suppress(FileNotFoundError):
            os.unlink(partial)
        if isinstance(error, OSError) and error.errno and error.filename in (None, partial):
            error.filename, error.filename2 = str(target), None
        raise
