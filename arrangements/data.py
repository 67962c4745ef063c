"""Tables from files and bundled data sets: numbers as they were written, nothing dropped silently.

Text files and bundled sets hold decimals (5.1 is 51/10), binary files hold binary numbers.
"""

from __future__ import annotations

import csv
import operator
import os
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from .bundled import SETS, bundled
from .errors import InputError
from .files import is_damage, pyarrow

__all__ = ["load_supervised", "load_table"]

_TEXT = (".csv", ".tsv", ".txt")
_SUFFIXES = (*_TEXT, ".npy", ".npz", ".parquet")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?([0-9]+))?")
_MAX_EXPONENT = 1000  # beyond it a short cell would become an integer that fills the memory

_Table = tuple[np.ndarray, list[str], str]


def load_table(
    source: str | os.PathLike[str],
    *,
    columns: str | Iterable[str | int] | None = None,
    rows: str | slice | Iterable[int] | None = None,
) -> tuple[np.ndarray, list[str], str]:
    """Read a data matrix from a file or a bundled set.

    Parameters
    ----------
    source : str or path
        A file ``.csv``, ``.tsv``, ``.txt`` (separated by tabs, commas or blanks), ``.npy``,
        ``.npz`` (``file.npz:key`` when it holds several arrays), ``.parquet``; or the name of a
        bundled set: iris, diabetes (unscaled), wine, breast_cancer.
    columns : str or iterable of str and int, optional
        Names, zero-based indices, or ranges ``"0-2"``, both ends included; a str may join several
        by commas. A name wins over an index that looks like it. By default all columns.
    rows : str, slice or iterable of int, optional
        Zero-based data rows, without the header; as str ``"0:50"``, ``"0,3,7"`` or a mixture.

    Returns
    -------
    values : ndarray, shape (n, d)
        Text: objects, an int or Fraction per cell, exactly the decimal written. Otherwise numbers
        of the file's own type (objects where integers beyond 2^53 stand beside floats).
    names : list of str
        Of the d columns; their indices where the file has no names.
    numbers : {"decimal", "binary"}
        How floats of this source are to be read, for ``Arrangement(numbers=...)``.

    Raises
    ------
    InputError
        With one line that says what is wrong and where: unknown file, set or column, unreadable
        cell, row of wrong length, column without numbers, empty selection.

    Notes
    -----
    The first row of a text file is a header when none of its cells is a number; one that mixes
    numbers and text is refused. A header of numbers alone cannot be told from data. In ``.txt``
    files separated by blanks, ``#`` starts a comment.
    """
    return _load(source, columns, rows)


def load_supervised(
    source: str | os.PathLike[str],
    target: str | int,
    *,
    columns: str | Iterable[str | int] | None = None,
    rows: str | slice | Iterable[int] | None = None,
) -> tuple[np.ndarray, np.ndarray, list[str], str]:
    """Read a data matrix, and one column apart from it as the target.

    Parameters
    ----------
    source, columns, rows
        As for `load_table`; the target is taken out of the columns.
    target : str or int
        Name or zero-based index of a column, in text files also one of labels; for bundled sets
        that of a feature, or "target" for what the set is about (classes as 0, 1, 2).

    Returns
    -------
    values : ndarray, shape (n, d)
    y : ndarray, shape (n,)
        float64, or the labels as text.
    names : list of str
        Of the d columns and, last, of the target.
    numbers : {"decimal", "binary"}

    Raises
    ------
    InputError
        As `load_table` does; or if the target is not one column, or no other is left.
    """
    chosen = _Chosen(target, columns, apart=os.fspath(source) in SETS)
    values, names, numbers = _load(source, chosen.features, rows)
    column, (name,), _ = _load(source, chosen.target, rows)
    y = column[:, 0]
    try:
        y = y if y.dtype.kind == "U" else y.astype(np.float64)
    except OverflowError as error:
        raise InputError(f"column {name!r} must hold numbers that fit a double") from error
    return values, y, [*names, name], numbers


class _Chosen:
    """Column choices, functions of the table's names, that keep features and target apart."""

    def __init__(self, target: str | int, columns: Any, apart: bool) -> None:
        self._item, self._columns, self._apart = target, columns, apart

    def target(self, names: list[str]) -> list[int]:
        found = _resolve(self._item, names)
        if len(found) != 1:
            raise InputError(f"the target must be one column, got {self._item!r}")
        return found

    def features(self, names: list[str]) -> list[int]:
        (target,) = self.target(names)
        # The target of a bundled set stands last, and is never a feature.
        chosen = _pick_columns(self._columns, names[:-1] if self._apart else names)
        chosen = [j for j in chosen if j != target]
        if not chosen:
            raise InputError(f"columns must choose a feature beside the target {names[target]!r}")
        return chosen


