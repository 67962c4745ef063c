"""Trichotomies as immutable packed rows: two bits per sample and a dimension, one row per face."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from arrangements.algebra.elimination import kernel
from arrangements.algebra.reduction import Reduction
from arrangements.algebra.witness import interior_point
from arrangements.errors import InputError

from .dichotomies import Dichotomies
from .lookup import Index
from .packed import BLOCK, PackedRows, checked_samples, checked_witnesses, frozen

__all__ = ["Trichotomies"]

# Each byte with zeros between its bits.
_SPREAD = (np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
           .astype(np.uint16) << np.arange(0, 16, 2, dtype=np.uint16)).sum(1, dtype="<u2")


class Trichotomies(PackedRows):
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

    _dtype, _vector, _size, _bits = np.int8, "sign vector", "q", "signs > 0"
    _packed_as = ".positive and .negative for the planes"

    # Rows are [positive | negative], or [positive | negative | dimension] where that is known.

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
        n = checked_samples(n)
        positive = self._checked_plane("positive", positive, n)
        q = len(positive)
        negative = self._checked_plane("negative", negative, n, q)
        both = positive & negative
        if both.any():
            row = int(np.argmax(both.any(axis=1)))
            sample = int(np.argmax(np.unpackbits(both[row], bitorder="little")))
            raise InputError("positive and negative must be disjoint, got both signs at row "
                             f"{row}, sample {sample}")
        planes = [positive, negative]
        if dims is not None:
            dims = np.asarray(dims)
            if dims.shape != (q,) or (q and (dims.dtype.kind not in "iu" or dims.min() < 0
                                            or dims.max() > min(n, 255))):
                raise InputError(f"dims must be {q} integers from 0 to {min(n, 255)}, "
                                 f"got {dims!r:.80}")
            planes.append(dims[:, None].astype(np.uint8))
        self._hold(np.hstack(planes), n, arrangement,
                   *checked_witnesses(q, witnesses, witness_found))

    @property
    def positive(self) -> np.ndarray:
        """Read-only uint8 view (q, ceil(n/8)): the samples with sign 1, packed."""
        return _halves(self._rows)[0]

    @property
    def negative(self) -> np.ndarray:
        """Read-only uint8 view (q, ceil(n/8)): the samples with sign -1, packed."""
        return _halves(self._rows)[1]

    @property
    def dims(self) -> np.ndarray:
        """Read-only uint8 view (q,): dimension of each face, the rank for chambers, 0 for {0}.

        Where they were not given, the first call computes one null space for each set of zeros.
        """
        if not self._dims_known:
            reduction = self._reduction("dims")
            zero = np.ascontiguousarray(~(self.positive | self.negative))
            flats, inverse = np.unique(Index(zero).find(zero), return_inverse=True)
            dims = np.array([_flat(reduction, self[int(i)]).shape[1] for i in flats],
                            dtype=np.uint8)[inverse]
            self._rows = frozen(np.hstack([self._rows, dims[:, None]]))
        return self._rows[:, -1]

    @property
    def _dims_known(self) -> bool:
        out: bool = self._rows.shape[1] % 2 == 1
        return out

    # --- as packed rows

    def _unpack(self, rows: np.ndarray) -> np.ndarray:
        positive, negative = (
            np.unpackbits(plane, axis=1, count=self.n, bitorder="little").view(np.int8)
            for plane in _halves(rows))
        return positive - negative

    def _pack(self, signs: Any) -> np.ndarray:
        out: np.ndarray = np.hstack(_planes(checked_signs(signs, (self.n,))[None]))[0]
        return out

    def _codes(self, rows: np.ndarray) -> np.ndarray:
        """Two bits per sample, [sign > 0, sign >= 0]: their order is that of the signs."""
        positive, negative = _halves(rows)
        codes = _SPREAD[positive] | _SPREAD[~negative] << np.uint16(1)
        out: np.ndarray = codes.astype("<u2", copy=False).view(np.uint8)
        return out

    def _columns(self) -> dict[str, np.ndarray]:
        columns = {"positive": self.positive, "negative": self.negative}
        return columns | {"dims": self.dims} if self._dims_known else columns

    # --- by dimension

    def f_vector(self) -> list[int]:
        """How many of the faces here have dimension 0, 1, ..., up to the rank (or the largest one
        here, if there is no arrangement)."""
        rank = -1 if self._arrangement is None else self._arrangement.rank
        out: list[int] = np.bincount(self.dims, minlength=rank + 1).tolist()
        return out

    def of_dim(self, k: int) -> Trichotomies:
        """The faces of dimension k, in the order they have here."""
        top = self.n if self._arrangement is None else self._arrangement.rank
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 0 <= k <= top:
            raise InputError(f"k must be an integer from 0 to {top}, got {k!r}")
        out: Trichotomies = self[self.dims == k]
        return out

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
        for k in range(0, len(local), BLOCK):
            part = local[k : k + BLOCK].to_numpy()
            bits = np.repeat(signs[None] > 0, len(part), axis=0)
            bits[:, zero] = part
            packed[k : k + BLOCK] = np.packbits(bits, axis=1, bitorder="little")
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
        out: Reduction = A.data.reduction
        return out


def checked_signs(signs: Any, shape: tuple[int, ...] | None = None) -> np.ndarray:
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


def _halves(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The planes of packed rows, with the dimension or without."""
    half = rows.shape[1] // 2
    return rows[:, :half], rows[:, half : 2 * half]


def _planes(signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (np.packbits(signs > 0, axis=1, bitorder="little"),
            np.packbits(signs < 0, axis=1, bitorder="little"))


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
