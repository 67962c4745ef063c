"""`arrangements certify` says what `certify` says, and errors are one line and status 2."""

import json
import os
import sys
from functools import partial

import numpy as np
import pytest
from supervised import LABELS, X, Y

import cvxlayer
from cvxlayer import Certificate, Network, Problem
from cvxlayer.certificates import certificate
from cvxlayer.model.losses import LOSSES

BETA = ("--beta", "0.2")
PLANE = ("--target", "y", "--columns", "a,b")


@pytest.fixture
def saved(tmp_path):
    """A file of the network."""

    def saved(network, name="net.npz"):
        network.save(tmp_path / name)
        return str(tmp_path / name)

    return saved


@pytest.fixture
def answer(answer):
    return partial(answer, "certify")


@pytest.fixture
def refused(refused):
    return partial(refused, "certify")


def some(d, m=4, seed=0):
    rng = np.random.default_rng(seed)
    return Network(rng.standard_normal((d, m)), rng.standard_normal(m))


def features(columns, bias):
    return Problem(X[:, : len(columns.split(","))], Y, 0.2, bias=bias)


def shown(out):
    head, _, rest = out.partition("\n\n")
    return {line[:22].strip(): line[22:].strip() for line in head.splitlines()}, rest


# --- the answer


@pytest.mark.parametrize("options", [[], ["--bias"], ["--tighten"], ["--bias", "--tighten"]])
def test_the_command_says_what_certify_says(table, saved, answer, options):
    network = some(2 + ("--bias" in options))
    fields = answer(saved(network), table, *PLANE, *BETA, *options)
    found = cvxlayer.certify(network, features("a,b", "--bias" in options),
                             tighten="--tighten" in options)
    assert fields["verdict"] == found.verdict == "not optimal"
    assert fields["landscape"] == cvxlayer.local_minimum(found, found.problem).verdict
    for name in ("objective", "lower_bound", "gap", "margin", "price", "price_bound", "decrease"):
        assert fields[name] == pytest.approx(getattr(found, name), rel=1e-9), name
    for name in ("sign", "complete", "stationary", "scaled", "nearly_minimal", "minimal", "tol"):
        assert fields[name] == getattr(found, name), name
    for name in ("u", "residual", "relative"):
        assert fields[name] == pytest.approx(getattr(found, name).tolist()), name
    assert fields["alpha"] == network.alpha.tolist()
    assert fields["active"] == (found.problem.X @ network.U > 0).sum(axis=0).tolist()
    assert fields["unscaled"] == [0, 1, 2, 3]
    assert (fields["neurons"], fields["n"], fields["d"]) == (4, 8, network.d)
    assert (fields["margin"] < 1e-7) == ("--tighten" in options)


@pytest.mark.parametrize("loss", LOSSES)
def test_what_train_writes_is_optimal(table, tmp_path, run, answer, loss):
    target = "kind" if LOSSES[loss].classifies else "y"
    options = [table, "--target", target, "--columns", "a,b", "--bias", *BETA, "--loss", loss]
    assert run("train", *options, "--out", tmp_path / "net.npz")[0] == 0
    fields = answer(tmp_path / "net.npz", *options)
    problem = Problem(X, LABELS if target == "kind" else Y, 0.2, loss=loss, bias=True)
    assert fields["verdict"] == "optimal" and fields["gap"] <= 1e-8
    assert fields["landscape"] == "global"
    assert fields["objective"] == pytest.approx(problem.fit().value, rel=1e-7)
    assert fields["classes"] == (["no", "yes"] if target == "kind" else None)


def test_split_and_moved_neurons_are_noted(table, saved, run, answer):
    best = features("a,b", False).fit().network
    argv = [saved(best.split([2] * best.m)), table, *PLANE, *BETA]
    fields = answer(*argv)
    assert fields["repeated"] == [[2 * j, 2 * j + 1] for j in range(best.m)]
    assert fields["nearly_minimal"] and not fields["minimal"]
    head, neurons = shown(run("certify", *argv)[1])
    assert (head["verdict"], head["form"]) == ("optimal", "nearly minimal")
    assert neurons.splitlines()[1].endswith("  same as 1")
    assert "missing" not in neurons

    argv[0] = saved(Network([[1, 1.01, 1, 2], [1, 1, 1, 2]], [1, 1, 2**0.5, 1]))
    fields = answer(*argv)
    assert fields["crowded"] == [[0, 1, 2, 3]] and fields["repeated"] == [[0, 2, 3]]
    notes = [line.partition("  unscaled")[1:] for line in
             shown(run("certify", *argv)[1])[1].splitlines()[1:5]]
    assert notes[0] == ("  unscaled", "; shares a face with 1; same as 2, 3")
    assert notes[1] == ("  unscaled", "; shares a face with 0, 2, 3")
    assert fields["unscaled"] == [0, 1, 3]