def _load(source: str | os.PathLike[str], columns: Any, rows: Any) -> _Table:
    """What `load_table` returns; `columns` may also be a method of `_Chosen`."""
    name = os.fspath(source)
    if name in SETS:
        return _load_bundled(name, columns, rows)
    path, key = _split_key(name)
    suffix = Path(path).suffix.lower()
    if not os.path.isfile(path):
        raise InputError(f"{name!r} must be a file or one of {_listed(SETS)}{_hint(name)}")
    if suffix not in _SUFFIXES:
        raise InputError(f"{name!r} must end in one of {', '.join(_SUFFIXES)}")
    if suffix in _TEXT:
        return _load_text(path, suffix, columns, rows)
    if suffix == ".parquet":
        return _load_parquet(path, columns, rows)
    return _load_numpy(path, key, columns, rows)


# --- sources


def _load_text(path: str, suffix: str, columns: Any, rows: Any) -> _Table:
    lines, table = _read_text(path, suffix)
    names = [str(j) for j in range(len(table[0]))]
    if _is_header(table, path):
        names = [cell.strip() or index for cell, index in zip(table[0], names, strict=True)]
        lines, table = lines[1:], table[1:]
    if not table:
        raise InputError(f"{path!r} must have rows below its header, got none")
    for i, (line, row) in enumerate(zip(lines, table, strict=True)):
        if len(row) != len(names):
            raise InputError(
                f"{path!r} must have {len(names)} cells in every row, "
                f"got {len(row)} in row {i} (line {line})"
            )
    chosen, taken = _pick_columns(columns, names), _pick_rows(rows, len(table))
    texts = [j for j in chosen if not any(_is_decimal(table[i][j]) for i in taken)]
    if texts and _is_target(columns):
        labels = np.array([[table[i][j].strip() for j in chosen] for i in taken])
        return labels, [names[j] for j in chosen], "decimal"
    if columns is None:
        _refuse(texts, names, f"as {table[taken[0]][texts[0]]!r:.60}" if texts else "")
    values = np.empty((len(taken), len(chosen)), dtype=object)
    for k, i in enumerate(taken):
        for at, j in enumerate(chosen):
            value = _decimal(table[i][j])
            if value is None:
                raise InputError(
                    f"column {names[j]!r} must hold decimal numbers, got {table[i][j]!r:.60} in "
                    f"row {i} (line {lines[i]}); drop or impute it, or choose others with "
                    "--columns or --rows"
                )
            values[k, at] = value
    return values, [names[j] for j in chosen], "decimal"


def _read_text(path: str, suffix: str) -> tuple[list[int], list[list[str]]]:
    """Cells of the non-blank lines, and their line numbers from 1."""
    lines: list[int] = []
    table: list[list[str]] = []
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            first = next((line for line in file if line.strip() and line[0] != "#"), "")
            file.seek(0)
            for number, row in _split(file, first, suffix):
                if len(row) > 1 or any(cell.strip() for cell in row):
                    lines.append(number)
                    table.append(row)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path!r} must be a table in UTF-8 text: {error}") from error
    if not table:
        raise InputError(f"{path!r} must have rows, got an empty file")
    return lines, table


def _split(file: Any, first: str, suffix: str) -> Iterable[tuple[int, list[str]]]:
    delimiter = "\t" if suffix == ".tsv" or (suffix == ".txt" and "\t" in first) else ","
    if suffix == ".csv" and ";" in first and "," not in first:
        delimiter = ";"
    if suffix == ".txt" and delimiter not in first:
        for number, line in enumerate(file, 1):
            yield number, line.partition("#")[0].split()
        return
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    for row in reader:
        yield reader.line_num, row


def _is_header(table: list[list[str]], path: str) -> bool:
    numeric = [_is_decimal(cell) for cell in table[0]]
    if any(numeric) and not all(numeric):
        # "Iris-setosa" or "NA" in a data row and "country" in front of years look alike.
        raise InputError(
            f"the first row of {path!r} mixes numbers and text, so it could be names or data; "
            "give the file a first row of names"
        )
    return not any(numeric)


