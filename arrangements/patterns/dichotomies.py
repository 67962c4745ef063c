"""Dichotomies as immutable packed rows: one bit per sample, one row per chamber."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from arrangements.errors import InputError
from arrangements.files import is_damage, pyarrow, replacing, suffix_of

if TYPE_CHECKING:
    from fractions import Fraction

    from .trichotomies import Trichotomies

__all__ = ["Dichotomies", "load"]

_BLOCK = 2048
_COLUMNS = ("packed", "positive", "negative", "dims", "witnesses", "witness_found")
SUFFIXES = (".npz", ".parquet", ".arrow", ".feather")

# Each byte with its bits reversed: a packed row has sample 0 lowest, the order wants it highest.
_REVERSED = np.packbits(
    np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little"), axis=1
).ravel()


class Dichotomies(Sequence[np.ndarray]):
    """Sequence of dichotomies ``1[Xu >= 0]``, each a pattern of `n` bits, packed eight to a byte.

    Parameters
    ----------
    packed : ndarray of uint8, shape (p, ceil(n/8))
        Bit ``i % 8`` of byte ``i // 8`` is sample i, as ``numpy.packbits(bits, axis=1,
        bitorder="little")`` writes it; the bits after sample n - 1 are zero. Not copied when it is
        contiguous: whoever passes it must not write to it any more.
    n : int
        Number of samples.
    arrangement : Arrangement, optional
        Where the patterns come from; needed by `witness` only.
    witnesses : ndarray of float64, shape (p, d), optional
        Row i is a u with ``1[Xu >= 0]`` equal to pattern i, where ``witness_found[i]``.
    witness_found : ndarray of bool, shape (p,), optional
        By default True for the rows of `witnesses` without nan or infinity.

    Raises
    ------
    InputError
        The arrays have another shape or dtype, or a bit after the last sample is set.

    Notes
    -----
    Indexing by an integer gives a bool array of length n, owned by the caller; a slice, an array of
    integers or a boolean mask gives Dichotomies, their witnesses carried along. Equality is that of
    sets: order and repetitions do not matter, n does. ``pattern in dichotomies`` takes O(log p)
    after a first call that sorts the rows in O(p log p) and keeps 8 + 8 ceil(n/64) bytes for each.
    Comparing two objects sorts both unless they hold the same rows in the same order.

    Examples
    --------
    >>> import numpy as np
    >>> quadrants = np.packbits([[0, 0], [1, 0], [0, 1], [1, 1]], axis=1, bitorder="little")
    >>> dichotomies = Dichotomies(quadrants, 2)
    >>> len(dichotomies), dichotomies[1].tolist(), [True, True] in dichotomies
    (4, [True, False], True)
    >>> dichotomies == dichotomies[::-1]
    True
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        packed: np.ndarray,
        n: int,
        *,
        arrangement: Any = None,
        witnesses: np.ndarray | None = None,
        witness_found: np.ndarray | None = None,
    ) -> None:
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise InputError(f"n must be a positive integer, got {n!r}")
        self._n = n = int(n)
        packed = np.asarray(packed)
        if packed.dtype != np.uint8 or packed.ndim != 2 or packed.shape[1] != -(-n // 8):
            raise InputError(
                f"packed must be a uint8 array of shape (p, {-(-n // 8)}) for n = {n}, "
                f"got {packed.dtype} of shape {packed.shape}; numpy.packbits(bits, axis=1, "
                'bitorder="little") makes one'
            )
        if n % 8 and (packed[:, -1] >> (n % 8)).any():
            row = int(np.argmax(packed[:, -1] >> (n % 8) != 0))
            raise InputError(f"packed must be zero after bit {n - 1}, got a set bit in row {row}")
        self._packed = _frozen(packed)
        self._arrangement = arrangement
        self._witnesses = self._found = None
        if witnesses is None:
            if witness_found is not None:
                raise InputError("witness_found must come with witnesses, got it alone")
            return
        witnesses = np.asarray(witnesses, dtype=np.float64)
        if witnesses.ndim != 2 or len(witnesses) != len(packed):
            raise InputError(
                f"witnesses must have shape ({len(packed)}, d), got shape {witnesses.shape}"
            )
        if witness_found is None:
            witness_found = np.isfinite(witnesses).all(axis=1)
        witness_found = np.asarray(witness_found)
        if witness_found.dtype != bool or witness_found.shape != (len(packed),):
            raise InputError(
                f"witness_found must be a bool array of shape ({len(packed)},), "
                f"got {witness_found.dtype} of shape {witness_found.shape}"
            )
        self._witnesses, self._found = _frozen(witnesses), _frozen(witness_found)

    @classmethod
    def _of(cls, packed: np.ndarray, n: int, arrangement: Any, witnesses: np.ndarray | None = None,
            found: np.ndarray | None = None) -> Dichotomies:
        """Rows that are right by construction: the checks would read all of them."""
        self = object.__new__(cls)
        self._packed, self._n, self._arrangement = _frozen(packed), n, arrangement
        self._witnesses = None if witnesses is None else _frozen(witnesses)
        self._found = None if found is None else _frozen(found)
        return self

    # --- what it holds

    @property
    def n(self) -> int:
        """Number of samples, the length of a pattern."""
        return self._n

    @property
    def packed(self) -> np.ndarray:
        """Read-only uint8 array (p, ceil(n/8)), as ``numpy.packbits(..., bitorder="little")``."""
        return self._packed

    @property
    def arrangement(self) -> Any:
        """The Arrangement that the patterns come from, or None."""
        return self._arrangement

    @property
    def witnesses(self) -> np.ndarray:
        """Read-only float64 array (p, d); where `witness_found`, row i lies inside chamber i."""
        if self._witnesses is None:
            raise InputError("witnesses must be asked for: call dichotomies(witnesses=True)")
        return self._witnesses

    @property
    def witness_found(self) -> np.ndarray:
        """Read-only bool array (p,); False for chambers too thin for a float64 vector."""
        if self._found is None:
            raise InputError("witnesses must be asked for: call dichotomies(witnesses=True)")
        return self._found

    def __repr__(self) -> str:
        return f"Dichotomies(n={self.n}, p={len(self)}, {self.packed.nbytes} bytes)"

    def __reduce__(self) -> tuple:
        state = (self.packed, self.n, self._arrangement, self._witnesses, self._found)
        return _rebuild, state

    # --- the sequence

    def __len__(self) -> int:
        return len(self._packed)

    @overload
    def __getitem__(self, key: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, key: slice | list | np.ndarray) -> Dichotomies: ...
    def __getitem__(self, key):
        if isinstance(key, tuple):
            raise IndexError("patterns have one index; take to_numpy()[i, j] for a single bit")
        if not isinstance(key, slice):
            key = np.asarray(key)
            if key.ndim == 0 and key.dtype.kind in "iu":
                return self._unpack(self._packed[int(key)][None])[0]
            if key.size == 0 and key.dtype.kind == "f":
                key = key.astype(np.intp)  # an empty list says nothing of its type
            if key.ndim != 1:
                raise IndexError(f"index must be an integer, a slice or 1-D, got {key!r}")
        found = self._found
        return Dichotomies(
            self._packed[key],
            self.n,
            arrangement=self._arrangement,
            witnesses=None if self._witnesses is None else self._witnesses[key],
            witness_found=None if found is None else found[key],
        )

    def __iter__(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self), _BLOCK):
            yield from self._unpack(self._packed[start : start + _BLOCK])

    def to_numpy(self) -> np.ndarray:
        """Bool array (p, n), row i the pattern i; a new array of p * n bytes."""
        return self._unpack(self._packed)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("unpacking always copies; take .packed for the array itself")
        return self.to_numpy().astype(bool if dtype is None else dtype, copy=False)

    def _unpack(self, rows: np.ndarray) -> np.ndarray:
        return np.unpackbits(rows, axis=1, count=self.n, bitorder="little").view(bool)

    # --- the set

    @cached_property
    def _index(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows in lexicographic order: their numbers, and their words (W, p)."""
        words = _words(self._packed)
        order = _lexicographic(words)
        return order, np.ascontiguousarray(words[:, order])

    def _span(self, pattern: Any) -> tuple[int, int]:
        """Interval of the sorted rows that equal the pattern: one bisection per word."""
        words = self._index[1]
        first, last = 0, len(self)
        for column, word in zip(words, _words(self._pack(pattern)[None])[:, 0], strict=True):
            part = column[first:last]
            first, last = (first + int(part.searchsorted(word, side)) for side in ("left", "right"))
        return first, last

    def _pack(self, pattern: Any) -> np.ndarray:
        if isinstance(pattern, bytes):
            pattern = np.frombuffer(pattern, dtype=np.uint8)
        pattern = np.asarray(pattern)
        n_bytes = self._packed.shape[1]
        if pattern.dtype == np.uint8 and pattern.shape == (n_bytes,):
            if self.n % 8 and pattern[-1] >> (self.n % 8):
                raise InputError(f"a packed pattern must be zero after bit {self.n - 1}")
            return pattern
        if pattern.shape != (self.n,):
            raise InputError(
                f"a pattern must have length {self.n}, or {n_bytes} packed in uint8, "
                f"got {pattern.dtype} of shape {pattern.shape}"
            )
        if pattern.dtype.kind not in "biu" or ((pattern != 0) & (pattern != 1)).any():
            raise InputError(f"a pattern must hold bools, or integers 0 and 1, got {pattern!r:.80}")
        return np.packbits(pattern.astype(bool), bitorder="little")

    def __contains__(self, pattern: object) -> bool:
        first, last = self._span(pattern)
        return first < last

    def index(self, pattern: Any, start: int = 0, stop: int | None = None) -> int:
        """Smallest i in ``range(start, stop)`` with pattern i equal to `pattern`.

        Raises ValueError when there is none, as ``list.index`` does.
        """
        first, last = self._span(pattern)
        at = self._index[0][first:last]
        start, stop, _ = slice(start, stop).indices(len(self))
        at = at[(start <= at) & (at < stop)]
        if not len(at):
            raise ValueError("the pattern is not among the dichotomies")
        return int(at.min())

    def count(self, pattern: Any) -> int:
        """How many rows equal the pattern; an enumeration has each at most once."""
        first, last = self._span(pattern)
        return last - first

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Dichotomies):
            return NotImplemented
        if self.n != other.n:
            return False
        if np.array_equal(self._packed, other._packed):
            return True
        return np.array_equal(_distinct(self._index[1]), _distinct(other._index[1]))

    def sorted(self) -> Dichotomies:
        """The rows in lexicographic order of their bits, False first, sample 0 most significant."""
        return self[_lexicographic(_words(self._packed))]

    # --- one chamber

    def witness(self, i: int) -> tuple[Fraction, ...]:
        """Exact point of chamber i: a u with ``1[Xu >= 0]`` equal to pattern i.

        Returns
        -------
        tuple of d Fractions
            ``x.u`` is zero for no nonzero row x of X.

        Raises
        ------
        InputError
            The patterns are not attached to an arrangement, for example after `load`.
        """
        if self._arrangement is None:
            raise InputError(
                "witness needs the arrangement, and these patterns have none (a file holds no data "
                "matrix); enumerate again, or pass Dichotomies(packed, n, arrangement=...)"
            )
        return self._arrangement.interior_point(self[i])

    def diag(self, i: int) -> Any:
        """``D_i``, the scipy.sparse.dia_array (n, n) of float64 with pattern i on its diagonal."""
        from scipy.sparse import dia_array

        return dia_array((self[i].astype(np.float64)[None], [0]), shape=(self.n, self.n))

    # --- facets

    def facets(self, *, n_jobs: int = 1) -> Any:
        """Rows of X that bound each chamber, as a sparse matrix; see `facets.facets`.

        Parameters
        ----------
        n_jobs : int, default 1
            Threads; -1 for all cores.

        Returns
        -------
        scipy.sparse.csr_array of bool, shape (p, n)
        """
        from .facets import facets

        return facets(self, self._walls(n_jobs))

    def adjacency(self, *, rows: bool = False, n_jobs: int = 1) -> Any:
        """Graph of the chambers that share a facet (the tope graph); see `facets.adjacency`.

        Parameters
        ----------
        rows : bool, default False
            Store one more than the row of X between two chambers, instead of True.
        n_jobs : int, default 1
            Threads; -1 for all cores.

        Returns
        -------
        scipy.sparse.csr_array, shape (p, p)
        """
        from .facets import adjacency

        return adjacency(self, self._walls(n_jobs), rows=rows)

    def _walls(self, n_jobs: int) -> Iterator[np.ndarray]:
        """Rows of the faces of codimension one, in blocks."""
        if self._arrangement is None or not self._arrangement.exact:
            raise InputError("facets need an exact arrangement, and these patterns have "
                             + ("none" if self._arrangement is None else "one with tol")
                             + "; enumerate again, or pass Dichotomies(packed, n, arrangement=...)")
        return self._arrangement.iter_walls(n_jobs=n_jobs)

    # --- files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write patterns, and witnesses where there are any, to a file that `load` reads.

        Parameters
        ----------
        path : str or path
            The suffix chooses the format: ``.npz`` (uncompressed), ``.parquet``, or ``.arrow`` and
            ``.feather`` (Arrow IPC); all but the first need pyarrow.

        Raises
        ------
        InputError
            The suffix is none of these, or pyarrow is not installed.
        OSError
            The disk is full, the folder missing, and the like. The file that had the name before,
            if any, is then untouched: the new one takes its name when it is complete and on disk.
        """
        suffix = suffix_of(path, SUFFIXES)
        if suffix == ".npz":
            arrays: dict[str, Any] = {"packed": self._packed, "n": np.int64(self.n)}
            if self._witnesses is not None:
                arrays |= {"witnesses": self._witnesses, "witness_found": self._found}
            with replacing(path) as file:
                np.savez(file, **arrays)
            return
        pa = pyarrow(suffix)
        table = self._to_arrow(pa)
        with replacing(path) as file:
            if suffix == ".parquet":
                # The rows are all different: a dictionary would only cost.
                pa.parquet.write_table(table, file, use_dictionary=False)
            else:
                with pa.ipc.new_file(file, table.schema) as writer:
                    writer.write_table(table)

    def _to_arrow(self, pa: Any) -> Any:
        columns = {
            "packed": pa.FixedSizeBinaryArray.from_buffers(
                pa.binary(self._packed.shape[1]), len(self), [None, pa.py_buffer(self._packed)]
            )
        }
        if self._witnesses is not None:
            values = pa.array(self._witnesses.ravel())
            columns["witnesses"] = pa.FixedSizeListArray.from_arrays(
                values, type=pa.list_(pa.float64(), self._witnesses.shape[1])
            )
            columns["witness_found"] = pa.array(self._found)
        return pa.table(columns).replace_schema_metadata({"n": str(self.n)})


def load(path: str | os.PathLike[str]) -> Dichotomies | Trichotomies:
    """Read what `Dichotomies.save` or `Trichotomies.save` wrote: same rows, order and witnesses.

    Parameters
    ----------
    path : str or path
        A ``.npz``, ``.parquet``, ``.arrow`` or ``.feather`` file; all but the first need pyarrow.

    Returns
    -------
    Dichotomies or Trichotomies
        Whichever was saved; without an arrangement, so that `witness` is not available.

    Raises
    ------
    InputError
        The file is damaged or holds something else.
    OSError
        The file cannot be read.
    """
    suffix = suffix_of(path, SUFFIXES)
    pa = None if suffix == ".npz" else pyarrow(suffix)
    with open(path, "rb") as file:
        try:
            return _load_npz(file) if pa is None else _load_arrow(file, suffix, pa)
        except Exception as error:
            if not is_damage(error):
                raise
            raise InputError(
                f"{os.fspath(path)!r} must be a file written by save, "
                f"and it cannot be read as one: {' '.join(str(error).split())}"
            ) from error


def _load_npz(file: Any) -> Dichotomies | Trichotomies:
    with np.load(file, allow_pickle=False) as arrays:
        n = arrays["n"]
        if n.shape != () or n.dtype.kind not in "iu":
            raise InputError(f"n must be an integer, got {n!r:.80}")
        return _from_columns({name: arrays[name] for name in _COLUMNS if name in arrays}, int(n))


def _load_arrow(file: Any, suffix: str, pa: Any) -> Dichotomies | Trichotomies:
    if suffix == ".parquet":
        table = pa.parquet.ParquetFile(file).read()
    else:
        table = pa.ipc.open_file(file).read_all()
    n = (table.schema.metadata or {}).get(b"n", b"")
    if not n.isdigit():
        raise InputError("it lacks the number 'n' in its metadata")
    columns = {
        name: table.column(name).combine_chunks() for name in _COLUMNS if name in table.column_names
    }
    if any(column.null_count for column in columns.values()):
        raise InputError("no column may hold nulls")
    return _from_columns({name: _array(column, pa) for name, column in columns.items()}, int(n))


def _array(column: Any, pa: Any) -> np.ndarray:
    """Fixed-size binary as a matrix of bytes, fixed-size lists as one of numbers."""
    if pa.types.is_fixed_size_binary(column.type):
        width, p = column.type.byte_width, len(column)
        rows = np.frombuffer(column.buffers()[1] or b"", np.uint8, p * width, column.offset * width)
        return rows.reshape(p, width)
    if pa.types.is_fixed_size_list(column.type):
        return column.flatten().to_numpy().reshape(len(column), column.type.list_size)
    return column.to_numpy(zero_copy_only=False)


def _from_columns(arrays: dict[str, np.ndarray], n: int) -> Dichotomies | Trichotomies:
    """What was saved, told by its columns."""
    options: dict[str, Any] = {name: arrays.get(name) for name in ("witnesses", "witness_found")}
    if "packed" in arrays:
        return Dichotomies(arrays["packed"], n, **options)
    if not {"positive", "negative"} <= arrays.keys():
        raise InputError("it lacks the column 'packed', or 'positive' and 'negative'")
    from .trichotomies import Trichotomies  # it imports this module

    planes = arrays["positive"], arrays["negative"]
    return Trichotomies(*planes, n, dims=arrays.get("dims"), **options)


def _frozen(array: np.ndarray) -> np.ndarray:
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _rebuild(packed, n, arrangement, witnesses, found) -> Dichotomies:
    return Dichotomies(packed, n, arrangement=arrangement, witnesses=witnesses, witness_found=found)


def _words(packed: np.ndarray) -> np.ndarray:
    """Rows as uint64 words (W, p), whose order, word by word, is that of the bits."""
    p, n_bytes = packed.shape
    padded = np.zeros((p, -(-n_bytes // 8) * 8), dtype=np.uint8)
    padded[:, :n_bytes] = _REVERSED[packed]
    return np.array(padded.view(">u8").T, dtype=np.uint64, order="C")


def _lexicographic(words: np.ndarray) -> np.ndarray:
    """Permutation that sorts the columns; equal ones keep no particular order."""
    return np.argsort(words[0]) if len(words) == 1 else np.lexsort(words[::-1])


def _distinct(words: np.ndarray) -> np.ndarray:
    """Sorted columns without repetitions."""
    fresh = np.ones(words.shape[1], dtype=bool)
    fresh[1:] = (words[:, 1:] != words[:, :-1]).any(axis=0)
    return words if fresh.all() else words[:, fresh]
