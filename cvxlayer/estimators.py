"""scikit-learn estimators: networks trained to a certified optimum wherever that is affordable."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import softmax

from arrangements import Arrangement, cover_bound

from .conic.program import solution_of
from .conic.solution import Solution
from .errors import InputError, MissingSolverError
from .model.network import Network
from .model.problem import Problem, relative_gap
from .training.start_patterns import sampled_patterns

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils import check_random_state
    from sklearn.utils.metaestimators import available_if
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise MissingSolverError("the estimators need scikit-learn 1.6 or later; "
                             "pip install 'arrangements[sklearn]'") from error

__all__ = ["Optimality", "ReLUClassifier", "ReLURegressor", "SampledWarning"]

_METHODS = ("auto", "full", "columns", "sampled")
_COUNTED_RANK, _COUNTED = 6, 10**8  # counting is tried up to this rank and Cover's bound
_SEARCHED_RANK = 11  # beyond it the proof of optimality takes minutes, even for few patterns
_PRICED_RANK, _PRICED_SECONDS = 7, 10.0  # a sampled program's gap
_ENTRIES, _WEIGHTS, _LEAST, _MOST = 400_000, 300, 4, 32  # of a sampled program, its patterns


class SampledWarning(UserWarning):
    """There are more patterns than `max_patterns`: a network was trained over a sample of them."""


@dataclass(frozen=True)
class Optimality:
    """How far a network's training objective can be from the global optimum.

    Attributes
    ----------
    value : float
        The objective reached; the sum over the networks of a one-vs-all classifier.
    lower_bound : float
        No network of any width has a smaller objective; -inf where no bound was computed.
    gap : float
        (value - lower_bound) / |value|; nan where no bound was computed.
    exact : bool
        All patterns were admitted, and each network's gap is at most the tolerance.
    """

    value: float
    lower_bound: float
    gap: float
    exact: bool


class _ReLUEstimator(BaseEstimator):
    """What the regressor and the classifier share."""

    def __init__(self, beta: float = 0.1, loss: str = "squared", bias: bool = True,
                 method: str = "auto", max_patterns: int = 100_000_000, tol: float = 1e-6,
                 random_state: Any = None, n_jobs: int | None = None) -> None:
        self.beta = beta
        self.loss = loss
        self.bias = bias
        self.method = method
        self.max_patterns = max_patterns
        self.tol = tol
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _train(self, X: np.ndarray, targets: list[np.ndarray]) -> list[Network]:
        """One network for each vector of targets, and the certificate of them all."""
        self._check_parameters()
        A = Arrangement(X, bias=self.bias)
        sampled = self.method == "sampled" or not self._affordable(A)
        if sampled and self.method != "sampled":
            warnings.warn(
                f"the data, of rank {A.rank}, have too many activation patterns for "
                f"max_patterns={self.max_patterns} and method={self.method!r}; the network is "
                "trained over a sample of them and need not be optimal. Choose fewer features, or "
                "raise max_patterns (above rank 11 with method='columns')",
                SampledWarning, stacklevel=3)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        found = [self._solved(Problem(A, y, self.beta, loss=self.loss, bias=self.bias), sampled,
                              seed) for y in targets]
        converged = all(s.gap <= self.tol for s in found)
        if not sampled and not converged:
            warnings.warn(f"the gap is {max(s.gap for s in found):.2g}, above tol={self.tol}; "
                          "scale the features, or raise tol or beta", ConvergenceWarning,
                          stacklevel=3)
        self.certificate_ = _certificate(found, not sampled and converged)
        self.exact_, self.gap_ = self.certificate_.exact, self.certificate_.gap
        return [s.network for s in found]

    def _check_parameters(self) -> None:
        if self.loss not in self._losses:
            raise InputError(f"loss must be one of {', '.join(self._losses)}, got {self.loss!r}")
        if self.method not in _METHODS:
            raise InputError(f"method must be one of {', '.join(_METHODS)}, got {self.method!r}")
        most = self.max_patterns
        if isinstance(most, bool) or not isinstance(most, int | np.integer) or most < 1:
            raise InputError(f"max_patterns must be a positive integer, got {most!r}")
        if not (isinstance(self.tol, int | float | np.floating) and 0 < self.tol < 1):
            raise InputError(f"tol must be a number between 0 and 1, got {self.tol!r}")

    def _affordable(self, A: Arrangement) -> bool:
        """Whether there are at most `max_patterns` patterns, by the cheapest argument."""
        if self.method == "auto" and A.rank > _SEARCHED_RANK:
            return False
        bound = cover_bound(A.n_hyperplanes, A.rank)
        if bound > self.max_patterns and A.rank <= _COUNTED_RANK and bound <= min(
                _COUNTED, 20 * self.max_patterns):
            bound = A.count_dichotomies(n_jobs=self._jobs)
        return bound <= self.max_patterns

    @property
    def _jobs(self) -> int:
        return 1 if self.n_jobs is None else self.n_jobs

    def _solved(self, problem: Problem, sampled: bool, seed: int) -> Solution:
        if not sampled:
            found: Solution = problem.fit(self.method, tol=self.tol, n_jobs=self._jobs)
            return found
        affordable = min(_ENTRIES // (2 * problem.n), _WEIGHTS) // problem.d
        size = int(np.clip(affordable, _LEAST, _MOST))
        rng = np.random.default_rng(seed)
        patterns = sampled_patterns(problem, size, _splits(problem, size, rng), "trained", rng)
        # Facets would take a linear program for each sample and pattern.
        program = problem.convex_program(patterns, constraints="all")
        priced = problem.arrangement.rank <= _PRICED_RANK
        return solution_of(program, "clarabel", {"tol": min(1e-8, self.tol)}, tol=self.tol,
                           n_jobs=self._jobs, max_seconds=_PRICED_SECONDS if priced else 0)

    def _predictions(self, X: Any) -> np.ndarray:
        """Outputs of the networks, shape (n,) or (n, classes)."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        if hasattr(self, "networks_"):
            return np.column_stack([network.predict(X) for network in self.networks_])
        network: Network = self.network_
        return network.predict(X)


