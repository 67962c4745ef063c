"""Extension modules. ARRANGEMENTS_BUILD selects release (default), debug or sanitize."""
import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

MODE = os.environ.get("ARRANGEMENTS_BUILD", "release")
# Signs depend on every rounding being counted: no contraction, no -ffast-math, no -march.
FLAGS = {
    "release": ["-O3"],
    "debug": ["-O1", "-g"],
    "sanitize": ["-O1", "-g", "-fsanitize=address,undefined", "-fno-omit-frame-pointer",
                 "-fno-sanitize-recover=undefined"],
}
if MODE not in FLAGS:
    raise SystemExit(f"ARRANGEMENTS_BUILD must be one of {', '.join(FLAGS)}, got {MODE!r}")
compile_args = [*FLAGS[MODE], "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"]
link_args = [flag for flag in FLAGS[MODE] if flag.startswith("-fsanitize")]

extensions = [
    Extension(".".join(source.with_suffix("").parts), [str(source)],
              depends=["arrangements/walk/kernels.h"], include_dirs=["arrangements/walk"],
              extra_compile_args=compile_args, extra_link_args=link_args)
    for source in sorted(Path("arrangements").rglob("*.pyx"))
]

CHECKED = MODE != "release"
setup(ext_modules=cythonize(
    extensions,
    language_level=3,
    compiler_directives={
        "boundscheck": CHECKED,
        "wraparound": False,
        "initializedcheck": CHECKED,
        "cdivision": True,
        "overflowcheck": MODE == "debug",
        "embedsignature": True,
        # no module has globals that change after its import: state is in workers and arguments
        "freethreading_compatible": True,
    },
))
