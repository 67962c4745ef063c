"""Old names of modules: imports that worked before the rooms still work, with a warning."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from pkgutil import resolve_name
from types import ModuleType
from typing import Any


class _Moved:
    """Finder and loader of modules by their former names."""

    def __init__(self, package: str, successors: Mapping[str, str],
                 renamed: Mapping[str, str]) -> None:
        self.package, self.renamed = package, renamed
        self.successors = {f"{package}.{old}": f"{package}.{new}"
                           for old, new in successors.items()}

    def find_spec(self, name: str, path: Sequence[str] | None = None,
                  target: ModuleType | None = None) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name in self.successors else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        successor = import_module(self.successors[name])
        warnings.warn(f"{name} is now {successor.__name__}", DeprecationWarning, stacklevel=2)
        leaf = name.rpartition(".")[2]
        for old, new in self.renamed.items():
            of, _, word = old.rpartition(".")
            if of == leaf:
                setattr(successor, word, resolve_name(f"{self.package}.{new}"))
        function: Any = getattr(sys.modules[self.package], leaf, None)
        if callable(function):
            # a function has taken the name: the import must not put a module over it
            for key, value in vars(successor).items():
                if not key.startswith("__"):
                    setattr(function, key, value)
            sys.modules[name] = function
        else:
            sys.modules[name] = successor


def forward(package: str, successors: Mapping[str, str], renamed: Mapping[str, str]) -> None:
    """Let `package.old` be imported as `package.new`, for each old and new of the first table.

    The second tells of names that have moved elsewhere or have another name, in the old modules,
    in modules that stay (imported already) and in the package.
    """
    sys.meta_path.append(_Moved(package, successors, renamed))
    for module in {old.rpartition(".")[0] for old in renamed} - set(successors):
        _forward_names(sys.modules[f"{package}.{module}".rstrip(".")], {
            old.rpartition(".")[2]: f"{package}.{new}" for old, new in renamed.items()
            if old.rpartition(".")[0] == module})


def _forward_names(module: ModuleType, successors: Mapping[str, str]) -> None:
    """Let the module give the objects of those full names under its former names."""
    def successor(name: str) -> Any:
        if name not in successors:
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        full = successors[name]
        warnings.warn(f"{module.__name__}.{name} is now {full}", DeprecationWarning, stacklevel=2)
        return resolve_name(full)

    module.__getattr__ = successor  # type: ignore[method-assign]
