"""Arrays by name, and the number n, in files: NumPy's archives, Parquet and Arrow."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from arrangements.errors import InputError
from arrangements.files import is_damage, pyarrow, replacing, suffix_of

SUFFIXES = (".npz", ".parquet", ".arrow", ".feather")


def write(path: str | os.PathLike[str], n: int, columns: Mapping[str, np.ndarray]) -> None:
    """Write arrays of equal length, of one dimension or two, in the format of the suffix."""
    suffix = suffix_of(path, SUFFIXES)
    if suffix == ".npz":
        arrays: dict[str, Any] = {"n": np.int64(n), **columns}
        with replacing(path) as file:
            np.savez(file, **arrays)
        return
    pa = pyarrow(suffix)
    table = pa.table({name: _column(array, pa) for name, array in columns.items()})
    table = table.replace_schema_metadata({"n": str(n)})
    with replacing(path) as file:
        if suffix == ".parquet":
            # The rows are all different: a dictionary would only cost.
            pa.parquet.write_table(table, file, use_dictionary=["dims"])
        else:
            with pa.ipc.new_file(file, table.schema) as writer:
                writer.write_table(table)


def read(path: str | os.PathLike[str], names: Sequence[str], made: Callable[..., Any]) -> Any:
    """``made(n, columns)`` of what is in a file, the columns those of some names that are there.

    Raises
    ------
    InputError
        The file is damaged or holds something else, or `made` refuses what it holds.
    OSError
        The file cannot be read.
    """
    suffix = suffix_of(path, SUFFIXES)
    pa = None if suffix == ".npz" else pyarrow(suffix)
    with open(path, "rb") as file:
        try:
            return made(*(_read_npz(file, names) if pa is None
                          else _read_arrow(file, names, suffix, pa)))
        except Exception as error:
            if not is_damage(error):
                raise
            raise InputError(
                f"{os.fspath(path)!r} must be a file written by save, "
                f"and it cannot be read as one: {' '.join(str(error).split())}"
            ) from error


def _read_npz(file: Any, names: Sequence[str]) -> tuple[int, dict[str, np.ndarray]]:
    with np.load(file, allow_pickle=False) as arrays:
        n = arrays["n"]
        if n.shape != () or n.dtype.kind not in "iu":
            raise InputError(f"n must be an integer, got {n!r:.80}")
        return int(n), {name: arrays[name] for name in names if name in arrays}


def _read_arrow(file: Any, names: Sequence[str], suffix: str, pa: Any
                ) -> tuple[int, dict[str, np.ndarray]]:
    if suffix == ".parquet":
        table = pa.parquet.ParquetFile(file).read()
    else:
        table = pa.ipc.open_file(file).read_all()
    n = (table.schema.metadata or {}).get(b"n", b"")
    if not n.isdigit():
        raise InputError("it lacks the number 'n' in its metadata")
    columns = {
        name: table.column(name).combine_chunks() for name in names if name in table.column_names
    }
    if any(column.null_count for column in columns.values()):
        raise InputError("no column may hold nulls")
    return int(n), {name: _array(column, pa) for name, column in columns.items()}


def _column(array: np.ndarray, pa: Any) -> Any:
    """Matrices of bytes as fixed-size binary, those of numbers as fixed-size lists."""
    if array.ndim == 1:
        return pa.array(array)
    if array.dtype != np.uint8:
        kind = pa.list_(pa.float64(), array.shape[1])
        return pa.FixedSizeListArray.from_arrays(pa.array(array.ravel()), type=kind)
    buffers = [None, pa.py_buffer(np.ascontiguousarray(array))]
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(array.shape[1]), len(array), buffers)


def _array(column: Any, pa: Any) -> np.ndarray:
    """The array that `_column` wrote."""
    if pa.types.is_fixed_size_binary(column.type):
        width, p = column.type.byte_width, len(column)
        rows = np.frombuffer(column.buffers()[1] or b"", np.uint8, p * width, column.offset * width)
        return rows.reshape(p, width)
    if pa.types.is_fixed_size_list(column.type):
        return _array(column.flatten(), pa).reshape(len(column), column.type.list_size)
    values: np.ndarray = column.to_numpy(zero_copy_only=False)
    return values
