"""The plan of the code: who may import whom, and that the architecture page tells it as it is."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import arrangements
import cvxlayer

PACKAGES = {p.__name__: Path(p.__file__).parent for p in (arrangements, cvxlayer)}
PAGE = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"

pytestmark = pytest.mark.skipif(
    not (PACKAGES["arrangements"] / "walk" / "flats.pyx").exists(),
    reason="the plan is that of the sources, and a wheel has no Cython")

# Each room imports only from rooms after it.
ROOMS = {
    "arrangements": (
        "cli", "pictures", "verification", "families", "shortcuts", "arrangement", "ellipsoid",
        "chambers", "walk", "counting", "patterns", "data", "bundled", "algebra", "checks", "files",
        "progress", "errors", "moved",
    ),
    "cvxlayer": (
        "cli", "estimators", "landscape", "certificates", "training", "conic", "model", "checks",
        "errors",
    ),
}  # fmt: skip
# What cvxlayer may use of arrangements beside its public names.
SHARED = {"errors", "checks", "files", "moved", "data", "cli", "pictures"}
# Functions that import our own modules: methods that users expect low in the house.
FACADES = {
    ("cvxlayer.model.problem", "cvxlayer.training.fit"),
    ("cvxlayer.model.problem", "cvxlayer.conic.program"),
}

# Python files of more than 500 lines: the public methods with their docstrings, in one place.
LONG = {"arrangements.arrangement"}


def module_of(path):
    """Dotted name of a source file."""
    for name, folder in PACKAGES.items():
        if path.is_relative_to(folder):
            parts = path.relative_to(folder).with_suffix("").parts
            return ".".join((name, *parts)).removesuffix(".__init__")
    raise AssertionError(path)


SOURCES = sorted(
    path for folder in PACKAGES.values() for suffix in ("*.py", "*.pyx", "*.pxd")
    for path in folder.rglob(suffix)
)
MODULES = {module_of(path) for path in SOURCES}


def python_imports(tree, module, is_package):
    """(imported module, whether inside a function) of a syntax tree, our own packages only."""
    found = []

    def visit(node, inside):
        for child in ast.iter_child_nodes(node):
            deeper = inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            if isinstance(child, ast.Import):
                found.extend((alias.name, inside) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                base = module.split(".")
                if child.level:
                    base = base[: len(base) - child.level + is_package]
                    name = ".".join([*base, child.module] if child.module else base)
                else:
                    name = child.module
                for alias in child.names:
                    longer = f"{name}.{alias.name}"
                    found.append((longer if longer in MODULES else name, inside))
            visit(child, deeper)

    visit(tree, False)
    return [(name, inside) for name, inside in found if name.split(".")[0] in PACKAGES]


def imports_of(path):
    """(imported module, whether inside a function) of a source file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return python_imports(ast.parse(text), module_of(path), path.name == "__init__.py")
    names = re.findall(r"(?m)^\s*(?:from|cimport|import) ((?:arrangements|cvxlayer)[\w.]*)", text)
    return [(name, False) for name in names]


def room_of(module):
    """Package and place in the order of rooms; the package itself is above them all."""
    package, *rest = module.split(".")
    return package, ROOMS[package].index(rest[0]) if rest and rest[0] != "__main__" else -1


def faults(module, imported):
    """What is wrong with an import, in words."""
    (here, mine), (there, other) = room_of(module), room_of(imported)
    if here != there:
        if here == "arrangements":
            yield f"{module} imports {imported}: the engine knows no convex layer"
        elif other >= 0 and ROOMS[there][other] not in SHARED:
            yield f"{module} imports {imported}, which is private to arrangements"
    elif mine > other and imported != here:
        yield f"{module} imports {imported}, which is above it"
    elif imported == here and mine >= 0:
        yield f"{module} imports its own package"


def test_every_source_is_in_a_room():
    for module in MODULES:
        room_of(module)
    for package, rooms in ROOMS.items():
        assert {m.split(".")[1] for m in MODULES if m.startswith(f"{package}.")} - {
            "__main__"} == set(rooms)