def test_table_and_json_agree(table, saved, run, answer):
    argv = [saved(some(3)), table, *PLANE, *BETA, "--bias"]
    fields, (status, out, err) = answer(*argv), run("certify", *argv)
    head, neurons = shown(out)
    assert (status, err) == (0, "")
    assert list(head) == [
        "network", "data", "target", "samples n", "features d", "rank r", "loss", "beta", "neurons",
        "objective", "lower bound", "relative gap", "verdict", "largest price",
        "guaranteed decrease", "stationary", "landscape", "form", "time", "peak memory",
    ]
    assert (head["verdict"], head["stationary"], head["form"]) == ("not optimal", "no",
                                                                   "not scaled")
    assert float(head["objective"]) == pytest.approx(fields["objective"])
    assert float(head["largest price"].split()[0]) == pytest.approx(fields["price"], rel=1e-5)
    assert float(head["guaranteed decrease"]) == pytest.approx(fields["decrease"], rel=1e-5)
    title, *rows, _, missing = neurons.splitlines()
    assert title.split() == ["neuron", "||u||", "alpha", "residual", "active", "notes"]
    for j, row in enumerate(rows):
        numbers = [float(cell) for cell in row.split()[:5]]
        stated = [j, *(fields[name][j] for name in ("lengths", "alpha", "relative", "active"))]
        assert numbers == pytest.approx(stated, rel=0.06)
    u = ", ".join(f"{x:.4g}" for x in fields["u"])
    assert missing == f"missing: a neuron u = ({u}), alpha {'<>'[fields['sign'] > 0]} 0"


def test_of_many_neurons_those_with_large_residuals_are_shown(table, saved, run, answer):
    argv = [saved(some(2, 33)), table, *PLANE, *BETA]
    relative = answer(*argv)["relative"]
    assert len(relative) == 33
    lines = shown(run("certify", *argv)[1])[1].splitlines()
    assert [int(line.split()[0]) for line in lines[1:21]] == np.argsort(relative)[:-21:-1].tolist()
    assert lines[21] == "and 13 more, of smaller residuals; --json lists them"


def test_an_undecided_network_has_a_margin_and_advice(table, saved, run):
    argv = [saved(features("a,b", False).fit().network), table, *PLANE, *BETA]
    head, rest = shown(run("certify", *argv, "--seconds", "0")[1])
    assert head["verdict"] == "undecided" and float(head["margin"]) > 1e-8
    assert "--tighten" in rest
    assert shown(run("certify", *argv, "--tighten")[1])[0]["verdict"] == "optimal"


def test_an_unfinished_search_says_so(table, saved, run, answer):
    argv = [saved(some(3)), table, *PLANE, *BETA, "--bias", "--seconds", "0"]
    fields, head = answer(*argv), shown(run("certify", *argv)[1])[0]
    assert fields["price"] <= fields["price_bound"]
    assert ("at most" in head) == (not fields["complete"])


def test_saved_certificate_loads(table, tmp_path, saved, answer):
    network, path = some(2), tmp_path / "proof.npz"
    fields = answer(saved(network), table, *PLANE, *BETA, "--out", path)
    found = Certificate.load(path, features("a,b", False))
    assert (found.network.U == network.U).all()
    assert (found.verdict, found.price) == (fields["verdict"], fields["price"])
    assert found.improve().objective(found.problem) < fields["objective"] - fields["decrease"] / 2
    assert (fields["out"], fields["out_bytes"]) == (str(path), path.stat().st_size)


def test_numbers_of_json_are_finite(table, saved, run, monkeypatch):
    certify = certificate.certify

    def unbounded(*rest, **options):
        found = certify(*rest, **options)
        found.price_bound = np.inf
        return found

    monkeypatch.setattr(certificate, "certify", unbounded)
    out = run("certify", saved(some(2)), table, *PLANE, *BETA, "--json")[1]
    assert json.loads(out, parse_constant=pytest.fail)["price_bound"] is None


def test_no_neurons(table, saved, run, answer):
    argv = [saved(Network(np.zeros((2, 0)), [])), table, *PLANE]
    fields = answer(*argv, "--beta", "0.2")
    assert fields["verdict"] == "not optimal" and fields["neurons"] == 0
    head, rest = shown(run("certify", *argv, "--beta", "1000")[1])
    assert (head["verdict"], head["guaranteed decrease"], rest) == ("optimal", "0", "")


# --- pictures