def _is_decimal(cell: str) -> bool:
    return _DECIMAL.fullmatch(cell.strip()) is not None


def _decimal(cell: str) -> int | Fraction | None:
    """Exact value of a decimal literal, None for anything else."""
    cell = cell.strip()
    match = _DECIMAL.fullmatch(cell)
    if match is None or len(cell) > 4000 or int(match[1] or 0) > _MAX_EXPONENT:
        return None
    return int(cell) if cell.lstrip("+-").isdigit() else Fraction(cell)


def _load_bundled(name: str, columns: Any, rows: Any) -> _Table:
    values, target, names = bundled(name)
    if callable(columns):
        values, names = np.column_stack([values, target]), [*names, "target"]
    return *_select(values, names, columns, rows), "decimal"


def _load_numpy(path: str, key: str | None, columns: Any, rows: Any) -> _Table:
    try:
        values = np.load(path, allow_pickle=False)
        if isinstance(values, np.lib.npyio.NpzFile):
            with values as arrays:
                values = arrays[_pick_array(arrays, key, path)]
    except InputError:
        raise
    except Exception as error:
        if not is_damage(error):
            raise
        raise InputError(
            f"{path!r} must be a numpy file of numbers: {' '.join(str(error).split())}"
        ) from error
    if values.ndim != 2 or values.dtype.kind not in "biuf":
        raise InputError(
            f"{path!r} must hold a 2-D array of real numbers, got {values.dtype} "
            f"of shape {values.shape}"
        )
    names = [str(j) for j in range(values.shape[1])]
    return *_select(values, names, columns, rows), "binary"


def _pick_array(arrays: Any, key: str | None, path: str) -> str:
    keys = list(arrays.keys())
    if key is None:
        key = keys[0] if len(keys) == 1 else "X"
    if key not in keys:
        raise InputError(
            f"{path!r} holds the arrays {_listed(keys) or 'none'}; name one of them, "
            f"as in {f'{path}:X'!r}"
        )
    return key


def _load_parquet(path: str, columns: Any, rows: Any) -> _Table:
    pa = pyarrow(".parquet")
    with open(path, "rb") as opened:
        try:
            file = pa.parquet.ParquetFile(opened)
            schema = file.schema_arrow
            # What pandas saved as the index is no feature.
            index = (schema.pandas_metadata or {}).get("index_columns", [])
            names = [name for name in schema.names if name not in index]
            if len(set(names)) < len(names):
                raise InputError(f"{path!r} must have columns of different names")
            chosen = _pick_columns(columns, names)
            kinds = {j: schema.field(names[j]).type for j in chosen}
            texts = [j for j in chosen if not _is_number(kinds[j], pa)]
            _refuse(texts, names, f"of type {kinds[texts[0]]}" if texts else "")
            table = file.read(columns=[names[j] for j in chosen])
        except InputError:
            raise
        except Exception as error:
            if not is_damage(error):
                raise
            raise InputError(
                f"{path!r} must be a Parquet file: {' '.join(str(error).split())}"
            ) from error
    names = [names[j] for j in chosen]
    taken = _pick_rows(rows, table.num_rows)
    parts = [_column(table.column(name), name, taken) for name in names]
    long = any(
        part.dtype.kind in "iu" and (part.max() > 2**53 or part.min() < -(2**53)) for part in parts
    )
    if long and np.result_type(*parts).kind == "f":
        parts = [part.astype(object) for part in parts]  # float64 would round the integers
    return np.column_stack(parts), names, "binary"


def _is_number(kind: Any, pa: Any) -> bool:
    types = pa.types
    tests = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal)
    return any(test(kind) for test in tests)


def _column(column: Any, name: str, taken: Sequence[int]) -> np.ndarray:
    column = column.take(np.asarray(taken))
    if column.null_count:
        row = taken[column.is_null().to_pylist().index(True)]
        raise InputError(f"column {name!r} must hold numbers, got a null in row {row}")
    values = column.to_numpy()
    if values.dtype == object:  # decimal.Decimal
        values = np.array([Fraction(value) for value in values], dtype=object)
    out: np.ndarray = values
    return out


# --- selections


