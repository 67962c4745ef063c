"""The package as a whole: what importing it loads, what is shipped, kernels of every SIMD level."""

import ast
import hashlib
import importlib
import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path

import instances
import pytest

import arrangements
import cvxlayer
from arrangements import Arrangement

HERE = Path(__file__).resolve().parent
PACKAGE = Path(arrangements.__file__).parent
STUBS = sorted(PACKAGE.rglob("*.pyi"))


def name_of(source):
    """The module of a file of the package."""
    return ".".join(("arrangements", *source.relative_to(PACKAGE).with_suffix("").parts))


def child(program, **environment):
    """What the program prints in a fresh interpreter that finds the same packages."""
    prelude = f"import sys; sys.path[:0] = {[str(HERE), *sys.path]!r}\n"
    done = subprocess.run(
        [sys.executable, "-c", prelude + program],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("module", ["arrangements", "arrangements.cli", "cvxlayer"])
def test_import_loads_no_heavy_module(module):
    loaded = child(f"import {module}; print(*sys.modules)").split()
    assert module in loaded
    heavy = {"sklearn", "pyarrow", "matplotlib", "pandas", "polars", "ortools", "clarabel", "torch"}
    if module != "cvxlayer":  # conic programs are sparse matrices
        heavy.add("scipy")
    assert heavy.isdisjoint(loaded)


def test_version_is_told_in_one_way():
    project = HERE.parents[1] / "pyproject.toml"
    if project.exists():
        stated = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]
        assert arrangements.__version__ == stated
    try:
        installed = version("arrangements")
    except PackageNotFoundError:
        pytest.skip("not installed")
    assert arrangements.__version__ == installed


def test_commands_of_the_convex_layer_join_through_entry_points():
    project = HERE.parents[1] / "pyproject.toml"
    if not project.exists():
        pytest.skip("not a checkout")
    text = project.read_text(encoding="utf-8")
    stated = tomllib.loads(text)["project"]["entry-points"]["arrangements.commands"]
    assert set(stated) == {"train", "certify"}
    installed = {point.name: point for point in entry_points(group="arrangements.commands")}
    assert {name: point.value for name, point in installed.items()} == stated
    assert all(callable(point.load()) for point in installed.values())


def test_the_engine_does_not_name_the_convex_layer():
    for path in PACKAGE.rglob("*.py*"):
        if path.suffix in (".py", ".pyi", ".pyx", ".pxd"):
            assert "cvxlayer" not in path.read_text(encoding="utf-8"), path


def test_public_names_exist_and_are_documented():
    for name in arrangements.__all__:
        assert getattr(arrangements, name).__doc__, name


def test_sources_for_cython_and_type_checkers_are_shipped():
    assert {"enumeration", "lookup", "nnls", "search"} <= {path.stem for path in STUBS}
    for stub in STUBS:
        assert importlib.import_module(name_of(stub)).__file__.endswith((".so", ".pyd"))
    for name in ("py.typed", "walk/kernels.h", "walk/kernels.pxd", "walk/predicates.pxd"):
        assert (PACKAGE / name).exists(), name
    if not (PACKAGE.parent / "setup.py").exists():
        assert list(PACKAGE.rglob("*.c")) == []


@pytest.mark.parametrize("stub", STUBS, ids=lambda path: path.stem)
def test_stubs_tell_no_more_and_no_less(stub):
    module = importlib.import_module(name_of(stub))
    stated = {}
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            stated[node.name] = {f.name for f in node.body if isinstance(f, ast.FunctionDef)}
        elif isinstance(node, ast.FunctionDef):
            stated[node.name] = set()
        elif isinstance(node, ast.AnnAssign) and not node.target.id.startswith("_"):
            stated[node.target.id] = set()
    there = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, type(sys))
    }
    assert set(stated) == there
    for name, members in stated.items():
        if members:
            value = getattr(module, name)
            public = {member for member in vars(value) if not member.startswith("_")}
            assert members - {"__init__", "__len__", "__new__"} == public


# The chambers of these use every kernel: identity and merged rows, integral and rounded tableaux,
# the exact stage, lanes beyond one and beyond eight vectors, a tolerance.
SIMD_CASES = {
    "general position": (instances.generic(40, 5), {}),
    "many samples": (instances.generic(130, 3), {}),
    "threshold 4": (instances.threshold(4), {}),
    "resonance 5": (instances.resonance(5), {}),
    "zero and parallel rows": (
        [(0,) * 4, *instances.type_b(4), *instances.braid(3), (0,) * 4],
        {},
    ),
    "a hair away": (instances.nudged(instances.threshold(3), 2**58, seed=4), {}),
    "fibonacci": (instances.fibonacci(8, start=60, r=4), {}),
    "integral": (instances.small_integers(30, 4), {"bias": True}),
    "decimals": (instances.tied_decimals(), {"bias": True, "numbers": "decimal"}),
    "tolerance": (instances.h3(), {"tol": 1e-9}),
}


def digests():
    """Of the rows, witnesses and counts of every case: what must not depend on the kernels."""
    out = {}
    for name, (rows, options) in SIMD_CASES.items():
        A = Arrangement(rows, **options)
        D = A.dichotomies(witnesses=True)
        out[name] = [
            len(D),
            A.count_dichotomies(),
            hashlib.sha256(D.packed).hexdigest(),
            hashlib.sha256(D.witness_found).hexdigest(),
        ]
    return out


@pytest.mark.parametrize("level", [
    "baseline", *(pytest.param(x, marks=pytest.mark.full) for x in ("avx2", "avx512"))])
def test_kernels_of_every_simd_level_give_the_same_rows(level):
    program = (
        "import json, test_package, arrangements.walk.enumeration as c\n"
        "print(json.dumps([c.simd, test_package.digests()]))\n"
    )
    used, found = json.loads(child(program, ARRANGEMENTS_SIMD=level))
    levels = ["baseline", "avx2", "avx512"]
    # A processor without the instructions uses the best it has below.
    assert levels.index(used) <= levels.index(level)
    assert found == digests()


@pytest.mark.parametrize(
    ("former", "name"), [("path", "solutions_over_beta"), ("line", "join"), ("Block", "Term")])
def test_former_names_are_those_of_today_with_a_warning(former, name):
    with pytest.warns(DeprecationWarning, match=f"cvxlayer.{former} is now cvxlayer.{name}"):
        assert getattr(cvxlayer, former) is getattr(cvxlayer, name)
    assert former not in cvxlayer.__all__
