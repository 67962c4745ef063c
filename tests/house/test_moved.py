"""What could be imported before the rooms can be imported still, with a warning.

Warnings and modules belong to the process, so old names are imported in fresh interpreters.
"""

import json
import subprocess
import sys
from importlib import import_module
from pkgutil import resolve_name

import pytest

import arrangements
import cvxlayer

# Old module: its successor and its public names; "a=b" if a is now called b, a word or a full name.
OLD = {
    "arrangements.cones": ("arrangements.chambers.cone",
                           ("Cone Projection cone facet_rows "
                           "first_samples=arrangements.algebra.reduction.Reduction.first.func")),
    "arrangements.estimation": (
        "arrangements.counting.estimation", "Estimate estimate_dichotomies"),
    "arrangements.facets": ("arrangements.patterns.facets", "adjacency facets"),
    "arrangements.neighbours": (
        "arrangements.chambers.neighbours", "Neighbourhood neighbours"),
    "arrangements.plotting": (
        "arrangements.pictures.plot",
        "check_target=arrangements.pictures.style.check_picture plot save_plot"),
    "arrangements.reduction": ("arrangements.algebra.reduction", "Reduction primitive reduce_rows"),
    "arrangements.sampling": ("arrangements.chambers.sampling",
                              "Sample check_exact check_rng sample_dichotomies"),
    "arrangements.support": ("arrangements.ellipsoid.support",
                             "Euclidean Support local_maxima support"),
    "arrangements.trichotomies": ("arrangements.patterns.trichotomies",
                                  "Trichotomies compose=arrangements.compose"),
    "arrangements.witness": ("arrangements.algebra.witness", "interior_point positive_dependence"),
    "cvxlayer.certificate": ("cvxlayer.certificates.certificate", "Certificate certify"),
    "cvxlayer.interpolation": ("cvxlayer.training.interpolation",
                               "Interpolation minimum_norm path=cvxlayer.solutions_over_beta"),
    "cvxlayer.kkt": ("cvxlayer.certificates.kkt", "KKT kkt"),
    "cvxlayer.losses": (
        "cvxlayer.model.losses",
        ("Absolute Hinge Huber LOSSES Logistic Loss Squared "
         "Conic=cvxlayer.model.conic_program.ConicProgram")),
    "cvxlayer.network": ("cvxlayer.model.network", "Network"),
    "cvxlayer.neurons": ("cvxlayer.training.output_weights", "over_neurons"),
    "cvxlayer.optima": ("cvxlayer.landscape.optima",
                        "OptimalSet Smallest minimal_width optimal_set"),
    "cvxlayer.paths": (
        "cvxlayer.landscape.paths",
        ("Path PathCheck line=cvxlayer.join path_to_minimal path_to_nearly_minimal path_to_optimum "
         "path_to_reduced")),
    "cvxlayer.pricing": ("cvxlayer.certificates.pricing", "Price chord_bound price price_of"),
    "cvxlayer.problem": ("cvxlayer.model.problem", "Problem relative_gap"),
    "cvxlayer.program": ("cvxlayer.conic.program",
                         "Block=cvxlayer.Term ConvexProgram convex_program"),
    "cvxlayer.sampling": ("cvxlayer.training.start_patterns", "VARIANTS sampled_patterns"),
    "cvxlayer.solvers": ("cvxlayer.conic.solvers", "Answer LINEAR SOLVERS solve"),
    "cvxlayer.stationarity": ("cvxlayer.certificates.stationarity", "Stationarity stationarity"),
    "cvxlayer.subsampled": ("cvxlayer.certificates.own_faces",
                            "SubsampledCertificate subsampled_certificate"),
    "cvxlayer.verification": ("cvxlayer.certificates.verification", "Check Verification verify"),
}
# Modules that have kept their place, and their public names.
KEPT = {
    "arrangements.cli": "main",
    "arrangements.counting": "components cover_bound deletion_restriction generic_f_vector "
                             "generic_characteristic_polynomial generic_whitney_numbers",
    "arrangements.data": "load_supervised load_table",
    "arrangements.errors": "CapacityError InputError NotAChamberError",
    "arrangements.families": "ALL Family braid cross_polytope cyclic demicube generic resonance "
                             "reflection_h3 threshold_functions threshold_graphs type_b type_d",
    "arrangements.patterns": "Dichotomies load",
    "arrangements.verification": "Verification verify",
    "cvxlayer.errors": "CapacityError InfeasibleError InputError MissingSolverError SolverError",
    "cvxlayer.landscape": "Blocks caratheodory collinear factors groups merged nearest reduced "
                          "split to_blocks",
    "cvxlayer.training": "Round Solution fit solution_of",
}
IMPORT = """
import importlib, json, pkgutil, sys, warnings
import arrangements, cvxlayer
told = {}
for old, names in json.load(sys.stdin).items():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        module = importlib.import_module(old)
    lacking = []
    for name, successor in names:
        if getattr(module, name, None) is not pkgutil.resolve_name(successor):
            lacking.append(name)
    told[old] = [[f"{w.category.__name__}: {w.message}" for w in caught], lacking]
print(json.dumps(told))
"""


