"""Two-layer ReLU networks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any
from zipfile import BadZipFile

import numpy as np

from arrangements.files import replacing
from cvxlayer.checks import check_array, check_count, check_real
from cvxlayer.errors import InputError

from .blocks import Blocks, from_blocks, to_blocks
from .weights import merged, reduced

__all__ = ["Network", "load_arrays", "save_arrays"]


class Network:
    """x -> sum_j alpha_j (x.u_j)_+.

    Parameters
    ----------
    U : array-like of float, shape (d, m)
        First-layer weights, one neuron a column. For a problem with a bias its row comes last.
    alpha : array-like of float, shape (m,)

    Raises
    ------
    InputError
        If shapes do not fit, or something is not a finite number.

    Examples
    --------
    >>> Network([[1, -1]], [2, 1]).predict([[1.0], [-3.0]]).tolist()
    [2.0, 3.0]
    """

    def __init__(self, U: Any, alpha: Any) -> None:
        self.U, self.alpha = check_array("U", U), check_array("alpha", alpha)
        if self.U.ndim != 2 or self.alpha.shape != self.U.shape[1:]:
            raise InputError(f"U must have shape (d, m) and alpha (m,), got {self.U.shape} and "
                             f"{self.alpha.shape}")
        for name, array in (("U", self.U), ("alpha", self.alpha)):
            if not np.isfinite(array).all():
                where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
                raise InputError(f"{name} must be finite, got {array[where]} at {where}")

    def __repr__(self) -> str:
        return f"Network(d={self.d}, m={self.m})"

    @property
    def d(self) -> int:
        """Number of input weights of each neuron."""
        return len(self.U)

    @property
    def m(self) -> int:
        """Number of neurons."""
        return len(self.alpha)

    def predict(self, X: Any) -> np.ndarray:
        """Predictions (n,) for X of shape (n, d), or (n, d - 1): then a column of ones is added."""
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] not in (self.d, self.d - 1):
            raise InputError(f"X must have shape (n, {self.d}), or (n, {self.d - 1}) without the "
                             f"column of ones, got {X.shape}")
        if X.shape[1] == self.d - 1:
            X = np.column_stack([X, np.ones(len(X))])
        return np.asarray(np.maximum(X @ self.U, 0) @ self.alpha)

    def objective(self, problem: Any) -> float:
        """loss + beta/2 (||U||^2 + ||alpha||^2), recomputed from the data of the problem."""
        return float(problem.objective(self))

    def scaled(self) -> Network:
        """The same function with ||u_j|| = |alpha_j|, where the penalty is least; neurons that
        contribute nothing are left out.

        (u, alpha) -> (u t, alpha / t) changes no prediction, and the sum of squares is least, 2
        ||u|| |alpha|, at equal lengths.
        """
        lengths = np.linalg.norm(self.U, axis=0)
        used = (lengths > 0) & (self.alpha != 0)
        with np.errstate(divide="ignore", over="ignore"):
            t = np.sqrt(np.abs(self.alpha[used]) / lengths[used])
            return Network(self.U[:, used] * t, self.alpha[used] / t)

    @property
    def weights(self) -> tuple[np.ndarray, np.ndarray]:
        """w_j = u_j |alpha_j| (d, m) and the signs of alpha_j (m,)."""
        return self.U * np.abs(self.alpha), np.sign(self.alpha)

    @classmethod
    def from_weights(cls, W: np.ndarray, signs: np.ndarray) -> Network:
        """The scaled network with u_j |alpha_j| = w_j: (w / sqrt||w||, +-sqrt||w||)."""
        roots = np.sqrt(np.linalg.norm(W, axis=0))
        used = roots > 0
        return cls(W[:, used] / roots[used], np.asarray(signs)[used] * roots[used])

    @classmethod
    def from_blocks(cls, blocks: Blocks, merge: str | None = None, *, zero_tol: float = 1e-9
                    ) -> Network:
        """The scaled network of `landscape.Blocks`, one neuron a block; the inverse of `to_blocks`
        for networks with one neuron for each chamber and sign.

        Parameters
        ----------
        blocks : Blocks
        merge : {None, "faces"}
            "faces": one neuron for each face and sign, the sum of the blocks there, as those of
            adjacent chambers whose weights are on the wall between them (Wang, Lacotte and Pilanci
            2022, (8)). On a face (X .)_+ is linear: predictions are the same, and the penalty is
            not larger.
        zero_tol : float, default 1e-9
            |x_i.w| less than this times ||x_i|| ||w|| is zero for "faces", as solvers give it;
            predictions on x_i change by no more than that. 0 takes signs as they are, exactly.
        """
        if merge not in (None, "faces"):
            raise InputError(f"merge must be None or 'faces', got {merge!r}")
        check_real("zero_tol", zero_tol, 0, 1)
        if merge is None:
            return cls.from_weights(blocks.weights, blocks.signs)
        return cls.from_weights(*from_blocks(blocks, zero_tol))

    def to_blocks(self, problem: Any) -> Blocks:
        """The point of the convex program that this network is: sum_j u_j |alpha_j| over the
        neurons of each chamber and sign, as `landscape.Blocks`.

        Predictions are the same and the penalty is not larger; equal for a nearly minimal network.
        A neuron on hyperplanes goes to the chamber that `Arrangement.dichotomies_at` gives, always
        the same.
        """
        return to_blocks(problem, self)

    def merged(self, tol: float = 1e-9) -> Network:
        """Scaled, with neurons of one sign and direction added up: the same function, to `tol`.

        Makes a nearly minimal network minimal. Directions, of length 1, are one if they differ by
        at most `tol`.
        """
        return Network.from_weights(*merged(*self.scaled().weights, check_real("tol", tol)))

    def split(self, weights: Any) -> Network:
        """The same function and objective by more neurons: neuron j in parts (u_j sqrt p, alpha_j
        sqrt p).

        Parameters
        ----------
        weights : sequence of m
            For each neuron nonnegative numbers p of sum 1, or a number of equal parts.

        Examples
        --------
        >>> Network([[2.0, 1.0]], [2.0, 1.0]).split([[0.25, 0.75], 1]).alpha.round(3).tolist()
        [1.0, 1.732, 1.0]
        """
        parts = [np.full(int(x), 1 / int(x)) if isinstance(x, int | np.integer) and x > 0
                 else np.array(x, dtype=np.float64) for x in weights]
        if len(parts) != self.m:
            raise InputError(f"weights must have an entry for each of {self.m} neurons, got "
                             f"{len(parts)}")
        for j, p in enumerate(parts):
            if p.ndim != 1 or not (p >= 0).all() or not abs(p.sum() - 1) <= 1e-12:
                raise InputError(f"weights[{j}] must be a positive integer or nonnegative numbers "
                                 f"of sum 1, got {weights[j]!r:.60}")
        owner = np.repeat(np.arange(self.m), [len(p) for p in parts])
        roots = np.sqrt(np.concatenate([np.zeros(0), *parts]))
        return Network(self.U[:, owner] * roots, self.alpha[owner] * roots)

    def reduced(self, problem: Any) -> Network:
        """Scaled, of at most n + 1 neurons, with the same predictions on X and the same objective
        as `scaled` has, to rounding (Caratheodory); of at most n, if that lowers it by no more than
        1e-8 of itself, as for every optimum.

        Predictions are n conditions on the lengths of neurons, the penalty is one more. At an
        optimum beta ||w_j|| = s_j v.(Xw_j)_+ for all neurons, v an optimal dual vector, and the
        predictions determine the penalty.
        """
        problem.check_network(self)
        return Network.from_weights(*reduced(problem, *self.scaled().weights))

    def padded(self, m: int) -> Network:
        """The same network with neurons of weight zero appended, m in all."""
        more = check_count("m", m, self.m) - self.m
        return Network(np.pad(self.U, ((0, 0), (0, more))), np.pad(self.alpha, (0, more)))

    # -- other libraries -------------------------------------------------------------------

    def to_torch(self, *, bias: bool = False) -> Any:
        """torch.nn.Sequential(Linear, ReLU, Linear) in double precision; with `bias` the last row
        of U becomes the biases of the first layer."""
        try:
            import torch
        except ImportError as error:
            raise InputError("to_torch needs PyTorch; install it with pip install torch") from error
        inputs = self.d - bias
        first = torch.nn.Linear(inputs, self.m, bias=bias, dtype=torch.float64)
        second = torch.nn.Linear(self.m, 1, bias=False, dtype=torch.float64)
        with torch.no_grad():
            first.weight.copy_(torch.tensor(self.U[:inputs].T.copy()))
            if bias:
                first.bias.copy_(torch.tensor(self.U[-1].copy()))
            second.weight.copy_(torch.tensor(self.alpha[None].copy()))
        return torch.nn.Sequential(first, torch.nn.ReLU(), second)

    @classmethod
    def of(cls, network: Any) -> Network:
        """A Network as it is; that of a Solution or a fitted ReLURegressor; a fitted scikit-learn
        MLP, PyTorch module or state_dict converted."""
        if isinstance(network, cls):
            return network
        for name in ("network", "network_"):
            if isinstance(inner := getattr(network, name, None), cls):
                return inner
        if hasattr(network, "coefs_"):
            return cls.from_sklearn(network)
        if hasattr(network, "state_dict") or isinstance(network, dict):
            return cls.from_torch(network)
        raise InputError(f"network must be a Network, got {type(network).__name__}; Network(U, "
                         "alpha), or a PyTorch module or fitted scikit-learn MLP")

    @classmethod
    def from_torch(cls, module: Any) -> Network:
        """From a Sequential(Linear, ReLU, Linear) with one output, or its state_dict.

        Biases of the first layer become the last row of U; one of the second layer is refused
        unless it is zero.
        """
        if hasattr(module, "state_dict"):
            kinds = [type(layer).__name__ for layer in module.children()]
            if kinds != ["Linear", "ReLU", "Linear"]:
                raise InputError("module must be Linear, ReLU, Linear, got "
                                 f"{', '.join(kinds) or type(module).__name__}; one hidden layer "
                                 "with ReLU is meant")
            module = module.state_dict()
        # through double: numpy has no bfloat16
        arrays = {key: check_array(key, value.detach().cpu().double()
                                   if hasattr(value, "detach") else value)
                  for key, value in module.items()}
        weights = [value for key, value in arrays.items() if key.endswith("weight")]
        biases = [arrays.get(key[: -len("weight")] + "bias")
                  for key in arrays if key.endswith("weight")]
        if len(weights) != 2:
            raise InputError(f"the network must have one hidden layer, got {len(weights)} linear "
                             "layers")
        return cls._from_layers(weights[0].T, biases[0], weights[1].T, biases[1])

    @classmethod
    def from_sklearn(cls, model: Any) -> Network:
        """From a fitted MLPRegressor or MLPClassifier with one hidden layer of ReLU and one output.

        An output bias is refused unless it is zero.
        """
        if not hasattr(model, "coefs_"):
            raise InputError(f"model must be a fitted MLP, got {type(model).__name__}")
        if len(model.coefs_) != 2 or model.activation != "relu":
            raise InputError(f"model must have one hidden layer with activation 'relu', got "
                             f"{len(model.coefs_) - 1} with {model.activation!r}")
        return cls._from_layers(model.coefs_[0], model.intercepts_[0], model.coefs_[1],
                                model.intercepts_[1])

    @classmethod
    def _from_layers(cls, first: np.ndarray, bias: np.ndarray | None, second: np.ndarray,
                     last: np.ndarray | None) -> Network:
        if first.ndim != 2 or second.ndim != 2 or len(second) != first.shape[1]:
            raise InputError("the network must have two linear layers that fit, got weights of "
                             f"shapes {first.T.shape} and {second.T.shape}")
        if second.shape[1] != 1:
            raise InputError(f"the network must have one output, got {second.shape[1]}")
        if last is not None and np.any(last):
            raise InputError(f"the bias of the output must be zero, got {float(last[0])}; subtract "
                             "it from the targets, it is not part of the convex program")
        U = first if bias is None else np.vstack([first, bias])
        return cls(U, second[:, 0])

    # -- files -----------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an .npz file with arrays U and alpha, whole or not at all."""
        save_arrays(path, U=self.U, alpha=self.alpha)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Network:
        """Read what `save` wrote."""
        return cls(**load_arrays(path, ("U", "alpha"), "Network.save"))


def save_arrays(path: str | os.PathLike[str], **arrays: Any) -> None:
    """Write an .npz file, whole or not at all."""
    if not os.fspath(path).endswith(".npz"):
        raise InputError(f"path must end in .npz, got {os.fspath(path)!r}")
    with replacing(path) as file:
        np.savez(file, **arrays)


def load_arrays(path: str | os.PathLike[str], names: Sequence[str], writer: str
                ) -> dict[str, np.ndarray]:
    """Arrays of these names, or an InputError that says what should have written the file."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names}
    except (KeyError, ValueError, EOFError, BadZipFile, TypeError) as error:
        raise InputError(f"{os.fspath(path)!r} must be a file written by {writer}, and it cannot "
                         f"be read as one: {error}") from error