def _select(
    values: np.ndarray, names: list[str], columns: Any, rows: Any
) -> tuple[np.ndarray, list[str]]:
    chosen, taken = _pick_columns(columns, names), _pick_rows(rows, len(values))
    if columns is not None or rows is not None:
        values = values[np.ix_(taken, chosen)]
    return values, [names[j] for j in chosen]


def _is_target(columns: Any) -> bool:
    return getattr(columns, "__func__", None) is _Chosen.target


def _pick_columns(columns: Any, names: list[str]) -> list[int]:
    if callable(columns):
        out: list[int] = columns(names)
        return out
    if columns is None:
        if not names:
            raise InputError("the table must have columns, got none")
        return list(range(len(names)))
    chosen: list[int] = []
    for item in [columns] if isinstance(columns, str | int) else columns:
        chosen += _resolve(item, names)
    for j in chosen:
        if chosen.count(j) > 1:
            raise InputError(f"column {names[j]!r} must be chosen once, got it twice")
    if not chosen:
        raise InputError(f"columns must choose at least one of {_listed(names)}")
    return chosen


def _resolve(item: str | int, names: list[str]) -> list[int]:
    """Indices that one item of `columns` stands for."""
    if not isinstance(item, str):
        item = str(_integer("columns", item))
    elif item in names:
        if names.count(item) > 1:
            raise InputError(f"column name {item!r} must be unique, choose it by its index")
        return [names.index(item)]
    elif "," in item:
        return [j for part in item.split(",") for j in _resolve(part.strip(), names)]
    match = re.fullmatch(r"([0-9]+)(?:-([0-9]+))?", item)
    if match:
        first, last = int(match[1]), int(match[2] or match[1])
        if first <= last < len(names):
            return list(range(first, last + 1))
    raise InputError(f"no column {item!r}; the table has {_listed(names, numbered=True)}")


def _pick_rows(rows: Any, n: int) -> list[int]:
    if rows is None:
        rows = slice(None)
    items = rows.split(",") if isinstance(rows, str) else rows
    if isinstance(rows, slice | int | np.integer):
        items = [rows]
    taken: list[int] = []
    for item in items:
        if isinstance(item, str):
            item = _row_item(item)
        if isinstance(item, slice):
            taken += range(n)[item]
        elif -n <= (at := _integer("rows", item)) < n:
            taken.append(at % n)
        else:
            raise InputError(f"no row {item}; the table has rows 0 to {n - 1}")
    if not taken:
        raise InputError(f"rows must choose at least one of {n} rows, got {rows!r}")
    return taken


def _row_item(text: str) -> int | slice:
    parts = [part.strip() for part in text.split(":")]
    try:
        numbers = [int(part) if part or len(parts) == 1 else None for part in parts]
        if len(numbers) > 3 or numbers[2:] == [0]:
            raise ValueError
    except ValueError as error:
        raise InputError(f"rows must be like 0:50 or 0,3,7, got {text!r}") from error
    return slice(*numbers) if len(parts) > 1 else int(parts[0])


def _integer(name: str, item: Any) -> int:
    try:
        if isinstance(item, bool | np.bool_):
            raise TypeError
        return operator.index(item)
    except TypeError as error:
        raise InputError(f"{name} must be given by integers, got {item!r:.60}") from error


# --- messages


def _refuse(texts: list[int], names: list[str], what: str) -> None:
    """Raise for the columns that hold no numbers, and say which ones remain."""
    if not texts:
        return
    runs: list[list[int]] = []
    for j in sorted(set(range(len(names))) - set(texts)):
        if runs and runs[-1][1] == j - 1:
            runs[-1][1] = j
        else:
            runs.append([j, j])
    others = ",".join(f"{a}-{b}" if b > a else str(a) for a, b in runs)
    raise InputError(
        f"column {_listed(names[j] for j in texts)} must hold numbers, got text or other values, "
        f"{what}; leave it out" + (f" with --columns {others}" if others else "")
    )


def _listed(names: Iterable[str], *, numbered: bool = False) -> str:
    names = list(names)
    shown = [
        f"{j} {name!r}" if numbered and name != str(j) else repr(name)
        for j, name in enumerate(names[:20])
    ]
    return ", ".join(shown) + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _hint(name: str) -> str:
    near = get_close_matches(name.lower(), SETS, n=2, cutoff=0.6)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def _split_key(name: str) -> tuple[str, str | None]:
    path, colon, key = name.rpartition(":")
    if colon and path.lower().endswith(".npz") and not os.path.isfile(name):
        return path, key
    return name, None