@pytest.mark.parametrize(
    ("columns", "bias", "kind"),
    [(*case, kind) for case in (("a,b", False), ("a,b", True), ("a", True), ("a", False))
     for kind in ("optimal", "other")] + [("a,b", True, "split"), ("a,b", False, "none")],
)
def test_pictures(table, tmp_path, saved, answer, columns, bias, kind):
    pytest.importorskip("matplotlib")
    problem, path = features(columns, bias), tmp_path / "way.svg"
    best = problem.fit().network
    network = {"optimal": best, "split": best.split([2] * best.m), "other": some(problem.d),
               "none": Network(np.zeros((problem.d, 0)), [])}[kind]
    options = ["--bias"] if bias else []
    fields = answer(saved(network), table, "--target", "y", "--columns", columns, *BETA, *options,
                    "--plot", path)
    assert path.read_bytes().startswith(b"<?xml")
    assert (fields["plot"], fields["plot_bytes"]) == (str(path), path.stat().st_size)
    assert (fields["verdict"] == "optimal") == (kind in ("optimal", "split"))


@pytest.mark.parametrize(
    ("options", "suffix", "start"),
    [(["--tighten"], "png", b"\x89PNG"), (["--loss", "absolute"], "pdf", b"%PDF")],
)
def test_pictures_of_many_features(tmp_path, saved, answer, options, suffix, start):
    pytest.importorskip("matplotlib")
    rng = np.random.default_rng(2)
    np.save(tmp_path / "t.npy", rng.standard_normal((15, 6)))
    path = tmp_path / f"way.{suffix}"
    answer(saved(some(6, 20)), tmp_path / "t.npy", "--target", "5", *BETA, "--bias", *options,
           "--plot", path)
    assert path.read_bytes().startswith(start)


def test_pictures_of_classes(table, tmp_path, saved, answer):
    pytest.importorskip("matplotlib")
    path = tmp_path / "way.svg"
    answer(saved(some(3)), table, "--target", "kind", "--columns", "a,b", *BETA, "--bias", "--loss",
           "logistic", "--plot", path)
    assert path.read_bytes().startswith(b"<?xml")


def test_the_path_goes_down_to_the_better_network():
    from cvxlayer.cli.certify import way_down

    problem = features("a,b", True)
    for network in (some(3), some(3, 20), Network(np.zeros((3, 0)), [])):
        for tighten in (False, True):
            found = cvxlayer.certify(network, problem, tighten=tighten)
            path = way_down(found, problem, tighten)
            assert path.objective(0) == pytest.approx(found.objective, rel=1e-12)
            assert path.objective(1) <= found.objective - found.decrease * (1 - 1e-9)
            assert path.check(10).holds


# --- PyTorch


@pytest.mark.parametrize("bias", [False, True])
def test_a_state_dict_is_read(table, tmp_path, saved, answer, bias):
    torch = pytest.importorskip("torch")
    network, path = some(2 + bias), tmp_path / "net.pt"
    torch.save(network.to_torch(bias=bias).state_dict(), path)
    options = [table, *PLANE, *BETA, *(["--bias"] if bias else [])]
    fields, same = answer(path, *options), answer(saved(network), *options)
    assert fields["objective"] == pytest.approx(same["objective"], rel=1e-14)
    assert fields["alpha"] == same["alpha"]


def test_wrong_state_dicts_are_one_line(table, tmp_path, refused):
    torch = pytest.importorskip("torch")
    nn, path = torch.nn, tmp_path / "net.pth"
    wide, relu, last = nn.Linear(2, 3, bias=False), nn.ReLU(), nn.Linear(3, 1, bias=False)
    module = nn.Sequential(wide, relu, last)
    for content, part in (
        (nn.Sequential(wide, relu, nn.Linear(3, 3), relu, last).state_dict(), "one hidden layer"),
        (nn.Sequential(wide, relu, nn.Linear(3, 1)).state_dict(), "bias of the output"),
        (nn.Sequential(wide, relu, nn.Linear(3, 2, bias=False)).state_dict(), "one output"),
        (nn.Sequential(wide, nn.BatchNorm1d(3)).state_dict(), "two linear layers"),
        ({"model": module.state_dict()}, "torch.save(module.state_dict(), path)"),
        ([1, 2], "torch.save(module.state_dict(), path)"),
        (module, "torch.save(module.state_dict(), path)"),
    ):
        torch.save(content, path)
        assert part in refused(path, table, *PLANE, *BETA)
    path.write_bytes(b"no network")
    assert "torch.save(module.state_dict(), path)" in refused(path, table, *PLANE, *BETA)
    assert "absent.pt" in refused(tmp_path / "absent.pt", table, *PLANE, *BETA)
    with torch.no_grad():
        wide.weight[0, 1] = torch.nan
    torch.save(module.state_dict(), path)
    assert "finite" in refused(path, table, *PLANE, *BETA)