class ReLURegressor(RegressorMixin, _ReLUEstimator):
    """Two-layer ReLU network for regression, globally optimal where `exact_` is True.

    Minimises l(sum_j (X u_j)_+ alpha_j) + beta/2 sum_j (||u_j||^2 + alpha_j^2) over networks of
    any width, see `Problem`; the loss is a sum over samples.

    Parameters
    ----------
    beta : float, default 0.1
        Weight decay, positive.
    loss : {"squared", "absolute", "huber"}, default "squared"
        "squared" is 1/2 ||z - y||^2.
    bias : bool, default True
        Give neurons a bias, penalised as all other weights.
    method : {"auto", "full", "columns", "sampled"}, default "auto"
        See `training.fit`; above rank 11 "auto" is "sampled".
    max_patterns : int, default 100_000_000
        With more activation patterns than this, whatever the method, a sample of at most 32 of
        them is trained over, with a `SampledWarning`, as it is above rank 11 with "auto".
    tol : float, default 1e-6
        Relative gap to reach.
    random_state : int, RandomState or None
        Where samples of patterns come from; without effect otherwise.
    n_jobs : int or None
        Threads; None is 1, -1 all cores.

    Attributes
    ----------
    network_ : Network
    certificate_ : Optimality
    exact_ : bool
        Whether the optimum over all networks was reached, up to `tol`.
    gap_ : float
        Relative distance to the optimum at most. For a sample of patterns it is nan above rank 7,
        and otherwise what was proved in 10 seconds.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X had names.

    Examples
    --------
    >>> model = ReLURegressor(beta=0.01).fit([[-2], [-1], [0], [1], [2]], [2, 1, 0, 1, 2])
    >>> model.exact_, round(float(model.predict([[1.5]])[0]), 1)
    (True, 1.5)
    """

    _losses = ("squared", "absolute", "huber")

    def fit(self, X: Any, y: Any) -> ReLURegressor:
        """Train on X of shape (n, d) and targets y of shape (n,)."""
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        self.network_ = self._train(X, [y])[0]
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Outputs of the network, shape (n,)."""
        return self._predictions(X)


def _gives_probabilities(model: Any) -> bool:
    if model.loss != "logistic":
        raise AttributeError("predict_proba needs loss='logistic', the hinge loss has no "
                             f"probabilities; got {model.loss!r}")
    return True


class ReLUClassifier(ClassifierMixin, _ReLUEstimator):
    """Two-layer ReLU network for classification, globally optimal where `exact_` is True.

    With two classes as `ReLURegressor`; with more, one such network for each class against the
    others, each optimal by itself.

    Parameters
    ----------
    beta : float, default 0.1
        Weight decay, positive.
    loss : {"logistic", "hinge"}, default "logistic"
    bias, method, max_patterns, tol, random_state, n_jobs
        As for `ReLURegressor`.

    Attributes
    ----------
    classes_ : ndarray, shape (k,)
        Labels, ascending.
    network_ : Network
        With two classes; positive outputs stand for ``classes_[1]``.
    networks_ : list of k Network
        With more.
    certificate_, exact_, gap_, n_features_in_, feature_names_in_
        As for `ReLURegressor`; of the sum of the objectives where there are several networks.

    Examples
    --------
    >>> model = ReLUClassifier(loss="hinge").fit([[0, 0], [0, 1], [1, 0], [1, 1]], list("abba"))
    >>> model.exact_, "".join(model.predict([[0, 0], [0, 1], [1, 0], [1, 1]]))
    (True, 'abba')
    """

    _losses = ("logistic", "hinge")

    def __init__(self, beta: float = 0.1, loss: str = "logistic", bias: bool = True,
                 method: str = "auto", max_patterns: int = 100_000_000, tol: float = 1e-6,
                 random_state: Any = None, n_jobs: int | None = None) -> None:
        super().__init__(beta, loss, bias, method, max_patterns, tol, random_state, n_jobs)

    def fit(self, X: Any, y: Any) -> ReLUClassifier:
        """Train on X of shape (n, d) and labels y of shape (n,)."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        k = len(self.classes_)
        if k < 2:
            raise InputError(f"y must have at least two classes, got one class: "
                             f"{self.classes_[0]!r}")
        for name in ("network_", "networks_"):  # of an earlier fit
            self.__dict__.pop(name, None)
        if k == 2:
            self.network_ = self._train(X, [codes])[0]
        else:
            self.networks_ = self._train(X, [(codes == c).astype(np.int64) for c in range(k)])
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Outputs of the network, shape (n,), or with several classes of all, shape (n, k)."""
        return self._predictions(X)

    def predict(self, X: Any) -> np.ndarray:
        """The most likely labels, shape (n,)."""
        scores = self.decision_function(X)
        chosen = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        return np.asarray(self.classes_[chosen])

    @available_if(_gives_probabilities)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, shape (n, k), for the logistic loss.

        1 / (1 + exp(-z)) of the output z; with several classes those of all, divided by their sum.
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            scores = np.column_stack([np.zeros(len(scores)), scores])
            return np.asarray(softmax(scores, axis=1))
        return np.asarray(softmax(-np.logaddexp(0, -scores), axis=1))


def _certificate(found: list[Solution], exact: bool) -> Optimality:
    """Of the sum of the objectives, which is least where each of them is."""
    value = float(sum(s.value for s in found))
    lower = float(sum(s.lower_bound for s in found))
    gap = relative_gap(value, lower) if np.isfinite(lower) else np.nan
    return Optimality(value, lower, float(gap), exact)


def _splits(problem: Problem, k: int, rng: np.random.Generator) -> Network:
    """Neurons whose boundaries pass between two samples, and one that is on everywhere.

    Gaussian weights and biases would hardly split data far from the origin.
    """
    if not problem.bias:
        return Network(np.zeros((problem.d, 0)), [])
    X = problem.X[:, :-1]
    spread = X.std(axis=0)
    W = rng.standard_normal((X.shape[1], k - 1)) / np.where(spread > 0, spread, 1)[:, None]
    pairs = rng.integers(problem.n, size=(k - 1, 2))
    biases = -((X[pairs].mean(axis=1)) * W.T).sum(axis=1)
    U = np.column_stack([np.vstack([W, biases]), np.eye(problem.d)[-1]])
    return Network(U / np.linalg.norm(U, axis=0), np.ones(k))
