"""`arrangements train` says what `Problem.fit` says, and errors are one line and status 2."""

import os
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from supervised import KINDS, LABELS, X, Y

import cvxlayer
from arrangements.data import load_supervised, load_table
from arrangements.errors import InputError
from cvxlayer.model.losses import LOSSES


@pytest.fixture
def answer(answer):
    return partial(answer, "train")


@pytest.fixture
def refused(refused):
    return partial(refused, "train")


def shown(out):
    return {line[:22].strip(): line[22:].strip() for line in out.splitlines()}


# --- the target


@pytest.mark.parametrize("columns", [None, "a,b", "0-2"])
@pytest.mark.parametrize("target", ["y", 1, "1"])
def test_the_target_is_taken_out_of_the_features(table, target, columns):
    columns = columns or "a,y,b"
    values, y, names, numbers = load_supervised(table, target, columns=columns)
    assert (values.tolist(), y.tolist()) == (X.tolist(), Y)
    assert (names, numbers) == (["a", "b", "y"], "decimal")


def test_labels_are_text_and_rows_are_chosen(table):
    values, y, names, _ = load_supervised(table, "kind", columns="b", rows="1:4")
    assert (values.tolist(), y.tolist(), names) == ([[3], [-1], [2]], KINDS[1:4], ["b", "kind"])
    assert load_supervised(table, "kind")[2] == ["a", "y", "b", "kind"]


def test_targets_of_bundled_sets():
    pytest.importorskip("sklearn")
    features = load_table("iris")
    values, y, names, numbers = load_supervised("iris", "target")
    assert (values == features[0]).all()
    assert (names, numbers) == ([*features[1], "target"], "decimal")
    assert y.tolist() == [0] * 50 + [1] * 50 + [2] * 50
    values, y, names, _ = load_supervised("iris", 2)
    assert (values == features[0][:, [0, 1, 3]]).all() and (y == features[0][:, 2]).all()
    assert "target" not in names
    assert load_supervised("diabetes", "target", columns="bmi", rows="0")[1].tolist() == [151]
    with pytest.raises(InputError, match="no column '4'"):
        load_supervised("iris", "0", columns="4")


def test_targets_of_binary_files(tmp_path):
    np.save(tmp_path / "t.npy", np.column_stack([X, Y]))
    values, y, names, numbers = load_supervised(tmp_path / "t.npy", 2)
    assert (values.tolist(), y.tolist()) == (X.tolist(), Y)
    assert (names, numbers) == (["0", "1", "2"], "binary")


def test_one_number_among_labels_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,y\n1,2.5\n2,NA\n3,1\n")
    with pytest.raises(InputError, match="'y' must hold decimal numbers, got 'NA' in row 1"):
        load_supervised(path, "y")


# --- the answer


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if not LOSSES[loss].classifies])
@pytest.mark.parametrize("method", ["auto", "full", "columns"])
def test_the_command_says_what_fit_says(table, answer, loss, method):
    fields = answer(table, "--target", "y", "--columns", "0-2", "--beta", "0.2", "--loss", loss,
                    "--method", method, "--bias", "--tol", "1e-6")
    found = cvxlayer.Problem(X, Y, 0.2, loss=loss, bias=True).fit(method, tol=1e-6)
    assert fields["objective"] == pytest.approx(found.value, rel=1e-6)
    assert fields["gap"] <= 1e-6 and fields["status"] == "optimal"
    assert fields["lower_bound"] <= fields["objective"]
    assert (fields["n"], fields["d"], fields["rank"]) == (8, 3, 3)
    assert (fields["loss"], fields["beta"], fields["classes"]) == (loss, 0.2, None)
    assert (fields["rounds"] > 0) == (method == "columns")
    assert fields["neurons"] <= 9


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if LOSSES[loss].classifies])
def test_labels_are_two_classes(table, answer, run, loss):
    argv = [table, "--target", "kind", "--columns", "a,b", "--beta", "0.1", "--loss", loss]
    fields = answer(*argv)
    found = cvxlayer.Problem(X, LABELS, 0.1, loss=loss).fit()
    assert fields["classes"] == ["no", "yes"]
    assert fields["objective"] == pytest.approx(found.value, rel=1e-6)
    assert shown(run("train", *argv)[1])["classes"] == "no as -1, yes as 1"


def test_table(table, run):
    status, out, err = run("train", table, "--target", "y", "--columns", "a", "--beta", "0.5")
    fields = shown(out)
    assert (status, err) == (0, "")
    assert list(fields) == [
        "data", "target", "samples n", "features d", "rank r", "loss", "beta", "neurons",
        "objective", "lower bound", "relative gap", "rounds", "status", "time", "peak memory",
    ]
    assert (fields["target"], fields["beta"], fields["status"]) == ("y", "0.5", "optimal")


