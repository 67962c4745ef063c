"""Packed rows: a sequence and a set of vectors of length n, with the witnesses of the rows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar, Self, overload

import numpy as np

from arrangements.errors import InputError

from .columns import write

BLOCK = 2048  # rows unpacked at once

# Each byte with its bits reversed: a packed row has sample 0 lowest, the order wants it highest.
_REVERSED = np.packbits(
    np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little"), axis=1
).ravel()


class PackedRows(Sequence[np.ndarray]):
    """What `Dichotomies` and `Trichotomies` share: one vector of length n for each row of bytes.

    A class of rows says by `_unpack`, `_pack` and `_codes` what the bytes mean, by `_columns` what
    goes into a file, and by the five names below what messages call it. Its constructor checks what
    it is given and calls `_hold`.
    """

    __hash__ = None  # type: ignore[assignment]

    _dtype: ClassVar[type]  # of an unpacked vector
    _vector: ClassVar[str]  # what a vector is called
    _size: ClassVar[str]  # letter of the number of rows
    _bits: ClassVar[str]  # what packbits is applied to
    _packed_as: ClassVar[str]  # where to find the packed array

    # --- what a class of rows says

    def _unpack(self, rows: np.ndarray) -> np.ndarray:
        """Vectors (p, n) of packed rows."""
        raise NotImplementedError

    def _pack(self, vector: Any) -> np.ndarray:
        """The packed row of a vector, which is checked."""
        raise NotImplementedError

    def _codes(self, rows: np.ndarray) -> np.ndarray:
        """Bytes whose bits, each byte's lowest first, are ordered as the vectors are."""
        raise NotImplementedError

    def _columns(self) -> dict[str, np.ndarray]:
        """Arrays that give the rows back, by the constructor's names of them."""
        raise NotImplementedError

    # --- making it

    @classmethod
    def _of(cls, rows: np.ndarray, n: int, arrangement: Any, witnesses: np.ndarray | None = None,
            found: np.ndarray | None = None) -> Self:
        """Rows that are right by construction: the checks would read all of them."""
        self = object.__new__(cls)
        self._hold(rows, n, arrangement, witnesses, found)
        return self

    def _hold(self, rows: np.ndarray, n: int, arrangement: Any, witnesses: np.ndarray | None,
              found: np.ndarray | None) -> None:
        self._rows, self._n, self._arrangement = frozen(rows), n, arrangement
        self._witnesses = None if witnesses is None else frozen(witnesses)
        self._found = None if found is None else frozen(found)

    @classmethod
    def _checked_plane(cls, name: str, plane: Any, n: int, p: int | None = None) -> np.ndarray:
        """One bit for each of n samples, in p rows if that is given."""
        plane, n_bytes = np.asarray(plane), -(-n // 8)
        if (plane.dtype != np.uint8 or plane.ndim != 2 or plane.shape[1] != n_bytes
                or p not in (None, len(plane))):
            raise InputError(
                f"{name} must be a uint8 array of shape ({cls._size}, {n_bytes}) for n = {n}, "
                f"got {plane.dtype} of shape {plane.shape}; numpy.packbits({cls._bits}, axis=1, "
                'bitorder="little") makes one'
            )
        if n % 8 and (plane[:, -1] >> (n % 8)).any():
            row = int(np.argmax(plane[:, -1] >> (n % 8) != 0))
            raise InputError(f"{name} must be zero after bit {n - 1}, got a set bit in row {row}")
        out: np.ndarray = plane
        return out

    # --- what it holds

    @property
    def n(self) -> int:
        """Number of samples, the length of a vector."""
        return self._n

    @property
    def arrangement(self) -> Any:
        """The Arrangement that the rows come from, or None."""
        return self._arrangement

    @property
    def witnesses(self) -> np.ndarray:
        """Read-only float64 array (p, d); where `witness_found`, row i is a u with vector i."""
        return self._asked(self._witnesses)

    @property
    def witness_found(self) -> np.ndarray:
        """Read-only bool array (p,); False where no exact float64 vector was found."""
        return self._asked(self._found)

    def _asked(self, array: np.ndarray | None) -> np.ndarray:
        if array is None:
            raise InputError("witnesses must be asked for: call "
                             f"{type(self).__name__.lower()}(witnesses=True)")
        return array

    def __repr__(self) -> str:
        return (f"{type(self).__name__}(n={self.n}, {self._size}={len(self)}, "
                f"{self._rows.nbytes} bytes)")

    def __reduce__(self) -> tuple[Any, ...]:
        state = self._rows, self.n, self._arrangement, self._witnesses, self._found
        return type(self)._of, state

    # --- the sequence

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, key: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, key: slice | list[Any] | np.ndarray) -> Self: ...
    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple):
            raise IndexError("patterns have one index; take to_numpy()[i, j] for a single bit")
        if not isinstance(key, slice):
            key = np.asarray(key)
            if key.ndim == 0 and key.dtype.kind in "iu":
                return self._unpack(self._rows[int(key)][None])[0]
            if key.size == 0 and key.dtype.kind == "f":
                key = key.astype(np.intp)  # an empty list says nothing of its type
            if key.ndim != 1:
                raise IndexError(f"index must be an integer, a slice or 1-D, got {key!r}")
        picked = (None if array is None else array[key] for array in (self._witnesses, self._found))
        return self._of(self._rows[key], self.n, self._arrangement, *picked)

    def __iter__(self) -> Iterator[np.ndarray]:
        for i in range(0, len(self), BLOCK):
            yield from self._unpack(self._rows[i : i + BLOCK])

    def to_numpy(self) -> np.ndarray:
        """Array (p, n) of bool or int8, row i the vector i; a new array of p * n bytes."""
        out: np.ndarray = np.empty((len(self), self.n), dtype=self._dtype)
        for i in range(0, len(self), BLOCK):
            out[i : i + BLOCK] = self._unpack(self._rows[i : i + BLOCK])
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError(f"unpacking always copies; take {self._packed_as}")
        return self.to_numpy().astype(self._dtype if dtype is None else dtype, copy=False)

    def diag(self, i: int) -> Any:
        """The scipy.sparse.dia_array (n, n) of float64 with vector i on its diagonal."""
        from scipy.sparse import dia_array

        return dia_array((self[i].astype(np.float64)[None], [0]), shape=(self.n, self.n))

    # --- the set

    @cached_property
    def _index(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows in lexicographic order: their numbers, and their words (W, p)."""
        values = words_of(self._codes(self._rows))
        order = _lexicographic(values)
        return order, np.ascontiguousarray(values[:, order])

    def _span(self, vector: Any) -> tuple[int, int]:
        """Interval of the sorted rows that equal the vector: one bisection per word."""
        first, last = 0, len(self)
        asked = words_of(self._codes(self._pack(vector)[None]))[:, 0]
        for column, word in zip(self._index[1], asked, strict=True):
            part = column[first:last]
            first, last = (first + int(part.searchsorted(word, side)) for side in ("left", "right"))
        return first, last

    def __contains__(self, vector: object) -> bool:
        first, last = self._span(vector)
        return first < last

    def index(self, vector: Any, start: int = 0, stop: int | None = None) -> int:
        """Smallest i in ``range(start, stop)`` with vector i equal to `vector`.

        Raises ValueError when there is none, as ``list.index`` does.
        """
        first, last = self._span(vector)
        at = self._index[0][first:last]
        start, stop, _ = slice(start, stop).indices(len(self))
        at = at[(start <= at) & (at < stop)]
        if not len(at):
            raise ValueError(f"the {self._vector} is not among the {type(self).__name__.lower()}")
        return int(at.min())

    def count(self, vector: Any) -> int:
        """How many rows equal the vector; an enumeration has each at most once."""
        first, last = self._span(vector)
        return last - first

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        if self.n != other.n:
            return False
        if np.array_equal(self._rows, other._rows):
            return True
        return np.array_equal(_distinct(self._index[1]), _distinct(other._index[1]))

    def sorted(self) -> Self:
        """The rows in lexicographic order, sample 0 most significant; False < True, -1 < 0 < 1."""
        return self[_lexicographic(words_of(self._codes(self._rows)))]

    # --- files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the rows, with dimensions and witnesses where there are any, to a file for `load`.

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
        columns = self._columns()
        if self._witnesses is not None:
            columns |= {"witnesses": self.witnesses, "witness_found": self.witness_found}
        write(path, self.n, columns)


def checked_samples(n: Any) -> int:
    """The number of samples, positive."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise InputError(f"n must be a positive integer, got {n!r}")
    return int(n)


def checked_witnesses(p: int, witnesses: Any, witness_found: Any
                      ) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Witnesses of p rows and where they were found: by default where they are finite."""
    if witnesses is None:
        if witness_found is not None:
            raise InputError("witness_found must come with witnesses, got it alone")
        return None, None
    witnesses = np.asarray(witnesses, dtype=np.float64)
    if witnesses.ndim != 2 or len(witnesses) != p:
        raise InputError(f"witnesses must have shape ({p}, d), got shape {witnesses.shape}")
    if witness_found is None:
        witness_found = np.isfinite(witnesses).all(axis=1)
    witness_found = np.asarray(witness_found)
    if witness_found.dtype != bool or witness_found.shape != (p,):
        raise InputError(f"witness_found must be a bool array of shape ({p},), "
                         f"got {witness_found.dtype} of shape {witness_found.shape}")
    return witnesses, witness_found


def frozen(array: np.ndarray) -> np.ndarray:
    """Contiguous read-only view of an array, or of a copy."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def words_of(packed: np.ndarray) -> np.ndarray:
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