def test_a_missing_torch_is_named(table, tmp_path, refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert "pip install torch" in refused(tmp_path / "net.pt", table, *PLANE, *BETA)


# --- errors


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--beta", "0"], "beta must be a positive number"),
        ([*BETA, "--bias"], "have 3 input weights, one for each column, got 2; the network has"),
        ([*BETA, "--columns", "a"], "have 1 input weights, one for each column, got 2; --bias"),
        ([*BETA, "--columns", "0"], "got 2; --bias"),
        ([*BETA, "--target", "kind"], "y must hold real numbers"),
        ([*BETA, "--loss", "hinge"], "two classes"),
        ([*BETA, "--tol", "0"], "tol must be"),
        ([*BETA, "--jobs", "0"], "jobs"),
        ([*BETA, "--seconds", "-1"], "seconds must be"),
        ([*BETA, "--seconds", "nan"], "seconds must be"),
        ([*BETA, "--out", "proof.parquet"], ".npz"),
        ([*BETA, "--out", os.path.join("absent", "x.npz")], "absent"),
        ([*BETA, "--rows", "90"], "90"),
    ],
)
def test_wrong_options_are_one_line(table, saved, refused, options, part):
    columns = [] if "--columns" in options else ["--columns", "a,b"]
    target = [] if "--target" in options else ["--target", "y"]
    assert part in refused(saved(some(2)), table, *target, *columns, *options)


def test_wrong_networks_are_one_line(table, tmp_path, saved, refused):
    def said(name):
        return refused(tmp_path / name, table, *PLANE, *BETA)

    assert "absent.npz" in said("absent.npz")
    assert ".npz" in said("net.onnx")
    (tmp_path / "text.npz").write_text("no network")
    assert "Network.save" in said("text.npz")
    np.savez(tmp_path / "other.npz", U=np.ones((2, 1)))
    assert "Network.save" in said("other.npz")
    np.savez(tmp_path / "nan.npz", U=[[1.0], [np.nan]], alpha=[1.0])
    assert "U must be finite, got nan at (1, 0)" in said("nan.npz")
    np.savez(tmp_path / "shape.npz", U=np.ones((2, 3)), alpha=[1.0])
    assert "U must have shape" in said("shape.npz")
    assert "absent.csv" in refused(saved(some(2)), tmp_path / "absent.csv", *PLANE, *BETA)


def test_what_must_fail_fails_before_the_work(table, tmp_path, saved, refused, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(cvxlayer, "certify", lambda *_, **__: pytest.fail("work"))
    argv = [saved(some(2)), table, *PLANE, *BETA]
    assert ".svg" in refused(*argv, "--plot", tmp_path / "x.jpeg2000")
    assert "absent" in refused(*argv, "--plot", tmp_path / "absent" / "x.png")
    monkeypatch.setitem(sys.modules, "ortools", None)
    assert "OR-Tools" in refused(*argv, "--loss", "absolute")
    monkeypatch.setitem(sys.modules, "clarabel", None)
    for options in (["--tighten"], ["--loss", "hinge"], ["--plot", tmp_path / "x.png"]):
        assert "pip install 'arrangements[convex]'" in refused(*argv, *options)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "pip install 'arrangements[plot]'" in refused(*argv, "--plot", tmp_path / "x.png")


def test_without_solvers_smooth_losses_are_certified(table, saved, answer, monkeypatch):
    monkeypatch.setitem(sys.modules, "clarabel", None)
    monkeypatch.setitem(sys.modules, "ortools", None)
    assert answer(saved(some(2)), table, *PLANE, *BETA)["verdict"] == "not optimal"


def test_a_solver_that_stops_short_leaves_what_is_known(table, saved, answer, monkeypatch):
    def stop(*_, **__):
        raise cvxlayer.SolverError("Clarabel stopped with NumericalError", "NumericalError")

    monkeypatch.setattr(Problem, "fit", stop)
    plain = answer(saved(some(2)), table, *PLANE, *BETA)
    tight = answer(saved(some(2)), table, *PLANE, *BETA, "--tighten")
    assert (tight["verdict"], tight["gap"]) == (plain["verdict"], plain["gap"])


@pytest.mark.parametrize("options", [[], [*PLANE], ["--target", "y", *BETA, "--loss", "cubic"]])
def test_wrong_usage(table, saved, options, misused):
    misused("certify", saved(some(2)), table, *options)
