"""Trichotomies as immutable packed rows: two bits per sample and a dimension, one row per face."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any, overload

import numpy as np

from arrangements.algebra.elimination import kernel
from arrangements.algebra.reduction import Reduction
from arrangements.algebra.witness import interior_point
from arrangements.errors import InputError
from arrangements.files import pyarrow, replacing, suffix_of

from .dichotomies import SUFFIXES, Dichotomies
from .lookup import Index

__all__ = ["Trichotomies", "compose"]

_BLOCK = 8192

# Each byte with zeros between its bits.
_SPREAD = (np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
           .astype(np.uint16) << np.arange(0, 16, 2, dtype=np.uint16)).sum(1, dtype="<u2")


class Trichotomies(Sequence[np.ndarray]):
    """Sequence of trichotomies ``sign(Xu)``, each a vector of n signs -1, 0, 1, packed.

    Parameters
    ----------
    positive, negative : ndarray of uint8, shape (q, ceil(n/8))
        The samples with sign 1 and those with sign -1: bit ``i % 8`` of byte ``i // 8`` is sample
        i, as ``numpy.packbits(signs > 0, axis=1, bitorder="little")`` writes it; the bits after
        sample n - 1 are zero. Both are copied.
    n : int
        Number of samples.
    dims : array of integers, shape (q,), optional
        Dimensions of the faces in the quotient of R^d by the null space of X: the rank of X for
        chambers, 0 for the origin. By default found from the arrangement, when they are needed.
    arrangement : Arrangement, optional
        Where the faces come from; needed by `witness`, `chambers_above`, and `dims` if not given.
    witnesses : ndarray of float64, shape (q, d), optional
        Row i is a u with ``sign(Xu)`` equal to vector i, where ``witness_found[i]``.
    witness_found : ndarray of bool, shape (q,), optional
        By default True for the rows of `witnesses` without nan or infinity.

    Raises
    ------
    InputError
        The arrays have another shape or dtype, a sample has both signs, or a bit after the last
        sample is set.

    Notes
    -----
    Indexing by an integer gives an int8 array of length n, owned by the caller; a slice, an array
    of integers or a boolean mask gives Trichotomies, their witnesses carried along. Equality is
    that of sets of sign vectors: order and repetitions do not matter, n does. Membership takes
    O(log q) after a first call that sorts the rows in O(q log q) and keeps 8 + 4 ceil(n/4) bytes
    for each, rounded up to words.

    Examples
    --------
    >>> line = Trichotomies(np.array([[1], [0], [2]], dtype=np.uint8),
    ...                     np.array([[2], [0], [1]], dtype=np.uint8), 2, dims=[1, 0, 1])
    >>> line.to_numpy().tolist(), line.f_vector()
    ([[1, -1], [0, 0], [-1, 1]], [1, 2])
    >>> line[0].tolist(), [0, 0] in line, [1, 1] in line
    ([1, -1], True, False)
    >>> line.dichotomies(boundary="closed").to_numpy().astype(int).tolist()
    [[1, 0], [1, 1], [0, 1]]
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        positive: np.ndarray,
        negative: np.ndarray,
        n: int,
        *,
        dims: Any = None,
        arrangement: Any = None,
        witnesses: np.ndarray | None = None,
        witness_found: np.ndarray | None = None,
    ) -> None:
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise InputError(f"n must be a positive integer, got {n!r}")
        self._n = n = int(n)
        n_bytes = -(-n // 8)
        planes = [np.asarray(plane) for plane in (positive, negative)]
        q = len(planes[0]) if planes[0].ndim else 0
        for name, plane in zip(("positive", "negative"), planes, strict=True):
            if plane.dtype != np.uint8 or plane.shape != (q, n_bytes):
                raise InputError(
                    f"{name} must be a uint8 array of shape (q, {n_bytes}) for n = {n}, got "
                    f"{plane.dtype} of shape {plane.shape}; numpy.packbits(signs > 0, axis=1, "
                    'bitorder="little") makes one'
                )
            if n % 8 and (plane[:, -1] >> (n % 8)).any():
                row = int(np.argmax(plane[:, -1] >> (n % 8) != 0))
                raise InputError(f"{name} must be zero after bit {n - 1}, got a set bit in row "
                                 f"{row}")
        both = planes[0] & planes[1]
        if both.any():
            row = int(np.argmax(both.any(axis=1)))
            sample = int(np.argmax(np.unpackbits(both[row], bitorder="little")))
            raise InputError("positive and negative must be disjoint, got both signs at row "
                             f"{row}, sample {sample}")
        rows = np.zeros((q, 2 * n_bytes + 1), dtype=np.uint8)
        rows[:, :n_bytes], rows[:, n_bytes : 2 * n_bytes] = planes
        if dims is not None:
            dims = np.asarray(dims)
            if dims.shape != (q,) or (q and (dims.dtype.kind not in "iu" or dims.min() < 0
                                            or dims.max() > min(n, 255))):
                raise InputError(f"dims must be {q} integers from 0 to {min(n, 255)}, "
                                 f"got {dims!r:.80}")
            rows[:, -1] = dims
        # The same checks, and the same carrying along, as where the witnesses are of chambers.
        self._rows = Dichotomies(rows, 8 * rows.shape[1], witnesses=witnesses,
                                 witness_found=witness_found)
        self._arrangement, self._dims_known = arrangement, dims is not None

    @classmethod
    def _of(cls, rows: np.ndarray, n: int, arrangement: Any, witnesses: np.ndarray | None = None,
            found: np.ndarray | None = None, *, dims_known: bool = True) -> Trichotomies:
        """Rows [positive | negative | dim] that are right by construction."""
        table = Dichotomies._of(rows, 8 * rows.shape[1], None, witnesses, found)
        return cls._around(table, n, arrangement, dims_known)

    @classmethod
    def _around(cls, table: Dichotomies, n: int, arrangement: Any, dims_known: bool
                ) -> Trichotomies:
        self = object.__new__(cls)
        self._rows, self._n = table, n
        self._arrangement, self._dims_known = arrangement, dims_known
        return self

    # --- what it holds

    @property
    def n(self) -> int:
        """Number of samples, the length of a sign vector."""
        return self._n

    @property
    def positive(self) -> np.ndarray:
        """Read-only uint8 view (q, ceil(n/8)): the samples with sign 1, packed."""
        return self._rows.packed[:, : self._rows.packed.shape[1] // 2]

    @property
    def negative(self) -> np.ndarray:
        """Read-only uint8 view (q, ceil(n/8)): the samples with sign -1, packed."""
        return self._rows.packed[:, self._rows.packed.shape[1] // 2 : -1]

    @property
    def dims(self) -> np.ndarray:
        """Read-only uint8 view (q,): dimension of each face, the rank for chambers, 0 for {0}.

        Where they were not given, the first call computes one null space for each set of zeros.
        """
        if not self._dims_known:
            reduction = self._reduction("dims")
            rows = self._rows.packed.copy()
            zero = np.ascontiguousarray(~(self.positive | self.negative))
            flats, inverse = np.unique(Index(zero).find(zero), return_inverse=True)
            rows[:, -1] = np.array([_flat(reduction, self[int(i)]).shape[1] for i in flats],
                                   dtype=np.uint8)[inverse]
            held = self._rows
            self._rows = Dichotomies._of(rows, held.n, None, held._witnesses, held._found)
            self._dims_known = True
        return self._rows.packed[:, -1]

    @property
    def arrangement(self) -> Any:
        """The Arrangement that the faces come from, or None."""
        return self._arrangement

    @property
    def witnesses(self) -> np.ndarray:
        """Read-only float64 array (q, d); where `witness_found`, row i lies inside face i."""
        self._asked()
        return self._rows.witnesses

    @property
    def witness_found(self) -> np.ndarray:
        """Read-only bool array (q,); False for faces without an exact float64 vector found."""
        self._asked()
        return self._rows.witness_found

    def _asked(self) -> None:
        if self._rows._witnesses is None:
            raise InputError("witnesses must be asked for: call trichotomies(witnesses=True)")

    def __repr__(self) -> str:
        return f"Trichotomies(n={self.n}, q={len(self)}, {self._rows.packed.nbytes} bytes)"

    def __reduce__(self) -> tuple:
        return Trichotomies._around, (self._rows, self.n, self._arrangement, self._dims_known)

    # --- the sequence

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, key: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, key: slice | list | np.ndarray) -> Trichotomies: ...
    def __getitem__(self, key):
        picked = self._rows[key]
        if isinstance(picked, Dichotomies):
            return self._around(picked, self.n, self._arrangement, self._dims_known)
        return self._signs(picked)

    def _signs(self, bits: np.ndarray) -> np.ndarray:
        """Signs of unpacked rows, the last axis that of their bits."""
        half = 4 * (bits.shape[-1] // 8 - 1)
        return bits[..., : self.n].astype(np.int8) - bits[..., half : half + self.n]

    def __iter__(self) -> Iterator[np.ndarray]:
        return map(self._signs, self._rows)

    def to_numpy(self) -> np.ndarray:
        """Int8 array (q, n), row i the sign vector i; a new array of q * n bytes."""
        out = np.empty((len(self), self.n), dtype=np.int8)
        for i in range(0, len(self), _BLOCK):
            out[i : i + _BLOCK] = self._signs(self._rows[i : i + _BLOCK].to_numpy())
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("unpacking always copies; take .positive and .negative for the planes")
        return self.to_numpy().astype(np.int8 if dtype is None else dtype, copy=False)

    # --- the set

    @cached_property
    def _codes(self) -> Dichotomies:
        """Rows of two bits per sample, [sign > 0, sign >= 0]: their order is that of the signs."""
        return _interleaved(self.positive, self.negative)

    def _code(self, signs: Any) -> np.ndarray:
        return _interleaved(*_planes(_checked(signs, (self.n,))[None])).packed[0]

    def __contains__(self, signs: object) -> bool:
        return self._code(signs) in self._codes

    def index(self, signs: Any, start: int = 0, stop: int | None = None) -> int:
        """Smallest i in ``range(start, stop)`` with vector i equal to `signs`.

        Raises ValueError when there is none, as ``list.index`` does.
        """
        code = self._code(signs)
        try:
            return self._codes.index(code, start, stop)
        except ValueError:
            raise ValueError("the sign vector is not among the trichotomies") from None

    def count(self, signs: Any) -> int:
        """How many rows equal the sign vector; an enumeration has each at most once."""
        return self._codes.count(self._code(signs))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trichotomies):
            return NotImplemented
        return self.n == other.n and self._codes == other._codes

    def sorted(self) -> Trichotomies:
        """The rows in lexicographic order of their signs, -1 < 0 < 1, sample 0 most significant."""
        return self[self._codes._index[0]]

    # --- by dimension

    def f_vector(self) -> list[int]:
        """How many of the faces here have dimension 0, 1, ..., up to the rank (or the largest one
        here, if there is no arrangement)."""
        rank = -1 if self._arrangement is None else self._arrangement.rank
        return np.bincount(self.dims, minlength=rank + 1).tolist()

    def of_dim(self, k: int) -> Trichotomies:
        """The faces of dimension k, in the order they have here."""
        top = self.n if self._arrangement is None else self._arrangement.rank
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 0 <= k <= top:
            raise InputError(f"k must be an integer from 0 to {top}, got {k!r}")
        return self[self.dims == k]

    # --- chambers

    def dichotomies(self, boundary: str = "closed") -> Dichotomies:
        """The patterns ``1[Xu >= 0]`` of the faces here, each once, in order of appearance.

        Parameters
        ----------
        boundary : {"closed", "open"}, default "closed"
            "closed": of all faces; for all faces of an arrangement this is the literal set
            {1[Xu >= 0] : u in R^d}. "open": of the chambers only, the faces of dimension rank.

        Returns
        -------
        Dichotomies
            Bits of zero rows are 1.

        Raises
        ------
        InputError
            `boundary` is something else, or "open" and there is no arrangement to tell the rank.
        """
        if boundary not in ("closed", "open"):
            raise InputError(f"boundary must be 'closed' or 'open', got {boundary!r}")
        negative = self.negative
        if boundary == "open":
            if self._arrangement is None:
                raise InputError("boundary must be 'closed' without an arrangement, got 'open'; "
                                 "take of_dim(rank) first")
            negative = negative[self.dims == self._arrangement.rank]
        packed = ~negative & np.packbits(np.ones(self.n, dtype=bool), bitorder="little")
        index = Index(packed)
        if index.n_distinct < len(packed):
            packed = packed[index.find(packed) == np.arange(len(packed))]
        return Dichotomies._of(packed, self.n, self._arrangement)

    def chambers_above(self, i: int) -> Dichotomies:
        """All chambers whose closure contains face i.

        Returns
        -------
        Dichotomies
            The compositions of face i with the chambers of the arrangement of the rows that vanish
            on it (its localisation), in the order of those.

        Raises
        ------
        InputError
            There is no arrangement, or vector i is not one of its faces.

        Notes
        -----
        Exact for every input, and found without a search among all chambers: costs the enumeration
        of the localisation, and a witness of the face.
        """
        signs = self[i]
        self._point(i, "chambers_above")
        zero = np.flatnonzero(signs == 0)
        if not len(zero):
            return Dichotomies._of(_planes(signs[None])[0], self.n, self._arrangement)
        local = self._arrangement.localisation(zero).dichotomies()
        packed = np.empty((len(local), self.positive.shape[1]), dtype=np.uint8)
        for k in range(0, len(local), _BLOCK):
            part = local[k : k + _BLOCK].to_numpy()
            bits = np.repeat(signs[None] > 0, len(part), axis=0)
            bits[:, zero] = part
            packed[k : k + _BLOCK] = np.packbits(bits, axis=1, bitorder="little")
        return Dichotomies._of(packed, self.n, self._arrangement)

    # --- one face

    def witness(self, i: int) -> tuple[Fraction, ...]:
        """Exact point of face i: a u with ``sign(Xu)`` equal to vector i.

        Returns
        -------
        tuple of d Fractions

        Raises
        ------
        InputError
            The faces are not attached to an exact arrangement, for example after `load`, or vector
            i is not one of its faces.

        Notes
        -----
        A basis of {u : x.u = 0 for the rows x that vanish on the face}, exact, and in it a point
        as for a chamber; about a millisecond.
        """
        return self._point(i, "witness")

    def _point(self, i: int, what: str) -> tuple[Fraction, ...]:
        reduction = self._reduction(what)
        point = _face_point(reduction, self[i])
        if point is None:
            raise InputError(f"row {i} must be a face of the exact data, got one that no u has")
        return point

    def _reduction(self, what: str) -> Reduction:
        A = self._arrangement
        if A is None or not A.exact:
            raise InputError(
                f"{what} needs an exact arrangement, and these faces have "
                + ("none (a file holds no data matrix)" if A is None else "one with tol")
                + "; enumerate again, or pass Trichotomies(positive, negative, n, arrangement=...)"
            )
        return A.data.reduction

    def diag(self, i: int) -> Any:
        """``T_i``, the scipy.sparse.dia_array (n, n) of float64 with vector i on its diagonal."""
        from scipy.sparse import dia_array

        return dia_array((self[i].astype(np.float64)[None], [0]), shape=(self.n, self.n))

    # --- files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write faces, with dimensions and witnesses where there are any, to a file for `load`.

        Parameters
        ----------
        path : str or path
            As in `Dichotomies.save`: ``.npz``, ``.parquet``, ``.arrow`` or ``.feather``.

        Raises
        ------
        InputError, OSError
            As in `Dichotomies.save`.
        """
        suffix = suffix_of(path, SUFFIXES)
        arrays: dict[str, Any] = {"positive": self.positive, "negative": self.negative}
        if self._dims_known:
            arrays["dims"] = self.dims
        if self._rows._witnesses is not None:
            arrays |= {"witnesses": self.witnesses, "witness_found": self.witness_found}
        if suffix == ".npz":
            with replacing(path) as file:
                np.savez(file, n=np.int64(self.n), **arrays)
            return
        pa = pyarrow(suffix)
        columns = {}
        for name, array in arrays.items():
            if array.ndim == 1:
                columns[name] = pa.array(array)
            elif array.dtype == np.uint8:
                buffers = [None, pa.py_buffer(np.ascontiguousarray(array))]
                columns[name] = pa.FixedSizeBinaryArray.from_buffers(
                    pa.binary(array.shape[1]), len(array), buffers)
            else:
                columns[name] = pa.FixedSizeListArray.from_arrays(
                    pa.array(array.ravel()), type=pa.list_(pa.float64(), array.shape[1]))
        table = pa.table(columns).replace_schema_metadata({"n": str(self.n)})
        with replacing(path) as file:
            if suffix == ".parquet":
                pa.parquet.write_table(table, file, use_dictionary=["dims"])
            else:
                with pa.ipc.new_file(file, table.schema) as writer:
                    writer.write_table(table)


def compose(a: Any, b: Any) -> Any:
    """Composition of sign vectors: the sign of `a` where it is not zero, else that of `b`.

    Parameters
    ----------
    a, b : array-like of integers -1, 0, 1, shapes (n,) or (q, n); or Trichotomies
        Two arrays are broadcast against each other; two Trichotomies must have equal length.

    Returns
    -------
    ndarray of int8, or Trichotomies where both are
        The Trichotomies have the arrangement that both have, if they do.

    Raises
    ------
    InputError
        Another shape, dtype or value.

    Notes
    -----
    Of two faces of an arrangement it is a face again, the one entered when a point of the first
    moves a little towards a point of the second (Bjoerner et al., Oriented Matroids, section 4.1).

    Examples
    --------
    >>> compose([1, 0, 0, -1], [-1, 0, 1, 1]).tolist()
    [1, 0, 1, -1]
    """
    if isinstance(a, Trichotomies) and isinstance(b, Trichotomies):
        if a.n != b.n or len(a) != len(b):
            raise InputError(f"a and b must have equal n and length, got n = {a.n} and {b.n}, "
                             f"lengths {len(a)} and {len(b)}")
        free = ~(a.positive | a.negative)
        dims = np.zeros((len(a), 1), dtype=np.uint8)
        rows = np.hstack([a.positive | b.positive & free, a.negative | b.negative & free, dims])
        arrangement = a.arrangement if a.arrangement is b.arrangement else None
        return Trichotomies._of(rows, a.n, arrangement, dims_known=False)
    first, second = _checked(a), _checked(b)
    if first.shape[-1] != second.shape[-1]:
        raise InputError("a and b must have equal numbers of samples, got "
                         f"{first.shape[-1]} and {second.shape[-1]}")
    if first.ndim == second.ndim == 2 and len(first) != len(second) and 1 not in (
            len(first), len(second)):
        raise InputError(f"a and b must have as many rows, got {len(first)} and {len(second)}")
    return np.where(first != 0, first, second)


def _checked(signs: Any, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """Sign vectors as an int8 array."""
    array = np.asarray(signs)
    if array.ndim not in (1, 2) or shape not in (None, array.shape):
        wanted = "shape (n,) or (q, n)" if shape is None else f"length {shape[0]}"
        raise InputError(f"a sign vector must have {wanted}, got {array.dtype} of shape "
                         f"{array.shape}")
    if array.dtype.kind not in "iu" or ((array != -1) & (array != 0) & (array != 1)).any():
        raise InputError(f"a sign vector must hold integers -1, 0 and 1, got {array!r:.80}; "
                         "numpy.sign(values).astype(int) makes one")
    return array.astype(np.int8, copy=False)


def _planes(signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (np.packbits(signs > 0, axis=1, bitorder="little"),
            np.packbits(signs < 0, axis=1, bitorder="little"))


def _interleaved(positive: np.ndarray, negative: np.ndarray) -> Dichotomies:
    codes = _SPREAD[positive] | _SPREAD[~negative] << np.uint16(1)
    packed = codes.astype("<u2", copy=False).view(np.uint8)
    return Dichotomies._of(packed, 8 * packed.shape[1], None)


def _flat(reduction: Reduction, signs: np.ndarray) -> np.ndarray:
    """Integer columns (r, k) that span the vectors with these zeros."""
    return kernel(reduction.rows[signs[reduction.first] == 0]).T


def _face_point(reduction: Reduction, signs: np.ndarray) -> tuple[Fraction, ...] | None:
    """An exact point of the face with these signs, in the user's coordinates."""
    classes = reduction.to_classes(signs)
    if classes is None:
        return None
    basis = _flat(reduction, signs)
    quotient = reduction.rows[classes != 0].astype(object).dot(basis)
    inside = interior_point(quotient, classes[classes != 0].tolist())
    if inside is None:
        return None
    return reduction.lift([sum((x * y for x, y in zip(row, inside, strict=True)), Fraction(0))
                           for row in basis.tolist()])
