"""Old names of modules: imports that worked before the rooms still work, with a warning."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
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
            of, _, word = old.partition(".")
            if of == leaf:
                home, _, now = f"{self.package}.{new}".rpartition(".")
                setattr(successor, word, getattr(import_module(home), now))
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

    The second tells of names in the old modules that have moved elsewhere or have another name.
    """
    sys.meta_path.append(_Moved(package, successors, renamed))
