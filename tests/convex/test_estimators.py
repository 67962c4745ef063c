"""The scikit-learn estimators: its checks, certificates, and what happens with many patterns."""

import os
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("clarabel")

from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from arrangements.errors import InputError
from cvxlayer import Problem, estimators
from cvxlayer.estimators import Optimality, ReLUClassifier, ReLURegressor, SampledWarning


def _regression(n=20, d=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    return X, np.abs(X[:, 0]) + 0.1 * rng.standard_normal(n)


def _classes(k, n=24, seed=1):
    X, y = make_blobs(n, centers=k, cluster_std=1.5, random_state=seed)
    return StandardScaler().fit_transform(X), y


@pytest.mark.filterwarnings("ignore::cvxlayer.estimators.SampledWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.full
@parametrize_with_checks([
    ReLURegressor(beta=1.0, max_patterns=2000), ReLUClassifier(beta=1.0, max_patterns=2000)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("loss", ["squared", "absolute", "huber"])
def test_regressor_reaches_the_value_of_its_problem(loss):
    X, y = _regression()
    model = ReLURegressor(beta=0.3, loss=loss).fit(X, y)
    problem = Problem(X, y, 0.3, loss=loss, bias=True)
    assert model.exact_ and model.gap_ <= model.tol
    assert model.certificate_.value == pytest.approx(problem.objective(model.network_))
    assert model.certificate_.value == pytest.approx(problem.fit().value, rel=2e-6)
    np.testing.assert_allclose(model.predict(X), model.network_.predict(problem.X))


@pytest.mark.parametrize("loss", ["logistic", "hinge"])
def test_binary_classifier_reaches_the_value_of_its_problem(loss):
    X, y = _classes(2)
    model = ReLUClassifier(beta=0.3, loss=loss).fit(X, np.array(["left", "right"])[y])
    assert model.exact_
    assert model.certificate_.value == pytest.approx(
        Problem(X, y, 0.3, loss=loss, bias=True).fit().value, rel=2e-6)
    scores = model.decision_function(X)
    assert scores.shape == (24,)
    assert (model.predict(X) == np.where(scores > 0, "right", "left")).all()


def test_one_against_all_is_one_problem_for_each_class():
    X, y = _classes(3)
    model = ReLUClassifier(beta=0.5).fit(X, y)
    parts = [ReLUClassifier(beta=0.5).fit(X, y == c) for c in range(3)]
    assert model.exact_ and len(model.networks_) == 3 and not hasattr(model, "network_")
    assert model.certificate_.value == pytest.approx(sum(p.certificate_.value for p in parts))
    scores = np.column_stack([p.decision_function(X) for p in parts])
    np.testing.assert_allclose(model.decision_function(X), scores)
    assert (model.predict(X) == scores.argmax(axis=1)).all()


def test_probabilities_are_normalised_sigmoids():
    X, y = _classes(3)
    model = ReLUClassifier(beta=0.5).fit(X, y)
    sigmoids = 1 / (1 + np.exp(-model.decision_function(X)))
    np.testing.assert_allclose(model.predict_proba(X),
                               sigmoids / sigmoids.sum(axis=1, keepdims=True))
    binary = ReLUClassifier(beta=0.5).fit(X, y == 0)
    np.testing.assert_allclose(binary.predict_proba(X)[:, 1],
                               1 / (1 + np.exp(-binary.decision_function(X))))


def test_probabilities_far_outside_the_data_sum_to_one():
    X, y = _classes(3)
    model = ReLUClassifier(beta=0.01).fit(X, y)
    far = model.predict_proba(1e6 * X)
    assert np.isfinite(far).all()
    np.testing.assert_allclose(far.sum(axis=1), 1)
    assert (far.argmax(axis=1) == model.decision_function(1e6 * X).argmax(axis=1)).all()


def test_hinge_has_no_probabilities():
    model = ReLUClassifier(loss="hinge")
    assert not hasattr(model, "predict_proba")
    assert hasattr(ReLUClassifier(), "predict_proba")


def test_refit_with_another_number_of_classes_forgets_the_old_networks():
    X, y = _classes(3)
    model = ReLUClassifier(beta=1.0).fit(X, y).fit(X, y == 0)
    assert not hasattr(model, "networks_")
    assert model.predict(X).dtype == bool
    assert not hasattr(model.fit(X, y), "network_")


@pytest.mark.parametrize("method", ["auto", "full", "columns"])
def test_more_patterns_than_allowed_are_sampled_with_a_true_bound(method):
    X, y = _regression()
    exact = ReLURegressor(beta=0.3).fit(X, y)
    with pytest.warns(SampledWarning, match="max_patterns=50"):
        model = ReLURegressor(beta=0.3, method=method, max_patterns=50, random_state=0).fit(X, y)
    assert not model.exact_ and np.isfinite(model.gap_)
    assert model.certificate_.lower_bound <= exact.certificate_.value
    assert model.certificate_.value >= exact.certificate_.lower_bound
    assert model.gap_ == model.certificate_.gap and not model.certificate_.exact


def test_sampling_on_request_does_not_warn_and_follows_the_seed():
    X, y = _regression()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        a, b = (ReLURegressor(method="sampled", random_state=3).fit(X, y) for _ in range(2))
    assert not a.exact_
    assert (a.predict(X) == b.predict(X)).all()


def test_counting_spares_sampling_where_the_bound_is_not_met():
    # A 5 x 5 grid with bias has 194 dichotomies, Cover's bound is 602.
    X = np.array([(i, j) for i in range(5) for j in range(5)], dtype=float)
    y = np.abs(X[:, 0] - 2)
    count = Problem(X, y, 1.0, bias=True).arrangement.count_dichotomies()
    bound = Problem(X, y, 1.0, bias=True).arrangement.cover_bound()
    assert count < bound
    assert ReLURegressor(beta=1.0, max_patterns=count).fit(X, y).exact_
    with pytest.warns(SampledWarning):
        ReLURegressor(beta=1.0, max_patterns=count - 1, random_state=0).fit(X, y)


def test_repeated_samples_do_not_count():
    X, y = _regression(8)
    X, y = np.tile(X, (50, 1)), np.tile(y, 50)
    assert ReLURegressor(beta=1.0, max_patterns=100).fit(X, y).exact_


def test_high_rank_is_sampled_without_a_bound():
    X, y = _regression(100, 12)
    with pytest.warns(SampledWarning):
        model = ReLURegressor(beta=1.0, random_state=0).fit(X, y)
    assert not model.exact_
    assert np.isnan(model.gap_) and model.certificate_.lower_bound == -np.inf
    assert model.certificate_.value < y @ y / 2


def test_few_patterns_of_high_rank_are_sampled_too():
    X, y = _regression(14, 20)
    assert Problem(X, y, 1.0).arrangement.cover_bound() == 2**14
    with pytest.warns(SampledWarning, match="rank 14"):
        assert not ReLURegressor(beta=1.0, random_state=0).fit(X, y).exact_


def test_rank_above_that_of_the_search():
    X, y = _regression(80, 70)
    with pytest.warns(SampledWarning):
        model = ReLURegressor(beta=1.0, bias=False, random_state=0).fit(X, y)
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.filterwarnings("ignore::cvxlayer.estimators.SampledWarning")
def test_sampling_splits_data_far_from_the_origin():
    rng = np.random.default_rng(0)
    X = 1000 + rng.standard_normal((40, 1))
    problem = Problem(X, X[:, 0], 1.0, bias=True)
    network = estimators._splits(problem, 30, rng)
    active = (problem.X @ network.U > 0).sum(axis=0)
    assert ((active > 0) & (active < 40)).sum() >= 20


def test_unfinished_training_warns_and_is_not_exact(monkeypatch):
    X, y = _regression()
    fit = Problem.fit

    def unfinished(self, method, *, tol, n_jobs):
        found = fit(self, method, tol=tol, n_jobs=n_jobs)
        found.gap = 0.5
        return found

    monkeypatch.setattr(Problem, "fit", unfinished)
    with pytest.warns(ConvergenceWarning, match=r"gap is 0\.5"):
        model = ReLURegressor().fit(X, y)
    assert not model.exact_


@pytest.mark.full
def test_pipeline_search_and_cross_validation():
    X, y = _regression(24)
    search = GridSearchCV(make_pipeline(StandardScaler(), ReLURegressor()),
                          {"reluregressor__beta": [0.01, 100.0]}, cv=3).fit(X, y)
    assert search.best_params_ == {"reluregressor__beta": 0.01}
    X, y = _classes(2)
    assert cross_val_score(ReLUClassifier(beta=0.5), X, y, cv=3).mean() > 0.7
    found = cross_val_score(ReLUClassifier(beta=0.5), X, y, cv=3, scoring="neg_log_loss")
    assert np.isfinite(found).all()


@pytest.mark.parametrize("model", [ReLURegressor(beta=0.5), ReLUClassifier(beta=0.5)])
def test_clone_and_pickle(model):
    X, y = _classes(3)
    with pytest.raises(NotFittedError):
        clone(model).predict(X)
    fitted = clone(model).fit(X, y)
    again = pickle.loads(pickle.dumps(fitted))
    assert (again.predict(X) == fitted.predict(X)).all()
    assert again.certificate_ == fitted.certificate_
    assert clone(fitted).get_params() == model.get_params()
    assert not hasattr(clone(fitted), "certificate_")


def test_certificate_is_frozen():
    certificate = Optimality(1.0, 1.0, 0.0, True)
    with pytest.raises(AttributeError):
        certificate.gap = 1.0


@pytest.mark.parametrize(("model", "message"), [
    (ReLURegressor(loss="logistic"), "loss must be one of squared, absolute, huber, got 'logi"),
    (ReLUClassifier(loss="squared"), "loss must be one of logistic, hinge, got 'squared'"),
    (ReLURegressor(method="best"), "method must be one of .*, got 'best'"),
    (ReLURegressor(max_patterns=0), "max_patterns must be a positive integer, got 0"),
    (ReLURegressor(max_patterns=1e6), "max_patterns must be a positive integer, got 1000000.0"),
    (ReLURegressor(beta=0), "beta must be a positive number, got 0"),
    (ReLURegressor(tol=2), "tol must be a number between 0 and 1, got 2"),
    (ReLURegressor(tol="small", method="sampled"), "tol must be .*, got 'small'"),
])
def test_wrong_parameters_are_named(model, message):
    X, y = _classes(2)
    with pytest.raises(InputError, match=message):
        model.fit(X, y)


def test_one_class_is_refused():
    with pytest.raises(InputError, match="at least two classes, got one class"):
        ReLUClassifier().fit([[0.0], [1.0]], ["a", "a"])


def test_missing_scikit_learn_names_the_extra():
    code = ("import sys; sys.modules['sklearn'] = None\n"
            "import cvxlayer\n"
            "try:\n    import cvxlayer.estimators\n"
            "except cvxlayer.MissingSolverError as error:\n    print(error)\n")
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                         check=True, env=os.environ)
    assert "pip install 'arrangements[sklearn]'" in out.stdout