def test_imports_go_down():
    wrong = [
        fault for path in SOURCES for imported, _ in imports_of(path)
        if (module_of(path), imported) not in FACADES
        for fault in faults(module_of(path), imported)
    ]
    assert wrong == []


def test_functions_import_no_module_of_ours_but_the_listed():
    found = {(module_of(path), imported) for path in SOURCES
             for imported, inside in imports_of(path) if inside}
    assert found == FACADES


def test_files_import_each_other_in_no_circle():
    graph = {}
    for path in SOURCES:
        module = module_of(path)
        needed = {imported for imported, inside in imports_of(path) if not inside}
        graph.setdefault(module, set()).update(needed - {module})
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError at a circle
    assert set(order) == MODULES


def test_nobody_reads_what_is_private_to_an_arrangement():
    for path in SOURCES:
        if module_of(path) != "arrangements.arrangement":
            text = path.read_text(encoding="utf-8")
            assert re.findall(r"\b(?:arrangement|A)\._[a-z]\w*", text) == [], path


@pytest.mark.parametrize(("module", "imported", "wrong"), [
    ("arrangements.algebra.numbers", "arrangements.errors", False),
    ("arrangements.algebra.numbers", "arrangements.patterns.packed", True),
    ("arrangements.walk.walks", "arrangements.walk.threads", False),
    ("arrangements.walk.walks", "arrangements", True),
    ("arrangements.cli.main", "cvxlayer.cli.train", True),
    ("cvxlayer.model.network", "arrangements", False),
    ("cvxlayer.model.network", "arrangements.errors", False),
    ("cvxlayer.model.network", "arrangements.walk.walks", True),
    ("cvxlayer.model.network", "cvxlayer.training.fit", True),
])  # fmt: skip
def test_the_judge_of_imports_judges(module, imported, wrong):
    assert bool(list(faults(module, imported))) == wrong


def documented_files(text):
    """Room -> file names, from the page: a heading `room/` and names in backquotes below it."""
    found, room = {}, None
    for line in text.splitlines():
        if heading := re.match(r"#+ `([\w/]+)/`", line):
            room = heading[1]
            found[room] = set()
        elif line.startswith("#"):
            room = None
        elif room and line.startswith("| `"):
            found[room].update(re.findall(r"`([\w.]+\.(?:py|pyx|h))`", line.split("|")[1]))
    return found


def test_the_page_names_the_files_that_there_are():
    on_disk = {}
    for name, folder in PACKAGES.items():
        for path in folder.rglob("*"):
            if path.suffix in (".py", ".pyx", ".h") and path.name != "__init__.py":
                room = "/".join((name, *path.parent.relative_to(folder).parts))
                on_disk.setdefault(room, set()).add(path.name)
    assert documented_files(PAGE.read_text(encoding="utf-8")) == on_disk


@pytest.mark.parametrize("room", sorted(
    path.parent for folder in PACKAGES.values() for path in folder.rglob("__init__.py")
), ids=lambda path: f"{path.parent.name}.{path.name}")
def test_rooms_open_with_a_map_of_their_files(room):
    """The table in the docstring of `__init__` has every module and room, and no other."""
    docstring = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8")))
    table = docstring.split("===\n")[1]
    listed = {line.split()[0] for line in table.splitlines() if line and line[0] not in " ="}
    there = {path.stem for path in room.glob("*.py")} | {path.stem for path in room.glob("*.pyx")}
    there |= {path.parent.name for path in room.glob("*/__init__.py")}
    headers = {path.name for path in room.glob("*.h")}
    assert listed == {name for name in there if not name.startswith("_")} | headers


def code_lines(node, text):
    """Lines of a function that are neither blank, comment nor docstring."""
    body = node.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    if not body:
        return 0
    lines = text.splitlines()[body[0].lineno - 1 : node.end_lineno]
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in lines)


def test_files_and_functions_are_of_a_size_to_be_read():
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".py":
            assert len(text.splitlines()) <= 500 or module_of(path) in LONG, path
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef):
                    assert code_lines(node, text) <= 80, (path, node.name)