def child(program, **options):
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], text=True, check=False,
                          capture_output=True, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def successors(names, module):
    """(name, full name of what it must be)."""
    for entry in names.split():
        name, _, now = entry.partition("=")
        yield name, now or f"{module}.{name}"


@pytest.fixture(scope="module")
def told():
    """Old module -> warnings of its import, names that are not what they must be."""
    names = {old: list(successors(names, new)) for old, (new, names) in OLD.items()}
    return json.loads(child(IMPORT, input=json.dumps(names)))


@pytest.mark.parametrize("old", OLD)
def test_an_old_module_gives_the_names_of_its_successor_and_a_warning(told, old):
    assert told[old] == [[f"DeprecationWarning: {old} is now {OLD[old][0]}"], []]


def test_the_list_of_old_modules_is_whole():
    forwarded = {}
    for finder in sys.meta_path:
        forwarded |= getattr(finder, "successors", {})
    assert {old: new for old, (new, _) in OLD.items()} == forwarded


@pytest.mark.parametrize("module", KEPT)
def test_a_module_that_stays_keeps_its_names(module):
    found = import_module(module)
    assert [name for name in KEPT[module].split() if not hasattr(found, name)] == []


@pytest.mark.parametrize(("package", "name", "other"), [
    ("arrangements", "trichotomies", "Trichotomies"), ("arrangements", "support", "Support"),
    ("cvxlayer", "kkt", "KKT"), ("cvxlayer", "stationarity", "Stationarity")])
def test_a_function_stays_one_when_the_old_module_of_its_name_is_imported(package, name, other):
    print_kinds = f"print(type({package}.{name}).__name__, {other}.__name__)"
    assert child(f"import {package}\nfrom {package}.{name} import {other}\n{print_kinds}") == (
        f"function {other}\n")


def test_the_function_of_an_old_module_still_does_its_work():
    assert child("import arrangements\nfrom arrangements.trichotomies import Trichotomies\n"
                 "print(isinstance(arrangements.trichotomies([[1], [2]]), Trichotomies))\n"
                 "from arrangements.support import support\n"
                 "print(arrangements.support([[3.0]], [2.0]).value)") == "True\n6.0\n"


@pytest.mark.parametrize(("old", "new"), [
    ("arrangements.arrangement.count_dichotomies", "arrangements.count_dichotomies"),
    ("arrangements.arrangement.dichotomies", "arrangements.dichotomies"),
    ("arrangements.arrangement.iter_dichotomies", "arrangements.iter_dichotomies"),
    ("arrangements.patterns.check_target", "arrangements.files.check_target"),
    ("cvxlayer.Block", "cvxlayer.Term"), ("cvxlayer.line", "cvxlayer.join"),
    ("cvxlayer.path", "cvxlayer.solutions_over_beta")])
def test_old_words_of_modules_that_stay(old, new):
    module, _, word = old.rpartition(".")
    with pytest.warns(DeprecationWarning, match=f"^{old} is now {new}$"):
        assert getattr(import_module(module), word) is resolve_name(new)


@pytest.mark.parametrize("package", [arrangements, cvxlayer])
def test_unknown_names_are_errors(package):
    with pytest.raises(AttributeError, match="nonsense"):
        package.nonsense  # noqa: B018
    with pytest.raises(ModuleNotFoundError, match="nonsense"):
        __import__(f"{package.__name__}.nonsense")


@pytest.mark.parametrize("old", ["arrangements.cones", "arrangements.support", "cvxlayer.program"])
def test_unknown_names_of_old_modules_are_errors(old):
    child(f"try:\n    from {old} import nonsense\nexcept ImportError:\n    pass\n"
          "else:\n    raise SystemExit(1)")