def test_saved_network_has_the_objective(table, tmp_path, answer):
    path = tmp_path / "net.npz"
    fields = answer(table, "--target", "y", "--columns", "a,b", "--beta", "0.2", "--bias",
                    "--rows", "0:5", "--out", path)
    network = cvxlayer.Network.load(path)
    problem = cvxlayer.Problem(X[:5], Y[:5], 0.2, bias=True)
    assert problem.objective(network) == pytest.approx(fields["objective"], rel=1e-12)
    assert network.m == fields["neurons"]
    assert (fields["out"], fields["out_bytes"]) == (str(path), path.stat().st_size)


@pytest.mark.parametrize("options", [["--columns", "a", "--bias"], ["--method", "columns"], []])
@pytest.mark.parametrize(
    ("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_pictures(table, tmp_path, answer, options, suffix, start):
    pytest.importorskip("matplotlib")
    path = tmp_path / f"fit.{suffix}"
    columns = [] if "--columns" in options else ["--columns", "a,b"]
    fields = answer(table, "--target", "y", "--beta", "0.2", *columns, *options, "--plot", path)
    assert path.read_bytes().startswith(start)
    assert (fields["plot"], fields["plot_bytes"]) == (str(path), path.stat().st_size)


def test_progress_goes_to_stderr(table, run):
    argv = ["train", table, "--target", "y", "--columns", "a,b", "--beta", "0.2", "--method",
            "columns"]
    status, out, err = run(*argv, "--progress")
    assert status == 0 and "status" in shown(out)
    assert err.startswith("round")
    assert run(*argv, "--no-progress")[2] == ""


# --- errors


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--target", "w"], "no column 'w'"),
        (["--target", "0-1"], "the target must be one column, got '0-1'"),
        (["--target", "y", "--columns", "y"], "beside the target 'y'"),
        (["--target", "y"], "column 'kind' must hold"),
        (["--target", "kind", "--columns", "a"], "y must hold real numbers"),
        (["--target", "y", "--columns", "a", "--loss", "hinge"], "two classes"),
        (["--target", "y", "--columns", "a", "--beta", "0"], "beta must be a positive number"),
        (["--target", "y", "--columns", "a", "--tol", "0"], "tol must be"),
        (["--target", "y", "--columns", "a", "--tol", "nan"], "tol must be"),
        (["--target", "y", "--columns", "a", "--jobs", "0"], "jobs"),
        (["--target", "y", "--columns", "a", "--out", "net.parquet"], ".npz"),
        (["--target", "y", "--out", os.path.join("absent", "x.npz")], "absent"),
    ],
)
def test_wrong_options_are_one_line(table, refused, options, part):
    assert part in refused(table, "--beta", "1", *options)


def test_wrong_pictures_are_one_line(table, tmp_path, refused, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(cvxlayer.Problem, "fit", lambda *_, **__: pytest.fail("work"))
    argv = [table, "--target", "y", "--columns", "a", "--beta", "1", "--plot"]
    assert ".svg" in refused(*argv, tmp_path / "x.jpeg2000")
    assert "absent" in refused(*argv, tmp_path / "absent" / "x.png")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "pip install 'arrangements[plot]'" in refused(*argv, tmp_path / "x.png")


def test_a_solver_that_stops_short_is_one_line(table, refused, monkeypatch):
    def stop(*_, **__):
        raise cvxlayer.SolverError("Clarabel stopped with NumericalError", "NumericalError")

    monkeypatch.setattr(cvxlayer.Problem, "fit", stop)
    assert "NumericalError" in refused(table, "--target", "y", "--columns", "a", "--beta", "1")


def test_a_missing_solver_is_named(table, refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "clarabel", None)
    error = refused(table, "--target", "y", "--columns", "a", "--beta", "1")
    assert "pip install 'arrangements[convex]'" in error


def test_other_commands_do_without_the_convex_layer(table):
    code = (
        "import sys\n"
        "sys.modules.update(clarabel=None, cvxlayer=None)\n"
        "from arrangements.cli import main\n"
        f"sys.exit(main(['count', {table!r}, '--columns', 'a,b']))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL, timeout=600)


@pytest.mark.parametrize(
    "options", [[], ["--target", "y"], ["--beta", "1"], ["--target", "y", "--beta", "x"],
                ["--target", "y", "--beta", "1", "--loss", "cubic"],
                ["--target", "y", "--beta", "1", "--method", "guess"]]
)
def test_wrong_usage(table, options, misused):
    misused("train", table, *options)
